import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as zlib from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readDefinition } from "../../src/cached-image/definition.ts";
import { type FoundImage, openBuilder } from "../../src/cached-image/images.ts";
import { openLayers } from "../../src/cached-image/layers.ts";
import { materialise } from "../../src/cached-image/materialise.ts";
import { probeCachedImage } from "../../src/cached-image/probe.ts";
import { draftQuestion } from "../../src/cached-image/question.ts";
import type { Verdict } from "../../src/cached-image/verdict.ts";
import { openFiles } from "../../src/host/files.ts";
import { gunzip, openGunzip, openUnzstd } from "../../src/host/unpack.ts";
import type { EnvbuilderInputs } from "../../src/inputs/envbuilder-inputs.ts";
import { type Digest, isDigest } from "../../src/oci/digest.ts";
import { readManifest } from "../../src/oci/manifest.ts";
import { parseReference, type Reference } from "../../src/oci/reference.ts";
import type { Memory, Registry, RegistryError, World } from "../../src/world.ts";
import { makeCheckout } from "../checkout.ts";
import { RECORDED_AT, recorded } from "../envbuilder/recorded.ts";
import { writeTar } from "../features/tar-writer.ts";
import { type MemoryRegistry, openMemoryRegistry } from "./memory-registry.ts";

// A recording of the real kaniko, from the checkout to the digest, through everything that is asked on the way.

const [run = never()] = recorded.flatMap((one) => (one.case === "d9" ? [one] : []));
function never(): never {
  throw new Error("the recording is gone");
}
const CACHE = "cache.test/team/app";
const BUILDER = "builder.test/coder/envbuilder";
const OCI = "application/vnd.oci.image.manifest.v1+json";

const referenceOf = (text: string): Reference => {
  const reference = parseReference(text);
  if ("wrong" in reference) throw new Error(reference.wrong);
  return reference;
};
const asDigest = (text: unknown): Digest => {
  if (!isDigest(text)) throw new Error(`${text}`);
  return text;
};

const inputs: EnvbuilderInputs = {
  builderImage: { written: `${BUILDER}:1`, reference: referenceOf(`${BUILDER}:1`) },
  environment: { variables: new Map(), options: {}, warnings: [] },
  platform: { os: "linux", architecture: "amd64" },
};

let registry: MemoryRegistry;
let checkout: string;
beforeEach(async () => {
  registry = openMemoryRegistry();
  checkout = makeCheckout({
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" }, "containerUser": "vscode" }',
    ".devcontainer/Dockerfile": run.dockerfile,
  });
  for (const [name, image] of Object.entries(run.images)) seed(name, image);
  for (const [key, image] of Object.entries(run.cacheEntries)) seed(`${CACHE}:${key}`, image);
  await seedBuilder({ ".envbuilder/bin/envbuilder": "fakebinary" });
});
afterEach(() => rmSync(checkout, { recursive: true }));

function seed(name: string, { manifest, config, contentType }: (typeof run.images)[string]): void {
  registry.seedManifest(name, manifest, contentType);
  registry.seedBlob(name.replace(/:[^/:]*$/, ""), config);
}

