import { beforeEach, expect, test } from "vitest";
import { put } from "../checkout.ts";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Play, play, readable, type Told } from "./harness.ts";
import { openSample, seedBase } from "./sample.ts";

// Where only what the metadata label carries has changed, the images of the cache get the new label: no build, no docker, no layer.

let registry: FakeRegistry;
let workspace: string;
let scanner: string;
const platforms = "linux/amd64,linux/arm64";

beforeEach(async () => {
  const sample = await openSample();
  ({ registry, workspace } = sample);
  registry.refuseIncomplete();
  seedBase(registry, "base/os", "1", "one", { Labels: { "devcontainer.metadata": '[{"id":"from-base"}]' } });
  seedBase(registry, "tools/scanner", "1", "scanner");
  scanner = `${registry.host}/tools/scanner:1`;
  return sample.close;
});

const run = (inputs: Readonly<Record<string, string>> = {}, more: Partial<Play> = {}): Promise<Told> =>
  play({ workspace, registry, inputs: { platforms, ...inputs }, ...more });

/** The sample's configuration with more in it. */
const configure = (more: object): void =>
  put(
    workspace,
    ".devcontainer/devcontainer.json",
    JSON.stringify({ build: { dockerfile: "Dockerfile", args: { GREETING: "hello" } }, remoteUser: "dev", ...more }),
  );
const ONE = { customizations: { vscode: { extensions: ["one"] } } };
const TWO = { customizations: { vscode: { extensions: ["one", "two"] } } };

type Descriptor = { readonly digest: string; readonly annotations?: Readonly<Record<string, string>> };
type Manifest = { readonly config: Descriptor; readonly layers: readonly Descriptor[] };
type Index = { readonly manifests: readonly (Descriptor & { readonly platform: { readonly architecture: string } })[] };

const json = <T>(bytes: Buffer | undefined): T => JSON.parse(bytes?.toString() ?? "null");
const imageOf = (told: Told, platform = "linux/amd64", repository = "team/app") => {
  const digest: string = JSON.parse(told.outputs.platforms ?? "")[platform];
  const manifest = json<Manifest>(registry.manifest(repository, digest));
  const config = json<{ config: { Labels: Record<string, string> } }>(
    registry.blob(repository, manifest.config.digest),
  );
  return { digest, manifest, config };
};
const labelOf = (told: Told, platform?: string): unknown =>
  JSON.parse(imageOf(told, platform).config.config.Labels["devcontainer.metadata"] ?? "");

type Statement = {
  readonly subject: readonly { readonly digest: { readonly sha256: string }; readonly annotations?: unknown }[];
  readonly predicateType: string;
  readonly predicate: Readonly<Record<string, unknown>>;
};

/** What is attached to an image of a set, as statements by what they say. */
const attached = (told: Told, platform = "linux/amd64"): Readonly<Record<string, Statement>> => {
  const { digest } = imageOf(told, platform);
  const { manifests } = json<Index>(registry.manifest("team/app", told.outputs.digest ?? ""));
  const of = manifests.filter(
    ({ annotations = {} }) =>
      annotations["vnd.docker.reference.digest"] === digest && annotations["dev-container-cache.own"] === undefined,
  );
  const layers = of.flatMap((one) => json<Manifest>(registry.manifest("team/app", one.digest)).layers);
  const statements = layers.map((layer) => json<Statement>(registry.blob("team/app", layer.digest)));
  return Object.fromEntries(statements.map((one) => [one.predicateType, one]));
};
const SPDX = "https://spdx.dev/Document";
const SLSA = "https://slsa.dev/provenance/v1";
const hex = (digest: string): string => digest.slice("sha256:".length);

test("another user and another containerEnv, where no feature is installed for them, need no build either", async () => {
  configure(ONE);
  const first = await run();
  configure({ ...ONE, remoteUser: "root", containerEnv: { EDITOR: "vi" } });
  const told = await run({}, { docker: false });
  expect(told.outputs).toMatchObject({ result: "built", "remote-user": "root" });
  expect(imageOf(told).manifest.layers).toEqual(imageOf(first).manifest.layers);
  expect(labelOf(told)).toEqual([{ id: "from-base" }, { ...ONE, containerEnv: { EDITOR: "vi" }, remoteUser: "root" }]);
});

