import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { OUTPUTS } from "../../src/handover/outputs.ts";
import { type Content, makeCheckout, put } from "../checkout.ts";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Play, play, type Told } from "./harness.ts";
import { openSample, seedBase } from "./sample.ts";

let registry: FakeRegistry;
let workspace: string;

beforeEach(async () => {
  const sample = await openSample();
  ({ registry, workspace } = sample);
  return sample.close;
});

const JSON_FILE = ".devcontainer/devcontainer.json";
const DOCKERFILE = ".devcontainer/Dockerfile";

/** Fails, says these words, sets every output, builds and pushes nothing. */
function expectRefusal(told: Told, words: RegExp, result = "failed"): void {
  expect(told.log).toMatch(words);
  expect(told.code).toBe(1);
  expect(Object.keys(told.outputs)).toEqual([...OUTPUTS]);
  expect(told.outputs).toMatchObject({ result, image: "", digest: "", pushed: "false", exists: "false" });
  expect(told.builds).toEqual([]);
  expect(registry.tags("team/app")).toEqual([]);
  expect(told.summary).toContain("Dev container:");
}

type Row = {
  readonly name: string;
  readonly files?: Readonly<Record<string, Content>>;
  readonly play?: Partial<Play>;
  readonly words: RegExp;
  /** Refused before the registry is asked anything. */
  readonly silent?: boolean;
};

const json = (text: string) => ({ [JSON_FILE]: text });
const docker = (text: string) => ({ [DOCKERFILE]: text });

