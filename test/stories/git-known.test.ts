import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { GitServer } from "../fakes/git-server.ts";
import type { FakeRegistry } from "../fakes/registry.ts";
import { publish } from "../features/published.ts";
import { openGitSample } from "./git-sample.ts";
import { openMachine, type Play, type Told } from "./harness.ts";
import { seedBase } from "./sample.ts";

// A commit that an earlier run has read is not cloned again, and whatever is another one since, or in doubt, has it cloned.

type Sample = Awaited<ReturnType<typeof openGitSample>>;

let registry: FakeRegistry;
let server: GitServer;
let files: Sample["files"];
let play: Sample["run"];
let close: () => Promise<void>;
/** Each row has a copy of what the first run has left, in a repository of its own. */
let repository: string;
let rows = 0;
let commit: string;

const CONFIGURATION = {
  build: { dockerfile: "Dockerfile", args: { TEAM: "$".concat("{localEnv:TEAM}") } },
  containerEnv: { GREETING: "hello" },
  remoteEnv: { WHERE: "$".concat("{containerWorkspaceFolder}"), WHO: "$".concat("{localEnv:WHO:nobody}") },
  remoteUser: "dev",
  runArgs: ["--cap-add=SYS_PTRACE", "--memory", "1g"],
  workspaceFolder: "/work",
};

beforeAll(async () => {
  ({ registry, server, files, run: play, close } = await openGitSample());
  const dockerfile = `FROM ${registry.host}/base/os:1\nARG TEAM\nARG REVISION\nLABEL it=said-in-Dockerfile-7\nCOPY setup.sh /setup.sh\n`;
  commit = server.commit(
    "team/app",
    files("one", {
      ".devcontainer/devcontainer.json": JSON.stringify(CONFIGURATION),
      ".devcontainer/Dockerfile": dockerfile,
    }),
  );
  repository = "team/app";
  registry.refuseIncomplete();
  const built = await run();
  expect(built.outputs.result, built.log).toBe("built");
});
afterAll(() => close());
beforeEach(() => {
  repository = `team/row-${++rows}`;
  registry.copy("team/app", repository);
  return () => {
    registry.recover();
    seedBase(registry, "base/os", "1", "one");
  };
});

/** On a Gitea, which tells a branch's commit without git. */
function run(inputs: Readonly<Record<string, string>> = {}, more: Partial<Play> = {}): Promise<Told> {
  const env = {
    GITEA_ACTIONS: "true",
    GITHUB_SERVER_URL: server.url,
    GITHUB_API_URL: `${server.url}/api/v1`,
    TEAM: "blue",
    ...more.env,
  };
  const asked = {
    "cache-repo": `${registry.host}/${repository}`,
    "git-url": `${server.url}/team/app`,
    "git-ref": "main",
    ...inputs,
  };
  return play(asked, { ...more, env });
}

/** A machine on which nothing can be cloned. */
function openWithoutClones(): string {
  const machine = openMachine();
  writeFileSync(join(machine, "bin", "git"), "#!/bin/sh\necho no clones here >&2\nexit 99\n", { mode: 0o755 });
  return machine;
}

const withoutClones = (inputs: Readonly<Record<string, string>> = {}, more: Partial<Play> = {}): Promise<Told> =>
  run(inputs, { machine: openWithoutClones(), ...more });

const isRemembered = (line: string): boolean => /\/manifests\/c1-/.test(line);
const tagOf = ({ requests }: Told): string =>
  requests.map((line) => /c1-[0-9a-f]{64}/.exec(line)?.[0]).find(Boolean) ?? "";

/** All outputs, files by what they hold; a plan is salted anew by every run, and takes its time. */
function comparable({ outputs }: Told): Readonly<Record<string, unknown>> {
  const read = (name: string): string => readFileSync(outputs[name] ?? "", "utf8");
  const { salt: _, built: __, platforms, trees, ...plan } = JSON.parse(read("plan"));
  const [shown] = Object.values<{ label: unknown; recipe: unknown; upstream: unknown }>(platforms);
  const { timings, ...others } = outputs;
  return {
    ...others,
    "env-file": read("env-file"),
    "env-map-file": read("env-map-file"),
    saved: JSON.parse(timings ?? "{}").saved,
    plan: { ...plan, trees: Object.values(trees).length, label: shown?.label, upstream: shown?.upstream },
  };
}

