import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { beforeEach, describe, expect, test } from "vitest";
import { carryOut, type Stage } from "../../src/cached-image/act.ts";
import type { Verdict } from "../../src/cached-image/verdict.ts";
import { openFiles } from "../../src/host/files.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import type { World } from "../../src/world.ts";
import { makeCheckout } from "../checkout.ts";
import { type MemoryRegistry, openMemoryRegistry } from "./memory-registry.ts";

// What is done with an image that was found under the builder's one tag, which the next push takes away.

const CACHE = { registry: "cache.test", repository: "team/app" };
const BYTES = new TextEncoder().encode('{"schemaVersion":2,"config":{},"layers":[]}');
const MEDIA = "application/vnd.oci.image.manifest.v1+json";
const DIGEST = digestOf(BYTES);

let registry: MemoryRegistry;
const told: string[] = [];
const silent = { info: () => undefined, warning: () => undefined, debug: () => undefined };
beforeEach(() => {
  registry = openMemoryRegistry();
  told.length = 0;
});

function act(found: Partial<Extract<Verdict, { kind: "hit" }>>, inputs: object, isFork = false) {
  const log = { info: (line: string) => void told.push(line), warning: (line: string) => void told.push(`! ${line}`) };
  const world = { registry: registry.port, log, host: { event: { isFork } } };
  const stage = { inputs: { cacheRepository: CACHE, push: "auto", onMiss: "build", ...inputs }, world };
  const served = { descriptor: { mediaType: MEDIA, digest: DIGEST, size: BYTES.length }, bytes: BYTES };
  return carryOut({ kind: "hit", served, ...found } as Verdict, stage as unknown as Stage);
}

const puts = () => registry.asked.filter((line) => line.startsWith("put "));

test("a run that makes images gives it its own", async () => {
  expect(await act({ nameless: "image-1" }, {})).toEqual({ result: "hit", digest: DIGEST });
  expect(puts()).toEqual([`put cache.test/team/app@${DIGEST}`]);
  expect(told).toEqual([]);
});

test.each<[string, Parameters<typeof act>]>([
  ["where it has one", [{}, {}]],
  ["where nothing is built", [{ nameless: "image-1" }, { onMiss: "continue" }]],
  ["where nothing is pushed", [{ nameless: "image-1" }, { push: "false" }]],
  ["in a fork's run", [{ nameless: "image-1" }, {}, true]],
])("nothing is pushed %s", async (_name, [found, inputs, isFork]) => {
  expect(await act(found, inputs, isFork)).toEqual({ result: "hit", digest: DIGEST });
  expect(puts()).toEqual([]);
});

test("a registry that takes no push is no fault of a hit's", async () => {
  registry.trouble(`put cache.test/team/app@${DIGEST}`, "denied");
  expect(await act({ nameless: "image-1" }, {})).toEqual({ result: "hit", digest: DIGEST });
  expect(told).toEqual([expect.stringContaining("cannot be given the tag image-1")]);
  expect(told[0]).toContain('the registry says "said denied"');
});

describe("behind a build", () => {
  const WHOLE = digestOf("pushed by the builder");
  const image = {
    kind: "image",
    digest: DIGEST,
    config: "{}",
    configDigest: digestOf("{}"),
    manifest: JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf("{}"), size: 2 },
      layers: [],
    }),
    mediaType: MEDIA,
    isSure: true,
  };

  const layer = (of: string) => ({
    mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
    digest: digestOf(of),
    size: of.length,
  });
  /** What the builder has pushed. */
  const pushOf = (layers: readonly object[]): Digest => {
    const text = JSON.stringify({ ...JSON.parse(image.manifest), layers, annotations: { by: "the builder" } });
    registry.seedManifest("cache.test/team/app:latest", text, MEDIA);
    return digestOf(text);
  };

  async function build(verdict: object, pushed = WHOLE) {
    const checkout = makeCheckout({ a: "a" });
    const opened = openFiles(tmpdir());
    const asked: unknown[] = [];
    const log = { ...silent, group: async <T>(_: string, work: () => Promise<T>) => work() };
    const exec: World["exec"] = async (_, args, { onLine } = {}) => {
      if (args[0] === "start")
        for (const line of [`#1: Pushed cache.test/team/app@${pushed}`, "#1: 🏗️ Pushed image! [1s]"]) onLine?.(line);
      return { code: 0, stdout: "", stderr: "" };
    };
    const stage = {
      inputs: {
        ...{ cacheRepository: CACHE, push: "auto", onMiss: "build", mirrors: [], tags: [] },
        ...{ build: { network: undefined }, insecure: { kind: "none" } },
      },
      envbuilder: {
        builderImage: { written: "builder:1", reference: { registry: "docker.io", repository: "builder", tag: "1" } },
        environment: { variables: new Map(), options: { ENVBUILDER_WORKSPACE_FOLDER: "/w" }, warnings: [] },
        platform: { os: "linux", architecture: "amd64" },
      },
      draft: { kind: "doubt", doubt: { kind: "plan", what: "x", fix: "y" } },
      builder: async () => ({ kind: "doubt" }),
      checkout,
      probeBuilt: async (digest: unknown) => {
        asked.push(digest);
        return verdict;
      },
      world: {
        ...{ log, exec, files: opened.files, atEnd: () => undefined, salt: () => "0", clock: () => 0 },
        credentials: async () => undefined,
        host: { event: { isFork: false }, env: {}, workspace: checkout },
        registry: { ...registry.port, acceptsPush: async () => ({ kind: "found", value: true }) },
      },
    };
    try {
      const outcome = await carryOut({ kind: "miss", why: "x", key: "k" }, stage as unknown as Stage);
      return { asked, outcome };
    } finally {
      rmSync(checkout, { recursive: true });
      opened.removeTemporaryFolders();
    }
  }

  test("the look goes by the digest that the builder has told", async () => {
    const served = { descriptor: { mediaType: MEDIA, digest: WHOLE, size: 1 }, bytes: BYTES };
    expect(await build({ kind: "hit", served })).toEqual({
      asked: [WHOLE],
      outcome: { result: "built", digest: WHOLE, pushed: true },
    });
  });

  test("another build has put its layers in the place of ours: their image is put together, for every later look finds that", async () => {
    const { outcome } = await build({ kind: "complete", image, bases: [], doubts: [] }, pushOf([layer("ours")]));
    expect(outcome).toEqual({ result: "built", digest: digestOf(image.manifest), pushed: true });
  });

  test("the builder describes the very layers otherwise than it is computed: nothing is put in its place", async () => {
    const own = pushOf([]);
    await expect(build({ kind: "complete", image, bases: [], doubts: [] }, own)).rejects.toMatchObject({
      code: "E_BUILD",
    });
    expect(puts()).toEqual([]);
  });

  test("where it may be another image than the builder's, that is said and nothing put", async () => {
    const doubts = [{ at: { file: "Dockerfile" }, what: "WORKDIR may make a folder" }];
    await expect(build({ kind: "complete", image, bases: [], doubts })).rejects.toMatchObject({
      code: "E_BUILD",
      message: expect.stringContaining(`pushed as cache.test/team/app@${WHOLE}, and the image`),
    });
    expect(puts()).toEqual([]);
  });
});