const ROWS: readonly Row[] = [
  {
    name: "a platform with a typo",
    play: { inputs: { platforms: "linux/amd46" } },
    words: /platforms is "linux\/amd46".*\[E_INPUT\]/,
    silent: true,
  },
  {
    name: "a secret of the run in a label",
    play: { inputs: { labels: "a=tok-5f0e2b9c" }, env: { GITHUB_TOKEN: "tok-5f0e2b9c" } },
    words: /The input labels holds a secret of this run \(the variable GITHUB_TOKEN\).*\[E_INPUT\]/,
    silent: true,
  },
  {
    name: "a secret of the run that a feature brings along",
    files: {
      ...json('{ "build": { "dockerfile": "Dockerfile" },\n"features": { "./f": {} } }'),
      ".devcontainer/f/devcontainer-feature.json":
        '{ "id": "f", "version": "1.0.0", "containerEnv": { "A": "tok-5f0e2b9c" } }',
      ".devcontainer/f/install.sh": "true\n",
    },
    play: { env: { GITHUB_TOKEN: "tok-5f0e2b9c" } },
    words: /devcontainer\.json:2: The variable A of the feature \.\/f holds a secret of this run .*\[E_FEATURE\]/,
  },
  {
    name: "an unknown value",
    play: { inputs: { "on-miss": "rebuild" } },
    words: /on-miss is "rebuild".*\[E_INPUT\].*Allowed: build, fail, continue/,
    silent: true,
  },
  {
    name: "inputs that contradict each other",
    play: { inputs: { push: "true", "on-miss": "fail" } },
    words: /push is true and on-miss is fail/,
    silent: true,
  },
  {
    name: "a cache-repo that is no reference",
    play: { inputs: { "cache-repo": "https://ghcr.io/a" } },
    words: /cache-repo is "https/,
    silent: true,
  },
  {
    name: "a dockerfile-path that is not there",
    play: { inputs: { "dockerfile-path": "Dockerfile.missing" } },
    words: /The input dockerfile-path names Dockerfile\.missing, and there is no such file.*\[E_INPUT\]/,
    silent: true,
  },
  {
    name: "an instruction that no Dockerfile has",
    files: docker("FROM scratch\nRUNN echo\n"),
    words: /::error file=\.devcontainer\/Dockerfile,line=2::.*There is no instruction RUNN.*\[E_DOCKERFILE\]/,
    silent: true,
  },
  {
    name: "an instruction that no Dockerfile has, for a frontend of docker's own",
    files: docker("# syntax=docker/dockerfile:1\nFROM scratch\nRUNN echo\n"),
    play: { inputs: { "on-miss": "fail" } },
    words: /::error file=\.devcontainer\/Dockerfile,line=3::.*There is no instruction RUNN.*\[E_DOCKERFILE\]/,
    silent: true,
  },
  {
    name: "a configuration that breaks in the middle",
    files: json('{ "build": { "dockerfile": "Dockerfile"\n'),
    play: { inputs: { "build-args": "A=1", target: "nowhere" } },
    words: /::warning file=\.devcontainer\/devcontainer\.json,line=2::.*[\s\S]*::error/,
    silent: true,
  },
  {
    name: "the envbuilder dialect without a builder image",
    play: { inputs: { dialect: "envbuilder", "on-miss": "fail" } },
    words: /builder-image is not set.*\[E_INPUT\]/,
    silent: true,
  },
  {
    name: "a workspace-folder that leaves the checkout",
    play: { inputs: { "workspace-folder": "../.." } },
    words: /workspace-folder is "\.\.\/\.\.".*outside/,
    silent: true,
  },
  {
    name: "a workspace-folder that is not there",
    play: { inputs: { "workspace-folder": "nowhere" } },
    words: /no such folder/,
    silent: true,
  },
  {
    name: "a devcontainer-json-path that leaves the checkout",
    play: { inputs: { "devcontainer-json-path": "../../etc/passwd" } },
    words: /devcontainer-json-path.*\[E_INPUT\]/,
    silent: true,
  },
  {
    name: "a devcontainer-json-path that is not there",
    play: { inputs: { "devcontainer-json-path": "other.json" } },
    words: /other\.json.*\[E_INPUT\]/,
    silent: true,
  },
  {
    name: "a feature by a name that is none",
    files: json('{ "image": "debian:12",\n"features": {\n"nodejs-please": {} } }'),
    words: /devcontainer\.json:3: The feature nodejs-please .*\[E_CONFIG\]/,
    silent: true,
  },
  {
    name: "a local feature outside its folder",
    files: json('{ "image": "debian:12", "features": { "../../elsewhere": {} } }'),
    words: /The feature \.\.\/\.\.\/elsewhere .*not below.*\[E_CONFIG\]/,
    silent: true,
  },
  {
    name: "a feature that allowed-images does not allow",
    files: json('{ "image": "mirror.test/debian:12", "features": { "ghcr.io/devcontainers/features/node:1": {} } }'),
    play: { inputs: { "allowed-images": "mirror.test/*" } },
    words:
      /The feature ghcr\.io\/devcontainers\/features\/node:1 is not among what the input allowed-images allows.*\[E_INPUT\]/,
    silent: true,
  },
  {
    name: "a lockfile used in a way that does not exist",
    files: json('{ "image": "debian:12" }'),
    play: { inputs: { lockfile: "always" } },
    words: /lockfile is "always".*\[E_INPUT\]%0AAllowed: use, require, ignore/,
    silent: true,
  },
  {
    name: "features of an input that are no JSON",
    play: { inputs: { "additional-features": "node" } },
    words: /additional-features is not a JSON object.*\[E_INPUT\]/,
    silent: true,
  },
  {
    name: "a compose file that is not there",
    files: json('{\n"dockerComposeFile": "compose.yml", "service": "app" }'),
    words: /devcontainer\.json:2: .*compose\.yml, and there is no such file.*\[E_CONFIG\]/,
    silent: true,
  },
  {
    name: "a compose file without the service",
    files: {
      ...json('{ "dockerComposeFile": "compose.yml",\n"service": "app" }'),
      ".devcontainer/compose.yml": "services:\n  db:\n    image: debian:12\n  web:\n    image: debian:12\n",
    },
    words: /devcontainer\.json:2: service is "app".*\[E_CONFIG\].*db, web/,
    silent: true,
  },
  {
    name: "an option of the build that names another Dockerfile",
    files: json('{ "build": { "dockerfile": "Dockerfile",\n"options": ["--file=x"] } }'),
    words: /devcontainer\.json:2: build\.options holds --file=x.*\[E_CONFIG\]/,
    silent: true,
  },
  { name: "nothing to build", files: json("{}"), words: /\[E_CONFIG\]/, silent: true },
  {
    name: "a missing Dockerfile",
    files: json('{\n"build": { "dockerfile": "Dockerfile.dev" } }'),
    words: /devcontainer\.json:2 names the Dockerfile .*Dockerfile\.dev, and there is no such file.*\[E_CONFIG\]/,
    silent: true,
  },
  {
    name: "a missing context",
    files: json('{ "build": { "dockerfile": "Dockerfile", "context": "app" } }'),
    words: /context .devcontainer\/app, and there is no such folder/,
    silent: true,
  },
  {
    name: "a context outside the workspace",
    files: json('{ "build": { "dockerfile": "Dockerfile", "context": "../.." } }'),
    words: /\[E_CONFIG\]/,
    silent: true,
  },
  {
    name: "a target that does not exist",
    files: json('{ "build": { "dockerfile": "Dockerfile", "target": "prod" } }'),
    words: /no stage "prod".*\[E_DOCKERFILE\]/,
    silent: true,
  },
  {
    name: "a COPY of something that is not there",
    files: docker("FROM scratch\nCOPY setup.sh nothing.sh /\n"),
    words: /Dockerfile:2: COPY names nothing\.sh, which is not in the build context.*\[E_CONTEXT\].*initializeCommand/,
    silent: true,
  },
  {
    name: "a COPY of something that .dockerignore leaves out",
    files: { ...docker("FROM scratch\nCOPY setup.sh /\n"), ".devcontainer/.dockerignore": "*.sh\n" },
    words: /COPY names setup\.sh/,
    silent: true,
  },
  { name: "a Dockerfile without FROM", files: docker("# nothing\n"), words: /no FROM.*\[E_DOCKERFILE\]/, silent: true },
  {
    name: "an instruction before FROM",
    files: docker("RUN true\nFROM x\n"),
    words: /Dockerfile:1: RUN stands before the first FROM/,
    silent: true,
  },
  {
    name: "a base without a value",
    files: docker("ARG BASE\nFROM ${BASE}\n"),
    words: /Dockerfile:2: "\$\{BASE\}" is "" once its variables are replaced, and that names no image/,
    silent: true,
  },
  {
    name: "an unknown variable in COPY --from",
    files: docker("FROM scratch\nCOPY --from=$X /a /a\n"),
    words: /cannot be told before the build.*\[E_UNKNOWN\]/,
  },
];

