import { Buffer } from "node:buffer";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, describe, expect, test } from "vitest";
import { ActionError } from "../../src/errors.ts";
import { openFiles } from "../../src/host/files.ts";
import type { Sources } from "../../src/plan/plan.ts";
import { makeCheckout } from "../checkout.ts";
import { hostOf, inputsOf, readFrom } from "../plan-of.ts";

const { files, removeTemporaryFolders } = openFiles(tmpdir());
const folders: string[] = [];
afterAll(() => {
  removeTemporaryFolders();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const S = "pass-91c3d7aa";
const CONFIG = ".devcontainer/devcontainer.json";
const DOCKERFILE = ".devcontainer/Dockerfile";
const COMPOSE = ".devcontainer/compose.yml";

type Files = Readonly<Record<string, string>>;
type Play = {
  readonly files?: Files;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly isFork?: boolean;
};

async function read({ files: more = {}, inputs = {}, env = {}, isFork = false }: Play): Promise<Sources> {
  const workspace = makeCheckout({
    [CONFIG]: '{ "build": { "dockerfile": "Dockerfile" } }',
    [DOCKERFILE]: "FROM base.test/os:1\n",
    ...more,
  });
  folders.push(workspace);
  const all = { "registry-username": "ada", "registry-password": S, ...inputs };
  const host = hostOf(workspace, { HOME: workspace, ...env });
  return readFrom(inputsOf({ workspace, images: {}, inputs: all }), {
    files,
    host: { ...host, event: { ...host.event, isFork } },
  });
}

/** What a run ends in before any request, with the place and the code; nothing where it goes on. */
async function refusal(play: Play): Promise<string | undefined> {
  try {
    await read(play);
    return undefined;
  } catch (error) {
    if (!(error instanceof ActionError)) throw error;
    const { at, message, code, fix } = error;
    return `${at ? `${at.file}:${at.line}: ` : ""}${message} [${code}] ${fix}`;
  }
}

const warnings = async (play: Play): Promise<readonly string[]> => (await read(play)).warnings.map(({ text }) => text);

const json = (value: object): Files => ({ [CONFIG]: JSON.stringify(value, undefined, 1) });
const dockerfile = (text: string): Files => ({ [DOCKERFILE]: `FROM base.test/os:1\n${text}` });
const compose = (build: string, more: Files = {}): Files => ({
  ...json({ dockerComposeFile: "compose.yml", service: "app" }),
  [COMPOSE]: `services:\n  app:\n    build:\n      context: .\n${build}`,
  ...more,
});
const COMMIT = "5f0e2b9c".repeat(5);
const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("a secret of the run that is written out is refused before any request, and its place is told", () => {
  test.each<[way: string, Play, told: string]>([
    ["labels", { inputs: { labels: `a=1\nb=${S}` } }, "Line 2 of the input labels holds .*E_INPUT"],
    ["a label's name", { inputs: { labels: `${S}=1` } }, "The input labels holds .*E_INPUT"],
    ["cache-version", { inputs: { "cache-version": S } }, "The input cache-version .*E_INPUT"],
    ["tags", { inputs: { tags: `latest,${S}` } }, "The input tags .*E_INPUT"],
    ["release", { inputs: { release: S } }, "The input release .*E_INPUT"],
    ["target", { files: dockerfile(`FROM scratch AS ${S}\n`), inputs: { target: S } }, "The input target .*E_INPUT"],
    ["add-hosts", { inputs: { "add-hosts": `${S}.test:10.0.0.1` } }, "The input add-hosts .*E_INPUT"],
    ["cache-from", { inputs: { "cache-from": `a.test/b:${S}` } }, "The input cache-from .*E_INPUT"],
    ["runners", { inputs: { runners: `linux/amd64=${S}` } }, "The input runners .*E_INPUT"],
    [
      "build-contexts",
      { inputs: { "build-contexts": `a=docker-image://a.test/b:${S}` } },
      "The input build-contexts .*E_INPUT",
    ],
    ["fallback-image", { inputs: { "fallback-image": `a.test/b:${S}` } }, "The input fallback-image .*E_INPUT"],
    [
      "additional-features",
      { inputs: { "additional-features": `{\n"x.test/f:1": { "t": "${S}" } }` } },
      "Line 2 of the input additional-features .*E_INPUT",
    ],
    [
      "containerEnv",
      { files: json({ image: "a.test/b", containerEnv: { A: S } }) },
      `${CONFIG}:4: containerEnv.A .*E_CONFIG`,
    ],
    [
      "remoteEnv",
      { files: json({ image: "a.test/b", remoteEnv: { A: `x${S}` } }) },
      `${CONFIG}:4: remoteEnv.A .*E_CONFIG`,
    ],
    ["a name", { files: json({ image: "a.test/b", remoteEnv: { [S]: "1" } }) }, `${CONFIG}:3: remoteEnv .*E_CONFIG`],
    [
      "below such a name",
      { files: json({ image: "a.test/b", customizations: { [S]: { a: S } } }) },
      `${CONFIG}:3: .*E_CONFIG`,
    ],
    [
      "a command",
      { files: json({ image: "a.test/b", postCreateCommand: ["a", `-p${S}`] }) },
      `${CONFIG}:5: postCreate.*E_CONFIG`,
    ],
    ["image", { files: json({ image: `a.test/b:${S}` }) }, `${CONFIG}:2: image .*E_CONFIG`],
    [
      "a feature's option",
      { files: { ...json({ image: "a.test/b", features: { "x.test/f:1": { t: S } } }) } },
      `${CONFIG}:5: features\\.x\\.test/f:1\\.t .*E_CONFIG`,
    ],
    [
      "build.options --label",
      { files: json({ build: { dockerfile: "Dockerfile", options: ["--label", `a=${S}`] } }) },
      `${CONFIG}:6: build.options\\[1\\] .*E_CONFIG`,
    ],
    [
      "build.options --build-arg",
      { files: json({ build: { dockerfile: "Dockerfile", options: [`--build-arg=A=${S}`] } }) },
      `${CONFIG}:5: .*E_CONFIG`,
    ],
    [
      "build.args",
      { files: json({ build: { dockerfile: "Dockerfile", args: { A: S } } }) },
      `${CONFIG}:5: .*build arg A .*E_CONFIG`,
    ],
    ["build-args", { inputs: { "build-args": `A=${S}` } }, ".*build arg A .line 1 of the input build-args. .*E_INPUT"],
    [
      "compose build.labels",
      { files: compose(`      labels:\n        a: ${S}\n`) },
      `${COMPOSE}:6: The option --label .*E_CONFIG`,
    ],
    [
      "compose build.args",
      { files: compose(`      args:\n        A: ${S}\n`) },
      `${COMPOSE}:6: .*build arg A .*E_CONFIG`,
    ],
    [
      "compose by a variable of a file",
      { files: compose("      labels:\n        a: x$T\n", { ".devcontainer/.env": `T=${S}\n` }) },
      `${COMPOSE}:6: The option --label .*E_CONFIG`,
    ],
    [
      "compose extra_hosts",
      { files: compose(`      extra_hosts:\n        - ${S}.test=10.0.0.1\n`) },
      `${COMPOSE}:6: .*E_CONFIG`,
    ],
    [
      "compose dockerfile_inline",
      { files: compose(`      dockerfile_inline: |\n        FROM base.test/os:1\n        ENV A=${S}\n`) },
      `${COMPOSE}:6: The Dockerfile .*E_DOCKERFILE`,
    ],
    ["ENV", { files: dockerfile(`ENV A=${S}\n`) }, `${DOCKERFILE}:2: The Dockerfile holds .*E_DOCKERFILE`],
    ["LABEL", { files: dockerfile(`LABEL a=1 b="x${S}"\n`) }, `${DOCKERFILE}:2: .*E_DOCKERFILE`],
    ["ARG", { files: dockerfile(`ARG A=${S}\n`) }, `${DOCKERFILE}:2: .*E_DOCKERFILE`],
    ["RUN", { files: dockerfile(`RUN curl \\\n -u ada:${S}\n`) }, `${DOCKERFILE}:3: .*E_DOCKERFILE`],
    [
      "over two lines",
      { files: dockerfile(`RUN x=${S.slice(0, 6)}\\\n${S.slice(6)}\n`) },
      `${DOCKERFILE}:2: .*E_DOCKERFILE`,
    ],
    ["a here-document", { files: dockerfile(`RUN <<E\na\n${S}\nE\n`) }, `${DOCKERFILE}:4: .*E_DOCKERFILE`],
    [
      "a file of the context",
      { files: { ...dockerfile("COPY . /\n"), ".devcontainer/t": `${S}\n` } },
      ".devcontainer/t:undefined: The build would take .devcontainer/t .*E_CONTEXT",
    ],
    [
      "a secret's own file",
      {
        files: { ...dockerfile("COPY . /\n"), ".devcontainer/n": "a=1\n_authToken=tok-5f0e2b9c\n" },
        inputs: { "build-secrets": "id=n,src=.devcontainer/n" },
      },
      ".devcontainer/n:undefined: The build would take .devcontainer/n .*the secret n .*E_CONTEXT",
    ],
    ["encoded", { files: dockerfile(`ENV A="${base64(`ada:${S}`)}"\n`) }, `${DOCKERFILE}:2: .*E_DOCKERFILE`],
  ])("%s", async (_, play, told) => {
    const message = await refusal(play);
    expect(message).toMatch(new RegExp(`^${told}`));
    expect(message).not.toContain(S);
  });

  const label = (value: string) => ({ inputs: { labels: `a=${value}` } });
  const with_ = (play: Play, text: string): Play => ({ ...play, inputs: { ...label(text).inputs, ...play.inputs } });
  const NPMRC =
    "registry=https://registry.npmjs.org/\nalways-auth=true\n//registry.npmjs.org/:_authToken=tok-5f0e2b9c\n";
  const KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n";
  const CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----\n";
  const PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
  const MAVEN = (password: string): string =>
    `<settings>\n<server>\n<id>hub</id>\n<password>${password}</password>\n</server>\n</settings>\n`;
  const takenFile = (text: string): Play => ({
    files: { ...dockerfile("COPY . /\n"), ".devcontainer/f": text },
    inputs: { "build-secrets": "id=npm,src=.devcontainer/f" },
  });
  const secretFile = (text: string): Play => ({ files: { f: text }, inputs: { "build-secrets": "id=npm,src=f" } });
  const secretVariable = (T: string): Play => ({ env: { T }, inputs: { "build-secrets": "npm=T" } });

  test.each<[what: string, Play, told: string]>([
    ["the input registry-password", label(S), "the input registry-password"],
    [
      "a variable of build-secrets",
      with_(secretVariable("tok-5f0e2b9c"), "tok-5f0e2b9c"),
      "the secret npm of the input build-secrets",
    ],
    ["a short one, as a whole value", with_(secretVariable("hunter2"), "hunter2"), "the secret npm"],
    ["a word, as a whole value", with_(secretVariable("swordfish"), "swordfish"), "the secret npm"],
    [
      "what only is called like what tells about one",
      with_(
        secretFile("a=1\nTOKEN_URL=https://x:tok-5f0e2b9c@a.test/\nSECRET_NAME=tok5f0e2b9c81d74a6f3\n"),
        "x tok5f0e2b9c81d74a6f3",
      ),
      "the secret npm",
    ],
    ["a file with settings", with_(secretFile(NPMRC), "x-tok-5f0e2b9c"), "the secret npm"],
    [
      "a netrc",
      with_(secretFile("machine a.test\nlogin ada password tok-5f0e2b9c\n"), "tok-5f0e2b9c"),
      "the secret npm",
    ],
    [
      "JSON",
      with_(secretFile('{"client_email":"a@b.test","private_key":"tok-5f0e2b9c"}'), "tok-5f0e2b9c"),
      "the secret npm",
    ],
    ["a key", with_(secretFile(KEY), "b3BlbnNzaC1rZXktdjEA"), "the secret npm"],
    ["a key below a certificate", with_(secretFile(`${CERTIFICATE}${KEY}`), "b3BlbnNzaC1rZXktdjEA"), "the secret npm"],
    ["a tag's text", with_(secretFile(MAVEN("tok-5f0e2b9c")), "x-tok-5f0e2b9c"), "the secret npm"],
    [
      "an attribute",
      with_(secretFile('<gh>\n  <add key="ClearTextPassword" value="tok-5f0e2b9c" />\n</gh>\n'), "tok-5f0e2b9c"),
      "the secret npm",
    ],
    [
      "the address of a gitconfig",
      with_(
        secretFile('[url "https://x:tok-5f0e2b9c@git.test/"]\n  insteadOf = https://git.test/\n'),
        "x-tok-5f0e2b9c",
      ),
      "the secret npm",
    ],
    [
      "a token that is an address's user",
      with_(secretFile('[url "https://tok_5f0e2b9c81d74a6f3@git.test/"]\n'), "x tok_5f0e2b9c81d74a6f3"),
      "the secret npm",
    ],
    [
      "a default in the place of a variable",
      with_(secretFile("a=1\nnpmAuthToken: ${T:-tok-5f0e2b9c}\n"), "${T:-tok-5f0e2b9c}"),
      "the secret npm",
    ],
    [
      "the same of the input ssh",
      with_({ files: { k: KEY }, inputs: { ssh: "k=k" } }, "b3BlbnNzaC1rZXktdjEA"),
      "the key k of the input ssh",
    ],
    [
      "a token of the host",
      { ...label("tok-5f0e2b9c"), env: { GITHUB_TOKEN: "tok-5f0e2b9c" } },
      "the variable GITHUB_TOKEN",
    ],
    [
      "a login in a variable",
      {
        ...label("tok-5f0e2b9c"),
        env: { DOCKER_AUTH_CONFIG: `{"auths":{"a.test":{"auth":"${base64("ada:tok-5f0e2b9c")}"}}}` },
      },
      "a login of the variable DOCKER_AUTH_CONFIG",
    ],
    [
      "a login of docker's",
      {
        ...label("tok-5f0e2b9c"),
        files: { ".docker/config.json": `{"auths":{"a.test":{"auth":"${base64("ada:tok-5f0e2b9c")}"}}}` },
      },
      "a login of Docker's configuration",
    ],
    [
      "docker-config-base64",
      with_(
        { inputs: { "docker-config-base64": base64(`{"auths":{"a.test":{"password":"tok-5f0e2b9c"}}}`) } },
        "tok-5f0e2b9c",
      ),
      "a login of the input docker-config-base64",
    ],
    [
      "a proxy's password",
      { ...label("tok-5f0e2b9c"), env: { https_proxy: "http://ada:tok-5f0e2b9c@p.test" } },
      "the variable https_proxy",
    ],
    [
      "a proxy's password, without a scheme",
      { ...label("tok-5f0e2b9c"), env: { HTTP_PROXY: "ada:tok-5f0e2b9c@p.test:1" } },
      "the variable HTTP_PROXY",
    ],
    [
      "a proxy's password in Docker's configuration",
      {
        ...label("tok-5f0e2b9c"),
        files: { ".docker/config.json": '{"proxies":{"default":{"httpProxy":"http://ada:tok-5f0e2b9c@p.test"}}}' },
      },
      "a proxy of Docker's configuration",
    ],
  ])("known: %s", async (_, play, told) => {
    expect(await refusal(play)).toContain(`holds a secret of this run (${told}`);
  });

  test.each<[what: string, Play]>([
    ["a setting of a secret file", with_(secretFile(NPMRC), "https://registry.npmjs.org/")],
    ["a whole line of it", with_(secretFile(NPMRC), "registry=https://registry.npmjs.org/")],
    [
      "a file with settings alone",
      with_(secretFile("registry=https://registry.npmjs.org/\n"), "registry=https://registry.npmjs.org/"),
    ],
    ["a line of every key", with_(secretFile(KEY), "-----BEGIN OPENSSH")],
    [
      "an address of a service account",
      with_(
        secretFile('{"token_uri":"https://oauth2.test/token","private_key":"tok-5f0e2b9c"}'),
        "https://oauth2.test/token",
      ),
    ],
    ["true", with_(secretVariable("true"), "true")],
    ["1", with_(secretVariable("1"), "1")],
    ["main", with_(secretVariable("main"), "main")],
    ["root", { ...secretVariable("root"), files: dockerfile("USER root\nENV HOME=root\n") }],
    ["a short one in another word", with_(secretVariable("dev-1"), "dev-15")],
    ["a word in a text", with_(secretVariable("postgres"), "postgres://db/app")],
    [
      "a word of the base image's name",
      with_(
        { ...secretVariable("enterprise"), files: { [DOCKERFILE]: "FROM base.test/enterprise:1\n" } },
        "enterprise",
      ),
    ],
    ["an address", with_(secretVariable("https://packages.test/simple"), "https://packages.test/simple")],
    ["the user's name", label("ada")],
    ["the name of the secret", with_(secretVariable("tok-5f0e2b9c"), "npm")],
    [
      "a brace of a secret file",
      {
        ...secretFile('credentials "a.test" {\n  token = "tok-5f0e2b9c"\n}\n'),
        inputs: { "build-secrets": "id=npm,src=f", "additional-features": "{\n}" },
      },
    ],
    ["a tag of a secret file", with_(secretFile(MAVEN("tok-5f0e2b9c")), "</server> <id>hub</id>")],
    [
      "a section of a secret file",
      with_(secretFile("npmScopes:\n  ada:\n    npmAuthToken: tok-5f0e2b9c\n"), "npmScopes:"),
    ],
    [
      "an author, a compass, the version of a token and a public key",
      with_(
        secretFile("AUTHOR=ada@b.test\nCOMPASS=north-east-1\nTOKEN_VERSION=v2-beta.1\nPUBLIC_KEY=pub-5f0e2b9c\n"),
        "ada@b.test north-east-1 v2-beta.1 pub-5f0e2b9c",
      ),
    ],
    [
      "a project of a service account",
      with_(secretFile('{"project_id":"acmeproduction2026","private_key":"tok-5f0e2b9c"}'), "acmeproduction2026"),
    ],
    [
      "what settings only tell about secrets",
      with_(
        secretFile("AUTH_MODE=oauth-device\nSECRET_NAME=db-prod-1\ntokenUrl=a.test/t-9\nPASSWORD_FILE=/run/pw-1\n"),
        "oauth-device db-prod-1 a.test/t-9 /run/pw-1",
      ),
    ],
    [
      "a commit's id as a secret, which the revision label tells",
      { ...with_({ inputs: { "build-secrets": "sha=GITHUB_SHA" } }, COMMIT), env: { GITHUB_SHA: COMMIT } },
    ],
    [
      "a branch by another name, in a file too",
      {
        ...with_({ files: { f: "fix-5f0e2b9c\n" }, inputs: { "build-secrets": "a=B\nid=f,src=f" } }, "fix-5f0e2b9c"),
        env: { B: "fix-5f0e2b9c", GITHUB_REF_NAME: "fix-5f0e2b9c" },
      },
    ],
    ["a certificate's own file", takenFile(CERTIFICATE)],
    ["a line of a certificate beside a key", with_(secretFile(`${CERTIFICATE}${KEY}`), "MIIBszCCAVmgAwIBAgIU")],
    ["what a host's key is", with_(secretVariable(`git.test ${PUBLIC}`), `git.test ${PUBLIC}`)],
    ["one of several keys of hosts", with_(secretFile(`git.test ${PUBLIC}\nb.test ${PUBLIC}\n`), PUBLIC)],
    [
      "a file that takes its token from a variable",
      takenFile(`npmAuthToken: "\${NPM_TOKEN:-}"\n//npm.test/:_authToken=\${NPM_TOKEN?}\n`),
    ],
    ["the same in tags", takenFile(`${MAVEN("${env.TOKEN}")}<add key="ClearTextPassword" value="%TOKEN%" />\n`)],
    [
      "a proxy's password in a build arg of the proxy",
      {
        env: { https_proxy: "http://ada:tok-5f0e2b9c@p.test" },
        inputs: { "build-args": "HTTPS_PROXY=http://ada:tok-5f0e2b9c@p.test" },
      },
    ],
  ])("not refused: %s", async (_, play) => {
    expect(await refusal(play)).toBeUndefined();
  });
});

describe("who builds nothing, or pushes nothing, is warned", () => {
  const env = { files: dockerfile(`ENV A=${S}\n`) };
  const label = `a=${S}`;
  test.each<[what: string, Play]>([
    ["a look alone", { ...env, inputs: { "on-miss": "fail" } }],
    ["a look alone, a label", { inputs: { "on-miss": "continue", "fallback-image": "a.test/b", labels: label } }],
    ["no push", { ...env, inputs: { push: "false" } }],
  ])("%s", async (_, play) => {
    const [told, ...more] = await warnings(play);
    expect(told).toMatch(/holds a secret of this run .* Take it out/);
    expect(told).not.toContain(S);
    expect(more).toEqual([]);
  });

  test("what a command line shows is refused where it is only built, too", async () => {
    expect(await refusal({ inputs: { push: "false", labels: label } })).toContain("labels holds a secret");
  });

  test("a tag is put on a hit, too", async () => {
    expect(await refusal({ inputs: { "on-miss": "fail", tags: S } })).toContain("tags holds a secret");
  });

  test("a fork is not told whether it has guessed one", async () => {
    expect(await warnings({ ...env, isFork: true })).toEqual([]);
  });
});

describe("what has the form of a secret is warned about wherever it stands", () => {
  const T = `ghp_${"a1".repeat(18)}`;
  test.each<[way: string, Play, told: string]>([
    ["labels", { inputs: { labels: `a=${T}` } }, "The input labels holds"],
    ["containerEnv", { files: json({ image: "a.test/b", containerEnv: { A: T } }) }, "containerEnv.A holds"],
    ["a Dockerfile", { files: dockerfile(`RUN x ${T}\n`) }, "The Dockerfile holds"],
    ["compose", { files: compose(`      labels:\n        a: ${T}\n`) }, "The option --label holds"],
    ["a fork's", { files: dockerfile(`RUN x ${T}\n`), isFork: true }, "The Dockerfile holds"],
  ])("%s", async (_, play, told) => {
    const texts = await warnings(play);
    expect(texts).toEqual([expect.stringContaining(`${told} what looks like a token of GitHub: `)]);
    expect(texts.join()).not.toContain(T);
  });

  test("a database for trying things out is none", async () => {
    const address = "postgres://postgres:postgres@db:5432/app";
    expect(await warnings({ files: json({ image: "a.test/b", containerEnv: { A: address } }) })).toEqual([]);
  });
});
