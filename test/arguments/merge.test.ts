import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Argument, NamePattern } from "../../src/arguments/argument.ts";
import { type Given, mergeArguments, parseNamePattern } from "../../src/arguments/merge.ts";
import { parseArgumentFile, parseArgumentInput } from "../../src/arguments/parse.ts";
import { ActionError } from "../../src/errors.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

const at = { file: ".devcontainer/devcontainer.json", line: 5 };
const configuration = (values: Readonly<Record<string, string>>): readonly Argument[] =>
  Object.entries(values).map(([name, text]) => ({
    name,
    value: { kind: "text", text },
    origin: { kind: "configuration", at },
  }));
const file = (text: string) => parseArgumentFile(text, "args.conf").entries;
const input = (text: string) => parseArgumentInput(text).entries;
const patterns = (...written: string[]): readonly NamePattern[] =>
  written.map((one) => {
    const pattern = parseNamePattern(one);
    if ("wrong" in pattern) throw new Error(pattern.wrong);
    return pattern;
  });

const docker = (values: Readonly<Record<string, string>>): readonly Argument[] =>
  Object.entries(values).map(([name, text]) => ({ name, value: { kind: "text", text }, origin: { kind: "docker" } }));

const NOTHING: Given = {
  machine: [],
  configuration: [],
  files: [],
  input: [],
  environment: {},
  ignore: [],
  declared: new Set(["A", "B", "C", "NPM_TOKEN"]),
  actsUndeclared: (name) => /^BUILDKIT_|^TARGETARCH$/.test(name),
  takesAll: () => false,
  dockerfile: "Dockerfile",
  withheld: () => undefined,
  isSecret: () => false,
};
const merge = (given: Partial<Given>) => mergeArguments({ ...NOTHING, ...given });
/** `!` behind a value: it does not count for the key; `?`: unless a base declares it. */
const told = (given: Partial<Given>) =>
  Object.fromEntries(
    [...merge(given).values].map(([name, { value, counts, isUndeclared }]) => [
      name,
      `${value}${counts ? "" : isUndeclared ? "?" : "!"}`,
    ]),
  );

