import { tmpdir } from "node:os";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openExec } from "../../src/host/exec.ts";
import { openFiles } from "../../src/host/files.ts";
import { openCredentials } from "../../src/registry/credentials.ts";
import { decodeDockerConfiguration, loginFrom, readDockerConfiguration } from "../../src/registry/docker-config.ts";
import type { Exec, StoredLogin } from "../../src/world.ts";
import { type Content, closedFolder, makeCheckout } from "../checkout.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const auth = (user: string, password: string) => ({ auth: base64(`${user}:${password}`) });
const config = (value: unknown): Content => JSON.stringify(value);
/** A helper as a program: answers with this, and ends with this code. */
const helper = (answer: string, code = 0): Content => ({
  script: `#!/bin/sh\ncat > "$0.asked"\nprintf '%s' '${answer}'\nexit ${code}\n`,
});

type Row = {
  readonly name: string;
  readonly home?: Readonly<Record<string, Content>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly ask?: string;
  readonly given?: { readonly registry: string; readonly login: StoredLogin };
  readonly input?: unknown;
  readonly login: StoredLogin | undefined;
  readonly warns?: RegExp;
};

const me: StoredLogin = { username: "me", password: "pass" };
const file = ".docker/config.json";
const auths = (value: unknown) => ({ [file]: config({ auths: value }) });

