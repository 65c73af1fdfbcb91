import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { put } from "../checkout.ts";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Play, play, readable, type Told } from "./harness.ts";
import { openSample, sampleCheckout, seedBase } from "./sample.ts";

let registry: FakeRegistry;
let workspace: string;
const platforms = "linux/amd64,linux/arm64";

beforeEach(async () => {
  const sample = await openSample();
  ({ registry, workspace } = sample);
  return sample.close;
});

const run = (inputs: Readonly<Record<string, string>> = {}, more: Partial<Play> = {}): Promise<Told> =>
  play({ workspace, registry, inputs: { platforms, ...inputs }, ...more });

test("a miss is built for both platforms, pushed, joined and read back; the next run is a hit that builds nothing", async () => {
  const first = await run();
  expect(readable(first.log, registry)).toMatchInlineSnapshot(`
    "::group::Which image would this commit's dev container be?
    .devcontainer/devcontainer.json, .devcontainer/Dockerfile
    build context .devcontainer: 1 file
    build args: GREETING
    built on: {registry}/base/os:1
    platforms: linux/amd64, linux/arm64
    source key: sha256:<1>
    ::endgroup::
    ::group::Is it in {registry}/team/app?
    {registry}/base/os:1 is sha256:<4>…
    looked for: k1-<2>
    Miss: the image is not there.
      there is no earlier image to compare with: this is the first of its branch
    ::endgroup::
    ::group::Building linux/amd64, linux/arm64
    Builder default (driver docker with the containerd image store) builds linux/amd64 natively, linux/arm64 under emulation, which is slow (builders names a native one); it cannot set the times inside layers.
    [linux/amd64] #1 [internal] load build definition from Dockerfile
    [linux/arm64] #1 [internal] load build definition from Dockerfile
    Pushed and read back: {registry}/team/app@sha256:<3>
    ::endgroup::
    The container's options say --user root and not dev: the folders of a job are the user 1001's on this host, and no other user but root can write there. The input remote-user-uid gives that user another uid.
    result: built {registry}/team/app@sha256:<3>
    The probe took {n} s, 6 requests in {n} waves, {n} bytes."
  `);
  expect(first.code).toBe(0);
  expect(first.outputs).toMatchObject({ result: "built", pushed: "true", exists: "true", "missing-platforms": "[]" });
  expect(first.builds).toHaveLength(2);
  expect(first.builds[0]?.context).toEqual(["setup.sh"]);

  const second = await run();
  expect(readable(second.log, registry)).toMatchInlineSnapshot(`
    "::group::Which image would this commit's dev container be?
    .devcontainer/devcontainer.json, .devcontainer/Dockerfile
    build context .devcontainer: 1 file
    build args: GREETING
    built on: {registry}/base/os:1
    platforms: linux/amd64, linux/arm64
    source key: sha256:<1>
    ::endgroup::
    ::group::Is it in {registry}/team/app?
    {registry}/base/os:1 is sha256:<4>…
    looked for: k1-<2>
    Hit: {registry}/team/app@sha256:<3>
    ::endgroup::
    The container's options say --user root and not dev: the folders of a job are the user 1001's on this host, and no other user but root can write there. The input remote-user-uid gives that user another uid.
    result: hit {registry}/team/app@sha256:<3>
    The probe took {n} s, 10 requests in {n} waves, {n} bytes."
  `);
  expect(readable([...second.requests].sort().join("\n"), registry)).toMatchInlineSnapshot(`
    "GET /v2/base/os/manifests/1
    GET /v2/team/app/blobs/sha256:<1>
    GET /v2/team/app/manifests/branch-main-7e268f37
    GET /v2/team/app/manifests/k1-<2>
    GET /v2/team/app/manifests/sha256:<3>
    GET /v2/team/app/manifests/sha256:<4>
    GET /v2/team/app/manifests/y1-<5>
    HEAD /v2/team/app/blobs/sha256:<6>
    HEAD /v2/team/app/blobs/sha256:<7>
    HEAD /v2/team/app/blobs/sha256:<8>"
  `);
  expect(second).toMatchObject({
    code: 0,
    docker: [],
    outputs: { result: "hit", pushed: "false", image: first.outputs.image, key: first.outputs.key },
  });
  expect(second.outputs.image).toBe(`${registry.host}/team/app@${first.outputs.digest}`);
});

