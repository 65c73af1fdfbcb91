import { describe, expect, test } from "vitest";
import { ActionError } from "../../src/errors.ts";
import { readInputs } from "../../src/inputs/read-inputs.ts";
import { formatPlatform } from "../../src/oci/platform.ts";
import { formatRepository } from "../../src/oci/reference.ts";

const read = (inputs: Readonly<Record<string, string>>, isFork = false) =>
  readInputs((name) => inputs[name] ?? "", { cacheRepository: "ghcr.io/team/app/devcontainer", isFork });

test("nothing set: the documented defaults", () => {
  const inputs = read({});
  expect(inputs).toMatchObject({
    onMiss: "build",
    onDrift: "build",
    onUnknown: "fail",
    push: "auto",
    alias: "auto",
    verify: "layers",
  });
  expect(inputs.platforms.map(formatPlatform)).toEqual(["linux/amd64"]);
  expect(formatRepository(inputs.cacheRepository)).toBe("ghcr.io/team/app/devcontainer");
  expect(inputs.registryLogin).toBeUndefined();
});

test.each([
  ["commas and lines", "linux/arm64, linux/amd64\nlinux/arm/v7", ["linux/amd64", "linux/arm/v7", "linux/arm64"]],
  ["twice and by another name", "linux/amd64\nlinux/x86_64\nlinux/arm64/v8", ["linux/amd64", "linux/arm64"]],
])("platforms: %s", (_, platforms, expected) => {
  expect(read({ platforms }).platforms.map(formatPlatform)).toEqual(expected);
});

type Bad = {
  readonly name: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly words: RegExp;
  readonly code?: string;
  readonly fork?: boolean;
};

