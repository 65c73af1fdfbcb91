import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readBuildTimes, readUsedImages } from "../../src/buildx/provenance.ts";

const hex = "a".repeat(64);
const material = { uri: "pkg:docker/registry.test/base@1?platform=linux%2Famd64", digest: { sha256: hex } };
const other = { uri: "https://example.test/file", digest: { sha256: "b".repeat(64) } };

test.each<[string, string, readonly string[] | undefined]>([
  ["v0.2", JSON.stringify({ predicate: { materials: [material, other] } }), [`sha256:${hex}`]],
  ["v1", JSON.stringify({ predicate: { buildDefinition: { resolvedDependencies: [material] } } }), [`sha256:${hex}`]],
  ["from scratch", JSON.stringify({ predicate: {} }), []],
  ["no statement", "{}", undefined],
  ["no JSON", "<html>", undefined],
  ["a list of something else", JSON.stringify({ predicate: { materials: "x" } }), undefined],
])("%s", (_, text, expected) => {
  expect(readUsedImages(text)).toEqual(expected);
});

test.each(["v0.2", "v1"])(
  "what engine 28.5.2 really wrote as %s of a build with an SBOM: the base, and the generator too",
  (version) => {
    expect(readUsedImages(readFileSync(`test/fixtures/provenance/${version}.json`, "utf8"))).toEqual([
      "sha256:d8b47ccac85e460d89fc0c3a2871d624c5123e2a7d26f0b46c9bc9527ffb2515",
      "sha256:2f1c6893816145d2d125368605c82957197e8eb8311ca8491f4a5f3bda807cbc",
    ]);
  },
);

test.each([
  ["v0.2", "2026-11-21T07:28:52.783Z", "2026-11-21T07:28:53.514Z"],
  ["v1", "2026-11-21T07:28:54.312Z", "2026-11-21T07:28:54.399Z"],
])("when a build ran, as engine 28.5.2 wrote it in %s", (version, started, finished) => {
  const times = readBuildTimes(readFileSync(`test/fixtures/provenance/${version}.json`, "utf8"));
  expect(times).toEqual({ started: Date.parse(started), finished: Date.parse(finished) });
});

test.each([
  ["no times", JSON.stringify({ predicate: { metadata: {} } })],
  ["one time alone", JSON.stringify({ predicate: { metadata: { buildFinishedOn: "2026-11-21T07:28:53Z" } } })],
  ["no time", JSON.stringify({ predicate: { metadata: { buildStartedOn: "x", buildFinishedOn: 7 } } })],
  ["no metadata", JSON.stringify({ predicate: {} })],
  ["no statement", "[]"],
  ["no JSON", "<html>"],
])("when a build ran is not told: %s", (_, text) => {
  expect(readBuildTimes(text)).toBeUndefined();
});
