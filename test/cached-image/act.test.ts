import { beforeEach, expect, test } from "vitest";
import { carryOut, type Stage } from "../../src/cached-image/act.ts";
import type { Verdict } from "../../src/cached-image/verdict.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { type MemoryRegistry, openMemoryRegistry } from "./memory-registry.ts";

// What is done with an image that was found under the builder's one tag, which the next push takes away.

const CACHE = { registry: "cache.test", repository: "team/app" };
const BYTES = new TextEncoder().encode('{"schemaVersion":2,"config":{},"layers":[]}');
const MEDIA = "application/vnd.oci.image.manifest.v1+json";
const DIGEST = digestOf(BYTES);

let registry: MemoryRegistry;
const told: string[] = [];
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