describe("which value counts", () => {
  test.each<{
    readonly name: string;
    readonly given: Partial<Given>;
    readonly values: Readonly<Record<string, string>>;
  }>([
    { name: "none", given: {}, values: {} },
    { name: "devcontainer.json's", given: { configuration: configuration({ A: "1" }) }, values: { A: "1" } },
    {
      name: "a file's over devcontainer.json's",
      given: { configuration: configuration({ A: "1", B: "1" }), files: file("A=2") },
      values: { A: "2", B: "1" },
    },
    {
      name: "the input's over a file's",
      given: { files: file("A=2\nB=2"), input: input("A=3") },
      values: { A: "3", B: "2" },
    },
    {
      name: "the input's over all",
      given: { configuration: configuration({ A: "1" }), files: file("A=2"), input: input("A=3") },
      values: { A: "3" },
    },
    { name: "a later file's", given: { files: [...file("A=1\nB=1"), ...file("A=2")] }, values: { A: "2", B: "1" } },
    { name: "the last of a file", given: { files: file("A=1\nA=2") }, values: { A: "2" } },
    {
      name: "an empty one over another",
      given: { configuration: configuration({ A: "1" }), input: input("A=") },
      values: { A: "" },
    },
    { name: "the environment's", given: { input: input("A"), environment: { A: "env" } }, values: { A: "env" } },
    {
      name: "the environment's, of several lines",
      given: { input: input("A"), environment: { A: "x\ny" } },
      values: { A: "x\ny" },
    },
    {
      name: "the environment's when empty",
      given: { files: file("A=1"), input: input("A"), environment: { A: "" } },
      values: { A: "" },
    },
    {
      name: "an earlier one where the environment has none",
      given: { files: file("A=1\nA"), input: input("A") },
      values: { A: "1" },
    },
    {
      name: "none that only objects have",
      given: { input: input("constructor\n__proto__"), declared: new Set(["constructor", "__proto__"]) },
      values: {},
    },
    { name: "one that is not declared", given: { input: input("X=1\nA=1") }, values: { X: "1?", A: "1" } },
    {
      name: "one that is not declared, and ignored",
      given: { input: input("X=1"), ignore: patterns("X") },
      values: { X: "1!" },
    },
    {
      name: "those that act undeclared, whatever is ignored",
      given: { input: input("BUILDKIT_SYNTAX=x\nTARGETARCH=0"), ignore: patterns("*") },
      values: { BUILDKIT_SYNTAX: "x", TARGETARCH: "0" },
    },
    {
      name: "all of them, where the frontend takes all",
      given: { input: input("X=1\nA=1\nBUILDKIT_SYNTAX=own"), takesAll: (syntax) => syntax === "own" },
      values: { X: "1", A: "1", BUILDKIT_SYNTAX: "own" },
    },
    {
      name: "all of them but ignored ones, where the frontend takes all",
      given: { input: input("X=1\nY=1"), takesAll: (syntax) => syntax === undefined, ignore: patterns("Y") },
      values: { X: "1", Y: "1!" },
    },
    {
      name: "proxies, outside the key",
      given: { input: input("https_proxy=p\nNO_PROXY=n") },
      values: { https_proxy: "p?", NO_PROXY: "n?" },
    },
    {
      name: "a declared proxy of Docker's configuration, under whatever else says it",
      given: {
        machine: docker({ HTTP_PROXY: "d", HTTPS_PROXY: "d", NO_PROXY: "d" }),
        input: input("HTTP_PROXY=p"),
        declared: new Set(["HTTP_PROXY", "NO_PROXY"]),
      },
      values: { HTTP_PROXY: "p", NO_PROXY: "d" },
    },
    {
      name: "a declared proxy, in the key",
      given: { input: input("HTTP_PROXY=p"), declared: new Set(["HTTP_PROXY"]) },
      values: { HTTP_PROXY: "p" },
    },
    {
      name: "ignored ones, outside the key",
      given: { input: input("A=1\nB=2"), ignore: patterns("A") },
      values: { A: "1!", B: "2" },
    },
    {
      name: "ignored ones by pattern",
      given: { input: input("A=1\nB=2\nNPM_TOKEN=3"), ignore: patterns("[AB]", "NPM_*") },
      values: { A: "1!", B: "2!", NPM_TOKEN: "3!" },
    },
  ])("$name", ({ given, values }) => {
    expect(told(given)).toEqual(values);
  });

  test("sorted by name, whatever the order", () => {
    expect([...merge({ input: input("B=1\nC=1\nA=1") }).values.keys()]).toEqual(["A", "B", "C"]);
  });

  test("each knows where it was written", () => {
    const { values } = merge({
      configuration: configuration({ A: "1", C: "1" }),
      files: file("\nA=2"),
      input: input("B=3"),
    });
    expect([...values].map(([name, { origin }]) => [name, origin])).toEqual([
      ["A", { kind: "file", at: { file: "args.conf", line: 2 } }],
      ["B", { kind: "input", line: 1 }],
      ["C", { kind: "configuration", at }],
    ]);
  });
});