test.each(ROWS)("$name", async ({ files = {}, play: more = {}, words, silent = false }) => {
  for (const [path, content] of Object.entries(files)) put(workspace, path, content);
  const told = await play({ workspace, registry, ...more });
  expectRefusal(told, words, told.outputs.result === "unknown" ? "unknown" : "failed");
  if (silent) expect(told.requests).toEqual([]);
});

test("no configuration at all: where it looked, and what a minimal one looks like", async () => {
  workspace = makeCheckout({ "readme.md": "" });
  const told = await play({ workspace, registry });
  expectRefusal(told, /\.devcontainer\/devcontainer\.json/);
  expect(told.log).toContain(".devcontainer.json");
  expect(told.log).toMatch(/minimal.*"image"/);
});

test("a Dockerfile that is a link out of the workspace", async () => {
  put(workspace, DOCKERFILE, { link: "/etc/hostname" });
  expectRefusal(await play({ workspace, registry }), /leads out of the checkout/);
});

test("a context that is a link out of the workspace", async () => {
  symlinkSync("/etc", join(workspace, "outside"));
  put(workspace, JSON_FILE, '{ "build": { "dockerfile": "Dockerfile", "context": "../outside" } }');
  expectRefusal(await play({ workspace, registry }), /leads out of the checkout/);
});

