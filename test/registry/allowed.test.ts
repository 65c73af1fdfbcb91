import { expect, test } from "vitest";
import { parseReference } from "../../src/oci/reference.ts";
import { imageAllowed, parseImagePattern } from "../../src/registry/allowed.ts";

const digest = `sha256:${"a".repeat(64)}`;

test.each<[string, string, boolean]>([
  ["debian", "debian:12", true],
  ["debian", "docker.io/library/debian", true],
  ["debian", `debian@${digest}`, true],
  ["debian", "debian-evil:12", false],
  ["debian", "evil.test/library/debian", false],
  ["debian:12", "debian:12", true],
  ["debian:12", `debian:12@${digest}`, true],
  ["debian:12", "debian:13", false],
  ["debian:*", "debian:13", true],
  ["docker.io/library/*", "node:20", true],
  ["docker.io/library/*", "team/node:20", false],
  ["ghcr.io/team/*", "ghcr.io/team/app:1", true],
  ["ghcr.io/team/*", "ghcr.io/team/app/deep:1", false],
  ["ghcr.io/team/**", "ghcr.io/team/app/deep:1", true],
  ["ghcr.io/team/**", "ghcr.io/teams/app", false],
  ["localhost:5000/**", "localhost:5000/a/b", true],
  ["registry.test/a.b", "registry.test/axb", false],
])("allowed-images %s and %s: %s", (pattern, image, expected) => {
  const [parsed, reference] = [parseImagePattern(pattern), parseReference(image)];
  if ("wrong" in parsed || "wrong" in reference) throw new Error("not read");
  expect(imageAllowed([parsed], reference)).toBe(expected);
});

test("no pattern allows every image", () => {
  const reference = parseReference("any.test/x");
  if ("wrong" in reference) throw new Error(reference.wrong);
  expect(imageAllowed([], reference)).toBe(true);
});

test.each([["ghcr.io/UPPER"], ["https://x"], [""]])("a pattern that cannot be read: %s", (pattern) => {
  expect(parseImagePattern(pattern)).toHaveProperty("wrong");
});
