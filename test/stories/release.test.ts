import { execFileSync } from "node:child_process";
import { beforeEach, expect, test } from "vitest";
import { put } from "../checkout.ts";
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

const platforms = "linux/amd64,linux/arm64";
const run = (inputs: Readonly<Record<string, string>> = {}, more: Partial<Play> = {}): Promise<Told> =>
  play({ workspace, registry, inputs: { platforms, ...inputs }, ...more });

const names = (tag: string): string | undefined => registry.manifest("team/app", tag)?.toString();
const wanted = ({ outputs }: Told): string | undefined => names(outputs.digest ?? "");
const puts = ({ requests }: Told): readonly string[] =>
  requests.filter((line) => line.startsWith("PUT ")).map((line) => line.replace("PUT /v2/team/app/manifests/", ""));

/** Git with nothing of this machine's own configuration. */
const git = (...args: readonly string[]): string =>
  execFileSync("git", ["-C", workspace, "-c", "user.name=a", "-c", "user.email=a@b.test", ...args], {
    encoding: "utf8",
    env: { PATH: process.env.PATH, HOME: workspace },
  });
const withGit: Partial<Play> = { git: true };

function commit(): void {
  git("init", "--quiet", "--initial-branch=main");
  git("add", ".");
  git("commit", "--quiet", "--message=first");
}

test("tags are copies of the set's index, on a build and on a hit, and one that is right is not pushed again", async () => {
  const built = await run({ tags: "latest, edge" });
  expect(built).toMatchObject({ code: 0, outputs: { result: "built" } });
  expect([names("latest"), names("edge")]).toEqual([wanted(built), wanted(built)]);
  expect(built.log).toMatch(/team\/app:edge names sha256:[0-9a-f]{12}… now\n/);

  const hit = await run({ tags: "latest\nv2" }, { docker: false });
  expect(hit).toMatchObject({ code: 0, outputs: { result: "hit", pushed: "false" } });
  expect(puts(hit)).toEqual(["v2"]);
  expect(names("v2")).toBe(wanted(built));
});

test("a tag of another image is moved, and both are told", async () => {
  await run({ tags: "latest" });
  put(workspace, ".devcontainer/setup.sh", { script: "echo other\n" });
  const second = await run({ tags: "latest" });
  expect(names("latest")).toBe(wanted(second));
  expect(second.log).toMatch(/team\/app:latest names sha256:[0-9a-f]{12}… now, before sha256:[0-9a-f]{12}…/);
});

test("all platforms are there and no set: what is joined gets the tags", async () => {
  await run({ platforms: "linux/arm64", alias: "false" });
  await run({ platforms: "linux/amd64", alias: "false" });
  const joined = await run({ tags: "latest" }, { docker: false });
  expect(joined).toMatchObject({ code: 0, outputs: { result: "hit", pushed: "true" } });
  expect(names("latest")).toBe(wanted(joined));
});

const fork = {
  event: {
    repository: { full_name: "team/app", default_branch: "main" },
    pull_request: {
      head: { repo: { full_name: "fork/app" }, ref: "topic" },
      base: { repo: { full_name: "team/app" }, ref: "main" },
    },
  },
  env: { GITHUB_EVENT_NAME: "pull_request" },
};

test.each([
  ["a fork's pull request", {}, fork, "this run counts as a fork's"],
  ["push: false", { push: "false" }, {}, "the input push is false"],
])("%s moves no tag, on a hit either, and says so", async (_, inputs, more, words) => {
  await run();
  const told = await run({ tags: "latest", ...inputs }, more);
  expect(told).toMatchObject({ code: 0, outputs: { result: "hit" } });
  expect(puts(told)).toEqual([]);
  expect(told.log).toContain(`Not moved: latest: ${words}`);
});

test("the last good image is handed out, and gets no tag", async () => {
  await run({ tags: "latest" });
  const before = names("latest");
  seedBase(registry, "base/os", "1", "two");
  const told = await run({ tags: "latest,v2", "on-drift": "use" });
  expect(told).toMatchObject({ code: 0, outputs: { result: "stale" } });
  expect([names("latest"), names("v2")]).toEqual([before, undefined]);
  expect(told.log).toContain("Not moved: latest, v2: the image that is handed out is not what this commit would build");
});

