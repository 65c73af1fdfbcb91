import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json } from "../../src/devcontainer/json.ts";
import { mergeMetadata, parseMetadata } from "../../src/features/metadata.ts";
import { environmentFile, optionsWithoutDefaults } from "../../src/features/options.ts";
import { canonicalJson } from "../../src/key/canonical.ts";

const ASKED = { id: "registry.test/f/tool:1", options: {}, neededBy: undefined, at: undefined };
const metadataOf = (raw: object) => {
  const metadata = parseMetadata(JSON.stringify(raw), ASKED);
  if (!metadata) throw new Error("no metadata");
  return metadata;
};

const value = fc.constantFrom<Json>("1", 1, true, "true", "");
const optionsShown = fc.dictionary(
  fc.constantFrom("version", "flag"),
  fc.oneof(
    fc.constant({}),
    value.map((one) => ({ default: one })),
  ),
);
const raw = fc.record({ options: optionsShown, buildArg: fc.constant("_BUILD_ARG") }, { requiredKeys: [] });
const written = fc.oneof(value, fc.dictionary(fc.constantFrom("version", "flag", "other"), value));

/** Which options come first means nothing to a shell here: no value names another. */
const linesOf = (text: string): readonly string[] => text.split("\n").sort();

test("what is one to the key is one to the install script, whatever the archive adds to what the registry shows", () => {
  let same = 0;
  fc.assert(
    fc.property(raw, raw, written, written, (shown, archived, one, other) => {
      const known = metadataOf(shown);
      const [was, is] = [one, other].map((options) => canonicalJson(optionsWithoutDefaults(known, options)));
      if (was !== is) return;
      if (canonicalJson(one) !== canonicalJson(other)) same++;
      const whole = mergeMetadata(known, metadataOf(archived), ASKED);
      for (const metadata of [known, whole])
        expect(linesOf(environmentFile(metadata, one))).toEqual(linesOf(environmentFile(metadata, other)));
    }),
    { numRuns: 3000 },
  );
  expect(same).toBeGreaterThan(50);
});

test.each<[Json, Json]>([
  [{}, { version: "1" }],
  [{}, "1"],
  ["2", { version: "2" }],
  [{ flag: true }, { flag: "true" }],
])("one text: %j, %j", (one, other) => {
  const metadata = metadataOf({ options: { version: { default: "1" }, flag: { default: false } } });
  expect(environmentFile(metadata, one)).toBe(environmentFile(metadata, other));
  expect(optionsWithoutDefaults(metadata, one)).toEqual(optionsWithoutDefaults(metadata, other));
});