const BAD: readonly Bad[] = [
  { name: "a platform with a typo", inputs: { platforms: "linux/amd46" }, words: /platforms is "linux\/amd46"/ },
  { name: "a platform without an operating system", inputs: { platforms: "amd64" }, words: /platforms is "amd64"/ },
  {
    name: "a variant that does not exist",
    inputs: { platforms: "linux/arm64/v3" },
    words: /platforms is "linux\/arm64\/v3"/,
  },
  // Names that every object of JavaScript has by itself.
  { name: "a platform called constructor", inputs: { platforms: "constructor" }, words: /platforms is "constructor"/ },
  { name: "a platform called __proto__", inputs: { platforms: "__proto__/x" }, words: /platforms is "__proto__\/x"/ },
  {
    name: "an architecture called toString",
    inputs: { platforms: "linux/toString" },
    words: /platforms is "linux\/toString"/,
  },
  {
    name: "a variant called constructor",
    inputs: { platforms: "linux/amd64/constructor" },
    words: /platforms is "linux\/amd64\/constructor"/,
  },
  {
    name: "a runner for __proto__",
    inputs: { runners: "__proto__=x" },
    words: /runners holds "__proto__=x": "__proto__" is no platform/,
  },
  { name: "a builder for constructor", inputs: { builders: "constructor=x" }, words: /builders holds "constructor=x"/ },
  ...["reg.io:70000", "1.2.3.999", "0x7f.1", "127.1"].flatMap((host): Bad[] => [
    {
      name: `a cache at ${host}`,
      inputs: { "cache-repo": `${host}/team/app` },
      words: /cache-repo is ".*", which is not/,
    },
    { name: `a fallback at ${host}`, inputs: { "fallback-image": `${host}/app` }, words: /fallback-image is ".*"/ },
    { name: `an insecure ${host}`, inputs: { insecure: host }, words: /insecure is ".*"/ },
    {
      name: `a mirror at ${host}`,
      inputs: { "registry-mirrors": `docker.io=${host}` },
      words: /registry-mirrors holds/,
    },
    { name: `a mirror of ${host}`, inputs: { "registry-mirrors": `${host}=reg.io` }, words: /registry-mirrors holds/ },
    { name: `a generator at ${host}`, inputs: { sbom: `${host}/scan` }, words: /sbom is ".*"/ },
  ]),
  { name: "windows", inputs: { platforms: "windows/amd64" }, words: /platforms is "windows\/amd64"/ },
  { name: "an unknown on-miss", inputs: { "on-miss": "rebuild" }, words: /on-miss is "rebuild"/ },
  { name: "an unknown on-drift", inputs: { "on-drift": "ignore" }, words: /on-drift is "ignore"/ },
  { name: "an unknown on-unknown", inputs: { "on-unknown": "miss" }, words: /on-unknown is "miss"/ },
  { name: "an unknown verify", inputs: { verify: "all" }, words: /verify is "all"/ },
  ...["0", "-1", "1.5", "01001", "0x3e9", "1e3", "vscode", "1001:1001", "2147483648", "99999999999", "AUTO"].map(
    (uid): Bad => ({
      name: `a remote-user-uid ${uid}`,
      inputs: { "remote-user-uid": uid },
      words: new RegExp(`remote-user-uid is "${uid}", which is not allowed`),
    }),
  ),
  { name: "a push that is no boolean", inputs: { push: "yes" }, words: /push is "yes"/ },
  { name: "a dialect that nobody knows", inputs: { dialect: "nix" }, words: /dialect is "nix"/ },
  {
    name: "a cache-repo with a scheme",
    inputs: { "cache-repo": "https://ghcr.io/a/b" },
    words: /cache-repo is "https.*starts with a scheme/,
  },
  {
    name: "a cache-repo with a tag",
    inputs: { "cache-repo": "ghcr.io/a/b:latest" },
    words: /cache-repo is "ghcr.io\/a\/b:latest"/,
  },
  {
    name: "a cache-repo with a digest",
    inputs: { "cache-repo": `ghcr.io/a/b@sha256:${"a".repeat(64)}` },
    words: /cache-repo is/,
  },
  {
    name: "a cache-repo that is a registry alone",
    inputs: { "cache-repo": "ghcr.io" },
    words: /cache-repo is "ghcr\.io", which is a registry without a path/,
  },
  {
    name: "a cache-repo that is a registry with a port alone",
    inputs: { "cache-repo": "localhost:5000" },
    words: /which is a registry without a path/,
  },
  {
    name: "a cache-repo that may be a name with a tag",
    inputs: { "cache-repo": "debian:12" },
    words: /cache-repo is "debian:12", which is a registry without a path, or a name with a tag/,
  },
  {
    name: "a cache-repo with a port and a tag",
    inputs: { "cache-repo": "localhost:5000/a:1" },
    words: /names a tag or a digest/,
  },
  {
    name: "patterns of allowed-images on one line",
    inputs: { "allowed-images": "ghcr.io/team/*,debian" },
    words: /several patterns stand on one line/,
  },
  {
    name: "a pattern of allowed-images that is no image",
    inputs: { "allowed-images": "ghcr.io/Team/**" },
    words: /"Team\/\*\*" has capital letters/,
  },
  {
    name: "a layer cache of no type",
    inputs: { "cache-from": "type=foo,ref=a" },
    words: /there is no layer cache of the type foo/,
  },
  {
    name: "a buildkit-image that is no image",
    inputs: { "buildkit-image": "moby/BuildKit:latest" },
    words: /buildkit-image is "moby\/BuildKit:latest"/,
  },
  { name: "a cache-repo with blanks", inputs: { "cache-repo": "ghcr.io/a b" }, words: /white space/ },
  {
    name: "a runner for a platform that does not exist",
    inputs: { runners: "linux/arm46=pi" },
    words: /runners holds "linux\/arm46=pi"/,
  },
  {
    name: "two runners for one platform",
    inputs: { runners: "linux/arm64=pi\nlinux/aarch64=m1" },
    words: /runners names linux\/arm64 twice/,
  },
  { name: "a password without a user", inputs: { "registry-password": "s3cret" }, words: /registry-username is empty/ },
  { name: "a user without a password", inputs: { "registry-username": "me" }, words: /registry-password is empty/ },
  { name: "push for a fork", inputs: { push: "true" }, words: /fork/, fork: true },
  {
    name: "an alias without a push",
    inputs: { alias: "true", push: "false" },
    words: /alias is true and push is false/,
  },
  {
    name: "a push without a build",
    inputs: { push: "true", "on-miss": "fail" },
    words: /push is true and on-miss is fail/,
  },
];

test.each(BAD)("refused before any work: $name", ({ inputs, words, code = "E_INPUT", fork = false }) => {
  const error = (() => {
    try {
      return read(inputs, fork);
    } catch (thrown) {
      return thrown;
    }
  })();
  expect(error).toBeInstanceOf(ActionError);
  if (!(error instanceof ActionError)) return;
  expect(error.code).toBe(code);
  expect(error.message).toMatch(words);
  expect(error.fix).toBeTruthy();
  expect(`${error.message} ${error.fix}`).not.toContain("s3cret");
});

test("a machine for a platform that nobody asks for is told: nothing is built on it", () => {
  const noticed = (platforms: string) =>
    read({ platforms, runners: "linux/arm64=pi\nlinux/riscv64=visionfive" }).noticed;
  expect(noticed("linux/arm64,linux/riscv64")).toEqual([]);
  expect(noticed("linux/aarch64")).toEqual([
    {
      text: expect.stringMatching(/machines for linux\/riscv64, and platforms asks for linux\/arm64: nothing is built/),
    },
  ]);
});

test("capitals of cache-repo are lowered, as in the host's default", () => {
  expect(read({ "cache-repo": "ghcr.io/Team/App" }).cacheRepository).toEqual({
    registry: "ghcr.io",
    repository: "team/app",
  });
});