const ROWS: readonly Row[] = [
  { name: "nothing known", login: undefined },
  { name: "the file's own key", home: auths({ "cache.test": auth("me", "pass") }), login: me },
  { name: "a key with scheme and path", home: auths({ "https://cache.test/v1/": auth("me", "pass") }), login: me },
  {
    name: "a password with colons",
    home: auths({ "cache.test": auth("me", "a:b:c") }),
    login: { username: "me", password: "a:b:c" },
  },
  {
    name: "base64 without padding",
    home: auths({ "cache.test": { auth: base64("me:pass").replace(/=+$/, "") } }),
    login: me,
  },
  {
    name: "user and password written out",
    home: auths({ "cache.test": { username: "me", password: "pass" } }),
    login: me,
  },
  {
    name: "an identity token",
    home: auths({ "cache.test": { ...auth("me", ""), identitytoken: "t0k" } }),
    login: { identityToken: "t0k" },
  },
  {
    name: "a registry token",
    home: auths({ "cache.test": { registrytoken: "t0k" } }),
    login: { registryToken: "t0k" },
  },
  {
    name: "another host's login is not used",
    home: auths({ "cache.test:5000": auth("me", "pass") }),
    login: undefined,
  },
  {
    name: "Docker Hub under its old key",
    home: auths({ "https://index.docker.io/v1/": auth("me", "pass") }),
    ask: "docker.io/library/x",
    login: me,
  },
  {
    name: "Docker Hub as podman writes it",
    home: auths({ "docker.io": auth("me", "pass") }),
    ask: "docker.io/library/x",
    login: me,
  },
  ...["registry-1.docker.io", "https://registry.hub.docker.com/v2/", "index.docker.io"].map((key) => ({
    name: `Docker Hub under ${key}`,
    home: auths({ [key]: auth("me", "pass") }),
    ask: "docker.io/library/x",
    login: me,
  })),
  {
    name: "Docker Hub by the host of its API, as buildx has it",
    home: auths({ "https://index.docker.io/v1/": auth("me", "pass") }),
    ask: "registry-1.docker.io/library/x",
    login: me,
  },
  {
    name: "a host of Docker Hub's that buildx knows no login of",
    home: auths({ "https://index.docker.io/v1/": auth("me", "pass") }),
    ask: "registry.hub.docker.com/library/x",
    login: undefined,
  },
  {
    name: "an entry that cannot be read",
    home: auths({ "cache.test": { auth: "%%%" } }),
    login: undefined,
    warns: /auths\["cache\.test"\]/,
  },
  { name: "a file that is no JSON", home: { [file]: "{" }, login: undefined, warns: /config\.json is no JSON/ },
  {
    name: "DOCKER_CONFIG instead of the home folder",
    home: { "other/config.json": config({ auths: { "cache.test": auth("me", "pass") } }) },
    env: { DOCKER_CONFIG: "{home}/other" },
    login: me,
  },
  {
    name: "a helper for the host, before the store and the file",
    home: {
      [file]: config({
        auths: { "cache.test": auth("x", "y") },
        credsStore: "bad",
        credHelpers: { "cache.test": "good" },
      }),
      "bin/docker-credential-good": helper('{"ServerURL":"cache.test","Username":"me","Secret":"pass"}'),
    },
    login: me,
  },
  {
    name: "the store",
    home: {
      [file]: config({ auths: { "cache.test": {} }, credsStore: "good" }),
      "bin/docker-credential-good": helper('{"Username":"me","Secret":"pass"}'),
    },
    login: me,
  },
  {
    name: "an empty entry, and a store that knows nothing",
    home: {
      [file]: config({ auths: { "cache.test": {} }, credsStore: "none" }),
      "bin/docker-credential-none": helper("credentials not found in native keychain", 1),
    },
    login: undefined,
  },
  {
    name: "a helper that gives an identity token",
    home: {
      [file]: config({ credsStore: "good" }),
      "bin/docker-credential-good": helper('{"Username":"<token>","Secret":"t0k"}'),
    },
    login: { identityToken: "t0k" },
  },
  {
    name: "a helper that knows nothing: the file",
    home: {
      [file]: config({ auths: { "cache.test": auth("me", "pass") }, credsStore: "none" }),
      "bin/docker-credential-none": helper("credentials not found in native keychain", 1),
    },
    login: me,
  },
  {
    name: "a helper that is missing",
    home: { [file]: config({ credsStore: "gone" }) },
    login: undefined,
    warns: /docker-credential-gone, which is not on PATH/,
  },
  {
    name: "a helper that fails",
    home: { [file]: config({ credsStore: "bad" }), "bin/docker-credential-bad": helper("canary: something broke", 1) },
    login: undefined,
    warns: /docker-credential-bad .* failed for cache\.test/,
  },
  {
    name: "a helper that prints junk",
    home: { [file]: config({ credsStore: "bad" }), "bin/docker-credential-bad": helper("canary junk") },
    login: undefined,
    warns: /cannot be read/,
  },
  {
    name: "a helper that is a path",
    home: { [file]: config({ credsStore: "../../evil" }) },
    login: undefined,
    warns: /no program's name/,
  },
  {
    name: "buildx's folder for the repository, before the registry's and the file",
    home: {
      ...auths({ "cache.test": auth("x", "y") }),
      ".docker/buildx/config/cache.test/config.json": config({ auths: { "cache.test": auth("a", "b") } }),
      ".docker/buildx/config/cache.test/team/app@pull,push/config.json": config({
        auths: { "cache.test": auth("me", "pass") },
      }),
    },
    login: me,
  },
  {
    name: "buildx's folder of a path above the repository is nobody's",
    home: {
      ".docker/buildx/config/cache.test/team/config.json": config({ auths: { "cache.test": auth("a", "b") } }),
    },
    login: undefined,
  },
  {
    name: "buildx's folder for pushing, before those for pulling and for all",
    home: Object.fromEntries(
      [
        ["app", "a"],
        ["app@pull", "b"],
        ["app@pull,push", "pass"],
      ].map(([folder, password = ""]) => [
        `.docker/buildx/config/cache.test/team/${folder}/config.json`,
        config({ auths: { "cache.test": auth("me", password) } }),
      ]),
    ),
    login: me,
  },
  {
    name: "buildx's folder for another repository whose name starts alike",
    home: {
      ".docker/buildx/config/cache.test/team/app2/config.json": config({ auths: { "cache.test": auth("a", "b") } }),
    },
    login: undefined,
  },
  {
    name: "buildx's folder for the whole registry, elsewhere",
    home: { "bx/config/cache.test@push/config.json": config({ auths: { "cache.test": auth("me", "pass") } }) },
    env: { BUILDX_CONFIG: "{home}/bx" },
    login: me,
  },
  {
    name: "buildx's folder for Docker Hub as docker/login-action names it",
    home: {
      ".docker/buildx/config/registry-1.docker.io/team/app@push/config.json": config({
        auths: { "https://index.docker.io/v1/": auth("me", "pass") },
      }),
    },
    ask: "docker.io/team/app",
    login: me,
  },
  {
    name: "logins that are no object",
    home: { [file]: config({ auths: [auth("canary", "canary")], credHelpers: "canary", credsStore: { canary: 1 } }) },
    login: undefined,
    warns: /"auths" is not.*\n.*"credHelpers" is not.*\n.*"credsStore" is not/,
  },
  {
    name: "an entry that is a text",
    home: auths({ "cache.test": "canary" }),
    login: undefined,
    warns: /auths\["cache\.test"\] holds no login/,
  },
  {
    name: "a login without a user's name",
    home: auths({ "cache.test": auth("", "canary") }),
    login: undefined,
    warns: /holds no login/,
  },
  {
    name: "a login without a colon",
    home: auths({ "cache.test": { auth: base64("canary") } }),
    login: undefined,
    warns: /holds no login/,
  },
  { name: "an empty file", home: { [file]: "" }, login: undefined, warns: /config\.json is no JSON/ },
  {
    name: "a file that is a folder",
    home: { [`${file}/x`]: "" },
    login: undefined,
    warns: /config\.json cannot be read/,
  },
  {
    name: "a password that docker ended with zeros",
    home: auths({ "cache.test": auth("me", "pass\0\0") }),
    login: me,
  },
  {
    name: "the exact key before one that means the same",
    home: auths({ "https://cache.test/v1/": auth("x", "y"), "cache.test": auth("me", "pass") }),
    login: me,
  },
  {
    name: "a key that starts alike is another host's",
    home: auths({ "cache.test.evil.test": auth("x", "y"), "https://evil.test/cache.test": auth("x", "y") }),
    login: undefined,
  },
  {
    name: "the inputs, before everything",
    home: auths({ "cache.test": auth("x", "y") }),
    input: { auths: { "cache.test": auth("a", "b") } },
    given: { registry: "cache.test", login: me },
    login: me,
  },
  {
    name: "the inputs' login is for its own registry alone",
    given: { registry: "other.test", login: me },
    login: undefined,
  },
  {
    name: "docker-config-base64, before the file",
    home: auths({ "cache.test": auth("x", "y") }),
    input: { auths: { "cache.test": auth("me", "pass") } },
    login: me,
  },
  {
    name: "the job's token for ghcr.io",
    env: { GITHUB_TOKEN: "pass", GITHUB_ACTOR: "me", GITHUB_SERVER_URL: "https://github.com" },
    ask: "ghcr.io/team/app",
    login: me,
  },
  {
    name: "the job's token on a host of ghe.com",
    env: { GITHUB_TOKEN: "pass", GITHUB_ACTOR: "me", GITHUB_SERVER_URL: "https://octo.ghe.com" },
    ask: "containers.octo.ghe.com/team/app",
    login: me,
  },
  {
    name: "the job's token of one host of ghe.com does not go to another's",
    env: { GITHUB_TOKEN: "pass", GITHUB_SERVER_URL: "https://octo.ghe.com" },
    ask: "containers.other.ghe.com/team/app",
    login: undefined,
  },
  {
    name: "the job's token of Gitea and Forgejo is no login to their registry",
    env: { GITHUB_TOKEN: "a", GITEA_TOKEN: "b", FORGEJO_TOKEN: "c", GITHUB_SERVER_URL: "https://cache.test/" },
    login: undefined,
  },
  {
    name: "the job's token goes nowhere else",
    env: { GITHUB_TOKEN: "pass", GITHUB_SERVER_URL: "https://github.com" },
    login: undefined,
  },
  {
    name: "a Gitea job's token does not go to ghcr.io",
    env: { GITHUB_TOKEN: "pass", GITHUB_SERVER_URL: "https://git.test" },
    ask: "ghcr.io/team/app",
    login: undefined,
  },
];