describe("warnings", () => {
  test.each<{ readonly name: string; readonly given: Partial<Given>; readonly words: RegExp; readonly line?: number }>([
    {
      name: "not declared",
      given: { files: file("\nFOO=1") },
      words: /FOO \(args.conf:2\) is not an ARG of Dockerfile: it does nothing, and does not count for the key$/,
      line: 2,
    },
    {
      name: "not declared, by the input",
      given: { input: input("FOO=1") },
      words: /FOO \(line 1 of the input build-args\) is not an ARG/,
    },
    {
      name: "no Dockerfile",
      given: { input: input("A=1"), declared: new Set(), dockerfile: undefined },
      words: /has no Dockerfile to go to/,
    },
    {
      name: "a variable that is not set",
      given: { files: file("A") },
      words: /A \(args.conf:1\) has no value: the step has no variable A/,
      line: 1,
    },
    {
      name: "the name of a secret",
      given: { files: file("NPM_TOKEN=x") },
      words: /NPM_TOKEN \(args.conf:1\) has the name of a secret.*build-secrets/,
      line: 1,
    },
    {
      name: "a comma for a line break",
      given: { input: input("A=1,B=2, C=3,D=4") },
      words: /A \(line 1 of the input build-args\) has a comma and B, C= in its value.*one on each line/,
    },
    {
      name: "a blank for a line break",
      given: { input: input("A=1 B=2 X=3 C=4") },
      words: /A \(line 1 of the input build-args\) has a blank and B, C= in its value.*one on each line/,
    },
    {
      name: "the same in a file",
      given: { files: file("A=1 B=2") },
      words: /A \(args.conf:1\) has a blank and B= in its value/,
      line: 1,
    },
    {
      name: "a mistyped name",
      given: { input: input("NPM_TOKNE=1\nA=1") },
      words: /^Build arg NPM_TOKNE .* does nothing, and does not count for the key\. Was NPM_TOKEN meant\?$/,
    },
    {
      name: "a token in a harmless name",
      given: { files: file(`A=x-ghp_${"a1".repeat(18)}`) },
      words: /^Build arg A \(args.conf:1\) holds what looks like a token of GitHub: .*build-secrets$/,
      line: 1,
    },
    {
      name: "a token in the name of one, told once",
      given: { input: input(`NPM_TOKEN=npm_${"a1".repeat(18)}`) },
      words: /NPM_TOKEN .* holds what looks like a token of npm/,
    },
    {
      name: "an ignored name that nobody gives",
      given: { ignore: patterns("CI_*") },
      words: /ignore-args names CI_\*, and there is no such/,
    },
  ])("$name", ({ given, words, line }) => {
    const { warnings, undeclared } = merge(given);
    expect([...warnings, ...undeclared.values()]).toEqual([
      { text: expect.stringMatching(words), ...(line === undefined ? {} : { at: { file: "args.conf", line } }) },
    ]);
  });

  test.each([
    `github_pat_${"1A".repeat(41)}`,
    `ghs_${"a".repeat(36)}`,
    `glpat-${"a-_1".repeat(5)}`,
    `dckr_pat_${"a".repeat(27)}`,
    `pypi-AgEIcHlwaS5vcmc${"a".repeat(30)}`,
    `xoxb-${"1".repeat(12)}-${"a".repeat(24)}`,
    `AIza${"a".repeat(35)}`,
    `hf_${"a".repeat(34)}`,
    `AKIA${"A2".repeat(8)}`,
    `sk-ant-api03-${"a1_-".repeat(6)}`,
    `sk-proj-${"a1_-".repeat(6)}`,
    `rubygems_${"a1".repeat(24)}`,
    `dop_v1_${"a1".repeat(32)}`,
    `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.${"a1_-".repeat(10)}`,
    `sk_live_${"a".repeat(24)}`,
    "-----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNzaC1rZXk",
    "https://me:pass@packages.test/simple",
    "https://:token@packages.test/",
    `https://hooks.slack.com/services/T00000000/B00000000/${"Xa".repeat(12)}`,
    `https://discord.com/api/webhooks/123456789/${"a1_-".repeat(15)}`,
    "https://acme.blob.core.windows.test/c?sv=2022-11-02&sig=abcdEFGH1234%2Bsdf34fsdf%3D",
  ])("one for the value %s", (value) => {
    const [warning, ...more] = merge({ input: input(`A=${value}`) }).warnings;
    expect([warning?.text, more]).toEqual([expect.stringMatching(/^Build arg A .* looks like a/), []]);
    expect(warning?.text).not.toContain(value);
  });

  test.each([
    "A=1",
    "BUILDKIT_SYNTAX=x",
    "HTTPS_PROXY=x",
    // In prose, in a list, in names and addresses: no secret.
    "A=ghp_short",
    "A=the ghp_ of GitHub",
    "A=https://packages.test/simple@1:2",
    "A=git@github.com:acme/app.git",
    "A=ssh://git@github.com:22/acme/app.git",
    "A=https://me:${PASSWORD}@packages.test/",
    "A=npm_config_cache",
    "A=AKIAN",
    "A=https://hooks.slack.com/docs",
    "A=https://packages.test/?sig=none&signature=off",
    "A=sk-proj-name",
    "A=eyJhbGciOiJIUzI1NiJ9.json",
    "A=postgres://postgres:postgres@db/app",
    "A=-----BEGIN CERTIFICATE-----",
    "A=1,2,3",
    "A=--x=1,--y=2",
    "A=1,D=2",
    "A=1,B=2\nB=3",
  ])("none for %s", (text) => {
    expect(merge({ input: input(text) }).warnings).toEqual([]);
  });

  test.each([
    ["GITHUB_TOKEN", true],
    ["db_password", true],
    ["APIKEY", true],
    ["SSH_PRIVATE_KEY", true],
    ["AUTH", true],
    ["KEYBOARD", false],
    ["AUTHOR", false],
    ["TOKENIZER_VERSION", false],
    ["PUBLIC_KEY", false],
    ["SECRET_FILE", false],
    ["AUTH_MODE", false],
    ["SECRET_NAME", false],
    ["TOKEN_URL", false],
    ["KEY_LENGTH", false],
    ["NAME_TOKEN", true],
    ["AUTH_HEADER", true],
  ])("%s has the name of a secret: %s", (name, isSecret) => {
    const { warnings } = merge({ input: input(`${name}=x`), declared: new Set([name]) });
    expect(warnings).toHaveLength(isSecret ? 1 : 0);
  });
});

