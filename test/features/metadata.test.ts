import fc from "fast-check";
import { expect, it } from "vitest";
import { ActionError } from "../../src/errors.ts";
import type { AskedFeature } from "../../src/features/asked.ts";
import { featureLabelEntry, mergeMetadata, parseMetadata } from "../../src/features/metadata.ts";
import { environmentFile, variableName } from "../../src/features/options.ts";

const ASKED: AskedFeature = { id: "x", options: {}, neededBy: undefined, at: undefined };
const NAMES = [
  "id",
  "legacyIds",
  "options",
  "dependsOn",
  "installsAfter",
  "containerEnv",
  "customizations",
  "extensions",
  "settings",
  "buildArg",
  "__proto__",
  "default",
  "version",
];

it("reads anything, or refuses it in words", () => {
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.jsonValue(),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...NAMES), tie("value"), { maxKeys: 4 }),
    ),
  })).value;
  const damaged = fc
    .tuple(
      json.map((value) => JSON.stringify(value) ?? ""),
      fc.nat(),
      fc.constantFrom("", ",", "}", "[", '"', "//", "/*"),
    )
    .map(([text, at, piece]) => {
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + piece + text.slice(cut + 1);
    });
  fc.assert(
    fc.property(
      fc.oneof(
        json.map((value) => JSON.stringify(value) ?? ""),
        damaged,
        fc.string(),
      ),
      (text) => {
        try {
          const metadata = parseMetadata(text, ASKED);
          if (!metadata) return;
          featureLabelEntry("x", metadata);
          environmentFile(metadata, "1");
          mergeMetadata(metadata, metadata, ASKED);
        } catch (thrown) {
          if (!(thrown instanceof ActionError)) throw thrown;
        }
      },
    ),
    { numRuns: 2000 },
  );
});

it("makes a name that a shell takes of any option", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: "grapheme" }), (name) => {
      expect(variableName(name)).toMatch(/^[A-Z_][A-Z0-9_]*$/);
    }),
  );
});

it("takes every property of the annotation before that of the archive", () => {
  const read = (json: object) => parseMetadata(JSON.stringify(json), ASKED);
  const [annotation, archived] = [read({ id: "a", options: {} }), read({ id: "b", init: true, options: { x: {} } })];
  if (!annotation || !archived) throw new Error("not read");
  const merged = mergeMetadata(annotation, archived, ASKED);
  expect(merged).toMatchObject({ id: "a", options: new Map(), raw: { init: true } });
});