const secretsOf = (login: StoredLogin | undefined): readonly string[] => {
  if (!login) return [];
  return "password" in login
    ? [login.password, base64(`${login.username}:${login.password}`)]
    : Object.values<string>(login);
};

test.each(ROWS)("$name", async ({ home = {}, env = {}, ask = "cache.test/team/app", given, input, login, warns }) => {
  const folder = makeCheckout(home);
  const fullEnv = {
    HOME: folder,
    ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace("{home}", folder)])),
  };
  const [masked, warned]: [string[], string[]] = [[], []];
  const find = openCredentials({
    files: openFiles(tmpdir()).files,
    exec: openExec({ ...fullEnv, PATH: `${folder}/bin:/usr/bin:/bin` }).exec,
    env: fullEnv,
    given,
    configuration: input === undefined ? undefined : decodeDockerConfiguration(base64(JSON.stringify(input))),
    mask: (secret) => masked.push(secret),
    warn: (line) => warned.push(line),
  });
  const [registry = "", ...path] = ask.split("/");
  expect(await find({ registry, repository: path.join("/") })).toEqual(login);
  expect(masked).toEqual(secretsOf(login));
  expect(warned.join("\n")).toMatch(warns ?? /^$/);
  expect(warned.join("\n")).not.toContain("canary");
});

/** The logins of a home folder, asked through a stand-in for programs. */
function openHome(home: Readonly<Record<string, Content>>, exec: Exec) {
  const warned: string[] = [];
  const find = openCredentials({
    files: openFiles(tmpdir()).files,
    exec,
    env: { HOME: makeCheckout(home) },
    given: undefined,
    configuration: undefined,
    mask: () => undefined,
    warn: (line) => warned.push(line),
  });
  return { find, warned };
}