test("a commit that is known is not cloned, and all outputs are those of a run that clones it", async () => {
  registry.override(isRemembered, { status: 404 });
  const cloned = await run();
  registry.recover();
  const known = await withoutClones();
  expect(known.outputs.result, known.log).toBe("hit");
  expect(known.log).toMatch(/^Hit: .*; nothing is cloned\.$/m);
  expect(comparable(known)).toEqual(comparable(cloned));
  expect(known.outputs).toMatchObject({ "remote-user": "dev", "container-options": expect.stringContaining("1g") });
  expect(JSON.parse(known.outputs["env-map"] ?? "")).toMatchObject({ GREETING: "hello", WHERE: "/work" });
  expect(readFileSync(known.outputs["env-file"] ?? "", "utf8")).toContain("WHO=nobody");
  // Named, names and plan, image, layers; and last the branch's alias.
  const asked = known.requests.map((line) => line.replace(/-?[0-9a-f]{8,}(?:-linux-amd64)?$/, "…"));
  expect(asked[0]).toBe(`GET /v2/${repository}/manifests/c1…`);
  expect(asked.length).toBeLessThanOrEqual(10);
  expect(JSON.parse(known.outputs.timings ?? "").waves).toBeLessThanOrEqual(5);
});

test("the uid that is asked for is told of a commit that is known too", async () => {
  const inputs = { "remote-user-uid": "1001" };
  const built = await run(inputs);
  expect(built.outputs, built.log).toMatchObject({ result: "built", "remote-user-uid": "1001" });
  const known = await withoutClones(inputs);
  expect(known.outputs, known.log).toMatchObject({ result: "hit", "remote-user-uid": "1001" });
});

test("what the image's metadata asks for of the workspace's folder is told alike, known or cloned", async () => {
  const folder = "$".concat("{localWorkspaceFolder}");
  const label = JSON.stringify([{ remoteEnv: { AT: folder, NAMED: "$".concat("{localWorkspaceFolderBasename}") } }]);
  seedBase(registry, "base/told", "1", "told", { Labels: { "devcontainer.metadata": label } });
  const dockerfile = `FROM ${registry.host}/base/told:1\nCOPY setup.sh /setup.sh\n`;
  server.commit("team/folders", files("folders", { ".devcontainer/Dockerfile": dockerfile }));
  const asked = { "git-url": `${server.url}/team/folders` };
  const [built, known] = [await run(asked), await withoutClones(asked)];
  const told = (of: Told): unknown => JSON.parse(of.outputs["env-map"] ?? "{}");
  expect(told(known), known.log).toMatchObject({ NAMED: "folders", AT: expect.stringMatching(/\/folders$/) });
  expect(told(built), built.log).toEqual(told(known));
});

test("a commit by its id needs no host at all", async () => {
  server.override(() => ({ status: 503 }));
  const known = await withoutClones({ "git-ref": commit });
  server.reset();
  expect(known.outputs, known.log).toMatchObject({ result: "hit" });
});

test("nothing that is secret, and no variable, stands in what is remembered", () => {
  const tag = [...registry.requests].map((line) => /PUT .*(c1-[0-9a-f]{64})/.exec(line)?.[1]).find(Boolean) ?? "";
  const text = registry.manifest(repository, tag)?.toString() ?? "";
  expect(text).toContain("TEAM");
  expect(text).not.toContain("blue");
});

test("a proxy's login decides, and not even a hash of it is remembered", async () => {
  const machine = openMachine();
  const proxies = { default: { httpProxy: "http://me:word@proxy.test:3128" } };
  mkdirSync(join(machine, ".docker"));
  writeFileSync(join(machine, ".docker", "config.json"), JSON.stringify({ proxies }));
  server.commit("team/proxied", files("proxied"));
  const told = await run({ "git-url": `${server.url}/team/proxied` }, { machine });
  expect(told.outputs.result, told.log).toBe("built");
  expect(told.log).toContain("The commit is cloned again next time: a proxy's login takes part in it.");
  expect(told.requests.filter((line) => line.startsWith("PUT") && isRemembered(line))).toEqual([]);
});

/** Whatever was tried, the run went on to read the commit: which fails where nothing can be cloned. */
const expectCloned = async (why: RegExp, inputs = {}, more: Partial<Play> = {}): Promise<void> => {
  const told = await withoutClones(inputs, more);
  expect(told.log).toMatch(why);
  expect(told.code, told.log).toBe(1);
  expect(told.log).toContain("no clones here");
};

type Put = (reference: string, value: unknown) => string;
const put: Put = (reference, value) => {
  const bytes = Buffer.from(JSON.stringify(value));
  const type = (value as { readonly mediaType: string }).mediaType;
  return registry.seedManifest(repository, reference, bytes, type);
};
const read = (reference: string) => JSON.parse(registry.manifest(repository, reference)?.toString() ?? "null");