test("an unreachable registry is unknown and never a miss", async () => {
  const told = await play({ workspace, registry, inputs: { "cache-repo": "127.0.0.1:1/team/app" } });
  expectRefusal(told, /ECONNREFUSED/, "unknown");
  expect(told.log).toContain("[E_UNKNOWN]");
  expect(told.docker).toEqual([]);
});

test.each([
  ["401", 401, "E_AUTH"],
  ["403", 403, "E_AUTH"],
  ["429", 429, "E_UNKNOWN"],
  ["a web page", 404, "E_UNKNOWN"],
])("the cache repository answers %s: unknown, nothing is built", async (_, status, code) => {
  registry.override((line) => line.includes("/team/app/"), {
    status,
    headers: { "content-type": "text/html", "retry-after": "3600", "www-authenticate": "Basic realm=x" },
    body: "<html></html>",
  });
  const told = await play({ workspace, registry });
  expectRefusal(told, new RegExp(`\\[${code}\\]`), "unknown");
});

test("on-unknown: continue goes on, with every output set", async () => {
  registry.override((line) => line.includes("/team/app/"), { status: 403 });
  const told = await play({ workspace, registry, inputs: { "on-unknown": "continue" } });
  expect(told).toMatchObject({ code: 0, docker: [], outputs: { result: "unknown", image: "" } });
});

test("a base that cannot be read is unknown", async () => {
  registry.override((line) => line.includes("/base/os/"), { status: 403 });
  expectRefusal(
    await play({ workspace, registry }),
    /base image 127.*\(\.devcontainer\/Dockerfile:1\).*denied/,
    "unknown",
  );
});

test("a base that is not there: the line that names it, and no key", async () => {
  registry.override((line) => line.includes("/base/os/"), {
    status: 404,
    body: '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}',
    headers: { "content-type": "application/json" },
  });
  expectRefusal(
    await play({ workspace, registry }),
    /::error file=\.devcontainer\/Dockerfile,line=1::.*The base image 127.* is not there: its registry says "MANIFEST_UNKNOWN.*\[E_UNKNOWN\]/,
    "unknown",
  );
});

test("a base without the wanted platform", async () => {
  const told = await play({ workspace, registry, inputs: { platforms: "linux/s390x" } });
  expectRefusal(told, /has nothing for linux\/s390x; it has linux\/amd64, linux\/arm64.*\[E_DOCKERFILE\]/);
});

test("a secret that is written out is told while nothing is built, and refused once a base has moved", async () => {
  const env = { GITHUB_TOKEN: "tok-5f0e2b9c" };
  put(workspace, DOCKERFILE, `FROM ${registry.host}/base/os:1\nENV A=tok-5f0e2b9c\n`);
  expect((await play({ workspace, registry })).outputs.result).toBe("built");
  const inputs = { "on-miss": "fail" };
  const hit = await play({ workspace, registry, inputs, env });
  expect(hit).toMatchObject({ code: 0, outputs: { result: "hit" } });
  expect(hit.log).toMatch(
    /::warning file=\.devcontainer\/Dockerfile,line=2::The Dockerfile holds a secret of this run/,
  );
  seedBase(registry, "base/os", "1", "two");
  const moved = await play({ workspace, registry, inputs, env });
  expect(moved).toMatchObject({ code: 1, builds: [], outputs: { result: "failed", pushed: "false" } });
  expect(moved.log).toMatch(/Dockerfile:2: The Dockerfile holds a secret of this run .*\[E_DOCKERFILE\]/);
  expect(moved.log.replace(/^::add-mask::.*$/gm, "")).not.toContain("tok-5f0e2b9c");
});

test("no docker on a miss", async () => {
  expectRefusal(await play({ workspace, registry, docker: false }), /no docker program.*\[E_DOCKER\]/);
});

test("docker without buildx", async () => {
  const told = await play({ workspace, registry, docker: { fails: "buildx version" } });
  expectRefusal(told, /no buildx.*\[E_DOCKER\]/);
});

