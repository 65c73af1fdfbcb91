import fc from "fast-check";
import { expect, test } from "vitest";
import { expandWord, type Lookup } from "../../src/dockerfile/expand.ts";
import { extendDockerfile, quoteWord } from "../../src/dockerfile/extend.ts";
import { parseDockerfile } from "../../src/dockerfile/parse.ts";
import { finalUser } from "../../src/dockerfile/user.ts";
import { ActionError } from "../../src/errors.ts";

const OURS = "FROM dev-container-cache-target\nUSER root\nRUN x\n";
const named = OURS.replace("dev-container-cache-target", "dev");

function extend(text: string, target?: string): { readonly text: string; readonly ownLines: number } {
  return extendDockerfile(text, parseDockerfile(text, "Dockerfile"), target, ["USER root", "RUN x"]);
}

test.each<[string, string, string]>([
  ["plain", "FROM a\n", "FROM a AS dev-container-cache-target\n"],
  ["without a line end", "FROM a", "FROM a AS dev-container-cache-target\n"],
  ["blanks behind", "FROM a \t \n", "FROM a AS dev-container-cache-target \t \n"],
  ["blanks in front", "  FROM a\n", "  FROM a AS dev-container-cache-target\n"],
  ["lower case", "from a\n", "from a AS dev-container-cache-target\n"],
  ["a line end of Windows", "FROM a\r\n", "FROM a AS dev-container-cache-target\r\n"],
  [
    "a platform",
    "FROM --platform=$BUILDPLATFORM a\n",
    "FROM --platform=$BUILDPLATFORM a AS dev-container-cache-target\n",
  ],
  ["a variable", "ARG V=1\nFROM a:${V}\n", "ARG V=1\nFROM a:${V} AS dev-container-cache-target\n"],
  ["quotes", 'FROM "a"\n', 'FROM "a" AS dev-container-cache-target\n'],
  ["two lines", "FROM \\\n  a\n", "FROM \\\n  a AS dev-container-cache-target\n"],
  [
    "the platform in a line of its own",
    "FROM --platform=x \\\n a\n",
    "FROM --platform=x \\\n a AS dev-container-cache-target\n",
  ],
  ["a comment and a blank line between", "FROM \\\n# c\n\n a\n", "FROM \\\n# c\n\n a AS dev-container-cache-target\n"],
  ["another escape character", "# escape=`\nFROM `\n a\n", "# escape=`\nFROM `\n a AS dev-container-cache-target\n"],
  [
    "a backslash that escapes nothing",
    "# escape=`\nFROM a\\\n",
    "# escape=`\nFROM a\\ AS dev-container-cache-target\n",
  ],
  ["instructions behind it", "FROM a\nRUN b\n", "FROM a AS dev-container-cache-target\nRUN b\n"],
  ["a comment behind it", "FROM a\n# c\n", "FROM a AS dev-container-cache-target\n"],
  ["a byte order mark", "\uFEFFFROM a\n", "\uFEFFFROM a AS dev-container-cache-target\n"],
])("FROM without a name gets one: %s", (_, text, own) => {
  expect(extend(text)).toEqual({ text: own + OURS, ownLines: own.split("\n").length - 1 });
});

test.each<[string, string, string | undefined, string]>([
  ["the last stage", "FROM a AS dev\nRUN b\n", undefined, "FROM a AS dev\nRUN b\n"],
  ["capital letters", "FROM a AS Dev\n", undefined, "FROM a AS Dev\n"],
  ["a target in the middle", "FROM a AS dev\nRUN b\nFROM dev AS c\nRUN d\n", "DEV", "FROM a AS dev\nRUN b\n"],
  ["the first of two", "FROM a AS dev\nFROM b AS c\n", "dev", "FROM a AS dev\n"],
  [
    "of two with one name the later one",
    "FROM a AS dev\nFROM b AS dev\nRUN c\n",
    "dev",
    "FROM a AS dev\nFROM b AS dev\nRUN c\n",
  ],
  ["a stage named like an image", "FROM dev AS dev\n", undefined, "FROM dev AS dev\n"],
  ["comments behind the target", "FROM a AS dev\n# b\n\n# c\nFROM d AS e\n", "dev", "FROM a AS dev\n"],
  [
    "comments inside the last instruction",
    "FROM a AS dev\nRUN b \\\n# c\n  d\n",
    undefined,
    "FROM a AS dev\nRUN b \\\n# c\n  d\n",
  ],
  ["a here-document at the end", "FROM a AS dev\nRUN <<E\nb\nE", undefined, "FROM a AS dev\nRUN <<E\nb\nE\n"],
  [
    "a here-document that opens another's FROM",
    "FROM a AS dev\nCOPY <<E /f\nFROM x\nE\nFROM b\n",
    "dev",
    "FROM a AS dev\nCOPY <<E /f\nFROM x\nE\n",
  ],
  ["an escaped escape character at the end", "FROM a AS dev\nRUN b\\\\\n", undefined, "FROM a AS dev\nRUN b\\\\\n"],
  [
    "directives",
    "# syntax=x\n# escape=`\nFROM a AS dev\nRUN b `\n c\n",
    undefined,
    "# syntax=x\n# escape=`\nFROM a AS dev\nRUN b `\n c\n",
  ],
])("a named stage is built on: %s", (_, text, target, own) => {
  expect(extend(text, target)).toEqual({ text: own + named, ownLines: own.split("\n").length - 1 });
});

