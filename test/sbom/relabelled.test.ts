import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Digest } from "../../src/oci/digest.ts";
import { readFirstBuild } from "../../src/probe/built.ts";
import { carryStatement, relabelProvenance } from "../../src/sbom/relabelled.ts";
import { sha } from "../plan-of.ts";

const FROM: Digest = "sha256:4c5bc43d5447e0930a34530d58c96ff7d5bf14fdcc3cf31fe471284708cf3fc4";
const relabelled = {
  repository: { registry: "cache.test:5000", repository: "team/app" },
  platform: { os: "linux", architecture: "amd64" },
  from: FROM,
  to: sha("new"),
};
const SPDX = "https://spdx.dev/Document";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("BuildKit's own SBOM is said of the other image, the document untouched", () => {
  const written = readFileSync("test/fixtures/sbom/sbom-statement.json");
  const carried = carryStatement(written, SPDX, relabelled);
  if ("wrong" in carried) throw new Error(carried.wrong);
  expect(carried.from).toBe(FROM);
  expect(JSON.parse(carried.text)).toEqual({
    _type: "https://in-toto.io/Statement/v1",
    subject: [
      {
        name: `pkg:docker/cache.test:5000/team/app?digest=sha256%3A${relabelled.to.slice(7)}&platform=linux%2Famd64`,
        digest: { sha256: relabelled.to.slice(7) },
        annotations: { "dev-container-cache.carried-from": FROM },
      },
    ],
    predicateType: SPDX,
    predicate: JSON.parse(written.toString()).predicate,
  });
});

test("however often it is passed on, it names the image of which it was said first", () => {
  const first = carryStatement(readFileSync("test/fixtures/sbom/sbom-statement.json"), SPDX, relabelled);
  if ("wrong" in first) throw new Error(first.wrong);
  const again = carryStatement(bytes(first.text), SPDX, { ...relabelled, from: relabelled.to, to: sha("newer") });
  if ("wrong" in again) throw new Error(again.wrong);
  expect(again.from).toBe(FROM);
  expect(JSON.parse(again.text).subject).toEqual([
    expect.objectContaining({
      digest: { sha256: sha("newer").slice(7) },
      annotations: { "dev-container-cache.carried-from": FROM },
    }),
  ]);
  const doctored = first.text.replaceAll(FROM, "no digest");
  expect(carryStatement(bytes(doctored), SPDX, { ...relabelled, from: relabelled.to })).toMatchObject({
    from: relabelled.to,
  });
});

test.each<[string, Uint8Array, string]>([
  ["another image", readFileSync("test/fixtures/sbom/sbom-statement.json"), SPDX],
  ["nothing", bytes("{}"), SPDX],
])("a statement about %s is not passed on", (_, statement, type) => {
  expect(carryStatement(statement, type, { ...relabelled, from: sha("other") })).toHaveProperty("wrong");
});

test.each(["v0.2.json", "v1.json"])(
  "an image is as old as its layers, whatever its label, and through all relabelling: %s",
  (name) => {
    const written = readFileSync(`test/fixtures/provenance/${name}`);
    const first = readFirstBuild(written);
    expect(first).toMatchObject({
      at: expect.any(Number),
      seconds: expect.any(Number),
      provenance: JSON.parse(written.toString()).predicate,
    });
    const again = (build: typeof first) =>
      relabelProvenance({ ...relabelled, label: "[]", started: 1e12, finished: 1e12 + 5, build });
    const once = again(first);
    expect(readFirstBuild(bytes(once))).toEqual(first);
    expect(readFirstBuild(bytes(again(readFirstBuild(bytes(once)))))).toEqual(first);
    expect(JSON.parse(once).predicate.runDetails.metadata).toEqual({
      startedOn: "2001-09-09T01:46:40.000Z",
      finishedOn: "2001-09-09T01:46:40.005Z",
    });
  },
);

test("a relabelling of which nothing is known tells nothing", () => {
  const build = { at: undefined, seconds: undefined, provenance: undefined };
  const text = relabelProvenance({ ...relabelled, label: "[]", started: 0, finished: 0, build });
  expect(readFirstBuild(bytes(text))).toEqual(build);
});
