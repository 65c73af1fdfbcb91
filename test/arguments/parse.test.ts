import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Argument } from "../../src/arguments/argument.ts";
import { type ParsedArguments, parseArgumentFile, parseArgumentInput } from "../../src/arguments/parse.ts";
import { ActionError } from "../../src/errors.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

const FILE = "conf/args.conf";
const fromEnvironment = (name: string): [string, undefined] => [name, undefined];
const pairs = ({ entries }: ParsedArguments) =>
  entries.map(({ name, value }: Argument) => [name, value.kind === "text" ? value.text : undefined]);

describe("a line of a file", () => {
  test.each<{ readonly name: string; readonly text: string; readonly given: readonly unknown[] }>([
    { name: "key and value", text: "A=1", given: [["A", "1"]] },
    { name: "nothing at all", text: "", given: [] },
    { name: "an empty line and one of blanks", text: "\n  \t \nA=1\n\n", given: [["A", "1"]] },
    { name: "a comment, also indented", text: "# c\n  # A=1\n\t#", given: [] },
    { name: "a # inside a value", text: "A=v # no comment", given: [["A", "v # no comment"]] },
    {
      name: "a colour and an address",
      text: "C=#fff\nU=https://x/#y",
      given: [
        ["C", "#fff"],
        ["U", "https://x/#y"],
      ],
    },
    { name: "blanks inside a value", text: "A=a  b", given: [["A", "a  b"]] },
    { name: "blanks around", text: "  A = v\t ", given: [["A", "v"]] },
    { name: "blanks kept by quotation marks", text: "A='  v '", given: [["A", "  v "]] },
    { name: "an empty value", text: "A=", given: [["A", ""]] },
    { name: "an empty value in quotation marks", text: 'A=""', given: [["A", ""]] },
    { name: "more equals signs", text: "A=b=c==", given: [["A", "b=c=="]] },
    { name: "double quotation marks", text: 'A="x y"', given: [["A", "x y"]] },
    { name: "single quotation marks", text: "A='x y'", given: [["A", "x y"]] },
    { name: "only one pair is taken off", text: `A=""x""`, given: [["A", '"x"']] },
    { name: "different quotation marks", text: `A="x'`, given: [["A", `"x'`]] },
    { name: "quotation marks inside", text: `A=say "hi" to it's`, given: [["A", `say "hi" to it's`]] },
    { name: "JSON in quotation marks", text: `A='{"a":1}'`, given: [["A", '{"a":1}']] },
    { name: "no variables, no escapes", text: "A=$HOME\\n${X}", given: [["A", "$HOME\\n${X}"]] },
    {
      name: "export",
      text: "export A=1\nexport\tB=2\nexport   C",
      given: [["A", "1"], ["B", "2"], fromEnvironment("C")],
    },
    {
      name: "a key that is called export",
      text: "export=1\nexport = 2\nexport",
      given: [["export", "1"], ["export", "2"], fromEnvironment("export")],
    },
    { name: "a key alone", text: "A", given: [fromEnvironment("A")] },
    { name: "underscore and digits", text: "_a1=x", given: [["_a1", "x"]] },
    {
      name: "a name that objects have",
      text: "__proto__=1\nconstructor",
      given: [["__proto__", "1"], fromEnvironment("constructor")],
    },
    {
      name: "CRLF",
      text: "A=1\r\nB=2\r\n",
      given: [
        ["A", "1"],
        ["B", "2"],
      ],
    },
    {
      name: "CRLF without an end",
      text: "A=1\r\nB=2\r",
      given: [
        ["A", "1"],
        ["B", "2"],
      ],
    },
    { name: "a byte order mark", text: "\uFEFFA=1", given: [["A", "1"]] },
    { name: "a byte order mark before a comment", text: "\uFEFF# c\nA=1", given: [["A", "1"]] },
    {
      name: "the same again: both are told, for the last may have no value",
      text: "A=1\nA",
      given: [["A", "1"], fromEnvironment("A")],
    },
    { name: "letters of other alphabets in a value", text: "A=größe→✓", given: [["A", "größe→✓"]] },
  ])("$name", ({ text, given }) => {
    expect(pairs(parseArgumentFile(text, FILE))).toEqual(given);
  });

  test("every argument knows its line", () => {
    const { entries } = parseArgumentFile("# c\nA=1\n\nB", FILE);
    expect(entries.map(({ name, origin }) => [name, origin])).toEqual([
      ["A", { kind: "file", at: { file: FILE, line: 2 } }],
      ["B", { kind: "file", at: { file: FILE, line: 4 } }],
    ]);
  });

  test("a line may be as long as it likes", () => {
    const value = `${" ".repeat(200_000)}x`;
    expect(pairs(parseArgumentFile(`A='${value}'`, FILE))).toEqual([["A", value]]);
  });
});

describe("notices of a file", () => {
  test.each([
    { name: "a quotation mark in front only", text: 'A="x', words: /A has a quotation mark on one side only/, line: 1 },
    { name: "a quotation mark behind only", text: "\nA=x'", words: /on one side only/, line: 2 },
    { name: "different ones", text: `A='x"`, words: /on one side only/, line: 1 },
    { name: "a single quotation mark", text: "A='", words: /on one side only/, line: 1 },
    {
      name: "a name that comes again",
      text: "A=1\nB=2\nA=3",
      words: /A is set twice here: the last value counts/,
      line: 3,
    },
  ])("$name", ({ text, words, line }) => {
    const { notices } = parseArgumentFile(text, FILE);
    expect(notices).toEqual([{ text: expect.stringMatching(words), at: { file: FILE, line } }]);
  });

  test.each(["A=it's", 'A=say "hi"', `A="x"`, "A=''", "A=", "A"])("none for %s", (text) => {
    expect(parseArgumentFile(text, FILE).notices).toEqual([]);
  });
});