describe("values that are refused", () => {
  const isSecret = (value: string) => value.includes("s3cret");
  test.each<{ readonly name: string; readonly given: Partial<Given>; readonly words: RegExp; readonly code?: string }>([
    {
      name: "a secret in a file",
      given: { files: file("A=s3cret"), isSecret },
      words: /^The value of build arg A \(args.conf:1\) holds a secret/,
    },
    {
      name: "a secret in the input",
      given: { input: input("A=x-s3cret"), isSecret },
      words: /line 1 of the input build-args/,
    },
    {
      name: "a secret of the environment",
      given: { input: input("A"), environment: { A: "s3cret" }, isSecret },
      words: /holds a secret/,
    },
    {
      name: "a secret outside the key",
      given: { input: input("A=s3cret"), ignore: patterns("*"), isSecret },
      words: /holds a secret/,
    },
    {
      name: "a frontend in the name of an arg",
      given: { configuration: configuration({ "BUILDKIT_SYNTAX=evil.test/frontend:1 x": "y" }) },
      words: /devcontainer.json:5 names the build arg "BUILDKIT_SYNTAX=evil.test\/frontend:1 x"/,
      code: "E_CONFIG",
    },
    {
      name: "a secret in devcontainer.json",
      given: { configuration: configuration({ A: "s3cret" }), isSecret },
      words: /devcontainer.json:5\) holds a secret/,
      code: "E_CONFIG",
    },
    {
      name: "one that no program can be told",
      given: { configuration: configuration({ A: "s3\0cret" }) },
      words: /character 0/,
      code: "E_CONFIG",
    },
    {
      name: "one that is too long",
      given: { input: input(`A=${"ü".repeat(65_535)}`) },
      words: /A \(line 1 .*longer than the system.*128 KiB/,
    },
  ])("$name", async ({ given, words, code = "E_INPUT" }) => {
    const error = await refusalOf(() => merge(given));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(words);
    expect(error.fix).toBeTruthy();
    expect(`${error.message} ${error.fix}`).not.toMatch(/s3.?cret|ü/);
  });

  test("what is not passed on is not looked at", () => {
    expect(told({ input: input("A=s3cret\nA=1"), isSecret })).toEqual({ A: "1" });
  });

  test("what nobody declares is passed on, and looked at", async () => {
    const error = await refusalOf(() => merge({ input: input("X=s3cret"), isSecret }));
    expect(error.message).toMatch(/^The value of build arg X .*holds a secret/);
  });

  test("what docker itself tells the build is not", () => {
    const given = { machine: docker({ A: "s3cret" }), isSecret };
    expect(told(given)).toEqual({ A: "s3cret" });
  });

  test("the longest that the system takes", () => {
    expect(told({ input: input(`A=${"x".repeat(128 * 1024 - 3)}`) }).A).toHaveLength(128 * 1024 - 3);
  });
});

test.each(["", "A B", "A=1", "a/b", "{a,b}"])("ignore-args: %s is no pattern", (written) => {
  expect(parseNamePattern(written)).toHaveProperty("wrong");
});

test("whatever is given: values without a word of them in any message", () => {
  const name = fc.constantFrom("A", "B", "X", "NPM_TOKEN", "HTTP_PROXY", "__proto__");
  const value = fc.string({ maxLength: 5 }).map((text) => `<${text}>`);
  const argument = fc.record({
    name,
    value: fc.oneof(
      fc.record({ kind: fc.constant("text" as const), text: value }),
      fc.constant({ kind: "environment" as const }),
    ),
    origin: fc.constantFrom({ kind: "input" as const, line: 1 }, { kind: "file" as const, at }),
  });
  fc.assert(
    fc.property(
      fc.record({ configuration: fc.array(argument), files: fc.array(argument), input: fc.array(argument) }),
      fc.dictionary(name, value),
      (given, environment) => {
        try {
          const { warnings } = merge({ ...given, environment, isSecret: (text) => text === "<x>" });
          for (const { text } of warnings) expect(text).not.toContain("<");
        } catch (thrown) {
          if (!(thrown instanceof ActionError)) throw thrown;
          expect(thrown.message).not.toContain("<");
        }
      },
    ),
  );
});