test.each(["hit", "built"])(
  "a tag that the registry refuses is a warning, and the others are moved: %s",
  async (result) => {
    if (result === "hit") await run();
    registry.override((line) => line.endsWith("/manifests/latest") && line.startsWith("PUT"), { status: 403 });
    const told = await run({ tags: "latest,edge" });
    expect(told).toMatchObject({ code: 0, outputs: { result, exists: "true" } });
    expect(told.log).toMatch(/::warning::The image is there, and the tag latest could not be pushed: /);
    expect([names("latest"), names("edge")]).toEqual([undefined, wanted(told)]);
  },
);

test("a release that the registry refuses is an error; the outputs still name the image", async () => {
  const { outputs } = await run();
  commit();
  registry.override((line) => line.endsWith("/manifests/v1") && line.startsWith("PUT"), { status: 403 });
  const told = await run({ tags: "latest", release: "v1" }, withGit);
  expect(told).toMatchObject({ code: 1, outputs: { result: "failed", image: outputs.image, exists: "true" } });
  expect(told.log).toMatch(/::error::The image is there, and the tag v1 could not be pushed: .*\[E_PUSH\]/);
});

test("a token that may only read and a tag that is asked for: an error before the build", async () => {
  registry.override((line) => line.startsWith("POST /v2/team/app/blobs/uploads"), { status: 403 });
  const told = await run({ tags: "latest" });
  expect(told).toMatchObject({ code: 1, builds: [], outputs: { result: "failed" } });
  expect(told.log).toContain("[E_PUSH]");
});

test("release: a clean commit's image gets the tag", async () => {
  commit();
  const told = await run({ release: "v1.2.3", tags: "v1.2.3,v1" }, withGit);
  expect(told).toMatchObject({ code: 0, outputs: { result: "built" } });
  expect([names("v1.2.3"), names("v1")]).toEqual([wanted(told), wanted(told)]);
});

test("release: auto takes the git tag at HEAD, on a hit too", async () => {
  commit();
  await run({}, withGit);
  const branch = await run({ release: "auto" }, withGit);
  expect(branch).toMatchObject({ code: 0, outputs: { result: "hit" } });
  expect(branch.log).toContain("Nothing is released: release is auto, and no git tag stands at HEAD.");
  git("tag", "v2.0.0");
  const tagged = await run({ release: "auto" }, withGit);
  expect(tagged).toMatchObject({ code: 0, outputs: { result: "hit" } });
  expect(names("v2.0.0")).toBe(wanted(tagged));
});

test("release: auto in a checkout without tags: that they were not fetched, and how they are", async () => {
  commit();
  git("tag", "v1.0");
  execFileSync("git", ["clone", "--quiet", "--depth=1", "--no-tags", `file://${workspace}`, `${workspace}/clone`]);
  const shallow = { workspace: `${workspace}/clone`, registry, inputs: { release: "auto" }, git: true };
  const told = await play(shallow);
  expect(told).toMatchObject({ code: 0, outputs: { result: "built" } });
  expect(told.log).toMatch(/::warning::Nothing is released: .* no tags were fetched, .*fetch-tags: true/);
  expect(names("v1.0")).toBeUndefined();
  const pushed = await play({ ...shallow, env: { GITHUB_REF: "refs/tags/v1.0" } });
  expect(pushed).toMatchObject({ code: 0 });
  expect(names("v1.0")).toBe(wanted(pushed));
  execFileSync("git", ["-C", `${workspace}/clone`, "fetch", "--quiet", "--tags"]);
  expect((await play(shallow)).log).not.toContain("no tags were fetched");
});