test("what the image is built on is bound to the digest that was probed", async () => {
  const { builds } = await run();
  const digest = seedBase(registry, "base/os", "1", "one");
  const identifier = `docker-image://${registry.host}/base/os:1`;
  for (const { policy } of builds)
    expect(policy).toEqual({
      version: 1,
      rules: [{ action: "CONVERT", selector: { identifier }, updates: { identifier: `${identifier}@${digest}` } }],
    });
});

test("a builder that used another image than the one that was probed: an error, and nothing under the key's tags", async () => {
  const told = await run({ platforms: "linux/amd64" }, { env: { FAKE_DOCKER_USES: "f".repeat(64) } });
  expect(told).toMatchObject({ code: 1, outputs: { result: "failed", image: "", pushed: "false" } });
  expect(told.log).toContain("which is not what the key names");
  expect(await run({ platforms: "linux/amd64", "on-miss": "fail" })).toMatchObject({ outputs: { result: "miss" } });
});

test("a changed file is a miss that names it, on its place; on-miss: fail builds nothing", async () => {
  await run();
  put(workspace, ".devcontainer/setup.sh", { script: "echo other\n" });
  const told = await run({ "on-miss": "fail" });
  expect(readable(told.log, registry)).toMatchInlineSnapshot(`
    "::group::Which image would this commit's dev container be?
    .devcontainer/devcontainer.json, .devcontainer/Dockerfile
    build context .devcontainer: 1 file
    build args: GREETING
    built on: {registry}/base/os:1
    platforms: linux/amd64, linux/arm64
    source key: sha256:<1>
    ::endgroup::
    ::group::Is it in {registry}/team/app?
    {registry}/base/os:1 is sha256:<3>…
    looked for: k1-<2>
    Miss: the image is not there.
    Compared with branch-main-7e268f37:
    ::notice file=.devcontainer/setup.sh::.devcontainer/setup.sh changed
    ::endgroup::
    result: miss
    The probe took {n} s, 6 requests in {n} waves, {n} bytes.
    ::error file=.devcontainer/setup.sh::The image for linux/amd64, linux/arm64 is not in {registry}/team/app: .devcontainer/setup.sh changed. [E_MISS]%0ALet a run with on-miss: build make it (a push to a branch of this repository, or the scheduled warm-up), then run this again."
  `);
  expect(told).toMatchObject({
    code: 1,
    docker: [],
    outputs: { result: "miss", image: "", digest: "", id: "00000000-0000-0000-0000-000000000000" },
  });
  expect(told.summary).toContain("**The image for linux/amd64, linux/arm64 is not in");
  expect(JSON.parse(told.outputs["miss-reasons"] ?? "")).toEqual([
    { part: "yours", ingredient: "context", text: ".devcontainer/setup.sh changed", file: ".devcontainer/setup.sh" },
  ]);
});

test("on-miss: continue goes on without an image", async () => {
  expect(await run({ "on-miss": "continue" })).toMatchObject({
    code: 0,
    docker: [],
    outputs: { result: "miss", image: "", exists: "false" },
  });
});