test("another extension: the images that are there get the label that a build would give them, and the next run is a hit", async () => {
  configure(ONE);
  const first = await run();
  configure(TWO);
  const told = await run({}, { docker: false });
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
    {registry}/base/os:1 is sha256:<5>…
    looked for: k1-<2>
    Miss: the image is not there.
    Compared with branch-main-7e268f37:
    ::notice file=.devcontainer/devcontainer.json,line=1::customizations changed, which stands in the image's metadata label
    ::endgroup::
    ::group::Relabelling linux/amd64, linux/arm64, no build
    Only what the metadata label carries differs from {registry}/team/app@sha256:<3>: its layers stay as they are.
    Pushed and read back: {registry}/team/app@sha256:<4>
    ::endgroup::
    The container's options say --user root and not dev: the folders of a job are the user 1001's on this host, and no other user but root can write there. The input remote-user-uid gives that user another uid.
    result: built {registry}/team/app@sha256:<4> (relabelled, no build)
    The probe took {n} s, 12 requests in {n} waves, {n} bytes."
  `);
  expect(told).toMatchObject({ code: 0, docker: [], outputs: { result: "built", pushed: "true", exists: "true" } });
  expect(told.summary).toContain("### 🔖 Dev container: the image was relabelled, nothing was built");
  expect(told.summary).toMatch(/\| linux\/amd64 \| relabelled in [\d.]+ s \|/);
  expect(Object.keys(JSON.parse(told.outputs.timings ?? ""))).toEqual(
    expect.arrayContaining(["total", "probe", "relabel", "saved"]),
  );
  expect(JSON.parse(told.outputs.timings ?? "")).not.toHaveProperty("build");
  expect(labelOf(told)).toEqual([{ id: "from-base" }, { ...TWO, remoteUser: "dev" }]);

  // The same in another repository is built from nothing, by the same builder.
  const scratch = await run({ "cache-repo": `${registry.host}/team/scratch` });
  expect(scratch.builds).toHaveLength(2);
  for (const platform of platforms.split(",")) {
    const [old, now, built] = [
      imageOf(first, platform),
      imageOf(told, platform),
      imageOf(scratch, platform, "team/scratch"),
    ];
    const { rootfs: _, ...rest } = built.config as Record<string, unknown>;
    expect(now.config).toMatchObject(rest);
    expect(Object.keys(now.config)).toEqual(Object.keys(old.config));
    expect(now.manifest).toEqual({ ...old.manifest, config: { ...old.manifest.config, ...now.manifest.config } });
    expect(now.digest).not.toBe(old.digest);
    for (const { digest } of old.manifest.layers)
      expect(told.requests.filter((line) => line.includes(digest) && !line.startsWith("HEAD "))).toEqual([]);
  }

  const hit = await run();
  expect(hit).toMatchObject({
    docker: [],
    outputs: { result: "hit", image: told.outputs.image, key: told.outputs.key },
  });
  configure(ONE);
  expect(await run()).toMatchObject({ docker: [], outputs: { result: "hit", image: first.outputs.image } });
});

test.each<[string, object]>([
  ["a lifecycle hook", { postCreateCommand: "make" }],
  ["a forwarded port", { forwardPorts: [3000] }],
  ["a mount", { mounts: ["source=a,target=/a,type=volume"] }],
])("%s needs no build either", async (_, more) => {
  configure({});
  const first = await run();
  configure(more);
  const told = await run();
  expect(told, told.log).toMatchObject({
    docker: [],
    outputs: { result: "built", "source-key": first.outputs["source-key"] },
  });
  expect(labelOf(told, "linux/arm64")).toEqual([{ id: "from-base" }, expect.objectContaining(more)]);
});

test("what names the newest image names this one, and the tags that were asked for too", async () => {
  configure(ONE);
  await run();
  configure(TWO);
  const { outputs } = await run({ tags: "latest" });
  for (const tag of registry.tags("team/app").filter((one) => /^(?:latest|y1-|branch-)/.test(one)))
    expect([tag, registry.digest("team/app", tag)]).toEqual([tag, outputs.digest]);
  expect(registry.digest("team/app", outputs.tag ?? "")).toBe(outputs.digest);
});

test("the SBOM is said of the new image, provenance says what it was made of, and both are what require wants", async () => {
  const inputs = { sbom: scanner, require: "sbom,provenance" };
  configure(ONE);
  const first = await run(inputs);
  configure(TWO);
  const told = await run(inputs);
  expect(told, told.log).toMatchObject({
    docker: [],
    outputs: { result: "built", "sbom-packages": first.outputs["sbom-packages"] },
  });
  for (const platform of platforms.split(",")) {
    const [from, to] = [imageOf(first, platform).digest, imageOf(told, platform).digest];
    const [before, after] = [attached(first, platform), attached(told, platform)];
    expect(Object.keys(after)).toEqual([SPDX, SLSA]);
    expect(after[SPDX]?.predicate).toEqual(before[SPDX]?.predicate);
    expect(after[SPDX]?.subject).toEqual([
      expect.objectContaining({
        digest: { sha256: hex(to) },
        annotations: { "dev-container-cache.carried-from": from },
      }),
    ]);
    expect(after[SLSA]).toMatchObject({
      subject: [{ digest: { sha256: hex(to) } }],
      predicate: {
        buildDefinition: {
          buildType: "urn:dev-container-cache:relabel:1",
          internalParameters: { provenance: before["https://slsa.dev/provenance/v0.2"]?.predicate },
          resolvedDependencies: [{ digest: { sha256: hex(from) } }],
        },
      },
    });
  }
  expect(await run(inputs)).toMatchObject({ docker: [], outputs: { result: "hit", digest: told.outputs.digest } });

  configure({});
  const again = await run(inputs);
  expect(again).toMatchObject({ docker: [], outputs: { result: "built" } });
  expect(attached(again)[SLSA]?.predicate).toMatchObject({
    buildDefinition: {
      internalParameters: { provenance: attached(first)["https://slsa.dev/provenance/v0.2"]?.predicate },
      resolvedDependencies: [{ digest: { sha256: hex(imageOf(told).digest) } }],
    },
  });
});

const month = 30 * 24 * 60 * 60 * 1000;

test("a new label makes no image younger: in a set, and joined from the legs of a matrix", async () => {
  const legs = platforms.split(",").map((one) => ({ platforms: one, alias: "false" }));
  const old = { "cache-ttl-days": "45", "on-miss": "fail" };
  const notOld = { "cache-ttl-days": "75" };
  for (const runs of [[{}], legs]) {
    configure(ONE);
    for (const inputs of runs) await run({ ...inputs, "cache-version": String(runs.length) });
    configure(TWO);
    for (const inputs of [...runs, {}]) {
      const told = await run({ ...inputs, "cache-version": String(runs.length) }, { later: month });
      expect(told, told.log).toMatchObject({ code: 0, docker: [] });
    }
    const past = await run({ ...old, "cache-version": String(runs.length) }, { later: 2 * month });
    expect(past, past.log).toMatchObject({ code: 1, outputs: { result: "miss" } });
    expect(past.log).toContain("was built 60 days ago");
    expect(await run({ ...notOld, "cache-version": String(runs.length) }, { later: 2 * month })).toMatchObject({
      docker: [],
      outputs: { result: "hit" },
    });
  }
});

test("what is too old gets no new label: it is built without layer cache, and both reasons are told", async () => {
  configure(ONE);
  await run();
  configure(TWO);
  const told = await run({ "cache-ttl-days": "45" }, { later: 2 * month });
  expect(told, told.log).toMatchObject({ code: 0, outputs: { result: "built" } });
  expect(told.builds.map(({ args }) => args.includes("--no-cache"))).toEqual([true, true]);
  expect(
    JSON.parse(told.outputs["miss-reasons"] ?? "").map(({ ingredient }: { ingredient: string }) => ingredient),
  ).toEqual(["age", "label"]);
});

test("legs relabel each its own platform, and what is missing of a set is relabelled beside what is there", async () => {
  configure(ONE);
  await run();
  await run({ platforms: "linux/arm64", alias: "false" });
  configure(TWO);
  const leg = await run({ platforms: "linux/arm64", alias: "false" });
  expect(leg).toMatchObject({ docker: [], outputs: { result: "built" } });
  const set = await run();
  expect(set, set.log).toMatchObject({ docker: [], outputs: { result: "built" } });
  expect(set.log).toContain("Relabelling linux/amd64, no build");
  expect(imageOf(set, "linux/arm64").digest).toBe(imageOf(leg, "linux/arm64").digest);
});

test("of jobs that relabel at the same time one set counts for all", async () => {
  configure(ONE);
  await run();
  configure(TWO);
  const told = await Promise.all([run(), run(), run()]);
  expect(told.map(({ code, docker }) => [code, docker])).toEqual(told.map(() => [0, []]));
  expect(new Set(told.map(({ outputs }) => outputs.digest)).size).toBe(1);
});

const pull = {
  env: { GITHUB_EVENT_NAME: "pull_request" },
  event: {
    repository: { full_name: "team/app", default_branch: "main" },
    pull_request: {
      head: { repo: { full_name: "fork/app" }, ref: "topic" },
      base: { repo: { full_name: "team/app" }, ref: "main" },
    },
  },
};

test.each<[string, Readonly<Record<string, string>>, Partial<Play>, () => void]>([
  ["force", { force: "true" }, {}, () => undefined],
  ["no-cache", { "no-cache": "true" }, {}, () => undefined],
  ["push: false", { push: "false" }, {}, () => undefined],
  ["a fork's pull request", {}, pull, () => undefined],
  ["a login that may only read", {}, {}, () => registry.override((line) => line.startsWith("POST "), { status: 403 })],
  ["an SBOM that is asked for, where there is none", { sbom: "{scanner}" }, {}, () => undefined],
  [
    "a base that moved too",
    {},
    {},
    () =>
      void seedBase(registry, "base/os", "1", "two", { Labels: { "devcontainer.metadata": '[{"id":"from-base"}]' } }),
  ],
  ["a file that changed too", {}, {}, () => put(workspace, ".devcontainer/setup.sh", { script: "echo other\n" })],
  [
    "a user that changed too, who gets another uid",
    { "remote-user-uid": "1001" },
    {},
    () => configure({ ...TWO, remoteUser: "other" }),
  ],
])("built all the same: %s", async (_, inputs, more, change) => {
  const given = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [name, value.replace("{scanner}", scanner)]),
  );
  const { sbom: _sbom, force: _force, push: _push, ...early } = given;
  configure(ONE);
  await run(early);
  configure(TWO);
  change();
  const told = await run(given, more);
  expect(told, told.log).toMatchObject({ code: 0, outputs: { result: "built" } });
  expect(told.builds.length).toBeGreaterThan(0);
  expect(JSON.parse(told.outputs.timings ?? "")).not.toHaveProperty("relabel");
  expect(told.summary).not.toContain("relabelled");
});

test("built all the same: an option of the build that sets the label itself, over that of the configuration", async () => {
  const build = {
    dockerfile: "Dockerfile",
    args: { GREETING: "hello" },
    options: ["--label=devcontainer.metadata=[]"],
  };
  configure({ ...ONE, build });
  await run();
  configure({ ...TWO, build });
  const told = await run();
  expect(told, told.log).toMatchObject({ code: 0, outputs: { result: "built" } });
  expect(told.log).toContain("an option of the build sets devcontainer.metadata itself");
  expect(told.builds).toHaveLength(2);
});

const blobPath = (digest: string): string => `/v2/team/app/blobs/${digest}`;

test.each<[string, string, (first: Told) => void]>([
  [
    "a layer that is gone",
    "",
    (first) => {
      const [layer] = imageOf(first).manifest.layers;
      registry.override((line) => line.endsWith(blobPath(layer?.digest ?? "")), {
        status: 404,
        body: '{"errors":[{"code":"BLOB_UNKNOWN","message":"gone"}]}',
      });
    },
  ],
  [
    "an SBOM that cannot be read now",
    "what is attached to it cannot be read",
    (first) => {
      const { manifests } = json<Index>(registry.manifest("team/app", first.outputs.digest ?? ""));
      const unknown = manifests.filter(({ platform }) => platform.architecture === "unknown");
      const layers = unknown.flatMap(({ digest }) => json<Manifest>(registry.manifest("team/app", digest)).layers);
      const sbom = layers.find(({ annotations }) => annotations?.["in-toto.io/predicate-type"] === SPDX)?.digest ?? "";
      registry.override((line) => line === `GET ${blobPath(sbom)}`, { status: 403 });
    },
  ],
  [
    "a config that cannot be read now",
    "its config cannot be read",
    (first) =>
      registry.override((line) => line === `GET ${blobPath(imageOf(first, "linux/arm64").manifest.config.digest)}`, {
        status: 403,
      }),
  ],
  [
    "a registry that does not take the new manifest",
    "the registry did not take it",
    () =>
      registry.override(
        (line, { body }) =>
          line.startsWith("PUT /v2/team/app/manifests/") && body.includes("dev-container-cache.carried-from"),
        { status: 400, body: '{"errors":[{"code":"MANIFEST_INVALID","message":"not this one"}]}' },
      ),
  ],
])("any doubt is built: %s", async (_, words, spoil) => {
  configure(ONE);
  const first = await run({ sbom: scanner });
  configure(TWO);
  spoil(first);
  const told = await run({ sbom: scanner });
  expect(told, told.log).toMatchObject({ code: 0, outputs: { result: "built" } });
  expect(told.builds).toHaveLength(2);
  expect(told.log).toContain(words);
  expect(JSON.parse(told.outputs.timings ?? "")).not.toHaveProperty("relabel");
});

test.each<[string, Readonly<Record<string, string>>, number]>([
  ["fail", { "on-miss": "fail" }, 1],
  ["continue", { "on-miss": "continue" }, 0],
])("on-miss: %s reports the label as the reason, and pushes nothing", async (_, inputs, code) => {
  configure(ONE);
  await run();
  configure(TWO);
  const told = await run(inputs);
  expect(told).toMatchObject({ code, docker: [], outputs: { result: "miss", pushed: "false" } });
  expect(told.requests.filter((line) => !/^(GET|HEAD) /.test(line))).toEqual([]);
  expect(JSON.parse(told.outputs["miss-reasons"] ?? "")).toMatchObject([{ part: "label", ingredient: "label" }]);
});

test("load on a relabelled image fetches it", async () => {
  configure(ONE);
  await run({ platforms: "linux/amd64" });
  configure(TWO);
  const told = await run({ platforms: "linux/amd64", load: "true" });
  expect(told, told.log).toMatchObject({ code: 0, builds: [], outputs: { result: "built" } });
  expect(told.docker.map(([name]) => name)).toContain("pull");
});

test("attestations that a clean-up has swept away are left out, and that is told", async () => {
  configure(ONE);
  const first = await run();
  const { manifests } = json<Index>(registry.manifest("team/app", first.outputs.digest ?? ""));
  for (const { digest, platform } of manifests)
    if (platform.architecture === "unknown") registry.sweep("team/app", digest);
  configure(TWO);
  const told = await run();
  expect(told, told.log).toMatchObject({ code: 0, docker: [], outputs: { result: "built" } });
  expect(told.log).toContain("attestations that are gone from the registry are left out");
  expect(Object.keys(attached(told))).toEqual([SLSA]);
});
