import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BuildTask, runBuilder } from "../../src/cached-image/build.ts";
import { computeEnvironment } from "../../src/envbuilder/environment.ts";
import { openContext } from "../../src/envbuilder/files-context.ts";
import type { Options } from "../../src/envbuilder/options.ts";
import { openFiles } from "../../src/host/files.ts";
import { digestOf } from "../../src/oci/digest.ts";
import type { Finished, StoredLogin, World } from "../../src/world.ts";
import { makeCheckout } from "../checkout.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

const CACHE = { registry: "cache.test", repository: "team/app" };
const BUILDER = digestOf("the builder");
const SECRET = "s3cret-of-ours";

const opened = openFiles(tmpdir());
let checkout: string;
beforeEach(() => {
  checkout = makeCheckout({ "a.txt": "a", "bin/run": { script: "x" }, link: { link: "a.txt" }, ".git/HEAD": "ref: x" });
});
afterEach(() => {
  rmSync(checkout, { recursive: true });
  opened.removeTemporaryFolders();
});

const PUSHED = "#2: 🏗️ Pushed image! [1s]";

type Play = {
  readonly options?: Options;
  readonly extra?: Readonly<Record<string, string>>;
  readonly login?: StoredLogin;
  readonly registry?: string;
  readonly isPlain?: boolean;
  readonly proxies?: Readonly<Record<string, string>>;
  /** What docker answers to a subcommand, in the place of success; `lines` is what the builder prints. */
  readonly answers?: Readonly<Record<string, Finished | undefined>>;
  readonly lines?: readonly string[];
};

const DONE: Finished = { code: 0, stdout: "", stderr: "" };

/** Runs a build against a docker that only notes what it is told, and gives that with what it could read. */
async function play({
  options = {},
  extra = {},
  login,
  registry = CACHE.registry,
  answers = {},
  lines = [PUSHED],
  isPlain = false,
  proxies = {},
}: Play) {
  const calls: { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> }[] = [];
  const seen = { file: "", mode: 0, tree: [] as string[] };
  const exec: World["exec"] = async (_, args, { env = {}, onLine } = {}) => {
    calls.push({ args, env });
    const path = args[args.indexOf("--env-file") + 1] ?? "";
    if (args[0] === "create") {
      seen.file = readFileSync(path, "utf8");
      seen.mode = statSync(path).mode & 0o777;
    }
    if (args[0] === "cp") {
      const root = `${(args[1] ?? "").replace(/\/\.$/, "")}/workspaces/app`;
      seen.tree = ["a.txt", "bin/run", "link", ".git/HEAD"].filter((name) => existsSync(`${root}/${name}`));
    }
    if (args[0] === "start") for (const line of lines) onLine?.(line);
    return args[0] !== undefined && args[0] in answers ? answers[args[0]] : DONE;
  };
  const told: string[] = [];
  const log = { info: (line: string) => void told.push(line), debug: () => undefined } as unknown as World["log"];
  const undos: (() => Promise<void>)[] = [];
  const environment = computeEnvironment(
    { ENVBUILDER_WORKSPACE_FOLDER: "/workspaces/app", ...options },
    new Map(Object.entries(extra)),
  );
  const repository = { ...CACHE, registry };
  const task: BuildTask = {
    inputs: {
      builderImage: {
        written: "builder:1",
        reference: { registry: "docker.io", repository: "library/builder", tag: "1" },
      },
      environment,
      platform: { os: "linux", architecture: "amd64" },
    },
    builder: { registry: "docker.io", repository: "library/builder", digest: BUILDER },
    repository,
    repositories: [repository],
    source: {
      context: await openContext({ files: opened.files, workspace: checkout, folder: checkout, index: undefined }),
      folder: checkout,
    },
    network: undefined,
    proxies: new Map(Object.entries(proxies)),
    isPlain,
  };
  const run = runBuilder(task, {
    exec,
    files: opened.files,
    log,
    atEnd: (undo) => void undos.push(undo),
    salt: () => "0".repeat(32),
    credentials: async () => login,
  });
  return { run, calls, seen, told, undos };
}

test("the job's proxies stand in the file of this user alone, and what was set for the workspace before them", async () => {
  const { run, calls, seen } = await play({
    proxies: { HTTPS_PROXY: "http://u:p4ss@proxy.test", NO_PROXY: "a" },
    extra: { NO_PROXY: "b" },
  });
  await run;
  expect(seen.file).toContain("HTTPS_PROXY=http://u:p4ss@proxy.test\n");
  expect(seen.file).toContain("\nNO_PROXY=b\n");
  expect(seen.file).not.toContain("NO_PROXY=a");
  expect(JSON.stringify(calls)).not.toContain("p4ss");
});

test("which image it has pushed is the last that it names before it says that it has", async () => {
  const [layer, whole, later] = [digestOf("layer"), digestOf("whole"), digestOf("later")];
  const lines = [
    `#1: Pushed cache.test/team/app@${layer}`,
    "#2: 🏗️ Pushing image...",
    "#2: Pushing image to cache.test/team/app",
    `#2: Pushed cache.test/team/app@${whole}`,
    PUSHED,
    `#3: Pushed cache.test/team/app@${later}`,
  ];
  expect(await (await play({ lines })).run).toBe(whole);
  expect(await (await play({ lines: [PUSHED] })).run).toBeUndefined();
});