test.each([
  ["acme/app", [/a name without a host is Docker Hub's: docker\.io\/acme\/app\./]],
  ["devcontainer", [/Docker Hub's: docker\.io\/library\/devcontainer\./]],
  ["ghcr.io/Team/App", [/no registry has capital letters.*ghcr\.io\/team\/app counts/]],
  ["docker.io/acme/app", []],
  ["localhost/app", []],
  ["registry.test:5000/app", []],
])("what is done to the name %s that nobody has written is told", (name, words) => {
  const told = read({ "cache-repo": name }).noticed.map(({ text }) => text);
  expect(told).toEqual(words.map((one) => expect.stringMatching(one)));
});

test.each([
  [{ platforms: "arm64" }, /^The input platforms is "arm64", which is not allowed: it is not written as/, /^Write/],
  [{ "buildx-version": "latest" }, /^The input buildx-version is "latest", which is not allowed: /, /^Write/],
])("the reason stands with what happened, the advice begins a sentence: %j", (given, what, fix) => {
  try {
    read(given);
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ message: expect.stringMatching(what), fix: expect.stringMatching(fix) });
  }
});

test("a default that is no repository is told as the default", () => {
  expect(() => readInputs(() => "", { cacheRepository: "gitea.test/-team/app", isFork: false })).toThrow(
    /The default of the input cache-repo is "gitea\.test\/-team\/app"/,
  );
});

test("no default from the host: cache-repo has to be set", () => {
  expect(() => readInputs(() => "", { cacheRepository: undefined, isFork: false })).toThrow(/cache-repo is not set/);
});

describe("half a login, where secrets are empty", () => {
  const why = "the pull request's commit is from else/app";
  test.each([
    [{ "registry-username": "me" }, "The input registry-username is set and registry-password is empty"],
    [{ "registry-password": "s3cret" }, "The input registry-password is set and registry-username is empty"],
  ])("%j: the run goes on without it", (inputs: Readonly<Record<string, string>>, what) => {
    const read = (name: string) => inputs[name] ?? "";
    const defaults = { cacheRepository: "cache.test/team/app", isFork: true, whyFork: why, whyNoSecrets: why };
    expect(readInputs(read, defaults)).toMatchObject({
      registryLogin: undefined,
      noticed: [{ text: `${what}, as secrets are in this run (${why}): it goes on without that login.` }],
    });
  });
});

describe("the registry of a server that speaks plain http", () => {
  const defaults = { cacheRepository: "git.test:3000/team/app", isFork: false, plainRegistry: "git.test:3000" };
  test.each([
    ["", { kind: "hosts", hosts: ["git.test:3000"] }],
    ["other.test", { kind: "hosts", hosts: ["other.test", "git.test:3000"] }],
    ["git.test:3000", { kind: "hosts", hosts: ["git.test:3000"] }],
    ["true", { kind: "all" }],
    ["false", { kind: "none" }],
  ])("with insecure: %s", (insecure, expected) => {
    expect(readInputs((name) => (name === "insecure" ? insecure : ""), defaults).insecure).toEqual(expected);
  });
});

test("a default that is no valid path says what to do about it", () => {
  const read = () => readInputs(() => "", { cacheRepository: "ghcr.io/org/.github/devcontainer", isFork: false });
  expect(read).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(/^The default of the input cache-repo is "ghcr\.io\/org\/\.github\/devcontainer"/),
      fix: expect.stringMatching(/^Set cache-repo: the default is made of this repository's own name/),
    }),
  );
});

describe("remote-user-uid", () => {
  const uidOf = (value: string, folderOwner?: number | "anyone") => {
    const { remoteUserUid, noticed } = readInputs((name) => (name === "remote-user-uid" ? value : ""), {
      cacheRepository: "ghcr.io/team/app/devcontainer",
      isFork: false,
      ...(folderOwner === undefined ? {} : { folderOwner }),
    });
    return [remoteUserUid, noticed.map(({ text }) => text)];
  };

  test.each<[string, string, number | "anyone" | undefined, number | undefined]>([
    ["nothing", "", 1001, undefined],
    ["a number, whoever owns the folders", " 1002 ", 1001, 1002],
    ["the largest", "2147483647", "anyone", 2147483647],
    ["auto: the owner of the job's folders", "auto", 1001, 1001],
    ["auto: nobody, where they are given to whoever works there", "auto", "anyone", undefined],
    ["auto: nobody, where nothing is known of them", "auto", undefined, undefined],
  ])("%s", (_, value, owner, expected) => {
    expect(uidOf(value, owner)).toEqual([expected, []]);
  });

  test("auto where root runs the job: nobody, and a warning", () => {
    expect(uidOf("auto", 0)).toEqual([undefined, [expect.stringContaining("auto and this job runs as root")]]);
  });
});
