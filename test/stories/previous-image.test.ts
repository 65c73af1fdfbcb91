import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { put } from "../checkout.ts";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Play, play, readable, type Told } from "./harness.ts";
import { openSample, seedBase } from "./sample.ts";

// An image that an earlier run has found is looked at by its digest: nothing of the checkout is read while it is there.

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

const pathOf = (kind: "manifests" | "blobs", digest: string): string => `/v2/team/app/${kind}/${digest}`;
const imageIn = (told: Told, platform = "linux/amd64"): string => JSON.parse(told.outputs.platforms ?? "")[platform];
const layerOf = (told: Told): string =>
  JSON.parse(registry.manifest("team/app", imageIn(told))?.toString() ?? "").layers[0].digest;
const GONE = { status: 404, body: '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"gone"}]}' };
const refuse = (path: string, reply: { status: number; body?: string }): void =>
  registry.override((line) => line.endsWith(path), reply);

test("while it is there it is handed out, from a folder without any configuration, and nothing else is asked for", async () => {
  const first = await run();
  const { image = "" } = first.outputs;
  const empty = mkdtempSync(join(tmpdir(), "empty-"));
  const told = await run({ "previous-image": image }, { workspace: empty, docker: false });
  rmSync(empty, { recursive: true });
  expect(readable(told.log, registry)).toMatchInlineSnapshot(`
    "::group::Is the previous image still there?
    Hit: {registry}/team/app@sha256:<1>
    ::endgroup::
    The container's options say --user root and not dev: the folders of a job are the user 1001's on this host, and no other user but root can write there. The input remote-user-uid gives that user another uid.
    result: hit {registry}/team/app@sha256:<1>
    The probe took {n} s, 7 requests in {n} waves, {n} bytes."
  `);
  const { digest, metadata, platforms: all } = first.outputs;
  expect(told).toMatchObject({
    code: 0,
    docker: [],
    outputs: {
      ...{ result: "hit", exists: "true", pushed: "false", image, digest, id: digest, platforms: all, metadata },
      ...{ key: "", "source-key": "", tag: "", plan: "", "remote-user": "dev", "missing-platforms": "[]" },
    },
  });
  expect(JSON.parse(told.outputs.container ?? "")).toMatchObject({ image });
  expect(readable([...told.requests].sort().join("\n"), registry)).toMatchInlineSnapshot(`
    "GET /v2/team/app/blobs/sha256:<1>
    GET /v2/team/app/manifests/sha256:<2>
    GET /v2/team/app/manifests/sha256:<3>
    GET /v2/team/app/manifests/sha256:<4>
    HEAD /v2/team/app/blobs/sha256:<5>
    HEAD /v2/team/app/blobs/sha256:<6>
    HEAD /v2/team/app/blobs/sha256:<7>"
  `);
});

test.each<[string, Readonly<Record<string, string>>, (first: Told) => void, RegExp]>([
  [
    "gone from the registry",
    {},
    ({ outputs }) => refuse(pathOf("manifests", outputs.digest ?? ""), GONE),
    /it is gone/,
  ],
  [
    "without one of its platforms",
    {},
    (first) => refuse(pathOf("manifests", imageIn(first, "linux/arm64")), GONE),
    /the manifest of linux\/arm64 is gone/,
  ],
  [
    "without a layer",
    {},
    (first) => refuse(pathOf("blobs", layerOf(first)), { ...GONE, body: GONE.body.replace("MANIFEST", "BLOB") }),
    /the layer sha256:\w+ of linux\/amd64 is gone/,
  ],
  ["without what is required", { require: "sbom", sbom: "{scanner}" }, () => undefined, /linux\/amd64 has no SBOM/],
])("once it is %s, this commit's image is looked for, and built where that is due", async (_, inputs, spoil, why) => {
  seedBase(registry, "tools/scanner", "1", "scanner");
  const given = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [
      name,
      value.replace("{scanner}", `${registry.host}/tools/scanner:1`),
    ]),
  );
  const first = await run();
  put(workspace, ".devcontainer/setup.sh", { script: "echo other\n" });
  spoil(first);
  const told = await run({ ...given, "previous-image": first.outputs.image ?? "" });
  expect(told, told.log).toMatchObject({ code: 0, outputs: { result: "built", pushed: "true" } });
  expect(told.log).toMatch(/Does not count any more: /);
  expect(told.log).toMatch(why);
  expect(told.outputs.image).not.toBe(first.outputs.image);
  expect(told.outputs.key).toMatch(/^sha256:/);
});

test("once it is too old, this commit's image is looked for; a platform's own index tells its age too", async () => {
  const months = { later: 60 * 24 * 60 * 60 * 1000 };
  const first = await run({ platforms: "linux/amd64" });
  const [tag = ""] = registry.tags("team/app").filter((one) => one.endsWith("-linux-amd64") && one.startsWith("k1-"));
  const index = `${registry.host}/team/app@${registry.digest("team/app", tag)}`;
  for (const image of [first.outputs.image ?? "", index]) {
    const young = await run({ platforms: "linux/amd64", "previous-image": image, "cache-ttl-days": "75" }, months);
    expect(young, young.log).toMatchObject({ outputs: { result: "hit", image } });
    const old = await run(
      { platforms: "linux/amd64", "previous-image": image, "cache-ttl-days": "45", "on-miss": "fail" },
      months,
    );
    expect(old, old.log).toMatchObject({ code: 1, outputs: { result: "miss", image: "" } });
    expect(old.log).toContain("Does not count any more: it was built 60 days ago, and cache-ttl-days is 45.");
  }
});