test("a base that moved is stale: use hands out the last image, fail stops, build builds", async () => {
  const { outputs: first } = await run();
  seedBase(registry, "base/os", "1", "two");
  const used = await run({ "on-drift": "use" });
  expect(used).toMatchObject({ code: 0, docker: [], outputs: { result: "stale", image: first.image } });
  expect(readable(used.log, registry)).toMatchInlineSnapshot(`
    "::group::Which image would this commit's dev container be?
    .devcontainer/devcontainer.json, .devcontainer/Dockerfile
    build context .devcontainer: 1 file
    build args: GREETING
    built on: {registry}/base/os:1
    platforms: linux/amd64, linux/arm64
    source key: sha256:<1>
    ::endgroup::
    ::group::Is it in {registry}/team/app?
    {registry}/base/os:1 is sha256:<4>…
    looked for: k1-<2>
    Stale: an image of the same sources is there ({registry}/team/app@sha256:<3>), and what it is built on has moved.
    Compared with y1-<1>:
    ::notice file=.devcontainer/Dockerfile,line=1::base {registry}/base/os:1 sha256:<5>… → sha256:<6>… (linux/amd64), sha256:<7>… → sha256:<8>… (linux/arm64)
    ::endgroup::
    ::warning::The last good image of the same sources is handed out: what it is built on has moved since.
    The container's options say --user root and not dev: the folders of a job are the user 1001's on this host, and no other user but root can write there. The input remote-user-uid gives that user another uid.
    result: stale {registry}/team/app@sha256:<3>
    The probe took {n} s, 12 requests in {n} waves, {n} bytes."
  `);
  expect(await run({ "on-drift": "fail" })).toMatchObject({
    code: 1,
    docker: [],
    outputs: { result: "stale", image: "" },
  });
  const built = await run();
  expect(built).toMatchObject({ code: 0, outputs: { result: "built" } });
  expect(built.outputs.image).not.toBe(first.image);
});

test("only the missing platform is built, and joined with the one that is there", async () => {
  const one = await run({ platforms: "linux/arm64" });
  const both = await run();
  expect(both.builds.map(({ args }) => args[args.indexOf("--platform") + 1])).toEqual(["linux/amd64"]);
  expect(JSON.parse(both.outputs.platforms ?? "")["linux/arm64"]).toBe(
    JSON.parse(one.outputs.platforms ?? "")["linux/arm64"],
  );
  expect(await run()).toMatchObject({ docker: [], outputs: { result: "hit" } });
});

test("where another job tells of it, the summary is a line; what failed is told whole all the same", async () => {
  const built = await run({ summary: "line" });
  expect(built.summary).toMatch(
    /^- 🔨 \*\*Dev container\*\* `\.devcontainer\/devcontainer\.json`: the image was built: .*\n$/,
  );
  const hit = await run({ summary: "hit" });
  expect(hit.summary).toContain("### ✅ Dev container: the image is in the cache");
  registry.override((line) => line.includes("/team/app/manifests/"), { status: 403 });
  expect((await run({ summary: "line" })).summary).toContain("### ❓ Dev container:");
});

test("what may not be looked at is not known, and nowhere told as missing", async () => {
  registry.override((line) => line.includes("/team/app/manifests/"), { status: 403 });
  const { code, outputs, summary } = await run();
  expect({ code, result: outputs.result }).toEqual({ code: 1, result: "unknown" });
  expect(summary).toContain("| linux/amd64 | not known | |");
  expect(summary).not.toContain("missing");
});

test("partial with on-miss: fail says what is missing", async () => {
  await run({ platforms: "linux/arm64" });
  const told = await run({ "on-miss": "fail" });
  expect(told).toMatchObject({ code: 1, outputs: { result: "partial", "missing-platforms": '["linux/amd64"]' } });
  expect(told.summary).toContain("| linux/amd64 | missing | |");
});

test("all platforms are there and no set: joined by who may push, without docker", async () => {
  await run({ platforms: "linux/arm64" });
  await run({ platforms: "linux/amd64" });
  const reader = await run({ push: "false" });
  expect(reader).toMatchObject({ code: 0, docker: [], outputs: { result: "hit", pushed: "false" } });
  const joined = await run({}, { docker: false });
  expect(joined).toMatchObject({ code: 0, outputs: { result: "hit", pushed: "true" } });
  expect(Object.keys(JSON.parse(joined.outputs.platforms ?? ""))).toEqual(["linux/amd64", "linux/arm64"]);
});

