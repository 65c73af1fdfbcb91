import { beforeAll, describe, expect, test } from "vitest";
import { openAct } from "./act.ts";
import { makeBase, tags, unique } from "./harness.ts";
import type { Runner } from "./runs.ts";
import { LEG, openScene, PUSH, pullRequest, SAID, SCHEDULE, type Scene, starter } from "./starters.ts";

// The starters, run as they stand. Their later jobs really run in the image.

let act: Runner;
let base: string;
beforeAll(async () => {
  act = await openAct();
  base = (await makeBase({ repository: unique("base/starter"), version: "1" })).image;
});

const open = (text: string, folders?: readonly string[]): Scene => openScene(act, base, text, folders);

describe.each([
  ["the starter for a later job", starter("later-job")],
  ["the starter for Gitea", starter("gitea")],
])("%s", (_, text) => {
  test("a miss is built, and the next job runs in the image, as its user and in its environment; then it is a hit", async () => {
    const { repository } = open(text);
    const first = await repository.run(PUSH);
    expect(first.jobs, first.log).toEqual([LEG, "join: success", "probe: success", "test: success"]);
    expect(first.log).toContain(SAID);
    const second = await repository.run(pullRequest("team/app"));
    expect(second.jobs, second.log).toEqual(["probe: success", "test: success"]);
    expect(second.log).toContain(SAID);
  });
});

test("a fork's pull request that nothing is there for builds as a check, and no job asks for an image that no registry has", async () => {
  const { cache, repository } = open(starter("later-job"));
  const ended = await repository.run(pullRequest("stranger/app"));
  expect(ended.jobs, ended.log).toEqual([LEG, "probe: success"]);
  expect(ended.code).toBe(0);
  expect(await tags(cache)).toEqual([]);
});

test("the check on pull requests is red until main has built, and then green", async () => {
  const { cache, repository } = open(starter("pull-request-check"));
  const red = await repository.run(pullRequest("team/app"));
  expect(red.jobs, red.log).toEqual(["check: failure"]);
  expect(red.log).toContain("[E_MISS]");
  expect(await tags(cache)).toEqual([]);
  const push = await repository.run(PUSH);
  expect(push.jobs, push.log).toEqual([LEG, "join: success", "probe: success"]);
  const green = await repository.run(pullRequest("team/app"));
  expect(green.jobs, green.log).toEqual(["check: success"]);
});

test("the warm-up builds on a schedule", async () => {
  const { cache, repository } = open(starter("warm-up"));
  const ended = await repository.run(SCHEDULE);
  expect(ended.jobs, ended.log).toEqual(["list: success", "tell: success", "warm: success"]);
  expect((await tags(cache)).filter((tag) => /^k1-[0-9a-f]{64}$/.test(tag))).toHaveLength(1);
});

test("several dev containers: each has its image, in which its own job runs", async () => {
  const { repository } = open(starter("monorepo"), [".devcontainer/api", ".devcontainer/web"]);
  const ended = await repository.run(PUSH);
  const one = [LEG, "join: success", "probe: success"];
  expect(ended.jobs, ended.log).toEqual([...one, ...one, "test-api: success", "test-web: success"].sort());
  expect(ended.log).toContain(SAID);
});

test("variants: the job runs in each", async () => {
  const { repository } = open(starter("variants"));
  const ended = await repository.run(PUSH);
  expect(ended.code, ended.log).toBe(0);
  for (const variant of ["bookworm", "trixie"]) expect(ended.log).toContain(`${variant} says two words to dev`);
});

test("a machine for each platform: the legs build, and the job after them joins and hands over", async () => {
  const { repository } = open(starter("native-machines"));
  const jobs = ["build: success", "build: success", "container: success", "test: success"];
  const first = await repository.run(PUSH);
  expect(first.jobs, first.log).toEqual(jobs);
  expect(first.log).toContain(SAID);
});
