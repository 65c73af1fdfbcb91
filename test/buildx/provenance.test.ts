import { expect, test } from "vitest";
import { readUsedImages } from "../../src/buildx/provenance.ts";

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
