import { describe, expect, test } from "vitest";
import { assembleImage } from "../../src/envbuilder/assemble.ts";
import { readBuild } from "../../src/envbuilder/build.ts";
import { type CachedLayer, readCacheEntry } from "../../src/envbuilder/cached-layer.ts";
import type { LayersRequest } from "../../src/envbuilder/copied.ts";
import { type LayerFiles, openLayerFiles } from "../../src/envbuilder/image-files.ts";
import { computeKeys, type Keyed } from "../../src/envbuilder/keys.ts";
import { openTarReader } from "../../src/envbuilder/tar-reader.ts";
import { writeTar } from "../features/tar-writer.ts";
import { contextOf, dockerfileOf, ignoreOf, imagesOf, RECORDED_AT, type Recorded, recorded } from "./recorded.ts";

/** What the stage of c1 has laid out, as its one layer holds it. */
const C1 = writeTar([
  { name: "/", mode: 0o755, type: "5" },
  { name: "out/", mode: 0o755 },
  { name: "out/d/", mode: 0o755 },
  { name: "out/d/one", text: "1\n" },
  { name: "out/lnk", link: "two", mode: 0o777 },
  { name: "out/two", text: "2\n" },
]);

function readLayers({ image, steps, paths }: LayersRequest): Promise<readonly LayerFiles[]> {
  expect({ image, paths }).toEqual({ image: "127.0.0.1:5999/base:oci", paths: ["out"] });
  expect(steps.map(({ layer }) => layer)).toEqual(["kept"]);
  const { visit, files } = openLayerFiles(paths, { isStage: true });
  expect(openTarReader(visit)(C1)).toBe("ended");
  return Promise.resolve([{ entries: [] }, files()]);
}

async function keyedOf(run: Recorded) {
  const buildArgs = Object.entries(run.buildArgs).map(([name, value]) => `${name}=${value}`);
  const build = await readBuild({ text: dockerfileOf(run), file: "Dockerfile", buildArgs, root: "/workspaces/app" });
  if (build.kind === "unprobeable") return build;
  return computeKeys(build, {
    images: imagesOf(run),
    context: contextOf(run),
    ignore: ignoreOf(run),
    platform: run.platform,
    readLayers,
    readKept: async () => layersOf(run),
  });
}

function layersOf(run: Recorded): ReadonlyMap<string, CachedLayer> {
  const entries = Object.entries(run.cacheEntries).map(([key, served]) => {
    const entry = readCacheEntry(served, { now: RECORDED_AT, days: 7 });
    return [key, entry] as const;
  });
  return new Map(entries.flatMap(([key, entry]) => (entry.kind === "layer" ? [[key, entry]] : [])));
}

const mustBeKeyed = async (run: Recorded): Promise<Keyed> => {
  const keyed = await keyedOf(run);
  if (keyed.kind !== "keyed") throw new Error(JSON.stringify(keyed));
  return keyed;
};

test("all recordings are there", () => {
  expect(recorded.map((run) => run.case).sort()).toEqual("c1 d5 d9 e2 e4 f1 t1 t2 t3 t4 t8".split(" "));
});

describe("the keys of the real kaniko, instruction by instruction", () => {
  test.each(recorded.map((run) => [run.case, run.note, run] as const))("%s: %s", async (_name, _note, run) => {
    const { steps } = await mustBeKeyed(run);
    expect(steps.map(({ text, key }) => ({ command: text, key }))).toEqual(run.optimizeKeys);
    expect(new Set(steps.flatMap(({ layer, key }) => (layer === "kept" ? [key] : [])))).toEqual(
      new Set(Object.keys(run.cacheEntries)),
    );
  });
});

describe("the image of the real kaniko, byte by byte", () => {
  test.each(recorded.map((run) => [run.case, run.note, run] as const))("%s: %s", async (_name, _note, run) => {
    const assembled = assembleImage(await mustBeKeyed(run), layersOf(run));
    expect(assembled?.config).toBe(run.expectedConfig);
    expect(assembled?.kind).toBe(run.case === "t2" ? "config" : "image");
    if (assembled?.kind !== "image") return;
    expect(assembled.manifest).toBe(run.expectedManifest);
    expect(assembled.digest).toBe(run.expectedDigest);
  });
});
