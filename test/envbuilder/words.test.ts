import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { cleanPath } from "../../src/dockerfile/go-path.ts";
import { readIgnored } from "../../src/envbuilder/ignored.ts";
import { readInstructions } from "../../src/envbuilder/instruction.ts";
import { cutVariable, expandPath, openWords } from "../../src/envbuilder/words.ts";
import { ActionError } from "../../src/errors.ts";

const AT = { file: "Dockerfile", line: 1 };

/** What the very packages that kaniko has answered to made-up texts: BuildKit 0.16's parser and lexer, patternmatcher 0.6.0. */
type Row =
  | {
      readonly kind: "parse";
      readonly text: string;
      readonly answer: Refused | { readonly commands: readonly object[] };
    }
  | {
      readonly kind: "word";
      readonly text: string;
      readonly env: readonly string[];
      readonly answer: Refused | { readonly text: string };
    }
  | {
      readonly kind: "ignore";
      readonly text: string;
      readonly paths: readonly string[];
      readonly answer: { readonly ignored: readonly string[] };
    };
type Refused = { readonly refused: true };

const rows: readonly Row[] = JSON.parse(readFileSync("test/fixtures/kaniko-words.json", "utf8"));

function rowsOf<K extends Row["kind"]>(kind: K): readonly [string, Extract<Row, { kind: K }>][] {
  return rows.flatMap((row) =>
    row.kind === kind ? [[JSON.stringify(row.text), row as Extract<Row, { kind: K }>]] : [],
  );
}

function answerOf<T>(read: () => T): T | Refused {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof ActionError && ["E_DOCKERFILE", "E_UNKNOWN"].includes(thrown.code)) return { refused: true };
    throw thrown;
  }
}

describe("Dockerfiles are read as kaniko's parser reads them", () => {
  test.each(rowsOf("parse"))("%s", (_text, { text, answer }) => {
    const read = answerOf(() =>
      readInstructions(text, "Dockerfile").map(({ name, text: whole, command }) =>
        command.kind === "from" ? command : { name, text: whole, ...command },
      ),
    );
    if ("refused" in answer || "refused" in read) return expect(read).toEqual(answer);
    expect(read.map(comparable)).toEqual(answer.commands.map(comparable));
  });

  /** Ports are sorted, what volumes are called was not recorded; of a shell's empty command Go has no word at all. What ADD takes is read as for COPY, and was not recorded. */
  function comparable(command: object): object {
    type Any = { readonly kind?: string; readonly words?: readonly string[]; readonly heredocs?: number };
    const { words, heredocs: _none, ...rest } = command as Any;
    if (rest.kind === "add") return { ...rest, sources: undefined, target: undefined };
    if (words === undefined || rest.kind === "volume") return rest;
    return { ...rest, words: rest.kind === "expose" ? [...words].sort() : words.join("\n") };
  }
});

describe("words are expanded as kaniko's lexer does", () => {
  test.each(rowsOf("word"))("%s", (_text, { text, env, answer }) => {
    expect(answerOf(() => ({ text: openWords(env, AT)(text) }))).toEqual(answer);
  });

  test.each([
    ["automatic arguments do not exist", "$TARGETARCH-${BUILDPLATFORM}", [], "-"],
    ["the last of two equal names", "$A", ["A=1", "A=2"], "2"],
    ["a default", "${A:-x y}${B-z}", ["A="], "x yz"],
    ["an alternative", "${A:+x}${A+y}", ["A="], "y"],
    ["prefixes and suffixes", "${A#*.}${A##*.}${A%.*}${A%%.*}", ["A=a.b.c"], "b.cca.ba"],
    ["replacements", "${A/b/x}${A//b/x}", ["A=bab"], "xabxax"],
    ["single quotes are plain", "'$A'\\ \"$A\"", ["A=1"], "$A 1"],
    ["positions and special parameters are empty", "$1$@$*", [], ""],
  ])("%s", (_name, word, env, text) => {
    expect(openWords(env, AT)(word)).toBe(text);
  });

  test("variables that grow without end are refused, and soon", () => {
    const env = [`A=${"a".repeat(100_000)}`];
    expect(() => openWords(env, AT)("$A$A$A")).toThrow(/cannot be told/);
    expect(openWords(env, AT)("$A$A")).toHaveLength(200_000);
  });
});

describe("paths are cleaned, but for a slash at their end", () => {
  test.each([
    ["a//b/", "a/b/"],
    ["/", "/"],
    ["./", "./"],
    ["", "."],
    ["$A/../c", "c"],
    ["a:b", "a:b"],
  ])("%j is %j", (word, path) => {
    expect(expandPath(word, openWords(["A=x"], AT), AT)).toBe(path);
  });

  test("an address is refused", () => {
    expect(() => expandPath("$A", openWords(["A=https://x.test/a"], AT), AT)).toThrow(/address/);
  });
});

describe("files are ignored as kaniko's matcher does", () => {
  test.each(rowsOf("ignore"))("%s", (_text, { text, paths, answer }) => {
    const ignored = answerOf(() => {
      const { isIgnored } = readIgnored({ text, file: ".dockerignore" });
      return paths.filter((path) => isIgnored(cleanPath(path)));
    });
    // A pattern that cannot be told is nobody's guess.
    if (!("refused" in ignored)) expect(ignored).toEqual(answer.ignored);
  });

  const isIgnored = (text: string, path: string) => readIgnored({ text, file: ".dockerignore" }).isIgnored(path);

  test.each([
    ["one parent alone is looked at", "**/foo", "a/b/foo/x", false],
    ["the parent with as many names", "**/foo", "a/foo/x/y", true],
    ["all below a name", "a", "a/b/c", true],
    ["brought back", "*\n!a", "a", false],
    ["brought back and taken again", "*\n!a\na", "a", true],
    ["the context itself never", "*", ".", false],
    ["one wrong pattern takes all of them away", "a\n[", "a", false],
    ["a mark alone does too", "a\n!", "a", false],
    ["a comment is none with a blank in front", " #a", "#a", true],
    ["absolute paths have an empty first name", "*", "/.envbuilder/0/a", true],
  ])("%s", (_name, text, path, ignored) => {
    expect(isIgnored(text, path)).toBe(ignored);
  });

  test("a folder is wholly ignored only where nothing in it can be otherwise", () => {
    const wholly = (text: string, folder: string) =>
      readIgnored({ text, file: ".dockerignore" }).isWhollyIgnored(folder);
    expect(wholly("a", "a")).toBe(true);
    expect(wholly("a", "a/b")).toBe(true);
    expect(wholly("**/foo", "a/b/foo")).toBe(false);
    expect(wholly("a\n!a/b", "a")).toBe(false);
    expect(wholly("*", ".")).toBe(false);
  });
});

test("a name and a value are cut at the first equals sign", () => {
  expect(["A=b=c", "A", "=a"].map(cutVariable)).toEqual([
    ["A", "b=c"],
    ["A", ""],
    ["", "a"],
  ]);
});
