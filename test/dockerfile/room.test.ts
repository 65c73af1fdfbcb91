import fc from "fast-check";
import { expect, test } from "vitest";
import { parseIgnoreFile } from "../../src/dockerfile/ignore.ts";
import { instructionText, parseDockerfile } from "../../src/dockerfile/parse.ts";
import { reachableStages, usedGlobalArgs } from "../../src/dockerfile/reach.ts";
import { canReach, contextReads, onbuildReads, requiredFiles } from "../../src/dockerfile/reads.ts";
import {
  declaredArgs,
  finalBase,
  imageUses,
  neededStages,
  remoteAdds,
  type Scope,
  targetStage,
} from "../../src/dockerfile/stages.ts";
import { ActionError } from "../../src/errors.ts";
import { startCpuTime } from "../cpu-time.ts";

// What each row expects is written by hand, from what BuildKit does with such a file.

const parse = (text: string) => parseDockerfile(text, "Dockerfile");
const scope = (args: Readonly<Record<string, string>> = {}): Scope => ({
  args: new Map(Object.entries(args)),
  platform: { os: "linux", architecture: "arm64" },
});
const texts = (text: string): string[] =>
  parse(text).stages.flatMap(({ from, instructions }) => [from, ...instructions].map(instructionText));

test.each<[string, string, readonly string[]]>([
  ["comments and blank lines are gone", "# c\n\nFROM a\n  # c\nRUN b\n", ["FROM a", "RUN b"]],
  ["continuations are joined", "FROM a\nRUN b && \\\n  c\n", ["FROM a", "RUN b &&   c"]],
  ["comments and blank lines inside an instruction", "FROM a\nRUN b \\\n# c\n\n  d\n", ["FROM a", "RUN b   d"]],
  ["blanks behind the escape character", "FROM a\nRUN b \\  \n c\n", ["FROM a", "RUN b  c"]],
  ["another escape character", "# escape=`\nFROM a\nRUN b `\n c \\\nRUN d\n", ["FROM a", "RUN b  c \\", "RUN d"]],
  ["# in the middle of a line is no comment", "FROM a\nRUN echo # b\n", ["FROM a", "RUN echo # b"]],
  ["keywords in any case", "from a\nrUn b\n", ["FROM a", "RUN b"]],
  ["CRLF and a byte order mark", "\uFEFFFROM a\r\nRUN b\r\n", ["FROM a", "RUN b"]],
  ["unknown instructions and flags are kept", "FROM a\nMAGIC --new=1 x\n", ["FROM a", "MAGIC --new=1 x"]],
])("lexed: %s", (_, text, expected) => {
  expect(texts(text)).toEqual(expected);
});

test("names are folded as Go folds them, letter by letter", () => {
  const names = (text: string) => neededStages(parse(text), undefined, scope()).map(({ name }) => name);
  expect(names("FROM a AS \u0130\nFROM b AS last\nCOPY --from=i x y\n")).toEqual(["last", "i"]);
});

test("a here-document belongs to its instruction, and what looks like an instruction in it is none", () => {
  const dockerfile = parse("FROM a\nRUN <<EOF\nUSER root\n# kept\nFROM x\nEOF\nUSER b\n");
  expect(dockerfile.stages).toHaveLength(1);
  expect(dockerfile.stages[0]?.instructions.map(({ keyword, line }) => [keyword, line])).toEqual([
    ["RUN", 2],
    ["USER", 7],
  ]);
  expect(dockerfile.stages[0]?.instructions[0]?.heredocs).toMatchObject([
    { name: "EOF", expand: true, body: "USER root\n# kept\nFROM x\n" },
  ]);
});

test.each([
  ["nothing", "", /FROM/],
  ["no FROM", "ARG A\n", /FROM/],
  ["an instruction before FROM", "RUN a\nFROM b\n", /RUN/],
  ["a here-document without an end", "FROM a\nRUN <<EOF\nb\n", /EOF/],
  ["FROM with too many words", "FROM a b c d\n", /FROM/],
])("refused: %s", (_, text, words) => {
  expect(() => parse(text)).toThrow(ActionError);
  expect(() => parse(text)).toThrow(words);
});

