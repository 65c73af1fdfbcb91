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

/** Values that texts could easily take for one another. */
const ALIKE: readonly (readonly [Json, Json])[] = [
  [{}, []],
  [[], [null]],
  [null, "null"],
  [1, "1"],
  [true, "true"],
  ["", null],
  [["a", "b"], ["a,b"]],
  [
    ["a", "b"],
    [["a"], "b"],
  ],
  [{ a: 1, b: 2 }, { "a:1,b": 2 }],
  [{ a: { b: 1 } }, { a: '{"b":1}' }],
  [{ a: "1" }, { a: 1 }],
  [
    [1, 2],
    [2, 1],
  ],
  [{ a: null }, {}],
  ["\u00e9", "e\u0301"],
  ["\\n", "\n"],
];

const isSame = (one: unknown, other: unknown): boolean => {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return one === other;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [names, others] = [Object.keys(one), Object.keys(other)];
  const member = (value: object, name: string): unknown => Object.entries(value).find(([key]) => key === name)?.[1];
  return (
    names.length === others.length &&
    names.every((name) => others.includes(name) && isSame(member(one, name), member(other, name)))
  );
};

test("two values have one text where they are the same, and only there", () => {
  const value = fc.jsonValue({ maxDepth: 3 }).map((json): Json => JSON.parse(JSON.stringify(json)));
  /** Another value, the same one written in another order, or the same one with a difference somewhere in it. */
  const pair = fc.oneof(
    fc.tuple(value, value),
    value.map((json) => [json, shuffled(json) as Json] as const),
    value.map(
      (json) =>
        [
          { a: json, b: 1 },
          { b: 2, a: shuffled(json) as Json },
        ] as const,
    ),
    value.map(
      (json) =>
        [
          [json, 1],
          [1, json],
        ] as const,
    ),
  );
  fc.assert(
    fc.property(pair, ([one, other]) => {
      expect(canonicalJson(one) === canonicalJson(other)).toBe(isSame(one, other));
    }),
    {
      examples: [
        ...ALIKE.map((alike) => [alike] as [typeof alike]),
        [
          [
            { b: [1], a: {} },
            { a: {}, b: [1] },
          ],
        ],
      ],
      numRuns: 1000,
    },
  );
});
