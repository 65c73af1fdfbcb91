import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PathMap } from "../../src/devcontainer/json.ts";
import { lineOf, parseConfiguration, placeOf } from "../../src/devcontainer/parse.ts";
import { refusalOf } from "./refusal.ts";

const FILE = ".devcontainer/devcontainer.json";

function linesIn({ value, below }: PathMap<number>): readonly number[] {
  return [...(value === undefined ? [] : [value]), ...[...(below?.values() ?? [])].flatMap(linesIn)];
}
const parse = (text: string) => parseConfiguration(text, FILE);

type Row = { name: string; text: string; raw: unknown; warned?: readonly string[] };

describe("a configuration is read", () => {
  const rows: readonly Row[] = [
    { name: "plain JSON", text: '{"image": "a"}', raw: { image: "a" } },
    { name: "comments", text: '// x\n{/* y */ "image": "a" // z\n}', raw: { image: "a" } },
    { name: "trailing commas", text: '{"capAdd": ["a",],}', raw: { capAdd: ["a"] } },
    { name: "a byte order mark", text: '\uFEFF{"image": "a"}', raw: { image: "a" } },
    { name: "line ends of Windows", text: '{\r\n"image": "a"\r\n}\r\n', raw: { image: "a" } },
    { name: "of a repeated name the last", text: '{"image": "a", "image": "b"}', raw: { image: "b" } },
    {
      name: "a missing comma",
      text: '{\n"image": "a"\n"init": true}',
      raw: { image: "a", init: true },
      warned: ["A comma is missing; read over, as the reference implementation does (3)"],
    },
    {
      name: "a missing last brace",
      text: '{\n"image": "a"\n',
      raw: { image: "a" },
      warned: ["A closing } is missing; read over, as the reference implementation does (3)"],
    },
    {
      name: "single quotes lose the property",
      text: "{\n'image': 'a'\n}",
      raw: {},
      warned: [
        "Something here is neither a value nor a name in double quotes; read over, as the reference implementation does (2)",
        "A value is missing; read over, as the reference implementation does (3)",
      ],
    },
    {
      name: "of several errors in a line the first is told",
      text: '{"image" "a", "init": true "name": "x"}',
      raw: { init: true, name: "x" },
      warned: ["A colon is missing; read over, as the reference implementation does (1)"],
    },
    {
      name: "something after the end",
      text: '{"image": "a"}\n{"image": "b"}',
      raw: { image: "a" },
      warned: [
        "There is something after the end of the configuration; read over, as the reference implementation does (2)",
      ],
    },
  ];
  it.each(rows)("$name", ({ text, raw, warned = [] }) => {
    const configuration = parse(text);
    expect(configuration.raw).toEqual(raw);
    expect(configuration.warnings.map(({ text, at }) => `${text} (${at.line})`)).toEqual(warned);
    expect(configuration.file).toBe(FILE);
  });
});

type Refused = { name: string; text: string; what: string; line?: number };

describe("a configuration is refused", () => {
  const rows: readonly Refused[] = [
    { name: "empty", text: "", what: `${FILE} is empty.` },
    { name: "nothing but space", text: "\uFEFF \n", what: `${FILE} is empty.` },
    { name: "nothing but a comment", text: "// later", what: `${FILE} does not hold a JSON object.`, line: 1 },
    { name: "a list", text: '[{"image": "a"}]', what: `${FILE} does not hold a JSON object.`, line: 1 },
    { name: "a text", text: '"image"', what: `${FILE} does not hold a JSON object.`, line: 1 },
    { name: "null", text: "null", what: `${FILE} does not hold a JSON object.`, line: 1 },
    {
      name: "nested beyond reason",
      text: `{"a":\n${'[{"b":'.repeat(100_000)}`,
      what: `${FILE} is nested more than 200 levels deep.`,
      line: 2,
    },
  ];
  it.each(rows)("$name", async ({ text, what, line }) => {
    const error = await refusalOf(() => parse(text));
    expect(error.code).toBe("E_CONFIG");
    expect(error.message).toBe(what);
    expect(error.at).toEqual(line === undefined ? { file: FILE } : { file: FILE, line });
  });
});