test("a folder that is another user's is told once, with the reason", async () => {
  const home = makeCheckout({ [file]: "{}" });
  const warned: string[] = [];
  const find = openCredentials({
    files: closedFolder(openFiles(tmpdir()).files, `${home}/.docker`),
    exec: async () => undefined,
    env: { HOME: home },
    given: undefined,
    configuration: undefined,
    mask: () => undefined,
    warn: (line) => warned.push(line),
  });
  for (const repository of ["team/app", "base"]) await find({ registry: "cache.test", repository });
  expect(warned).toEqual([
    `${home}/.docker cannot be read, for this user has no right to it: what docker keeps there, logins above all, is not used.`,
  ]);
});

test("a helper is given its time, asked once for a registry, and warned of once", async () => {
  const calls: unknown[] = [];
  const { find, warned } = openHome({ [file]: config({ credsStore: "slow" }) }, async (program, args, options) => {
    calls.push([program, args, options]);
    return { code: 1, stdout: "canary", stderr: "canary" };
  });
  for (const repository of ["team/a", "team/b", "team/b"])
    expect(await find({ registry: "cache.test", repository })).toBeUndefined();
  expect(calls).toEqual([["docker-credential-slow", ["get"], { input: "cache.test", timeout: 10_000 }]]);
  expect(warned).toHaveLength(1);
  expect(warned.join()).not.toContain("canary");
});

test("what is wrong with a file is told once, however many registries are looked up", async () => {
  const { find, warned } = openHome({ [file]: config({ auths: [] }) }, async () => undefined);
  for (const registry of ["a.test", "b.test", "c.test"]) await find({ registry, repository: "team/a" });
  expect(warned).toHaveLength(1);
});

test("a helper that cannot even be started is one that failed", async () => {
  const { find, warned } = openHome({ [file]: config({ credsStore: "big" }) }, () =>
    Promise.reject(new Error("E2BIG")),
  );
  expect(await find({ registry: "cache.test", repository: "team/a" })).toBeUndefined();
  expect(warned).toEqual([expect.stringMatching(/^docker-credential-big .* failed/)]);
});

test("Docker Hub's login is asked of a helper under the name that docker uses", async () => {
  const { find } = openHome({ [file]: config({ credsStore: "hub" }) }, async (_program, _args, options) => ({
    code: 0,
    stdout: JSON.stringify({ Username: "me", Secret: options?.input }),
    stderr: "",
  }));
  expect(await find({ registry: "docker.io", repository: "library/x" })).toEqual({
    username: "me",
    password: "https://index.docker.io/v1/",
  });
});

test("whatever a configuration says, there is a login or none, and no exception", async () => {
  const key = fc.constantFrom("auths", "credHelpers", "credsStore", "cache.test", "https://cache.test/v1/", "auth");
  const text = fc.oneof(fc.constantFrom("", "===", "bWU6cGFzcw==", "bWU6cGFzcw", "\0", "a:b"), fc.string());
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ depthSize: "small" }, text, fc.constant(undefined), fc.integer(), tie("list"), tie("object")),
    list: fc.array(tie("any"), { maxLength: 3 }),
    object: fc.dictionary(fc.oneof(key, fc.string()), tie("any"), { maxKeys: 4 }),
  }));
  const entry = fc.dictionary(fc.constantFrom("auth", "username", "password", "identitytoken", "registrytoken"), text);
  const likely = fc.record({
    auths: fc.oneof(fc.dictionary(key, fc.oneof(entry, value.any)), value.any),
    credHelpers: fc.oneof(fc.dictionary(key, text), value.any),
    credsStore: fc.oneof(fc.constant(undefined), text, value.any),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        likely.map((json) => JSON.stringify(json)),
        value.object.map((json) => JSON.stringify(json)),
        fc.string(),
      ),
      fc.string(),
      async (written, said) => {
        const configuration = readDockerConfiguration(written, "config.json");
        if (!configuration) return;
        const exec: Exec = async () => ({ code: said.length % 2, stdout: said, stderr: "" });
        const login = await loginFrom(configuration, "cache.test", { exec, warn: () => undefined });
        for (const part of Object.values(login ?? {})) expect(typeof part).toBe("string");
      },
    ),
    { numRuns: 500 },
  );
});

test("a helper that hangs is given up", async () => {
  const { exec } = openExec({ PATH: "/usr/bin:/bin" });
  expect((await exec("sleep", ["600"], { timeout: 200 }))?.code).not.toBe(0);
});

test.each([
  ["no base64", "%%%"],
  ["no JSON", base64("hello")],
  ["a list", base64("[]")],
])("docker-config-base64 that is %s is refused without its content", (_, value) => {
  expect(() => decodeDockerConfiguration(value)).toThrow(
    /^The input docker-config-base64 is not the base64 form of a Docker configuration\.$/,
  );
});
