import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, type Json } from "../../src/key/canonical.ts";

test.each<[string, Json, string]>([
  ["keys sorted by code unit", { b: 1, a: 2, B: 3 }, '{"B":3,"a":2,"b":1}'],
  ["members without a value left out", { a: undefined, b: null }, '{"b":null}'],
  ["order of lists kept", [3, 1, 2], "[3,1,2]"],
  ["text escaped as JSON does", 'a"\n\u2028', JSON.stringify('a"\n\u2028')],
  ["nested", { x: [{ b: true, a: "" }] }, '{"x":[{"a":"","b":true}]}'],
  ["a key that looks like a prototype", JSON.parse('{"__proto__":1}'), '{"__proto__":1}'],
])("%s", (_, value, expected) => {
  expect(canonicalJson(value)).toBe(expected);
});

const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, shuffled(member)]),
  );
};

test("is JSON, says the same, and does not depend on the order of keys", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      const value: Json = JSON.parse(JSON.stringify(json));
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(value);
      expect(canonicalJson(JSON.parse(JSON.stringify(shuffled(value))))).toBe(text);
    }),
  );
});
