import fc from "fast-check";
import { expect, test } from "vitest";
import { joinFields, splitFields } from "../../src/buildx/csv.ts";

test.each<[string, string, readonly string[] | undefined]>([
  ["nothing", "", [""]],
  ["one field", "a=b", ["a=b"]],
  ["two fields", "a=b,c", ["a=b", "c"]],
  ["an empty last field", "a,", ["a", ""]],
  ["a comma in quotes", '"a,b",c', ["a,b", "c"]],
  ["a doubled mark", '"say ""hi""",c', ['say "hi"', "c"]],
  ["an empty quoted field", '"",c', ["", "c"]],
  ["a mark that is not closed", '"a,b', undefined],
  ["a mark inside a field", 'a"b', undefined],
  ["text after a closing mark", '"a"b', undefined],
])("%s", (_, line, fields) => {
  expect(splitFields(line)).toEqual(fields);
});

test("what is joined is split again", () => {
  const field = fc.string({ unit: fc.constantFrom(...'ab=," é') });
  fc.assert(
    fc.property(fc.array(field, { minLength: 1 }), (fields) => {
      expect(splitFields(joinFields(fields))).toEqual(fields);
    }),
  );
});