test("release: auto where git refuses: its reason, and no release that is silently none", async () => {
  commit();
  git("config", "core.repositoryformatversion", "9");
  const told = await run({ release: "auto" }, withGit);
  expect(told).toMatchObject({ code: 1, requests: [], outputs: { result: "failed" } });
  expect(told.log).toMatch(
    /release is auto, and git does not tell which tag stands at HEAD: .*[Ee]xpected git repo version.*\[E_INPUT\]/,
  );
  const without = await run({ release: "auto" });
  expect(without.log).toContain("there is no git on this machine");
});

test("release: auto with two git tags at HEAD: the one that was pushed, else nobody can tell", async () => {
  commit();
  git("tag", "v2");
  git("tag", "v2.0.0");
  const told = await run({ release: "auto" }, withGit);
  expect(told).toMatchObject({ code: 1, requests: [] });
  expect(told.log).toContain("several git tags stand at HEAD: v2, v2.0.0");
  const pushed = await run({ release: "auto" }, { ...withGit, env: { GITHUB_REF: "refs/tags/v2" } });
  expect(pushed.code, pushed.log).toBe(0);
  expect([names("v2"), names("v2.0.0")]).toEqual([wanted(pushed), undefined]);
});

test.each<[string, () => void, Readonly<Record<string, string>>, Partial<Play>, RegExp]>([
  [
    "a file that is changed",
    () => put(workspace, ".devcontainer/setup.sh", "other\n"),
    {},
    withGit,
    /files differ from the commit/,
  ],
  ["a file that git does not know", () => put(workspace, "new", ""), {}, withGit, /files differ from the commit/],
  ["no git", () => undefined, {}, {}, /git does not tell which commit/],
  ["push: false", () => undefined, { push: "false" }, withGit, /release is set and push is false/],
  ["a fork", () => undefined, {}, { ...withGit, ...fork }, /release is set, and this run counts as a fork's/],
  [
    "auto, a fork and a git tag",
    () => git("tag", "v9"),
    { release: "auto" },
    { ...withGit, ...fork },
    /v9 would be released, and this run counts as a fork's/,
  ],
  [
    "auto and a git tag that no image can have",
    () => git("tag", "v1+rc"),
    { release: "auto" },
    withGit,
    /the git tag at HEAD, v1\+rc, cannot be an image's/,
  ],
])("nothing is released with %s: an error before any work", async (_, prepare, inputs, more, words) => {
  commit();
  prepare();
  const told = await run({ release: "v1", ...inputs }, more);
  expect(told).toMatchObject({ code: 1, docker: [], requests: [], outputs: { result: "failed" } });
  expect(told.log).toMatch(words);
});

test("what is handed out is not this commit's: a release is an error", async () => {
  commit();
  await run({}, withGit);
  seedBase(registry, "base/os", "1", "two");
  const told = await run({ release: "v1", "on-drift": "use" }, withGit);
  expect(told).toMatchObject({ code: 1, outputs: { result: "failed" } });
  expect(told.log).toMatch(/v1 is not released: the image that is handed out .*\[E_PUSH\]/);
  expect(names("v1")).toBeUndefined();
});

test("force builds what is there, pushes it in its place, with the layer cache", async () => {
  const first = await run();
  const forced = await run({ force: "true" });
  expect(forced).toMatchObject({ code: 0, outputs: { result: "built", key: first.outputs.key } });
  expect(forced.builds).toHaveLength(2);
  expect(forced.builds[0]?.args).not.toContain("--no-cache");
  expect(await run()).toMatchObject({ outputs: { result: "hit", image: forced.outputs.image } });
});

const DAY = 24 * 60 * 60 * 1000;
const daysOn = (days: number): Partial<Play> => ({ later: days * DAY });

test("an image past cache-ttl-days is built anew without layer cache, and the reason is told; a younger one costs no request more", async () => {
  const first = await run();
  const plain = await run();
  const young = await run({ "cache-ttl-days": "30" }, daysOn(29));
  expect(young).toMatchObject({ code: 0, docker: [], outputs: { result: "hit" } });
  expect([...young.requests].sort()).toEqual([...plain.requests].sort());

  const told = await run({ "cache-ttl-days": "30", "on-miss": "fail" }, daysOn(31));
  expect(told).toMatchObject({ code: 1, outputs: { result: "miss" } });
  expect(JSON.parse(told.outputs["miss-reasons"] ?? "")).toEqual([
    {
      part: "upstream",
      ingredient: "age",
      text: "the image that is there was built 31 days ago, and cache-ttl-days is 30",
    },
  ]);

  const anew = await run({ "cache-ttl-days": "30" }, daysOn(31));
  expect(anew).toMatchObject({ code: 0, outputs: { result: "built", key: first.outputs.key } });
  expect(anew.builds.map(({ args }) => args.includes("--no-cache"))).toEqual([true, true]);
  expect(anew.builds.some(({ args }) => args.includes("--cache-from"))).toBe(false);
  expect(await run({ "cache-ttl-days": "30" }, daysOn(60))).toMatchObject({ outputs: { result: "hit" } });
});

test("past its time, with a base that moved and on-drift: use: the last image is not handed out", async () => {
  await run();
  seedBase(registry, "base/os", "1", "two");
  const told = await run({ "cache-ttl-days": "30", "on-drift": "use" }, daysOn(31));
  expect(told).toMatchObject({ code: 0, outputs: { result: "built" } });
  expect(told.builds[0]?.args).toContain("--no-cache");
});

test("a matrix past the time: each leg builds its own, and the join takes those", async () => {
  await run();
  const ttl = { "cache-ttl-days": "30", alias: "false" };
  const legs = [
    await run({ ...ttl, platforms: "linux/amd64" }, daysOn(31)),
    await run({ ...ttl, platforms: "linux/arm64" }, daysOn(32)),
  ];
  expect(legs.map(({ outputs }) => outputs.result)).toEqual(["built", "built"]);
  const joined = await run({ "cache-ttl-days": "30" }, { ...daysOn(33), docker: false });
  expect(joined).toMatchObject({ code: 0, outputs: { result: "hit", pushed: "true" } });
  expect(Object.values(JSON.parse(joined.outputs.platforms ?? ""))).toEqual(
    legs.flatMap(({ outputs }) => Object.values(JSON.parse(outputs.platforms ?? ""))),
  );
  // The set is as old as its oldest platform.
  expect(await run({ "cache-ttl-days": "30", "on-miss": "fail" }, daysOn(60))).toMatchObject({ code: 0 });
  expect(await run({ "cache-ttl-days": "30", "on-miss": "fail" }, daysOn(62))).toMatchObject({ code: 1 });
});

test("a leg's miss does not say that the other platforms are gone", async () => {
  await run();
  put(workspace, ".devcontainer/setup.sh", { script: "echo other\n" });
  const leg = await run({ platforms: "linux/amd64", alias: "false", "on-miss": "fail" });
  expect(JSON.parse(leg.outputs["miss-reasons"] ?? "")).toMatchObject([{ text: ".devcontainer/setup.sh changed" }]);
  const alone = await run({ platforms: "linux/amd64", "on-miss": "fail" });
  expect(alone.log).toContain("platform linux/arm64 is no longer asked for");
});

test("what upstream is cannot be read, and the last image is handed out: log and summary say what it was", async () => {
  await run();
  registry.override((line) => line.includes("/base/os/manifests/1"), { status: 503 });
  const told = await run({ "on-drift": "use" });
  expect(told).toMatchObject({ code: 0, outputs: { result: "stale" } });
  for (const text of [told.log, told.summary]) expect(text).toMatch(/base\/os:1.*503/);
});

test("a miss with on-miss: continue hands out the fallback, without a look at it", async () => {
  const told = await run({ "on-miss": "continue", "fallback-image": "debian:12" });
  expect(told).toMatchObject({
    code: 0,
    docker: [],
    outputs: {
      result: "miss",
      image: "debian:12",
      exists: "false",
      digest: "",
      container: '{"image":"debian:12"}',
    },
  });
  expect(told.log).not.toContain("::warning::");
  expect(told.requests.filter((line) => line.includes("debian"))).toEqual([]);
});

test("a build that fails: with exit-on-build-failure: false the fallback and a warning, else an error", async () => {
  const docker = { fails: "buildx build", says: "ERROR: process did not complete: exit code: 1" };
  const forgiven = await run({ "exit-on-build-failure": "false", "fallback-image": "debian:12" }, { docker });
  expect(forgiven).toMatchObject({ code: 0, outputs: { result: "failed", image: "debian:12", exists: "false" } });
  expect(forgiven.log).toMatch(/::warning::.*\[E_BUILD\]/);
  expect(forgiven.log).not.toContain("::error");
  expect(forgiven.summary).toContain("`E_BUILD`");
  const fatal = await run({ "fallback-image": "debian:12" }, { docker });
  expect(fatal).toMatchObject({ code: 1, outputs: { result: "failed", image: "" } });
});

test("every platform that fails is told, and what was built beside one is there", async () => {
  const both = await run(
    {},
    { docker: { fails: "buildx build", says: "ERROR: the disk of this one: no space left on device" } },
  );
  for (const platform of ["linux/amd64", "linux/arm64"]) {
    expect(both.log).toMatch(new RegExp(`^::error::The build for ${platform} failed: the disk is full`, "m"));
    expect(both.summary).toContain(`The build for ${platform} failed: the disk is full`);
  }
  expect(both.outputs).toMatchObject({ result: "failed", platforms: "{}" });
  const fails = "buildx build --builder default --progress rawjson --platform linux/arm64";
  const one = await run({}, { docker: { fails, says: "ERROR: boom" } });
  expect(one.log.match(/^::error::.*/gm)).toEqual([expect.stringContaining("The build for linux/arm64 failed: boom")]);
  expect(one.outputs).toMatchObject({ result: "failed", image: "", "missing-platforms": '["linux/arm64"]' });
  expect(Object.keys(JSON.parse(one.outputs.platforms ?? ""))).toEqual(["linux/amd64"]);
});

test.each([
  ["force and on-miss: continue", { force: "true", "on-miss": "continue" }, /force is true and on-miss is continue/],
  [
    "no image to fall back to",
    { "exit-on-build-failure": "false" },
    /exit-on-build-failure is false and fallback-image is not set/,
  ],
  ["a tag of ours", { tags: "branch-main" }, /tags holds "branch-main": tags that begin so belong to this action/],
  ["a tag of ours in another version", { tags: "k2-abc" }, /tags holds "k2-abc"/],
  ["a release that is no tag", { release: "v1+2" }, /release holds "v1\+2": it is no tag/],
  ["an age that is none", { "cache-ttl-days": "1.5" }, /cache-ttl-days is "1.5"/],
])("refused before any work: %s", async (_, inputs, words) => {
  const told = await run(inputs);
  expect(told).toMatchObject({ code: 1, requests: [], docker: [] });
  expect(told.log).toMatch(words);
});

test("the commit is told to a Dockerfile that asks for it and to the image; of a dirty tree no commit is told", async () => {
  put(workspace, ".devcontainer/Dockerfile", `FROM ${registry.host}/base/os:1\nARG SOURCE REVISION GOPKGVERSION\n`);
  commit();
  git("tag", "v1.2.3");
  const head = git("rev-parse", "HEAD").trim();
  const env = { GITHUB_SERVER_URL: "https://github.test", GITHUB_REPOSITORY: "team/app" };
  const told = async (): Promise<readonly string[]> => {
    const { builds, log } = await run({ platforms: "linux/amd64", force: "true" }, { ...withGit, env });
    expect(builds, log).toHaveLength(1);
    return (builds[0]?.args ?? []).filter((arg) => /^(SOURCE|REVISION|GOPKGVERSION|org\.opencontainers)/.test(arg));
  };
  const source = [
    "SOURCE=https://github.test/team/app",
    "org.opencontainers.image.source=https://github.test/team/app",
  ];
  const clean = [`REVISION=${head}`, "GOPKGVERSION=v1.2.3", `org.opencontainers.image.revision=${head}`];
  expect([...(await told())].sort()).toEqual([...source, ...clean].sort());
  put(workspace, "new.txt", "new\n");
  expect([...(await told())].sort()).toEqual([...source].sort());
});