test("a failing build: BuildKit's words, nothing tagged", async () => {
  const says = 'ERROR: failed to solve: failed to calculate checksum of ref x::y: "/setup.sh": not found';
  const told = await play({ workspace, registry, docker: { fails: "buildx build", says } });
  expectRefusal(told, /not in the build context.*\[E_BUILD\]/);
});

test("a registry that takes no push: auto builds for this machine only, true fails before the build", async () => {
  registry.override((line) => line.startsWith("POST"), { status: 403 });
  const auto = await play({ workspace, registry });
  expect(auto).toMatchObject({ code: 0, outputs: { result: "built", pushed: "false", digest: "" } });
  expect(auto.builds[0]?.args).toContain("--load");
  const forced = await play({ workspace, registry, inputs: { push: "true" } });
  expectRefusal(forced, /would not take it.*\[E_PUSH\]/);
});

test("COPY . . of a checkout takes .git along, and a warning names the line", async () => {
  put(workspace, JSON_FILE, '{ "build": { "dockerfile": "Dockerfile", "context": ".." } }');
  put(workspace, DOCKERFILE, `FROM ${registry.host}/base/os:1\n\nCOPY . .\n`);
  put(workspace, ".git/HEAD", "ref: refs/heads/main\n");
  const told = await play({ workspace, registry });
  expect(told.log).toMatch(/::warning file=.devcontainer\/Dockerfile,line=3::COPY takes \.git into the build/);
  expect(told.builds[0]?.context).toContain(".git/HEAD");
  put(workspace, DOCKERFILE, `FROM ${registry.host}/base/os:1\nCOPY .devcontainer/setup.sh /\n`);
  const narrow = await play({ workspace, registry });
  expect(narrow.log).not.toContain("takes .git");
  expect(narrow.builds[0]?.context).not.toContain(".git/HEAD");
});

test("what the ONBUILD triggers of a base take from the context counts, and reaches the build", async () => {
  put(workspace, JSON_FILE, '{ "build": { "dockerfile": "Dockerfile", "context": ".." } }');
  put(workspace, DOCKERFILE, `# a comment\nFROM ${registry.host}/base/os:1\n`);
  put(workspace, "package.json", "{}\n");
  put(workspace, "src/main.js", "one\n");
  seedBase(registry, "base/os", "1", "trigger", { OnBuild: ["COPY package.json /src"] });
  const built = await play({ workspace, registry });
  expect(built.outputs.result, built.log).toBe("built");
  expect(built.builds[0]?.context).toEqual(["package.json"]);
  put(workspace, "src/main.js", "two\n");
  // The key without what they take is a miss: nothing is asked of docker for that.
  expect(await play({ workspace, registry })).toMatchObject({ docker: [], outputs: { result: "hit" } });
  put(workspace, "package.json", '{ "name": "other" }\n');
  expect((await play({ workspace, registry, inputs: { "on-miss": "continue" } })).outputs.result).toBe("miss");
});

test("an ARG before FROM counts where only an ONBUILD trigger of the base declares it", async () => {
  // In a FROM it says no more than the name of the base.
  const named = `ARG TAG=\${LEVEL:+1}\nFROM ${registry.host}/base/os:$TAG\n`;
  const write = (level: number) => put(workspace, DOCKERFILE, `ARG LEVEL=${level}\nARG OTHER=${level}\n${named}`);
  put(workspace, JSON_FILE, '{ "build": { "dockerfile": "Dockerfile" } }');
  write(1);
  seedBase(registry, "base/os", "1", "trigger", { OnBuild: ["ARG LEVEL", "RUN echo $LEVEL"] });
  expect((await play({ workspace, registry })).outputs.result).toBe("built");
  expect((await play({ workspace, registry })).outputs.result).toBe("hit");
  write(2);
  expect((await play({ workspace, registry, inputs: { "on-miss": "continue" } })).outputs.result).toBe("miss");
});