test.each<[string, Readonly<Record<string, string>>, boolean, object]>([
  ["fail", {}, false, { code: 1, outputs: { result: "unknown", image: "", digest: "", exists: "false" } }],
  ["continue", { "on-unknown": "continue" }, false, { code: 0, outputs: { result: "unknown", image: "", digest: "" } }],
  [
    "continue, with a fallback",
    { "on-unknown": "continue", "fallback-image": "registry.test/fallback:1" },
    false,
    { code: 0, outputs: { result: "unknown", image: "registry.test/fallback:1", digest: "", exists: "false" } },
  ],
  ["fail, of a part", {}, true, { code: 1, outputs: { result: "unknown", image: "{image}", exists: "true" } }],
  [
    "continue, of a part, with a fallback",
    { "on-unknown": "continue", "fallback-image": "registry.test/fallback:1" },
    true,
    { code: 0, outputs: { result: "unknown", image: "{image}", exists: "true" } },
  ],
])(
  "a registry in trouble is no absence, and the answer is kept where it was served: on-unknown: %s",
  async (_, inputs, isPart, expected) => {
    const first = await run();
    refuse(isPart ? pathOf("blobs", layerOf(first)) : pathOf("manifests", first.outputs.digest ?? ""), { status: 403 });
    const told = await run({ ...inputs, "previous-image": first.outputs.image ?? "" });
    expect(told, told.log).toMatchObject(
      JSON.parse(JSON.stringify(expected).replace("{image}", first.outputs.image ?? "")),
    );
    expect(told.log).toMatch(/Unknown: Whether the image is there cannot be told/);
    expect(told.docker).toEqual([]);
    expect(told.requests.filter((line) => line.includes("/base/os/"))).toEqual([]);
  },
);

test("a registry in trouble, on-unknown: build: this commit's image is looked for", async () => {
  const first = await run();
  put(workspace, ".devcontainer/setup.sh", { script: "echo other\n" });
  refuse(pathOf("blobs", layerOf(first)), { status: 403 });
  const told = await run({ "on-unknown": "build", "previous-image": first.outputs.image ?? "" });
  expect(told, told.log).toMatchObject({ code: 0, outputs: { result: "built" } });
});

test("tags stay where they are, and that is told", async () => {
  const first = await run();
  const told = await run({ tags: "latest", "previous-image": first.outputs.image ?? "" });
  expect(told).toMatchObject({ code: 0, outputs: { result: "hit" } });
  expect(told.log).toContain("Not moved: latest: nobody has looked whether the previous image is this commit's.");
  expect(registry.tags("team/app")).not.toContain("latest");
  expect(told.requests.filter((line) => !/^(GET|HEAD) /.test(line))).toEqual([]);
});

test("load fetches it by the digest that it was named by", async () => {
  const first = await run({ platforms: "linux/amd64" });
  const { image = "" } = first.outputs;
  const told = await run({ platforms: "linux/amd64", load: "true", "previous-image": image });
  expect(told, told.log).toMatchObject({ code: 0, outputs: { result: "hit", image } });
  expect(told.docker).toContainEqual(["pull", "--quiet", "--platform", "linux/amd64", image]);
  expect(told.docker.map(([name]) => name)).not.toContain("tag");
});

test("its SBOMs are handed out as those of any hit", async () => {
  seedBase(registry, "tools/scanner", "1", "scanner");
  const sbom = `${registry.host}/tools/scanner:1`;
  const first = await run({ sbom });
  const told = await run({ sbom, require: "sbom,provenance", "previous-image": first.outputs.image ?? "" });
  expect(told).toMatchObject({ code: 0, outputs: { result: "hit", "sbom-packages": first.outputs["sbom-packages"] } });
});

const DIGEST = `sha256:${"a".repeat(64)}`;

test.each<[string, Readonly<Record<string, string>>, RegExp]>([
  [
    "another repository",
    { "previous-image": `{registry}/team/other@${DIGEST}` },
    /previous-image is "[^"]+", which lies outside the cache repository, [^ ]+\/team\/app\./,
  ],
  [
    "another registry",
    { "previous-image": `other.test/team/app@${DIGEST}` },
    /which lies outside the cache repository/,
  ],
  ["a tag", { "previous-image": "{registry}/team/app:latest" }, /It names no digest\. Hand over the output image/],
  ["a digest alone", { "previous-image": DIGEST }, /previous-image is "sha256:/],
  ["a short digest", { "previous-image": "{registry}/team/app@sha256:abc" }, /is not a sha256 digest/],
  [
    "force",
    { "previous-image": `{registry}/team/app@${DIGEST}`, force: "true" },
    /previous-image is set and force is true/,
  ],
  [
    "release",
    { "previous-image": `{registry}/team/app@${DIGEST}`, release: "v1" },
    /previous-image and release are both set/,
  ],
])("refused before any work: %s", async (_, inputs, words) => {
  const given = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [name, value.replace("{registry}", registry.host)]),
  );
  const told = await run(given);
  expect(told).toMatchObject({ code: 1, docker: [], requests: [], outputs: { result: "failed", image: "" } });
  expect(told.log).toMatch(words);
  expect(told.log).toContain("[E_INPUT]");
});