describe("a line that is refused", () => {
  test.each([
    { name: "a blank in the key", line: "A B=hidden", words: /what stands before the = is not a key/ },
    { name: "no key", line: "=hidden", words: /nothing stands before the =/ },
    { name: "a list of YAML", line: "- A=hidden", words: /a dash stands before the key/ },
    { name: "the whole line in quotation marks", line: '"A=hidden"', words: /quotation mark stands before the key/ },
    { name: "a dot", line: "A.B=hidden", words: /not a key/ },
    { name: "a digit first", line: "1A=hidden", words: /not a key/ },
    { name: "letters of other alphabets", line: "Größe=hidden", words: /not a key/ },
    { name: "words", line: "hidden words", words: /it has no =/ },
    { name: "the next line of a long value", line: "MIIhidden+/", words: /it has no =/ },
    { name: "everything of the environment", line: "*", words: /a runner's environment holds secrets/ },
    { name: "a pattern", line: "W_*", words: /a runner's environment holds secrets/ },
    { name: "what linuxkit computes", line: "A=@lkt:pkg:hidden", words: /linuxkit computes/ },
    { name: "what linuxkit computes for many", line: "A_%=@lkt:pkgs:hidden", words: /linuxkit computes/ },
    { name: "a character 0", line: "A=hid\0den", words: /no text file has/ },
    { name: "a character 0 in a comment", line: "# \0", words: /no text file has/ },
    { name: "UTF-16", line: "\uFFFD\uFFFDA\0=\0", words: /no text file has/ },
    { name: "line ends of old Macs", line: "A=1\rB=2", words: /no text file has/ },
  ])("$name", async ({ line, words }) => {
    const error = await refusalOf(() => parseArgumentFile(`OK=1\n${line}`, FILE));
    expect(error.code).toBe("E_INPUT");
    expect(error.message).toMatch(words);
    expect(error.at).toEqual({ file: FILE, line: 2 });
    expect(error.fix).toBeTruthy();
    expect(`${error.message} ${error.fix}`).not.toContain("hidden");
  });
});

describe("the input build-args", () => {
  test("is read by the same rules", () => {
    const { entries, notices } = parseArgumentInput(`\n A = 'x y' \nB\nexport C=1\n`);
    expect(entries).toEqual([
      { name: "A", value: { kind: "text", text: "x y" }, origin: { kind: "input", line: 2 } },
      { name: "B", value: { kind: "environment" }, origin: { kind: "input", line: 3 } },
      { name: "C", value: { kind: "text", text: "1" }, origin: { kind: "input", line: 4 } },
    ]);
    expect(notices).toEqual([]);
  });

  test.each([
    {
      name: "comments",
      text: "A=1\n# c",
      words: /^Line 2 of the input build-args is not KEY=VALUE: comments are for files/,
    },
    {
      name: "a value of several lines",
      text: "A=-----BEGIN KEY\nhidden/x\n",
      words: /^Line 2 of the input build-args.*it has no =/,
    },
    { name: "what docker/build-push-action takes as CSV", text: '"A=1', words: /quotation mark stands before the key/ },
    { name: "the whole environment", text: "*", words: /^Line 1 of the input build-args passes on every variable/ },
  ])("refuses $name", async ({ text, words }) => {
    const error = await refusalOf(() => parseArgumentInput(text));
    expect(error).toMatchObject({ code: "E_INPUT", at: undefined, message: expect.stringMatching(words) });
    expect(error.fix).toBeTruthy();
    expect(error.message).not.toContain("hidden");
  });

  test("how a value of several lines is passed stands in the fix", async () => {
    const error = await refusalOf(() => parseArgumentInput("A=1\nB C"));
    expect(error.fix).toMatch(/variable of the step \(env:\), and write its name alone/);
  });
});

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/);
const value = fc
  .string({ unit: "grapheme" })
  .filter((text) => !/[\0\r\n\uFFFD]/.test(text) && !text.startsWith("@lkt:"));

test("what is written in quotation marks is read as it was", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value, fc.constantFrom("'", '"'))), (lines) => {
      const text = lines.map(([key, content, quote]) => `${key}=${quote}${content}${quote}`).join("\n");
      expect(pairs(parseArgumentFile(text, FILE))).toEqual(lines.map(([key, content]) => [key, content]));
    }),
  );
});

const scrap = fc.constantFrom(
  "A",
  "=",
  "'",
  '"',
  " ",
  "\t",
  "\n",
  "\r\n",
  "\r",
  "#",
  "export ",
  "*",
  "\0",
  "\uFEFF",
  "@lkt:",
  "B_1",
  "-",
);

test("whatever stands in a file: arguments with a name, or a message to a person", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(scrap).map((parts) => parts.join("")),
      ),
      (text) => {
        for (const parse of [(written: string) => parseArgumentFile(written, FILE), parseArgumentInput]) {
          try {
            for (const entry of parse(text).entries) expect(entry.name).toMatch(/^[A-Za-z_][A-Za-z0-9_]*$/);
          } catch (thrown) {
            if (!(thrown instanceof ActionError)) throw thrown;
            expect(thrown.code).toBe("E_INPUT");
          }
        }
      },
    ),
  );
});