test("a base whose ONBUILD trigger copies .git is built, and a warning names the line", async () => {
  put(workspace, JSON_FILE, '{ "build": { "dockerfile": "Dockerfile", "context": ".." } }');
  put(workspace, DOCKERFILE, `# a comment\nFROM ${registry.host}/base/os:1\n`);
  put(workspace, ".git/HEAD", "ref: refs/heads/main\n");
  seedBase(registry, "base/os", "1", "trigger", { OnBuild: ["COPY . /src"] });
  const told = await play({ workspace, registry });
  expect(told.log).toMatch(/::warning file=.devcontainer\/Dockerfile,line=2::ONBUILD COPY takes \.git into the build/);
  expect(told.builds[0]?.context).toContain(".git/HEAD");
});

test("whether a base has triggers cannot be told: unknown, and never a miss", async () => {
  registry.override((line) => line.startsWith("GET /v2/base/os/blobs/"), { status: 503 });
  const told = await play({ workspace, registry });
  expectRefusal(told, /config of the base image .*\[E_UNKNOWN\]/, "unknown");
});

test("a stage that the target does not need may stand on an image that is not there", async () => {
  put(
    workspace,
    DOCKERFILE,
    `FROM ${registry.host}/private/absent:1 AS unused\nCOPY setup.sh /\nFROM ${registry.host}/base/os:1\n`,
  );
  const told = await play({ workspace, registry });
  expect(told.outputs.result, told.log).toBe("built");
  expect(told.requests.filter((line) => line.includes("private/absent"))).toEqual([]);
});

test.each([
  ["an image", "COPY --from=other.test/x:1 /a /a"],
  ["a stage", "COPY --from=0 /a /a"],
  ["a repository of git", "ADD https://example.test/x.git /x"],
])("a base whose ONBUILD trigger takes %s that no plan names is refused", async (_, trigger) => {
  seedBase(registry, "base/os", "1", "trigger", { OnBuild: [trigger] });
  expectRefusal(await play({ workspace, registry }), /ONBUILD trigger that takes .*\[E_CONTEXT\]/);
});

test("an ADD of a repository of git without a checksum cannot be decided; on-unknown: build builds and pushes nothing", async () => {
  put(workspace, DOCKERFILE, `FROM ${registry.host}/base/os:1\nADD https://example.test/x.git /x\n`);
  expectRefusal(
    await play({ workspace, registry }),
    /ADD https:\/\/example.test\/x.git.*\[E_UNKNOWN\].*--checksum/,
    "unknown",
  );
  const built = await play({ workspace, registry, inputs: { "on-unknown": "build" } });
  expect(built).toMatchObject({ code: 0, outputs: { result: "built", pushed: "false", key: "" } });
  expect(registry.tags("team/app")).toEqual([]);
});

test("with a login for the registry: the build is given it, and no secret is anywhere else", async () => {
  registry.requireBearer({ user: "me", password: "canary-91c4", anonymousMayPull: true });
  registry.override((line) => line.startsWith("PUT"), { status: 403 });
  const told = await play({
    workspace,
    registry,
    inputs: { "registry-username": "me", "registry-password": "canary-91c4" },
  });
  expect(told.builds[0]?.dockerConfig.auths).toEqual({
    [registry.host]: { auth: Buffer.from("me:canary-91c4").toString("base64") },
  });
  const log = told.log.replace(/^::add-mask::.*$/gm, "");
  for (const text of [log, told.summary, JSON.stringify(told.outputs), JSON.stringify(told.docker)])
    expect(text).not.toContain("canary-91c4");
});

test("a variable that is not set and decides about the image is warned about, with its line; one that only the label carries is not", async () => {
  put(
    workspace,
    JSON_FILE,
    `{\n"image": "${registry.host}/base/os:1\${localEnv:NOT_SET}",\n"containerEnv": { "A": "\${localEnv:NOR_THIS}" },\n"remoteEnv": { "B": "\${localEnv:NOR_THIS}", "C": "\${localEnv:NO:x}" } }`,
  );
  const told = await play({ registry, workspace, inputs: { "on-miss": "continue" } });
  expect(told.log).toMatch(
    /::warning file=\.devcontainer\/devcontainer\.json,line=2::.*NOT_SET is not set.*in image\./,
  );
  expect(told.log).not.toContain("NOR_THIS");
});

