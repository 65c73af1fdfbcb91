import { beforeAll, expect, test } from "vitest";
import { openGiteaRunner } from "./gitea-runner.ts";
import { makeBase, REGISTRY, tags, unique } from "./harness.ts";
import { CALLED, type Runner } from "./runs.ts";
import { example, openScene, PUSH, SAID, SCHEDULE, type Scene, starter } from "./starters.ts";

// The workflows and the starters on Gitea's runner, by its `exec`. That hands over neither an event nor, of a called workflow, what its last job
// has put out: a job of the caller sees what was there before, so the next job runs in the image once it is a hit.

let runner: Runner;
let base: string;
beforeAll(async () => {
  runner = await openGiteaRunner();
  base = (await makeBase({ repository: unique("base/gitea"), version: "1" })).image;
});

const open = (text: string, folders?: readonly string[]): Scene => openScene(runner, base, text, folders);
const sets = async (cache: string): Promise<number> =>
  (await tags(cache)).filter((tag) => /^k1-[0-9a-f]{64}$/.test(tag)).length;

test.each<[name: string, folders: readonly string[], built: readonly string[], used: readonly string[]]>([
  ["gitea", [".devcontainer"], ["container"], ["container", "test"]],
  ["monorepo", [".devcontainer/api", ".devcontainer/web"], ["api", "web"], ["api", "test-api", "test-web", "web"]],
  ["variants", [".devcontainer"], ["bookworm", "trixie"], ["bookworm", "test", "test", "trixie"]],
])(
  "the starter %s: built and pushed; then a hit, and the next job runs in the image",
  async (name, folders, built, used) => {
    const { cache, repository } = open(starter(name), folders);
    const first = await repository.run(PUSH);
    expect(first.jobs, first.log).toEqual(built.map((job) => `${job}: success`));
    expect(first.log).toMatch(/^result: built /m);
    expect(await sets(cache)).toBe(name === "variants" ? 2 : 1);
    const second = await repository.run(PUSH);
    expect(second.jobs, second.log).toEqual(used.map((job) => `${job}: success`));
    expect(second.log).not.toMatch(/^result: (built|miss)/m);
    expect(second.log).toMatch(/^\w+ says two words to dev$/m);
  },
);

test("a machine for each platform: the legs build, and the job after them joins and hands over", async () => {
  const { repository } = open(starter("native-machines"));
  const ended = await repository.run(PUSH);
  expect(ended.jobs, ended.log).toEqual(["build: success", "build: success", "container: success", "test: success"]);
  expect(ended.log).toContain(SAID);
});

test("the warm-up builds every dev container of the repository", async () => {
  const { cache, repository } = open(starter("warm-up"), [".devcontainer/api", ".devcontainer/web"]);
  const first = await repository.run(SCHEDULE);
  expect(first.jobs, first.log).toEqual(["warm: success"]);
  // It tells of one leg, and of the same files they make one image.
  expect(first.log).toMatch(/^\| \.devcontainer\/\w+ \| (built|hit) \| `\S+@sha256:[0-9a-f]{64}` \|$/m);
  expect(first.log).toMatch(/^result: built /m);
  expect(await sets(cache)).toBe(1);
  const second = await repository.run(SCHEDULE);
  expect(second.log).toMatch(/^\| \.devcontainer\/\w+ \| hit \|/m);
  expect(second.log.match(/^result: hit /gm)).toHaveLength(2);
});

test("the README's first example, and the check of the same commit and of another", async () => {
  const { cache, repository } = open(example("first"));
  const ended = await repository.run(PUSH);
  expect(ended.jobs, ended.log).toEqual(["container: success", "test: success"]);
  expect(ended.log).toContain(SAID);
  const check = { uses: CALLED.replace("NAME", "check"), with: { "cache-repo": `${REGISTRY}/${cache}` } };
  repository.write(".github/workflows/ci.yml", `on: push\njobs: { check: ${JSON.stringify(check)} }\n`);
  const hit = await repository.run(PUSH);
  expect(hit.jobs, hit.log).toEqual(["check: success"]);
  expect(hit.log).toMatch(/^result: hit /m);
  repository.write(".devcontainer/Dockerfile", "FROM scratch\nCOPY Dockerfile /\n");
  const there = await tags(cache);
  const miss = await repository.run(PUSH);
  expect(miss.code).not.toBe(0);
  expect(miss.log).toContain("[E_MISS]");
  expect(await tags(cache)).toEqual(there);
});