test.each<[string, RegExp, (known: { tag: string; k1: string; set: string }) => void]>([
  ["a base has moved", /base\/os:1 has moved/, () => seedBase(registry, "base/os", "1", "two")],
  [
    "a base is gone",
    /base\/os:1 cannot be read/,
    () => registry.override((line) => /base\/os/.test(line), { status: 404 }),
  ],
  [
    "a base's registry is out of order",
    /cannot be read/,
    () => registry.override((line) => /base\/os/.test(line), { status: 401 }),
  ],
  ["nothing is remembered", /nothing is remembered/, ({ tag }) => registry.untag(repository, tag)],
  ["the registry does not say", /cannot be read/, () => registry.override(isRemembered, { status: 401 })],
  ["what is remembered is an image", /says nothing of it/, ({ tag, set }) => void put(tag, read(set))],
  [
    "what is remembered is another commit's",
    /says nothing of it/,
    ({ tag }) => {
      const record = read(tag);
      const [name = "", text = ""] = Object.entries<string>(record.annotations)[0] ?? [];
      put(tag, { ...record, annotations: { [name]: text.replace(tag, `c1-${"0".repeat(64)}`) } });
    },
  ],
  [
    "its keys contradict each other",
    /says nothing of it/,
    ({ tag, k1 }) => {
      const record = read(tag);
      const [name = "", text = ""] = Object.entries<string>(record.annotations)[0] ?? [];
      put(tag, { ...record, annotations: { [name]: text.replaceAll(k1.slice(3), "1".repeat(64)) } });
    },
  ],
  ["the set's tag is gone", /not there as it was/, ({ k1 }) => registry.untag(repository, k1)],
  [
    "the set's tag names another set",
    /not there as it was/,
    ({ k1, set }) => {
      const index = JSON.stringify(read(set)).replace(
        /("dev-container-cache.key":"sha256:)[0-9a-f]{64}/,
        `$1${"2".repeat(64)}`,
      );
      put(k1, JSON.parse(index));
    },
  ],
  [
    "the set says nothing of itself",
    /not there as it was/,
    ({ k1, set }) => {
      const { manifests, ...index } = read(set);
      const rest = manifests.filter(
        (one: { annotations?: object }) => !JSON.stringify(one).includes("dev-container-cache.own"),
      );
      put(k1, { ...index, manifests: rest });
    },
  ],
  [
    "a layer is gone",
    /not there as it was/,
    ({ set }) => {
      const [image] = read(set).manifests;
      registry.sweepBlob(repository, read(image.digest).layers[0].digest);
    },
  ],
  [
    "its plan is gone",
    /plan of its image/,
    ({ tag }) => {
      const [text = ""] = Object.values<string>(read(tag).annotations);
      registry.sweepBlob(repository, JSON.parse(text).plan.digest);
    },
  ],
])("%s: the commit is cloned", async (_, why, change) => {
  const before = await withoutClones();
  expect(before.outputs.result, before.log).toBe("hit");
  change({ tag: tagOf(before), k1: before.outputs.tag ?? "", set: before.outputs.digest ?? "" });
  await expectCloned(why);
});

const FORK = {
  pull_request: {
    head: { ref: "x", repo: { full_name: "stranger/app" } },
    base: { ref: "main", repo: { full_name: "team/app" } },
  },
  repository: { full_name: "team/app", default_branch: "main" },
};
const NOTHING = /Not known: nothing is remembered of it/;

test.each<[string, RegExp, Readonly<Record<string, string>>, Partial<Play>]>([
  ["a build arg", NOTHING, { "build-args": "TEAM=red" }, {}],
  ["a platform more", NOTHING, { platforms: "linux/amd64,linux/arm64" }, {}],
  ["another salt", NOTHING, { "cache-version": "2" }, {}],
  ["what the configuration may read", NOTHING, { "local-env": "TEAM" }, {}],
  ["allowed images", NOTHING, { "allowed-images": "elsewhere.example/*" }, {}],
  ["a fork's code", NOTHING, {}, { env: { GITHUB_EVENT_NAME: "pull_request" }, event: FORK }],
  ["a variable that it reads", /it reads TEAM, which is another one/, {}, { env: { TEAM: "red" } }],
  ["one that was not set", /it reads WHO, which is another one/, {}, { env: { WHO: "me" } }],
  [
    "one that is a secret now",
    /it reads TEAM, which is withheld/,
    { "registry-password": "blue-secret", "registry-username": "me" },
    { env: { TEAM: "blue-secret" } },
  ],
  [
    "an attestation that it lacks",
    /not there as it was/,
    { require: "sbom", "on-miss": "fail", "on-drift": "fail", "on-unknown": "fail" },
    {},
  ],
  [
    "a secret, which stands in the commit",
    /it holds a secret of this run/,
    { "registry-password": "said-in-Dockerfile-7", "registry-username": "me" },
    {},
  ],
  ["its age", /too old/, { "cache-ttl-days": "1" }, { later: 3 * 24 * 3600 * 1000 }],
])("%s that is another one: the commit is cloned", async (_, why, inputs, more) => {
  await expectCloned(why, inputs, more);
});

test("what is built anyway is cloned without a look", async () => {
  const forced = await withoutClones({ force: "true" });
  expect(forced.requests.filter(isRemembered)).toEqual([]);
  expect(forced.log).toContain("no clones here");
});

test("after a base has moved the image is built, and its commit is known again", async () => {
  seedBase(registry, "base/os", "1", "two");
  const built = await run();
  expect(built.outputs.result, built.log).toBe("built");
  const known = await withoutClones();
  expect(known.outputs, known.log).toMatchObject({ result: "hit", digest: built.outputs.digest });
});

test("features decide by all that was asked for to find them, and so does one that is only named for its place", async () => {
  const put = (path: string, metadata: object): void => {
    const { manifest, type, blobs } = publish({ path, metadata });
    for (const blob of blobs) registry.seedBlob(path, blob);
    registry.seedManifest(path, "1", manifest, type);
    registry.seedManifest(path, "latest", manifest, type);
  };
  const feature = (id: string, version: string, more = {}) => ({ id, version, ...more });
  const [own, before] = [`${registry.host}/features/own`, `${registry.host}/features/before`];
  put("features/before", feature("before", "1.0.0"));
  put("features/own", feature("own", "1.0.0", { installsAfter: [before] }));
  server.commit("team/features", {
    ".devcontainer/devcontainer.json": JSON.stringify({
      image: `${registry.host}/base/os:1`,
      features: { [`${own}:1`]: {} },
    }),
  });
  const asked = { "git-url": `${server.url}/team/features` };
  const built = await run(asked);
  expect(built.outputs.result, built.log).toBe("built");
  expect((await withoutClones(asked)).outputs).toMatchObject({ result: "hit", digest: built.outputs.digest });
  put("features/before", feature("before", "1.1.0"));
  await expectCloned(/features\/before:latest has moved/, asked);
  put("features/before", feature("before", "1.0.0"));
  put("features/own", feature("own", "1.0.1", { installsAfter: [before] }));
  await expectCloned(/features\/own:1 has moved/, asked);
});

test("a tag that is asked for is put on the image of a commit that is known", async () => {
  const known = await withoutClones({ tags: "latest" });
  expect(known.outputs.result, known.log).toBe("hit");
  expect(registry.digest(repository, "latest")).toBe(known.outputs.digest);
});

test("a run that may not push remembers nothing, and is told what is known", async () => {
  registry.untag(repository, tagOf(await withoutClones()));
  const cloned = await run({ push: "false" });
  expect(cloned.requests.filter((line) => line.startsWith("PUT") && isRemembered(line))).toEqual([]);
  await run();
  const known = await withoutClones({ push: "false" });
  expect(known.outputs.result, known.log).toBe("hit");
  expect(known.requests.filter((line) => line.startsWith("PUT"))).toEqual([]);
});

test.each<[string, RegExp, Readonly<Record<string, string>>, Readonly<Record<string, string>>]>([
  [
    "a variable takes part in what it is built on",
    /a build arg or a variable takes part in what it is built on/,
    { ".devcontainer/Dockerfile": "ARG TAG=2\nFROM HOST/base/os:$TAG\n" },
    { "build-args": "TAG=1" },
  ],
  [
    "there is something to warn of",
    /something to warn of/,
    {
      ".gitattributes": "*.sh filter=lfs\n",
      ".devcontainer/setup.sh": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
    },
    {},
  ],
  ["a build arg does nothing", /something to warn of/, {}, { "build-args": "NOTHING=1" }],
  [
    "a file of the machine may hold build args",
    /in a file of this machine/,
    {},
    { "build-arg-files": "?/nowhere.conf" },
  ],
  ["its build takes a secret", /takes secrets/, {}, { "build-secrets": "id=npm,env=TEAM" }],
  [
    "a variable takes part in how it is run",
    /in how it is run/,
    {
      ".devcontainer/devcontainer.json": JSON.stringify({
        build: { dockerfile: "Dockerfile" },
        runArgs: ["--hostname=$".concat("{localEnv:TEAM}")],
      }),
    },
    {},
  ],
])("%s: it is told, and cloned again", async (name, why, more, inputs) => {
  const path = `team/${name.replaceAll(" ", "-")}`;
  const changed = Object.fromEntries(
    Object.entries(more).map(([file, text]) => [file, text.replace("HOST", registry.host)]),
  );
  server.commit(path, files("two", changed));
  const told = await run({ "git-url": `${server.url}/${path}`, ...inputs });
  expect(told.outputs.result, told.log).toBe("built");
  expect(told.log).toMatch(why);
  expect(told.requests.filter((line) => line.startsWith("PUT") && isRemembered(line))).toEqual([]);
});
