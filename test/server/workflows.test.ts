import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FakeRegistry, openFakeRegistry } from "../fakes/registry.ts";
import { seedBase } from "../stories/sample.ts";
import { type Gitea, openGitea } from "./gitea.ts";
import { awaitRun, openRunner, publishAction, type Ran } from "./runner.ts";

// The workflows and the starters on a real Gitea with its own registry: mirrored there, called from another repository, run by its runner. Docker
// is the stories' stand-in, and a later job is one of this machine: Gitea's runner shows by `exec` what a job in the image is (test/e2e).

let gitea: Gitea;
let bases: FakeRegistry;
let runner: Awaited<ReturnType<typeof openRunner>>;
let stamped: string;
let token: string;

beforeAll(async () => {
  bases = await openFakeRegistry();
  seedBase(bases, "base/os", "1", "one");
  gitea = await openGitea();
  stamped = await publishAction(gitea, "octo");
  runner = await openRunner(gitea);
  await gitea.user("me");
  token = await gitea.token("me", "write:package");
});
afterAll(async () => {
  await runner.close();
  await gitea.close();
  await bases.close();
});

/** Another word is another image. */
const container = (word: string): Readonly<Record<string, string>> => ({
  ".devcontainer/devcontainer.json":
    '{ "build": { "dockerfile": "Dockerfile" }, "remoteEnv": { "WORD": "two words" } }',
  ".devcontainer/Dockerfile": `FROM ${bases.host}/base/os:1\nRUN echo ${word}\n`,
});

/** A starter of the stamped tree, but for a feature from elsewhere; the job that would be in the image says which one that is. */
const starter = (name: string): string =>
  readFileSync(join(stamped, "workflows/starters", `${name}.yml`), "utf8")
    .replace(/^ +additional-features:.*\n/gm, "")
    .replace(/^ {4}container:\n(?: {6}.*\n)+/gm, "")
    .replaceAll(/\bmake( -C \w+)? test\b/g, 'echo "$WORD in ${{ needs.container.outputs.image }}"');
/** One that looks and builds without a login of its own, with the personal token. */
const withLogin = (text: string): string =>
  text.replaceAll(
    /^ {4}with:\n/gm,
    "    secrets:\n      registry-password: ${{ secrets.REGISTRY_TOKEN }}\n    with:\n      registry-username: me\n",
  );

async function open(name: string, workflow: string): Promise<string> {
  await gitea.api("POST", "/user/repos", { as: "me", body: { name, default_branch: "main" } });
  await gitea.api("PUT", `/repos/me/${name}/actions/secrets/REGISTRY_TOKEN`, { as: "me", body: { data: token } });
  return gitea.push(`me/${name}`, { ...container(name), ".github/workflows/ci.yml": workflow });
}
const ended = (repository: string, commit: string, approve = false): Promise<Ran> =>
  awaitRun(gitea, repository, { commit, approve });
const results = ({ log }: Ran): readonly string[] => [...log.matchAll(/ result: (\w+)/g)].map(([, one = ""]) => one);
const ask = (repository: string, as: string, head: string): Promise<unknown> =>
  gitea.api("POST", `/repos/${repository}/pulls`, { as, body: { head, base: "main", title: head } });

const BUILT = ["build for main", "container", "join", "probe", "test"].map((job) => `${job}: success`);
const HIT = ["container: success", "probe: success", "test: success"];

test("the starter for Gitea: miss, leg and join, then the next job; then a hit; then a moved base", async () => {
  const first = await ended("me/app", await open("app", starter("gitea")));
  expect(first.jobs, first.log).toEqual(BUILT);
  expect(results(first)).toEqual(["miss", "built", "hit"]);
  expect(first.log).toMatch(/ two words in 127\.0\.0\.1:\d+\/me\/app\/devcontainer@sha256:[0-9a-f]{64}$/m);
  const second = await ended("me/app", gitea.push("me/app", { readme: "1" }));
  expect(second.jobs, second.log).toEqual(HIT);
  expect(results(second)).toEqual(["hit"]);
  seedBase(bases, "base/os", "1", "two");
  const third = await ended("me/app", gitea.push("me/app", { readme: "2" }));
  expect(third.jobs, third.log).toEqual(BUILT);
  expect(results(third)).toEqual(["stale", "built", "hit"]);
  for (const { log } of [first, second, third]) expect(log).not.toContain(token);
});

test("pull requests: a branch of the repository is a hit; a fork's builds as a check, pushes nothing and gets no secret", async () => {
  expect((await ended("me/asked", await open("asked", starter("gitea")))).jobs).toEqual(BUILT);
  const own = gitea.push("me/asked", { readme: "topic" }, "topic");
  await ask("me/asked", "me", "topic");
  const hit = await ended("me/asked", own);
  expect(hit.jobs, hit.log).toEqual(HIT);
  await gitea.user("other");
  await gitea.api("POST", "/repos/me/asked/forks", { as: "other", body: {} });
  await gitea.forked("other/asked");
  const foreign = gitea.push("other/asked", container("foreign"));
  await ask("me/asked", "other", "other:main");
  const fork = await ended("me/asked", foreign, true);
  expect(fork.jobs, fork.log).not.toContain("test: success");
  expect(fork.log).toContain("the pull request's commit is from other/asked");
  expect(results(fork)).toEqual(["miss", "built"]);
  expect(fork.log).not.toContain(token);
});

test("check.yml is red until main has built, and then green", async () => {
  await open("checked", withLogin(starter("pull-request-check").replace(/^ {2}push:\n.*\n/m, "")));
  const one = gitea.push("me/checked", { readme: "1" }, "topic");
  await ask("me/checked", "me", "topic");
  const red = await awaitRun(gitea, "me/checked", { commit: one });
  expect(red.jobs, red.log).toEqual(["check: failure", "check: failure"]);
  expect(red.log).toContain("[E_MISS]");
  const dispatch = { as: "me", body: { ref: "main" } };
  await gitea.api("POST", "/repos/me/checked/actions/workflows/ci.yml/dispatches", dispatch);
  const built = await awaitRun(gitea, "me/checked", { after: red.id });
  expect(results(built), built.log).toEqual(["miss", "built", "hit"]);
  const green = await ended("me/checked", gitea.push("me/checked", { readme: "2" }, "topic"));
  expect(green.jobs, green.log).toEqual(["check: success", "check: success"]);
});

test("warm.yml: on a push, by hand, and with force", async () => {
  await open("warmed", withLogin(starter("warm-up")));
  let { id, ...ran } = await awaitRun(gitea, "me/warmed", {});
  expect(results(ran), ran.log).toEqual(["built"]);
  expect(ran.log).toMatch(/ \| \.devcontainer \| built \| `\S+@sha256:[0-9a-f]{64}` \|$/m);
  for (const [force, result] of Object.entries({ false: "hit", true: "built" })) {
    const dispatch = { as: "me", body: { ref: "main", inputs: { force } } };
    await gitea.api("POST", "/repos/me/warmed/actions/workflows/ci.yml/dispatches", dispatch);
    ({ id, ...ran } = await awaitRun(gitea, "me/warmed", { after: id }));
    expect(results(ran), ran.log).toEqual([result]);
  }
});

test("a machine for each platform: the legs build, and the job after them joins and hands over", async () => {
  const ran = await ended("me/native", await open("native", starter("native-machines")));
  expect(results(ran), ran.log).toEqual(["built", "built", "hit"]);
  expect(ran.log).toMatch(/ two words in \S+@sha256:/);
});
