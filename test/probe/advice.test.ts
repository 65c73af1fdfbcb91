import { expect, test } from "vitest";
import { adviseOn } from "../../src/probe/advice.ts";
import type { RegistryError } from "../../src/world.ts";

const OWN = "Log in, or correct the name.";

test.each<[RegistryError["kind"], RegExp]>([
  ["denied", /^Log in, or correct the name\.$/],
  ["absent", /^Log in, or correct the name\.$/],
  ["limited", /wait/],
  ["unavailable", /the registry is up/],
  ["malformed", /proxy/],
])("a login and a name are to blame only where the registry refuses: %s", (kind, advice) => {
  expect(adviseOn({ kind, request: "GET x", words: "no luck" }, OWN)).toMatch(advice);
  expect(adviseOn({ kind, request: "GET x", words: "no luck", fix: "Do this." }, OWN)).toBe("Do this.");
});
