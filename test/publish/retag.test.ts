import { expect, test } from "vitest";
import { retag } from "../../src/publish/retag.ts";
import type { RegistryError } from "../../src/world.ts";
import { indexOf, registryOf } from "../plan-of.ts";

const REPOSITORY = { registry: "cache.test", repository: "team/app" };

test.each<[string, Pick<RegistryError, "kind" | "words" | "fix">, RegExp]>([
  ["refuses it", { kind: "denied", words: "requested access to the resource is denied" }, /right to push/],
  ["fails", { kind: "unavailable", words: "status 500" }, /^Check that the registry is up/],
  [
    "lets no tag move",
    { kind: "denied", words: "tag is immutable", fix: "Give the login more rights." },
    /^This registry's tags may not move, and cache\.test\/team\/app:latest names something else/,
  ],
])("a tag that could not be pushed is told with what helps: the registry %s", async (_, error, advice) => {
  const registry = { ...registryOf({}), putManifest: async () => ({ request: "PUT x", ...error }) } as const;
  const { lines, refused } = await retag(indexOf({ "linux/amd64": "image" }), REPOSITORY, ["latest"], registry);
  expect(lines).toEqual([]);
  expect(refused).toMatchObject([{ tag: "latest", error: { code: "E_PUSH", fix: expect.stringMatching(advice) } }]);
});