async function seedBuilder(files: Readonly<Record<string, string>>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "builder-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  const layer = registry.seedBlob(BUILDER, zlib.gzipSync(execFileSync("tar", ["-c", "-C", folder, "."])));
  rmSync(folder, { recursive: true });
  const config = registry.seedBlob(BUILDER, "{}");
  const layers = [{ ...layer, mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" }];
  registry.seedManifest(`${BUILDER}:1`, JSON.stringify({ schemaVersion: 2, mediaType: OCI, config, layers }), OCI);
}

/** The final image, with all of its blobs. */
function seedImage(): void {
  const { config, layers }: { config: { digest: string }; layers: { digest: string }[] } = JSON.parse(
    run.expectedManifest,
  );
  registry.seedManifest(`${CACHE}@${run.expectedDigest}`, run.expectedManifest, OCI);
  for (const { digest } of [config, ...layers]) registry.seedBlob(CACHE, "x", asDigest(digest));
}

const TROUBLES: readonly RegistryError["kind"][] = ["denied", "limited", "unavailable", "malformed", "absent"];

const forgetful: Memory = { recall: async () => undefined, remember: async () => undefined };

async function probe(now = RECORDED_AT, own = inputs): Promise<Verdict> {
  const { files } = openFiles(tmpdir());
  const definition = await readDefinition({ checkout, options: own.environment.options, files });
  const draft = await draftQuestion(definition, own, []);
  const world = {
    files,
    gunzip,
    openGunzip,
    openUnzstd,
    memory: forgetful,
    clock: () => now,
    exec: async () => undefined,
  };
  const host = { workspace: checkout } as World["host"];
  const builder = openBuilder(own, registry.port);
  return probeCachedImage(
    { draft, inputs: own, builder, repository: referenceOf(CACHE), checkout, verify: "layers" },
    { ...world, host, registry: registry.port as Registry },
  );
}

test("a feature whose metadata lies outside of the checkout is not read", async () => {
  const outside = makeCheckout({ "devcontainer-feature.json": '{ "id": "x", "version": "1", "name": "x" }' });
  await mkdir(join(checkout, ".devcontainer/own"));
  await symlink(
    join(outside, "devcontainer-feature.json"),
    join(checkout, ".devcontainer/own/devcontainer-feature.json"),
  );
  await writeFile(join(checkout, ".devcontainer/own/install.sh"), "");
  const configuration = { build: { dockerfile: "Dockerfile" }, features: { "./own": {} } };
  await writeFile(join(checkout, ".devcontainer/devcontainer.json"), JSON.stringify(configuration));
  await expect(probe()).rejects.toMatchObject({
    code: "E_FEATURE",
    message: expect.stringContaining("leaves the checkout"),
  });
  rmSync(outside, { recursive: true });
});

test.each(["COPY . /app", "COPY * /app/"])("a trigger that takes envbuilder's own folder: %s", async (trigger) => {
  await writeFile(join(checkout, ".devcontainer/devcontainer.json"), '{ "image": "base.test/triggers:1" }');
  const config = JSON.stringify({ config: { OnBuild: [trigger] } });
  const { digest, size } = registry.seedBlob("base.test/triggers", config);
  const manifest = { schemaVersion: 2, mediaType: OCI, config: { mediaType: "x/y", digest, size }, layers: [] };
  registry.seedManifest("base.test/triggers:1", JSON.stringify(manifest), OCI);
  expect(await probe()).toMatchObject({
    kind: "unknown",
    doubt: { what: expect.stringContaining("what the builder sees at .") },
  });
});

test("the image that is there is a hit, under the digest of the recording", async () => {
  seedImage();
  expect(await probe()).toMatchObject({ kind: "hit", served: { descriptor: { digest: run.expectedDigest } } });
});

test("with every layer and without the image, it is known what the image would be", async () => {
  expect(await probe()).toMatchObject({ kind: "complete", image: { digest: run.expectedDigest }, doubts: [] });
});

test("the first layer that is missing is told by its instruction, line and key", async () => {
  const lost = run.optimizeKeys.find(({ command }) => command.startsWith("RUN --mount"));
  registry.trouble(`manifest ${CACHE}:${lost?.key}`, "absent");
  expect(await probe()).toEqual({
    kind: "miss",
    why: "the layer of RUN --mount=type=bind,from=a,source=/z,target=/z true is not there",
    at: { file: ".devcontainer/Dockerfile", line: 4 },
    key: lost?.key,
    step: expect.objectContaining({ key: lost?.key }),
    because: [],
  });
});

test("a layer that is too old is a miss, and told as such", async () => {
  const later = RECORDED_AT + 7 * 24 * 60 * 60 * 1000;
  expect(await probe(later)).toMatchObject({
    kind: "miss",
    why: expect.stringContaining("made on 2026-11-20, and layers count for 7 days"),
  });
  const patient = { ...inputs, environment: { ...inputs.environment, options: { ENVBUILDER_CACHE_TTL_DAYS: 30n } } };
  expect((await probe(later, patient)).kind).toBe("complete");
});

test("layers are asked for beside one another, however many there are", async () => {
  seedImage();
  await probe();
  const looks = registry.asked.flatMap((line, at) =>
    /^[0-9a-f]{64}$/.test(line.slice(`manifest ${CACHE}:`.length)) ? [at] : [],
  );
  expect(looks).toHaveLength(5);
  expect(Math.max(...looks) - Math.min(...looks)).toBe(4);
});

test("a builder image without the builder is an error that names it", async () => {
  await seedBuilder({ "bin/other": "x" });
  await expect(probe()).rejects.toMatchObject({ code: "E_INPUT", message: expect.stringContaining(`${BUILDER}:1`) });
});

test("what was pushed last is the image: it is not asked for once more", async () => {
  seedImage();
  registry.seedManifest(`${CACHE}:latest`, run.expectedManifest, OCI);
  expect(await probe()).toMatchObject({ kind: "hit", served: { descriptor: { digest: run.expectedDigest } } });
  expect(registry.asked).not.toContain(`manifest ${CACHE}@${run.expectedDigest}`);
});

test.each(TROUBLES)("what was pushed last answers %s: that is nobody's verdict", async (kind) => {
  seedImage();
  registry.trouble(`manifest ${CACHE}:latest`, kind);
  expect(await probe()).toMatchObject({ kind: "hit" });
});

test("a blob of the image that is gone is a miss, not a hit", async () => {
  seedImage();
  const { layers }: { layers: { digest: string }[] } = JSON.parse(run.expectedManifest);
  registry.trouble(`has ${CACHE} ${layers[0]?.digest}`, "absent");
  expect(await probe()).toMatchObject({ kind: "miss", why: expect.stringContaining("gone from the registry") });
});

describe.each(TROUBLES)("the registry answers %s", (kind) => {
  test("at any one step: never a miss for what is no answer, and never a hit", async () => {
    seedImage();
    await probe();
    // What was pushed last is only a hint.
    const lines = [...new Set(registry.asked)].filter((line) => line !== `manifest ${CACHE}:latest`);
    expect(lines.length).toBeGreaterThan(15);
    for (const line of lines) {
      registry.trouble(line, kind);
      const verdict = await probe();
      // A layer, its config, the image or a blob of it that the cache repository does not have is the one thing that may be missing.
      const mayBeMissing = kind === "absent" && line.includes(CACHE);
      const expected = mayBeMissing ? ["miss", "complete"] : ["unknown"];
      expect([line, expected]).toEqual([line, expect.arrayContaining([verdict.kind])]);
      registry.trouble(line, undefined);
    }
  });
});

describe("files of an earlier stage", () => {
  const [c1 = never()] = recorded.filter((one) => one.case === "c1");
  const [[baseName, baseImage] = never()] = Object.entries(c1.images);
  const base = baseName.replace(/:[^/:]*$/, "");
  const layerOf = ({ manifest }: { readonly manifest: string }) => asDigest(JSON.parse(manifest).layers[0]?.digest);
  const [stage = never()] = c1.optimizeKeys;
  const ownLayer = layerOf(c1.cacheEntries[stage.key] ?? never());
  const laidOut = writeTar([
    { name: "out/", mode: 0o755 },
    { name: "out/d/", mode: 0o755 },
    { name: "out/d/one", text: "1\n" },
    { name: "out/lnk", link: "two", mode: 0o777 },
    { name: "out/two", text: "2\n" },
  ]);
  /** From Node 22.15 on. */
  const packZstd: unknown = Reflect.get(zlib, "zstdCompressSync");

  beforeEach(() => {
    rmSync(checkout, { recursive: true });
    checkout = makeCheckout({
      ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" }, "containerUser": "vscode" }',
      ".devcontainer/Dockerfile": c1.dockerfile,
    });
    seed(baseName, baseImage);
    for (const [key, image] of Object.entries(c1.cacheEntries)) seed(`${CACHE}:${key}`, image);
    const packed = typeof packZstd === "function" ? packZstd(laidOut) : laidOut;
    registry.seedBlob(base, zlib.gzipSync(writeTar([{ name: "bin/", mode: 0o755 }])), layerOf(baseImage));
    registry.seedBlob(CACHE, packed, ownLayer);
  });

  test("are read, where zstd can be unpacked, and the image is that of the recording", async () => {
    const verdict = await probe();
    if (openUnzstd) expect(verdict).toMatchObject({ kind: "complete", image: { digest: c1.expectedDigest } });
    else expect(verdict).toMatchObject({ kind: "unknown", doubt: { what: expect.stringContaining("from 22.15 on") } });
  });

  test("are not read where the stage's own layer is missing, which is the answer", async () => {
    registry.trouble(`manifest ${CACHE}:${stage.key}`, "absent");
    expect(await probe()).toMatchObject({ kind: "miss", key: stage.key, at: { line: 2 } });
    expect(registry.asked.filter((line) => line.startsWith(`read ${base}`))).toEqual([]);
  });

  test.each(TROUBLES)("at a layer the registry answers %s: nothing is told", async (kind) => {
    for (const line of [`read ${base} ${layerOf(baseImage)}`, `read ${CACHE} ${ownLayer}`]) {
      registry.trouble(line, kind);
      expect([line, (await probe()).kind]).toEqual([line, "unknown"]);
      registry.trouble(line, undefined);
    }
  });

  test.each([
    ["damaged", Buffer.from("no gzip")],
    ["ends in the middle", zlib.gzipSync(writeTar([{ name: "a", text: "x".repeat(2000) }]).subarray(0, 1024))],
    ["damaged: it holds a header with a wrong checksum", zlib.gzipSync(Buffer.alloc(2048, 1))],
  ])("a layer that is not whole: %s", async (words, content) => {
    registry.seedBlob(base, content, layerOf(baseImage));
    expect(await probe()).toMatchObject({ kind: "unknown", doubt: { what: expect.stringContaining(words) } });
  });

  test.each([
    ["its layers are 513 MiB", { size: 513 * 2 ** 20, mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" }],
    ["is of type x, which is not read here", { size: 1, mediaType: "x" }],
  ])("a layer that nobody reads: %s", async (words, layer) => {
    const manifest = JSON.parse(baseImage.manifest);
    Object.assign(manifest.layers[0], layer);
    seed(baseName, { ...baseImage, manifest: JSON.stringify(manifest) });
    // The base is another one, and so are all keys.
    const image = { body: readManifest(manifest, baseImage.contentType) } as FoundImage;
    const lookUp = async () => ({ layers: new Map() });
    const repository = referenceOf(CACHE);
    const images = new Map([["b", { reference: referenceOf(baseName), image }]]);
    const { readLayers } = openLayers(
      { images, repository, lookUp },
      { registry: registry.port as Registry, openGunzip, openUnzstd },
    );
    expect(await readLayers({ image: "b", steps: [], isStage: false, paths: ["a"] })).toEqual({
      unread: expect.stringContaining(words),
    });
  });
});

test("what all COPY --from take together is bounded", async () => {
  const layer = { digest: `sha256:${"a".repeat(64)}`, size: 500 * 2 ** 20, mediaType: "x.tar" };
  const image = { body: { layers: [layer] } } as unknown as FoundImage;
  const { readLayers } = openLayers(
    {
      images: new Map([["b", { reference: referenceOf("b.test/b"), image }]]),
      repository: referenceOf(CACHE),
      lookUp: async () => ({ layers: new Map() }),
    },
    {
      registry: { readThrough: async () => ({ kind: "found", value: true }) } as unknown as Registry,
      openGunzip,
      openUnzstd,
    },
  );
  const read = () => readLayers({ image: "b", steps: [], isStage: false, paths: ["a"] });
  for (let time = 0; time < 4; time++)
    expect(await read()).toMatchObject({ unread: expect.stringContaining("ends in the middle") });
  expect(await read()).toMatchObject({ unread: expect.stringContaining("2048 MiB are read for all of them") });
});

describe("an image of which every layer is there", () => {
  async function complete() {
    const verdict = await probe();
    if (verdict.kind !== "complete") throw new Error(verdict.kind);
    return verdict;
  }
  const base = () => {
    const [name = ""] = Object.keys(run.images);
    const { layers }: { layers: { digest: string }[] } = JSON.parse(run.images[name]?.manifest ?? "");
    return { repository: name.replace(/:[^/:]*$/, ""), digests: layers.map(({ digest }) => asDigest(digest)) };
  };
  const seedLayers = () => {
    for (const { manifest } of Object.values(run.cacheEntries))
      for (const { digest } of JSON.parse(manifest).layers) registry.seedBlob(CACHE, "x", asDigest(digest));
    const { layers }: { layers: { digest: string }[] } = JSON.parse(run.expectedManifest);
    const own = new Set<string>(base().digests);
    for (const { digest } of layers) if (!own.has(digest)) registry.seedBlob(CACHE, "x", asDigest(digest));
  };

  test("is put together: the base's layers are mounted, config and manifest are pushed and read back", async () => {
    seedLayers();
    for (const digest of base().digests) registry.seedBlob(base().repository, "x", digest);
    const done = await materialise(await complete(), referenceOf(CACHE), registry.port as Registry);
    expect(done).toMatchObject({ kind: "pushed", served: { descriptor: { digest: run.expectedDigest } } });
    expect((await probe()).kind).toBe("hit");
  });

  test("is put together with the empty layer, which anybody can make, where that was swept away", async () => {
    seedLayers();
    for (const digest of base().digests) registry.seedBlob(base().repository, "x", digest);
    const empty = "sha256:2c1ce468d9f3d941396801f6e3afc8921466650dd05430fe644cd3537713d27f";
    expect(run.expectedManifest).toContain(empty);
    registry.trouble(`has ${CACHE} ${empty}`, "absent");
    const done = await materialise(await complete(), referenceOf(CACHE), registry.port as Registry);
    expect(done).toMatchObject({ kind: "pushed" });
    expect(registry.asked).toContain(`put ${CACHE} ${empty}`);
  });

  test("is not, where a layer of the base cannot be had", async () => {
    seedLayers();
    const done = await materialise(await complete(), referenceOf(CACHE), registry.port as Registry);
    expect(done).toEqual({
      kind: "not",
      why: expect.stringContaining(`its layer ${base().digests[0]} cannot be put into`),
    });
    expect((await probe()).kind).toBe("complete");
  });
});
