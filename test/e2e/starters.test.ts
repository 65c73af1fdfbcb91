import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { isMap, parseDocument, visit } from "yaml";
import { type Act, type Event, openAct, openRepository, type Repository } from "./act.ts";
import { makeBase, REGISTRY, tags, unique } from "./harness.ts";

// What people copy, run as it stands: the starters, and the README's first example. Their later jobs really run in the image.

let act: Act;
let base: string;
beforeAll(async () => {
  act = await openAct();
  base = (await makeBase({ repository: unique("base/starter"), version: "1" })).image;
});

const REPOSITORY = { default_branch: "main", full_name: "team/app" };
const PUSH: Event = { name: "push", payload: { ref: "refs/heads/main", repository: REPOSITORY } };
const SCHEDULE: Event = { name: "schedule", payload: { ref: "refs/heads/main", repository: REPOSITORY } };
const pullRequest = (head: string): Event => ({
  name: "pull_request",
  payload: {
    number: 7,
    repository: REPOSITORY,
    pull_request: {
      head: { ref: "change", repo: { full_name: head } },
      base: { ref: "main", repo: { full_name: "team/app" } },
    },
  },
});

const DOCKERFILE = `ARG BASE
FROM \${BASE}
ARG VARIANT=plain
RUN echo 'dev:x:1000:1000::/tmp:/bin/sh' >> /etc/passwd \\
 && printf '#!/bin/sh\\necho "%s says $WORD to $(id -un)"\\n' "\${VARIANT}" > /bin/greet && chmod 0755 /bin/greet
`;

/**
 * A workflow as it is copied, but for what a registry on this machine cannot be: the place of the images, a feature from elsewhere, and a
 * project with something to test.
 */
function localized(text: string, cache: string): string {
  const document = parseDocument(text);
  visit(document, {
    Map: (_, map) => {
      const inputs = map.get("with", true);
      if (!/\/dev-container-cache[/@]/.test(String(map.get("uses")))) return;
      if (!isMap(inputs)) throw new Error("The action or a workflow of ours is used without inputs.");
      inputs.set("cache-repo", `${REGISTRY}/${cache}`);
      inputs.delete("additional-features");
    },
  });
  return String(document).replaceAll(/\bmake( -C \w+)? test\b/g, "greet");
}

/** act knows the job's token only as a secret. */
const SECRETS = { REGISTRY_TOKEN: "personal-token", GITHUB_TOKEN: "token-of-the-job" };

type Scene = { readonly cache: string; readonly repository: Repository };

function open(text: string, folders: readonly string[] = [".devcontainer"]): Scene {
  const cache = unique("team/starter");
  const repository = openRepository(act, mkdtempSync(join(tmpdir(), "starter-")), SECRETS);
  for (const folder of folders) {
    const build = { dockerfile: "Dockerfile", args: { BASE: base } };
    const configuration = { name: folder, build, remoteUser: "dev", remoteEnv: { WORD: "two words" } };
    repository.write(`${folder}/devcontainer.json`, JSON.stringify(configuration));
    repository.write(`${folder}/Dockerfile`, DOCKERFILE);
  }
  repository.write(".github/workflows/ci.yml", localized(text, cache));
  return { cache, repository };
}

const starter = (name: string): string => readFileSync(`workflows/starters/${name}.yml`, "utf8");
const SAID = "plain says two words to dev";
const LEG = "build linux/amd64 on ubuntu-latest: success";

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

test("the README's first example", async () => {
  const [, text = ""] = /^```yaml\n(jobs:.*?)^```$/ms.exec(readFileSync("README.md", "utf8")) ?? [];
  const { repository } = open(`on: push\n${text.replace("linux/amd64,linux/arm64", "linux/amd64")}`);
  const ended = await repository.run(PUSH);
  expect(ended.jobs, ended.log).toEqual(["container: success", "test: success"]);
  expect(ended.log).toContain(SAID);
});
