import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseSpecification } from "../../src/envbuilder/specification.ts";
import { ActionError } from "../../src/errors.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

const FILE = ".devcontainer/devcontainer.json";
const EMPTY = {
  image: "",
  dockerfile: "",
  context: "",
  args: new Map(),
  containerUser: "",
  remoteUser: "",
  features: new Map(),
};

test.each<{ readonly name: string; readonly text: string; readonly read: object }>([
  { name: "nothing in it", text: "{}", read: {} },
  { name: "null in the place of everything", text: "null", read: {} },
  { name: "comments and commas", text: '// a\n{"image": /* b */ "debian:12",}', read: { image: "debian:12" } },
  {
    name: "build",
    text: '{"build":{"dockerfile":"D","context":"..","args":{"B":"2","A":null},"target":"t","cache_from":"c"}}',
    read: {
      dockerfile: "D",
      context: "..",
      args: new Map([
        ["B", "2"],
        ["A", ""],
      ]),
    },
  },
  {
    name: "the old properties go over those of build",
    text: '{"dockerFile":"Old","context":"old","build":{"dockerfile":"New","context":"new"}}',
    read: { dockerfile: "Old", context: "old" },
  },
  {
    name: "an old property that is empty does not",
    text: '{"dockerFile":"","build":{"dockerfile":"New"}}',
    read: { dockerfile: "New" },
  },
  {
    name: "names in any case",
    text: '{"IMAGE":"i","Remoteuser":"r","dockerfile":"d"}',
    read: { image: "i", remoteUser: "r", dockerfile: "d" },
  },
  { name: "null leaves it as it was", text: '{"image":null,"build":null,"features":null}', read: {} },
  { name: "what other tools alone know may be anything", text: '{"name":1,"mounts":true,"runArgs":{}}', read: {} },
  {
    name: "features with anything behind them",
    text: '{"features":{"a":{"v":1},"b":"2","c":true,"d":null}}',
    read: {
      features: new Map<string, unknown>([
        ["a", { v: 1 }],
        ["b", "2"],
        ["c", true],
        ["d", null],
      ]),
    },
  },
  {
    name: "commands of every form",
    text: '{"postStartCommand":"a","onCreateCommand":["b"],"postCreateCommand":{"x":["c"],"y":1},"updateContentCommand":5}',
    read: {},
  },
  { name: "half a character", text: '{"image":"\\ud800"}', read: { image: "\uFFFD" } },
])("$name", ({ text, read }) => {
  expect(parseSpecification(text, FILE)).toEqual({ ...EMPTY, ...read });
});

describe("refused, with the line", () => {
  test.each<{ readonly name: string; readonly text: string; readonly words: RegExp; readonly line: number }>([
    { name: "a missing bracket", text: '{\n"image": "a"', words: /cannot be read/, line: 2 },
    { name: "nothing at all", text: "", words: /cannot be read/, line: 1 },
    { name: "a byte order mark", text: "\uFEFF{}", words: /cannot be read/, line: 1 },
    { name: "a list", text: "[]", words: /else than an object/, line: 1 },
    { name: "a number for the image", text: '{\n\n"image": 5}', words: /else than a text as image/, line: 3 },
    { name: "a number for a build arg", text: '{"build":{"args":{\n"A":1}}}', words: /build\.args\.A/, line: 2 },
    { name: "a text for build", text: '{"build":"x"}', words: /object as build/, line: 1 },
    { name: "a list for build.target", text: '{"build":{"target":[]}}', words: /build\.target/, line: 1 },
    { name: "a number in containerEnv", text: '{"containerEnv":{"A":1}}', words: /containerEnv\.A/, line: 1 },
    { name: "two spellings of one name", text: '{"image":"a",\n"Image":"b"}', words: /names Image twice/, line: 2 },
    { name: "an empty command", text: '{"postStartCommand":[]}', words: /postStartCommand/, line: 1 },
    { name: "a number in a command", text: '{"onCreateCommand":{"a":["x",1]}}', words: /onCreateCommand/, line: 1 },
    { name: "brackets without end", text: "[".repeat(100_000), words: /nested/, line: 1 },
  ])("$name", async ({ text, words, line }) => {
    const { code, message, at } = await refusalOf(() => parseSpecification(text, FILE));
    expect([code, message, at]).toEqual(["E_CONFIG", expect.stringMatching(words), { file: FILE, line }]);
  });
});

test("nothing is thrown that is not ours", () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), fc.stringMatching(/^[{}[\]",:a-e0-2/* \n]*$/)), (text) => {
      try {
        parseSpecification(text, FILE);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(ActionError);
      }
    }),
  );
});