type Uses = readonly (readonly [by: string, reference: string | undefined, platform: string])[];
test.each<[string, string, Readonly<Record<string, string>>, Uses]>([
  ["a stage named like its base", "FROM node AS node\nRUN x\nFROM node\n", {}, [["FROM", "node", "target"]]],
  ["scratch is no image", "FROM scratch\n", {}, []],
  ["an ARG with its default", "ARG V=1\nFROM a:$V\n", {}, [["FROM", "a:1", "target"]]],
  ["an ARG with a value", "ARG V=1\nFROM a:${V}\n", { V: "2" }, [["FROM", "a:2", "target"]]],
  ["a default in the word", "FROM a:${V:-3}\n", {}, [["FROM", "a:3", "target"]]],
  ["the builder's own platform", "FROM --platform=$BUILDPLATFORM a\n", {}, [["FROM", "a", "build"]]],
  ["the target's platform", "FROM --platform=$TARGETPLATFORM a\n", {}, [["FROM", "a", "target"]]],
  ["a platform that is written there", "FROM --platform=linux/amd64 a\n", {}, [["FROM", "a", "fixed"]]],
  ["the target's architecture in the name", "FROM a-$TARGETARCH\n", {}, [["FROM", "a-arm64", "target"]]],
  ["the builder's architecture in the name is not known", "FROM a-$BUILDARCH\n", {}, [["FROM", undefined, "target"]]],
  [
    "COPY --from an image",
    "FROM a\nCOPY --from=b:1 /x /x\n",
    {},
    [
      ["FROM", "a", "target"],
      ["COPY", "b:1", "target"],
    ],
  ],
  [
    "COPY --from a stage, by name and by number",
    "FROM a AS One\nFROM b\nCOPY --from=one /x /x\nCOPY --from=0 /x /x\n",
    {},
    [
      ["FROM", "a", "target"],
      ["FROM", "b", "target"],
    ],
  ],
  [
    "a mount from an image",
    "FROM a\nRUN --mount=type=bind,from=b,target=/b x\n",
    {},
    [
      ["FROM", "a", "target"],
      ["RUN --mount", "b", "target"],
    ],
  ],
])("images: %s", (_, text, args, expected) => {
  const dockerfile = parse(text);
  const uses = imageUses(dockerfile, dockerfile.stages, scope(args)).map(({ by, reference, platform }) => [
    by,
    reference,
    platform.kind,
  ]);
  expect(uses).toEqual(expected);
});

test("stages: the target, what it needs, and what it stands on", () => {
  const dockerfile = parse(
    "FROM base AS one\nFROM one AS two\nFROM other AS tools\nFROM two AS dev\nCOPY --from=tools /a /a\nFROM base AS unused\n",
  );
  expect(targetStage(dockerfile, "DEV").index).toBe(3);
  expect(targetStage(dockerfile, undefined).name).toBe("unused");
  expect(() => targetStage(dockerfile, "prod")).toThrow(/prod/);
  for (const stages of [neededStages, reachableStages])
    expect(
      stages(dockerfile, "dev", scope())
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["dev", "one", "tools", "two"]);
  expect(finalBase(dockerfile, "dev", scope())).toMatchObject({ written: "base", line: 1 });
  expect(finalBase(parse("FROM scratch\n"), undefined, scope())).toBeUndefined();
});

test("declared args, wherever they are declared", () => {
  expect([...declaredArgs(parse('ARG A=1 B="x y"\nFROM a\nARG C\nARG A\n')).keys()].sort()).toEqual(["A", "B", "C"]);
});

test.each<[string, string, readonly (string | undefined)[]]>([
  ["several sources", "COPY a b/ c* /x\n", ["a", "b/", "c*"]],
  ["JSON", 'COPY ["a b", "/x"]\n', ["a b"]],
  ["from a stage nothing", "COPY --from=b a /x\n", []],
  ["a known variable", "ARG D=dir\nCOPY $D /x\n", ["dir"]],
  ["a variable that the base may set", "COPY $UNKNOWN /x\n", [undefined]],
  ["a bind mount, the whole context by default", "RUN --mount=type=bind,target=/m x\n", [""]],
  ["a bind mount of a folder", "RUN --mount=source=src,target=/m x\n", ["src"]],
  ["a cache mount nothing", "RUN --mount=type=cache,target=/m x\n", []],
  ["a here-document is no file", "COPY <<EOF a /x\nb\nEOF\n", ["a"]],
])("reads: %s", (_, instruction, expected) => {
  const dockerfile = parse(`FROM a\n${instruction}`);
  const sources = contextReads(dockerfile, dockerfile.stages, scope()).map(({ source }) => source);
  expect(sources).toEqual(expected);
});