test("a build context that cannot be told is unknown, and is not built without it: its name would mean an image of Docker Hub", async () => {
  put(
    workspace,
    JSON_FILE,
    '{ "build": { "dockerfile": "Dockerfile",\n"options": ["--build-context=lib=https://example.test/lib.git"] } }',
  );
  put(workspace, DOCKERFILE, `FROM ${registry.host}/base/os:1\nCOPY --from=lib . /\n`);
  expectRefusal(
    await play({ workspace, registry }),
    /devcontainer\.json:2: .*build context lib.*\[E_UNKNOWN\]/,
    "unknown",
  );
  const built = await play({ workspace, registry, inputs: { "on-unknown": "build" } });
  expectRefusal(built, /build context lib cannot be told before the build, and it cannot be built here.*\[E_CONFIG\]/);
});

test("an ignore file that leaves the checkout is not read", async () => {
  put(workspace, ".devcontainer/Dockerfile.dockerignore", { link: "/etc/passwd" });
  expectRefusal(
    await play({ workspace, registry }),
    /Dockerfile\.dockerignore is a link that leaves the checkout.*\[E_CONTEXT\]/,
  );
});

test("what is another one in every checkout is warned about: its path, and .git in a named context", async () => {
  put(
    workspace,
    JSON_FILE,
    `{ "build": { "dockerfile": "Dockerfile",\n"options": ["--build-context=all=."],\n"args":\n{ "HERE": "\${localWorkspaceFolder}" } } }`,
  );
  put(workspace, DOCKERFILE, `FROM ${registry.host}/base/os:1\nCOPY --from=all . /all/\n`);
  put(workspace, ".git/HEAD", "ref: refs/heads/main\n");
  const told = await play({ workspace, registry, inputs: { "on-miss": "continue" } });
  expect(told.log).toMatch(
    /::warning file=\.devcontainer\/devcontainer\.json,line=2::.*The build context all holds \.git/,
  );
  expect(told.log).toMatch(
    /::warning file=\.devcontainer\/devcontainer\.json,line=4::.*build\.args\.HERE holds the path/,
  );
});

test("a Dockerfile that is not UTF-8 is refused: two that differ would be one", async () => {
  writeFileSync(join(workspace, DOCKERFILE), Buffer.from(`FROM ${registry.host}/base/os:1\nRUN echo \xe9\n`, "latin1"));
  expectRefusal(
    await play({ workspace, registry }),
    /Dockerfile:2: there is a character that is not UTF-8.*\[E_DOCKERFILE\]/,
  );
});

test.each([
  [
    "a Dockerfile that is a folder",
    { dockerfile: "." },
    /names the Dockerfile .devcontainer, which is a folder, and no file/,
  ],
  ["a Dockerfile with a name that no file can have", { dockerfile: "x".repeat(300) }, /there is no such file/],
  ["a Dockerfile with a character 0 in its name", { dockerfile: "a\u0000" }, /there is no such file/],
])("%s is the user's mistake, not ours", async (_, build, words) => {
  put(workspace, JSON_FILE, JSON.stringify({ build }));
  expectRefusal(await play({ workspace, registry }), words);
});

test("variables that double one another end as what cannot be told", async () => {
  const args = Array.from({ length: 40 }, (_, at) => `ARG A${at + 1}=\${A${at}}\${A${at}}`);
  put(workspace, DOCKERFILE, ["ARG A0=xxxxxxxx", ...args, "FROM $A40", ""].join("\n"));
  expectRefusal(await play({ workspace, registry }), /which image FROM \$A40 means cannot be told/, "unknown");
});