test("a layer that is gone is no hit: the image is built again", async () => {
  const { requests } = await run();
  const layer = requests.find((line) => line.startsWith("HEAD /v2/team/app/blobs/"));
  const path = layer?.slice("HEAD ".length) ?? "";
  registry.override((line) => line.endsWith(path), {
    status: 404,
    body: '{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}',
  });
  const told = await run({ "on-miss": "fail" });
  expect(told).toMatchObject({ code: 1, outputs: { result: "partial" } });
});

const setTagOf = ({ outputs }: Told): string => `k1-${(outputs.key ?? "").slice("sha256:".length)}`;
const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";

test("another set that was put under our tag is no hit: what is ours is joined again, and the tag names it", async () => {
  const first = await run();
  put(workspace, ".devcontainer/setup.sh", { script: "echo other\n" });
  const other = await run();
  const bytes = registry.manifest("team/app", setTagOf(other)) ?? Buffer.from("");
  registry.seedManifest("team/app", setTagOf(first), bytes, OCI_INDEX);
  put(workspace, ".devcontainer/setup.sh", { script: "echo setup\n" });
  const reader = await run({ push: "false" });
  expect(reader.outputs).toMatchObject({ result: "hit", platforms: first.outputs.platforms, pushed: "false" });
  const told = await run();
  expect(told).toMatchObject({ code: 0, docker: [], outputs: { result: "hit", pushed: "true" } });
  expect(told.outputs.platforms).toBe(first.outputs.platforms);
  expect(await run()).toMatchObject({
    docker: [],
    outputs: { result: "hit", pushed: "false", digest: told.outputs.digest },
  });
});

test("another set under our tag and nothing of ours: a miss that says why, and is repaired by the build", async () => {
  const first = await run({ "cache-repo": `${registry.host}/team/other` });
  put(workspace, ".devcontainer/setup.sh", { script: "echo other\n" });
  const other = await run();
  const bytes = registry.manifest("team/app", setTagOf(other)) ?? Buffer.from("");
  registry.seedManifest("team/app", setTagOf(first), bytes, OCI_INDEX);
  put(workspace, ".devcontainer/setup.sh", { script: "echo setup\n" });
  const told = await run({ "on-miss": "fail" });
  expect(told).toMatchObject({ code: 1, outputs: { result: "miss" } });
  expect(told.log).toMatch(
    /Does not count: the tag k1-\w+ names another set, sha256:\w+, which says that it was made of something else/,
  );
  const another = expect.stringMatching(/^the tag k1-\w+ names another set, sha256:\w+, which says that it was made/);
  expect(JSON.parse(told.outputs["miss-reasons"] ?? "")[0]).toEqual({
    part: "cache",
    ingredient: "image",
    text: another,
  });
  expect(await run()).toMatchObject({ code: 0, outputs: { result: "built", pushed: "true" } });
  expect(await run()).toMatchObject({ docker: [], outputs: { result: "hit" } });
});

test("another set under every tag of ours, the platforms' own too: it is built over, and never handed out", async () => {
  const first = await run();
  const tags = registry.tags("team/app").filter((tag) => /^[ky]1-/.test(tag));
  put(workspace, ".devcontainer/setup.sh", { script: "echo other\n" });
  const other = await run();
  const bytes = registry.manifest("team/app", setTagOf(other)) ?? Buffer.from("");
  for (const tag of tags) registry.seedManifest("team/app", tag, bytes, OCI_INDEX);
  put(workspace, ".devcontainer/setup.sh", { script: "echo setup\n" });
  const told = await run();
  expect(told.log).toMatch(/Does not count: the tag k1-\w+-linux-amd64 names another set/);
  expect(told).toMatchObject({ code: 0, outputs: { result: "built", pushed: "true" } });
  const foreign = Object.values<string>(JSON.parse(other.outputs.platforms ?? ""));
  for (const digest of Object.values<string>(JSON.parse(told.outputs.platforms ?? "")))
    expect(foreign).not.toContain(digest);
  expect(Object.keys(JSON.parse(told.outputs.platforms ?? ""))).toEqual(
    Object.keys(JSON.parse(first.outputs.platforms ?? "")),
  );
  expect(await run()).toMatchObject({ docker: [], outputs: { result: "hit", digest: told.outputs.digest } });
});

