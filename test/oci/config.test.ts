import fc from "fast-check";
import { expect, test } from "vitest";
import { type ImageConfig, readImageConfig } from "../../src/oci/config.ts";

const NOTHING: ImageConfig = { user: "", env: {}, labels: {}, triggers: [] };

test.each<[string, unknown, Partial<ImageConfig>]>([
  [
    "everything",
    { config: { User: "dev:staff", Env: ["A=1", "B=x=y"], Labels: { a: "b" }, OnBuild: ["RUN a"] } },
    { user: "dev:staff", env: { A: "1", B: "x=y" }, labels: { a: "b" }, triggers: ["RUN a"] },
  ],
  ["nothing in the config", { config: {} }, {}],
  ["no config", { architecture: "amd64" }, {}],
  [
    "a platform",
    { os: "linux", architecture: "arm64", variant: "v8" },
    { platform: { os: "linux", architecture: "arm64" } },
  ],
  ["nulls, as Go writes what is empty", { config: { User: null, Env: null, Labels: null, OnBuild: null } }, {}],
  ["a variable without a value", { config: { Env: ["A", "B="] } }, { env: { A: "", B: "" } }],
  ["a variable twice: the later one", { config: { Env: ["A=1", "A=2"] } }, { env: { A: "2" } }],
  [
    "what is no text",
    { config: { Env: [1, "A=1"], Labels: { a: 1, b: "c" }, OnBuild: [{}] } },
    { env: { A: "1" }, labels: { b: "c" } },
  ],
  ["a list for an object", { config: [] }, {}],
  ["a list", [], {}],
])("an image's config: %s", (_, json, expected) => {
  expect(readImageConfig(JSON.stringify(json))).toEqual({ ...NOTHING, ...expected });
});

test.each(["", "<html>", "null", '"text"', "{"])("what is no config says nothing: %s", (text) => {
  expect(readImageConfig(text)).toEqual(NOTHING);
});

test("names that every object has are names like others", () => {
  const config = '{"config":{"Env":["__proto__=1","constructor=2"],"Labels":{"__proto__":"3"}}}';
  const { env, labels } = readImageConfig(config);
  expect(Object.entries(env)).toEqual([
    ["__proto__", "1"],
    ["constructor", "2"],
  ]);
  expect(Object.entries(labels)).toEqual([["__proto__", "3"]]);
});

test("any JSON is read", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (config) => {
      const read = readImageConfig(JSON.stringify({ config }));
      expect(typeof read.user).toBe("string");
      expect(read.triggers.every((trigger) => typeof trigger === "string")).toBe(true);
    }),
  );
});