test.each<[string | undefined, string, boolean]>([
  [".", ".git", true],
  ["", ".git", true],
  ["/", ".git", true],
  ["./", "a/.git", true],
  ["*", ".git", true],
  ["src", ".git", false],
  ["src", "src/.git", true],
  [".git/HEAD", ".git", true],
  ["a*/b", "abc/b/.git", true],
  ["a*/b", "abc/c/.git", false],
  [".g?t", ".git", true],
  [undefined, ".git", true],
])("a source %s reaches %s: %s", (source, path, expected) => {
  expect(canReach({ source }, path)).toBe(expected);
});

test("triggers of a base read as instructions do", () => {
  expect(onbuildReads(["COPY . /app", "RUN make"])).toMatchObject([{ source: ".", by: "ONBUILD COPY" }]);
});

test("files that have to be there, in stages that are needed", () => {
  const dockerfile = parse(
    "FROM a AS unused\nCOPY not-needed /\nFROM a\nCOPY one *.txt $WHO /x\nADD https://x.test/y /y\n",
  );
  expect(requiredFiles(dockerfile, undefined, scope())).toEqual([{ source: "one", line: 4, by: "COPY" }]);
});

test("what ADD fetches", () => {
  const dockerfile = parse(
    `FROM a\nADD https://x.test/y /y\nADD --checksum=sha256:${"a".repeat(64)} https://x.test/z /z\nADD git@github.com:a/b.git /b\nADD local /l\n`,
  );
  expect(
    remoteAdds(dockerfile, dockerfile.stages, scope()).map(({ line, checksum }) => [line, checksum !== undefined]),
  ).toEqual([
    [2, false],
    [3, true],
    [4, false],
  ]);
});

test.each<[string, string, boolean]>([
  ["an address", "https://x.test/y?a=b#c", true],
  ["plain http", "http://x.test", true],
  ["of a variable with a value", "https://x.test/$KNOWN", true],
  ["of a variable that only the base could set", "https://x.test/$WHO", false],
  ["git", "https://x.test/y.git", false],
  ["git with a ref", "https://x.test/y.git#main", false],
  ["git behind a percent sign", "https://x.test/y%2Egi%74", false],
  ["git to older builders", "https://x.test/y?z=.git", false],
  ["a path of steps, which readers take out", "https://x.test/a/../y", false],
  ["a backslash, which some readers turn round", "https://x.test\\\\@evil.test/y", false],
  ["capitals in the host", "https://X.test/y", false],
  ["a port that says nothing", "https://x.test:443/y", false],
  ["a number that stands for an address", "http://2130706433/y", false],
  ["a checksum that is not settled", "--checksum=$WHO https://x.test/y", false],
])("an address that all read alike: %s", (_, source, isOne) => {
  const dockerfile = parse(`FROM a\nARG KNOWN=v\nADD ${source} /y\n`);
  const [add] = remoteAdds(dockerfile, dockerfile.stages, scope());
  expect(add?.address).toBe(isOne ? source.replace("$KNOWN", "v") : undefined);
  expect(add?.checksum).toBeUndefined();
});