describe("old properties", () => {
  const vscode = (value: unknown) => ({ customizations: { vscode: value } });
  it.each([
    { name: "extensions", text: '{"extensions": ["a"]}', raw: vscode({ extensions: ["a"] }) },
    { name: "settings", text: '{"settings": {"a": 1}}', raw: vscode({ settings: { a: 1 } }) },
    { name: "devPort", text: '{"devPort": 0}', raw: vscode({ devPort: 0 }) },
    {
      name: "extensions are put behind the new ones",
      text: '{"extensions": ["a"], "customizations": {"vscode": {"extensions": ["b"]}}}',
      raw: vscode({ extensions: ["b", "a"] }),
    },
    {
      name: "new settings win",
      text: '{"settings": {"a": 1, "b": 1}, "customizations": {"vscode": {"settings": {"a": 2}}}}',
      raw: vscode({ settings: { a: 2, b: 1 } }),
    },
    {
      name: "a new devPort wins",
      text: '{"devPort": 1, "customizations": {"vscode": {"devPort": 2}}}',
      raw: vscode({ devPort: 2 }),
    },
    {
      name: "other tools' customizations stay",
      text: '{"settings": {}, "customizations": {"x": 1}}',
      raw: { customizations: { x: 1, vscode: { settings: {} } } },
    },
    { name: "no old property, nothing moves", text: '{"customizations": 7}', raw: { customizations: 7 } },
  ])("$name", ({ text, raw }) => {
    expect(parse(text).raw).toEqual(raw);
  });

  it.each([
    ['{"extensions": ["a"], "customizations": "x"}', "customizations"],
    ['{"extensions": ["a"], "customizations": {"vscode": "x"}}', "customizations.vscode"],
  ])("%s has no place for them", async (text, name) => {
    const error = await refusalOf(() => parse(text));
    expect(error).toMatchObject({ code: "E_CONFIG", message: `${name} in ${FILE} is not an object.` });
  });
});

describe("positions", () => {
  const configuration = parse(
    `{
  "build": {
    "args": { "A": "1",
      "B/C": "2" },
    "cacheFrom": [
      "x", "y",
      { "z": 1 }
    ],
    "args": {
      "D": "3"
    }
  },
  "settings": {}
}`,
  );
  it.each([
    { path: ["build"], line: 2 },
    { path: ["build", "args"], line: 9, why: "the last of a repeated name counts" },
    { path: ["build", "args", "D"], line: 10 },
    { path: ["build", "args", "B/C"], line: 4, why: "a slash in a name is no step" },
    { path: ["build", "cacheFrom", 1], line: 6 },
    { path: ["build", "cacheFrom", 2, "z"], line: 7 },
    { path: ["build", "target"], line: 2, why: "what is not written is looked for around it" },
    { path: ["customizations", "vscode", "settings", "a"], line: 13, why: "where the old property stands" },
    { path: ["image"], line: undefined },
    { path: [], line: undefined },
  ])("$path $why", ({ path, line }) => {
    expect(lineOf(configuration, path)).toBe(line);
    expect(placeOf(configuration, path)).toEqual(line === undefined ? { file: FILE } : { file: FILE, line });
  });
});

describe("any text", () => {
  const shred = fc
    .tuple(
      fc.json({ maxDepth: 4 }),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom("", "{", "}", "[", "]", '"', ":", ",", "//", "\\", "\n"))),
    )
    .map(([text, cuts]) =>
      cuts.reduce((t, [at, put]) => t.slice(0, at % (t.length + 1)) + put + t.slice((at % (t.length + 1)) + 1), text),
    );
  it("is read or refused, never more", async () => {
    const texts = fc.oneof(
      shred,
      shred.map((text) => `{"a": ${text}`),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const lines = text.split(/\r\n|\r|\n/).length;
        try {
          const { lines: positions, warnings } = parse(text);
          for (const line of [...linesIn(positions), ...warnings.map(({ at }) => at.line)])
            expect(line).toSatisfy((at: number) => at >= 1 && at <= lines);
        } catch (thrown) {
          const error = await refusalOf(() => {
            throw thrown;
          });
          expect(error.code).toBe("E_CONFIG");
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("that is JSON is read as JSON", () => {
    const json = fc.dictionary(
      fc.string().filter((name) => name !== "__proto__"),
      fc.jsonValue({ maxDepth: 3 }),
    );
    const current = json.filter((object) => !object.extensions && !object.settings && object.devPort === undefined);
    const withoutPrototypes = current.filter((object) => !JSON.stringify(object).includes("__proto__"));
    fc.assert(
      fc.property(withoutPrototypes, (object) => {
        const text = JSON.stringify(object, undefined, 1);
        expect(parse(text)).toMatchObject({ raw: JSON.parse(text), warnings: [] });
      }),
    );
  });
});