test.each<[string, string, number]>([
  ["the last instruction", "FROM a AS dev\nRUN b \\", 2],
  ["the last instruction, with a line end", "FROM a AS dev\nRUN b \\\n", 2],
  ["with a blank line behind", "FROM a AS dev\nRUN b \\\n\n", 2],
  ["with a comment behind", "FROM a AS dev\nRUN b \\\n# c\n", 2],
  ["with another escape character", "# escape=`\nFROM a AS dev\nRUN b `\n", 3],
  ["FROM itself", "FROM a AS dev \\\n", 1],
  ["FROM without a name", "FROM a \\\n", 1],
  ["FROM without a name, with a comment behind", "FROM a \\\n# c\n", 1],
])("what does not end cannot be added to: %s", (_, text, line) => {
  let thrown: unknown;
  try {
    extend(text);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ActionError);
  expect(thrown).toMatchObject({ code: "E_DOCKERFILE", at: { file: "Dockerfile", line } });
  expect(String(thrown)).toMatch(/does not end/);
});

const UNSET: Lookup = () => ({ kind: "unset" });
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.constantFrom('"', "'", "\\", "`", "$", "{", "}", "A", " ", "\t", "#", "<", "é", "\u{1F600}") }),
);

test.each(["\\", "`"])("a quoted word stands for exactly its text, with the escape character %s", (escapeChar) => {
  fc.assert(
    fc.property(text, (value) => {
      const word = quoteWord(value, escapeChar, { live: false });
      expect(expandWord(word, UNSET, escapeChar)).toEqual({ kind: "text", text: value, used: [] });
    }),
    { numRuns: 2000 },
  );
});

test.each(["\\", "`"])(
  "variables in a live word are replaced, and nothing else, with the escape character %s",
  (escapeChar) => {
    const lookup: Lookup = (name) => (name === "A" ? { kind: "value", value: "<a>" } : { kind: "unset" });
    const part = fc.oneof(
      fc.constant("${A}"),
      text.map((value) => value.replaceAll("$", "")),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const value = parts.join("");
        const expected = value.replaceAll("${A}", "<a>");
        expect(expandWord(quoteWord(value, escapeChar, { live: true }), lookup, escapeChar)).toMatchObject({
          text: expected,
        });
      }),
    );
  },
);

test.each(["\\", "`"])(
  "a quoted value is one in ENV and USER of a whole file, with the escape character %s",
  (escapeChar) => {
    const value = text.filter((written) => written !== "" && !/[\r\n]/.test(written));
    fc.assert(
      fc.property(value, (written) => {
        const word = quoteWord(written, escapeChar, { live: false });
        const read = (lines: string) =>
          finalUser(
            parseDockerfile(`# escape=${escapeChar}\nFROM scratch\n${lines}\nENV LAST=1\n`, "Dockerfile"),
            undefined,
            { args: new Map(), platform: undefined },
            { user: "", env: {}, triggers: [] },
          );
        expect(read(`USER ${word}`)).toEqual({ kind: "user", user: written });
        expect(read(`ENV A=${word} B=2\nUSER $A`)).toEqual({ kind: "user", user: written });
      }),
      { numRuns: 1000 },
    );
  },
);

const piece = fc.constantFrom(
  "FROM a",
  "FROM \\",
  " a",
  "FROM a AS dev",
  "RUN b \\",
  "  c",
  "# d",
  "",
  "COPY <<EOF /x",
  "EOF",
  "RUN b\r",
  "RUN b \\\\",
  "\\",
);

test("whatever can be read and ends is followed by one more stage, and by nothing else", () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.boolean(), (pieces, endsWithLine) => {
      const written = `${["FROM a", ...pieces].join("\n")}${endsWithLine ? "\n" : ""}`;
      const before = readable(written);
      const longer = before && extended(written);
      if (!before || longer === undefined) return;
      const after = parseDockerfile(longer, "Dockerfile");
      expect(after.stages).toHaveLength(before.stages.length + 1);
      expect(after.stages.at(-1)).toMatchObject({
        from: { base: before.stages.at(-1)?.name ?? "dev-container-cache-target" },
        instructions: [{ keyword: "USER" }, { keyword: "RUN" }],
      });
      const kept = (stages: typeof before.stages) =>
        stages.map(({ from, instructions }) => [from.base, ...instructions.map(({ rest }) => rest)]);
      expect(kept(after.stages.slice(0, -1))).toEqual(kept(before.stages));
    }),
    { numRuns: 2000 },
  );
});

function readable(written: string): ReturnType<typeof parseDockerfile> | undefined {
  try {
    return parseDockerfile(written, "Dockerfile");
  } catch {
    return undefined;
  }
}

function extended(written: string): string | undefined {
  try {
    return extend(written).text;
  } catch (error) {
    expect(error).toBeInstanceOf(ActionError);
    return undefined;
  }
}