test("a copy of one platform under the set's tag is no image for the other one", async () => {
  const first = await run();
  const [amd64] = JSON.parse(registry.manifest("team/app", first.outputs.digest ?? "")?.toString() ?? "").manifests;
  registry.seedManifest(
    "team/app",
    setTagOf(first),
    registry.manifest("team/app", amd64.digest) ?? Buffer.from(""),
    OCI_MANIFEST,
  );
  registry.override((line) => /\/manifests\/(?:y1-.*|.*-linux-\w+)$/.test(line), {
    status: 404,
    body: '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"gone"}]}',
  });
  const told = await run({ "on-miss": "fail" });
  const outputs = { result: "partial", image: "", "missing-platforms": '["linux/arm64"]' };
  expect(told).toMatchObject({ code: 1, outputs });
  expect(told.log).toMatch(/Does not count: sha256:\w+ is an image for linux\/amd64 alone, and not for linux\/arm64/);
});

test("a fork's pull request builds and never pushes", async () => {
  const repo = (full_name: string) => ({ repo: { full_name }, ref: "topic" });
  const event = {
    repository: { full_name: "team/app", default_branch: "main" },
    pull_request: { head: repo("fork/app"), base: repo("team/app") },
  };
  const before = registry.tags("team/app");
  const told = await run({}, { event, env: { GITHUB_EVENT_NAME: "pull_request" } });
  expect(told).toMatchObject({ code: 0, outputs: { result: "built", pushed: "false", digest: "", exists: "false" } });
  expect(told.builds).toHaveLength(1);
  expect(told.builds[0]?.args).toContain("--load");
  expect(told.requests.filter((line) => !/^(GET|HEAD) /.test(line))).toEqual([]);
  expect(registry.tags("team/app")).toEqual(before);
  expect(told.outputs["local-image"]).toMatch(new RegExp(`^${registry.host}/team/app:k1-[0-9a-f]{64}-linux-amd64$`));
});

test("a pull request is compared with its base branch and moves no alias", async () => {
  await run();
  put(workspace, ".devcontainer/setup.sh", { script: "echo topic\n" });
  const repo = (ref: string) => ({ repo: { full_name: "team/app" }, ref });
  const event = {
    repository: { full_name: "team/app", default_branch: "main" },
    pull_request: { head: repo("topic"), base: repo("main") },
  };
  const before = registry.tags("team/app").filter((tag) => tag.startsWith("branch-"));
  const told = await run({}, { event, env: { GITHUB_EVENT_NAME: "pull_request", GITHUB_REF: "refs/pull/1/merge" } });
  expect(told).toMatchObject({ code: 0, outputs: { result: "built", pushed: "true" } });
  expect(told.log).toContain(".devcontainer/setup.sh changed");
  expect(registry.tags("team/app").filter((tag) => tag.startsWith("branch-"))).toEqual(before);
});

test("the plan file and the pushed plan hold no value of a build arg", async () => {
  put(
    workspace,
    ".devcontainer/devcontainer.json",
    '{ "build": { "dockerfile": "Dockerfile", "args": { "GREETING": "$' + '{localEnv:CANARY}" } } }',
  );
  const told = await run({}, { env: { CANARY: "canary-7f3a" } });
  expect(told.outputs.result).toBe("built");
  expect(told.builds[0]?.args).toContain("GREETING=canary-7f3a");
  expect(readFileSync(told.outputs.plan ?? "", "utf8")).toContain("salted:sha256:");
  for (const text of [
    told.log,
    told.summary,
    JSON.stringify(told.outputs),
    readFileSync(told.outputs.plan ?? "", "utf8"),
  ])
    expect(text).not.toContain("canary-7f3a");
});

