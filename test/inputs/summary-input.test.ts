import { expect, test } from "vitest";
import { readSummary } from "../../src/inputs/summary-input.ts";

const ALL = ["hit", "built", "partial", "stale", "miss", "unknown"];

test.each([
  ["", ALL],
  ["full", ALL],
  ["line", []],
  ["hit, stale", ["hit", "stale"]],
  ["unknown\nmiss", ["unknown", "miss"]],
])("summary: %j", (value, expected) => {
  expect(readSummary(() => value)).toEqual(expected);
});

test.each(["none", "full, hit", "hit line", "failed"])("summary: %j is refused", (value) => {
  expect(() => readSummary(() => value)).toThrow(/The input summary is ".*", which is not allowed/);
});