test("the builder is given the commit's files and, in a file of this user alone, what a build needs", async () => {
  const { run, calls, seen } = await play({
    options: {
      ENVBUILDER_GIT_URL: "https://g.test/a",
      ENVBUILDER_GIT_PASSWORD: SECRET,
      ENVBUILDER_CACHE_REPO: "cache.test/team/app",
    },
    extra: { ENVBUILDER_INIT_SCRIPT: "sleep 1", ENVBUILDER_SETUP_SCRIPT: "x", GIT_BRANCH: "b", GIT_USERNAME: "u" },
    lines: [PUSHED],
  });
  await run;
  expect(seen.mode).toBe(0o600);
  expect(seen.file.trim().split("\n").sort()).toEqual([
    "ENVBUILDER_CACHE_REPO=cache.test/team/app",
    "ENVBUILDER_EXIT_ON_BUILD_FAILURE=true",
    "ENVBUILDER_EXIT_ON_PUSH_FAILURE=true",
    "ENVBUILDER_EXPORT_ENV_FILE=/.envbuilder/bin/envbuilder/none",
    "ENVBUILDER_INIT_ARGS=--help",
    "ENVBUILDER_INIT_COMMAND=/.envbuilder/bin/envbuilder",
    "ENVBUILDER_PUSH_IMAGE=true",
    "ENVBUILDER_WORKSPACE_FOLDER=/workspaces/app",
    "GIT_BRANCH=b",
  ]);
  expect(seen.tree).toEqual(["a.txt", "bin/run", "link"]);
  expect(calls.map(({ args }) => args[0])).toEqual(["create", "cp", "start", "rm", "rm"]);
  expect(calls[0]?.args).not.toContain("--network");
  expect(calls[0]?.args.join(" ")).toContain(" --platform linux/amd64 ");
});

test("no secret stands in an argument, also not one of several lines", async () => {
  const { run, calls } = await play({
    options: { ENVBUILDER_DOCKER_CONFIG_BASE64: btoa(SECRET) },
    extra: { NOTE: `one\n${SECRET}`, TOKEN: SECRET },
  });
  await run;
  expect(JSON.stringify(calls.map(({ args }) => args))).not.toMatch(new RegExp(`${SECRET}|${btoa(SECRET)}`));
  expect(calls[0]?.env).toEqual({ NOTE: `one\n${SECRET}` });
  expect(calls[0]?.args.join(" ")).toContain("--env NOTE ");
});

test("the login that this run uses goes to the builder where none is among the inputs", async () => {
  const { run, seen } = await play({ login: { username: "robot", password: SECRET } });
  await run;
  const [, config = ""] = /ENVBUILDER_DOCKER_CONFIG_BASE64=(\S+)/.exec(seen.file) ?? [];
  expect(JSON.parse(atob(config))).toEqual({ auths: { "cache.test": { auth: btoa(`robot:${SECRET}`) } } });
});

test("a registry without TLS is told to the builder, which would not find it", async () => {
  const { run, seen } = await play({ isPlain: true });
  await run;
  expect(seen.file).toContain("ENVBUILDER_INSECURE=true\n");
});

test("the image that is run is the one that the keys are of, whatever its tag names here", async () => {
  const { run, calls } = await play({});
  await run;
  expect(calls[0]?.args.at(-1)).toBe(`docker.io/library/builder@${BUILDER}`);
});

test("a registry on loopback is this machine's, and so is the network then", async () => {
  const { run, calls } = await play({ registry: "127.0.0.1:5000" });
  await run;
  expect(calls[0]?.args.join(" ")).toContain("--network host");
});

test("as soon as it has pushed the container goes: what a workspace would do next is not done", async () => {
  const { run, calls, told, undos } = await play({
    lines: ["building", PUSHED, "=== Running onCreateCommand"],
    answers: { start: { code: 137, stdout: "", stderr: "" } },
  });
  await run;
  expect(told).toEqual(["building", PUSHED]);
  expect(calls.filter(({ args }) => args[0] === "rm")[0]?.args.slice(0, 3)).toEqual(["rm", "--force", "--volumes"]);
  expect(undos).toHaveLength(1);
});

test("a builder that ends well and says nothing of a push has pushed nothing", async () => {
  const { run } = await play({ lines: ["=== Running init command"] });
  expect((await refusalOf(() => run)).code).toBe("E_BUILD");
});

test.each<{ readonly name: string; readonly answers: Play["answers"]; readonly code: string; readonly words: RegExp }>([
  { name: "no docker at all", answers: { create: undefined }, code: "E_DOCKER", words: /there is no docker/ },
  {
    name: "an engine that cannot pull the builder",
    answers: { create: { code: 125, stdout: "", stderr: "one\npull access denied\n" } },
    code: "E_DOCKER",
    words: /builder:1: pull access denied/,
  },
  {
    name: "a build that fails",
    answers: { start: { code: 1, stdout: "", stderr: "" } },
    code: "E_BUILD",
    words: /exit code 1 and has pushed nothing/,
  },
])("$name", async ({ answers = {}, code, words }) => {
  const { run } = await play({ answers, lines: ["what went wrong"] });
  const error = await refusalOf(() => run);
  expect([error.code, error.message]).toEqual([code, expect.stringMatching(words)]);
  if (code === "E_BUILD") expect(error.details?.lines).toEqual(["what went wrong"]);
});