test("the metadata label continues the base's and carries the configuration as it is written", async () => {
  seedBase(registry, "base/os", "1", "labelled", { Labels: { "devcontainer.metadata": '{"id":"from-base"}' } });
  const { builds } = await run();
  const label = builds[0]?.args.find((argument) => argument.startsWith("devcontainer.metadata="));
  expect(JSON.parse(label?.slice("devcontainer.metadata=".length) ?? "")).toEqual([
    { id: "from-base" },
    { remoteUser: "dev" },
  ]);
});

test("an image is taken as it is and gets the label", async () => {
  put(workspace, ".devcontainer/devcontainer.json", `{ "image": "${registry.host}/base/os:1", "remoteUser": "dev" }`);
  const told = await run();
  expect(told.outputs.result).toBe("built");
  expect(told.builds[0]).toMatchObject({ dockerfile: `FROM ${registry.host}/base/os:1\n`, context: [] });
  expect(await run()).toMatchObject({ docker: [], outputs: { result: "hit" } });
});

test("the same commit in another folder is a hit", async () => {
  await run();
  workspace = join(sampleCheckout(registry, { "deeper/.keep": "" }));
  expect(await run()).toMatchObject({ outputs: { result: "hit" } });
});

test("the user's own Docker configuration does not reach the build, and is not written", async () => {
  const home = sampleCheckout(registry, {
    ".docker/config.json": '{"auths":{"other.test":{"auth":"b3RoZXI6c2VjcmV0"}}}',
  });
  const { builds } = await run({}, { env: { HOME: home } });
  expect(Object.keys(builds[0]?.dockerConfig.auths ?? {})).toEqual(["nobody.invalid"]);
  expect(readFileSync(join(home, ".docker/config.json"), "utf8")).toContain("other.test");
});

test("a fork's pull request has no secrets: an image that is there is found all the same, a build says what is missing", async () => {
  const repo = (name: string) => ({ repo: { full_name: name, default_branch: "main" } });
  const pull = {
    pull_request: { head: repo("fork/app"), base: repo("team/app") },
    repository: { full_name: "team/app" },
  };
  const secrets = { "build-secrets": "npm=NPM_TOKEN" };
  const own = await run(secrets, { env: { NPM_TOKEN: "canary-c0de" } });
  expect(own.outputs.result, own.log).toBe("built");
  const fork = { env: { GITHUB_EVENT_NAME: "pull_request", NPM_TOKEN: "" }, event: pull };
  expect(await run(secrets, fork)).toMatchObject({ code: 0, outputs: { result: "hit" } });
  put(workspace, ".devcontainer/setup.sh", { script: "echo other\n" });
  const missed = await run(secrets, fork);
  expect(missed).toMatchObject({ code: 1, outputs: { result: "failed" } });
  expect(missed.log).toMatch(
    /The input build-secrets names npm, and this run counts as a fork's, whose code gets no secret/,
  );
  expect(await run(secrets, { env: { NPM_TOKEN: "" } })).toMatchObject({
    code: 1,
    outputs: { result: "failed", "source-key": "" },
  });
});

test("what buildx would take from the step's environment without being asked does not reach it", async () => {
  const told = await run({}, { env: { SOURCE_DATE_EPOCH: "1", BUILDX_GIT_LABELS: "full" } });
  expect(told.outputs.result, told.log).toBe("built");
  for (const { environment } of told.builds)
    expect(environment).toEqual({ SOURCE_DATE_EPOCH: "", BUILDX_GIT_LABELS: "" });
});