test.each<[string, string, string, boolean]>([
  ["a name", "a", "a", true],
  ["below an ignored folder", "a", "a/b/c", true],
  ["a name elsewhere", "a", "b/a", false],
  ["any depth", "**/a", "b/c/a", true],
  ["any depth, at the top too", "**/a", "a", true],
  ["one star stays in its folder", "*.txt", "b/a.txt", false],
  ["brought back", "a/*\n!a/b", "a/b", false],
  ["brought back and out again", "a/*\n!a/b\na/b", "a/b", true],
  ["a folder behind its file", "!a/b\na", "a/b", true],
  ["a folder brought back behind its file", "a/*.c\n!a", "a/x.c", false],
  ["a file behind its folder that came back", "!a\na/*.c", "a/x.c", true],
  ["a file deep in a folder that came back", "**/*.c\n!a", "a/b/c/x.c", false],
  ["a name that is as long as a path may be", "a".repeat(4096), "b", false],
  ["a slash in front", "/a", "a", true],
  ["a comment", "#a", "#a", false],
  ["blanks around", "  a  ", "a", true],
  ["special characters are themselves", "a+(b).txt", "a+(b).txt", true],
  ["a set", "[ab].txt", "b.txt", true],
  ["an escaped star", "\\*", "*", true],
  ["an escaped star is no star", "\\*", "b", false],
  ["the context itself cannot be left out", ".", "a", false],
])("ignored: %s", (_, file, path, expected) => {
  expect(parseIgnoreFile(file).isIgnored(path)).toBe(expected);
});

test.each(["[[:constructor:]]", "[[:__proto__:]]", "[[:none:]]"])("no class of characters: %s", (pattern) => {
  expect(() => parseIgnoreFile(pattern)).toThrow(/is no pattern/);
});

test("a pattern is no longer than a path", () => {
  expect(() => parseIgnoreFile(`a\n${"a".repeat(4097)}`)).toThrow(/more than 4096 characters/);
});

test("a folder is passed over only where nothing of it can come back", () => {
  expect(parseIgnoreFile("a").canPrune("a")).toBe(true);
  expect(parseIgnoreFile("a\n!a/b").canPrune("a")).toBe(false);
  expect(parseIgnoreFile("a\n!**/b").canPrune("a")).toBe(false);
  expect(parseIgnoreFile("b").canPrune("a")).toBe(false);
  expect(parseIgnoreFile("a\n!ab/c\n!a-b\n!b*").canPrune("a")).toBe(true);
  expect(parseIgnoreFile("a\n!a/b/*/c").canPrune("a/b/x")).toBe(false);
  expect(parseIgnoreFile("a\n!a/b*").canPrune("a/b/x")).toBe(false);
  expect(parseIgnoreFile("a\n!a/{1,2}").canPrune("a")).toBe(false);
});

const line = fc.constantFrom(
  "FROM a",
  "RUN b \\",
  "  c",
  "# d",
  "",
  "COPY <<EOF /x",
  "EOF",
  "ARG A=1",
  "ENV B=$A",
  "RUN --mount=type=bind x",
  '"',
  "\\",
  "ONBUILD RUN e",
  "FROM --platform=$X y AS z",
);

test("any text is a Dockerfile or an error of ours, and what it reads can be told", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(line, fc.string()), { maxLength: 12 }), (lines) => {
      try {
        const dockerfile = parse(lines.join("\n"));
        const stages = reachableStages(dockerfile, undefined, scope());
        imageUses(dockerfile, stages, scope());
        contextReads(dockerfile, stages, scope());
        remoteAdds(dockerfile, stages, scope());
        usedGlobalArgs(dockerfile, stages, []);
      } catch (error) {
        expect(error).toBeInstanceOf(ActionError);
      }
    }),
    { numRuns: 500 },
  );
});

test("comments, blank lines and line breaks between words change no instruction", () => {
  const word = fc.stringMatching(/^[a-z]{1,5}$/);
  fc.assert(
    fc.property(fc.array(fc.array(word, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 }), (runs) => {
      const plain = `FROM a\n${runs.map((words) => `RUN ${words.join(" ")}`).join("\n")}\n`;
      const broken = `# c\n\nFROM a\n${runs.map((words) => `# c\nRUN ${words.join(" \\\n# inside\n")}\n`).join("\n")}`;
      expect(texts(broken)).toEqual(texts(plain));
    }),
  );
});

test("hostile patterns take no time", () => {
  const spent = startCpuTime();
  expect(parseIgnoreFile(`${"a*".repeat(40)}b\n${"**/".repeat(20)}c`).isIgnored("a".repeat(200))).toBe(false);
  expect(spent()).toBeLessThan(1000);
});
