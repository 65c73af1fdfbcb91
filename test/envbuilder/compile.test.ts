import { describe, expect, test } from "vitest";
import type { Json } from "../../src/devcontainer/json.ts";
import { argumentsByName, compileArguments, compileDockerfile } from "../../src/envbuilder/compile.ts";
import { featureFolder, parseFeature } from "../../src/envbuilder/feature.ts";
import { goQuote, goSprint } from "../../src/envbuilder/go-format.ts";
import { substituteVariables } from "../../src/envbuilder/substitute.ts";
import { findUser } from "../../src/envbuilder/user.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

const DIRECTIVES =
  '\nCOPY --chmod=0755 .envbuilder.tmp/envbuilder /.envbuilder/bin/envbuilder\nCOPY --chmod=0644 .envbuilder.tmp/image /.envbuilder/image\nUSER root\nWORKDIR /\nENTRYPOINT ["/.envbuilder/bin/envbuilder"]\n';

const ENVIRONMENT = {
  variables: new Map([
    ["A", "1"],
    ["EMPTY", ""],
  ]),
  unknown: new Set(["HOSTNAME"]),
};

describe("variables in build args", () => {
  test.each<readonly [string, string, readonly string[]] | readonly [string, string]>([
    ["plain", "plain"],
    ["${localWorkspaceFolder}/x", "/workspaces/app/x"],
    ["${containerWorkspaceFolder}", "/workspaces/app"],
    ["${localWorkspaceFolderBasename}-${containerWorkspaceFolderBasename}", "app-app"],
    ["${A} ${NONE}|", "1 |"],
    ["${localEnv:A}${env:A}${containerEnv:A}", "111"],
    ["${localEnv:NONE:d}", "d"],
    ["${localEnv:EMPTY:d}", ""],
    ["${localEnv:NONE:d:e}", ""],
    ["${remoteEnv:A}", ""],
    ["${devcontainerId}", ""],
    ["$A ${A", "$A ${A"],
    ["${a${A}", ""],
    ["${}", ""],
    ["${localEnv:HOSTNAME}${HOSTNAME}", "", ["HOSTNAME", "HOSTNAME"]],
  ])("%s", (text, replaced, unknown: readonly string[] = []) => {
    expect(substituteVariables(text, "/workspaces/app", ENVIRONMENT)).toEqual({ text: replaced, unknown });
  });

  test("sorted by name; what stands behind a second = is part of the value", () => {
    const args = new Map([
      ["b", "x=${A}"],
      ["B", "${localEnv:HOSTNAME}"],
    ]);
    const compiled = compileArguments({ args }, "/workspaces/app", ENVIRONMENT);
    expect(compiled).toEqual({ args: ["B=", "b=x=1"], unknown: ["HOSTNAME"] });
    expect(argumentsByName(compiled.args)).toEqual(
      new Map([
        ["B", ""],
        ["b", "x=1"],
      ]),
    );
  });
});

describe("the user", () => {
  const image = (name: string, line: number) => ({ kind: "image", image: name, line });
  const user = (name: string) => ({ kind: "user", user: name });
  test.each<{
    readonly name: string;
    readonly text: string;
    readonly args?: Readonly<Record<string, string>>;
    readonly found: object;
  }>([
    { name: "the image's own", text: "FROM debian:12\nRUN x", found: image("debian:12", 1) },
    { name: "the last USER, as it is written", text: "FROM a\nUSER x\nUSER $U", found: user("$U") },
    { name: "of a stage that it stands on", text: "FROM a AS One\nUSER x\nFROM one\nRUN y", found: user("x") },
    {
      name: "a stage's name in capitals is another one",
      text: "FROM a AS One\nUSER x\nFROM One",
      found: image("One", 3),
    },
    { name: "not of a stage beside it", text: "FROM a AS one\nUSER x\nFROM b", found: image("b", 3) },
    { name: "scratch has none", text: "FROM scratch\nCOPY a /", found: user("") },
    { name: "a stage that stands on itself", text: "FROM x AS x", found: user("") },
    { name: "an ARG's default", text: "ARG V=12\nFROM debian:$V", found: image("debian:12", 2) },
    {
      name: "a build arg over it",
      text: "ARG V=12\nFROM debian:${V}",
      args: { V: "13" },
      found: image("debian:13", 2),
    },
    { name: "a build arg alone", text: "ARG V\nFROM debian:$V", args: { V: "13" }, found: image("debian:13", 2) },
    { name: "none: the variable is nothing", text: "ARG V\nFROM debian$V", found: image("debian", 2) },
    { name: "quotation marks stay", text: 'ARG V="12"\nFROM debian:$V', found: image('debian:"12"', 2) },
    { name: "the first of an ARG's names alone", text: "ARG A=1 B=2\nFROM d:$A$B", found: image("d:1", 2) },
    { name: "an ARG of a later stage counts", text: "FROM d:x$V\nARG V=1", found: image("d:x1", 1) },
  ])("$name", ({ text, args = {}, found }) => {
    expect(findUser(text, new Map(Object.entries(args)), "Dockerfile")).toEqual(found);
  });

  test.each([
    ["", /no build stage/],
    ["FROM ${V", /cannot be replaced/],
  ])("refused: %s", async (text, words) => {
    const { code, message } = await refusalOf(() => findUser(text, new Map(), "Dockerfile"));
    expect([code, message]).toEqual(["E_DOCKERFILE", expect.stringMatching(words)]);
  });
});

// What Go 1.26 prints.
test.each<readonly [Json | undefined, string]>([
  ...([
    [1, "1"],
    [100000, "100000"],
    [1e6, "1e+06"],
    [1234567, "1.234567e+06"],
    [12345678.5, "1.23456785e+07"],
  ] as const),
  ...([
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [1.5, "1.5"],
    [0, "0"],
    [-0, "-0"],
    [1e21, "1e+21"],
    [-2e-9, "-2e-09"],
  ] as const),
  [true, "true"],
  [null, "<nil>"],
  [undefined, "<nil>"],
  [["a", null, 1, true], "[a <nil> 1 true]"],
  [{ b: "x", a: [] }, "map[a:[] b:x]"],
])("Go's Sprint of %j is %s", (value, printed) => {
  expect(goSprint(value)).toBe(printed);
});

test("Go's Quote", () => {
  expect(goQuote('a\x7f\u00a0\u200b\u2028é\u{1F600}\ufffd\u00ad\ue000\x07"\\\n\x01<&')).toBe(
    `${String.raw`"a\x7f\u00a0\u200b\u2028é😀`}\ufffd${String.raw`\u00ad\ue000\a\"\\\n\x01<&"`}`,
  );
});

const feature = (json: object) =>
  parseFeature(JSON.stringify({ id: "x", version: "1.0.0", name: "X", ...json }), "./x");

describe("features", () => {
  // The first eight digits of `printf %s REFERENCE | md5sum`.
  test.each([
    ["ghcr.io/devcontainers/features/go:1", "/.envbuilder/features/go-10774d69"],
    ["./local/go", "/.envbuilder/features/go-bdd171b6"],
  ])("the folder of %s", (reference, folder) => {
    expect(featureFolder(reference)).toBe(folder);
  });

  test("none: the directives alone, right behind what is written", () => {
    const specification = { features: new Map(), remoteUser: "dev" };
    expect(compileDockerfile("FROM a", specification, { user: "", features: new Map() })).toBe(`FROM a${DIRECTIVES}`);
  });

  test("in the order of their references, with their options", () => {
    const specification = {
      remoteUser: "",
      features: new Map<string, Json>([
        ["./local/go", { "my-opt": true, n: 1e6 }],
        ["ghcr.io/devcontainers/features/go:1", "1.25"],
      ]),
    };
    const features = new Map([
      [
        "./local/go",
        feature({
          description: "of ours",
          options: { "my-opt": { default: false }, n: {}, none: {} },
          containerEnv: { b: "$PATH", B: "2 3" },
        }),
      ],
      ["ghcr.io/devcontainers/features/go:1", feature({ options: { version: { type: "string", default: "latest" } } })],
    ]);
    const expected = [
      "FROM a",
      "",
      "USER root",
      "# X 1.0.0 - of ours",
      "WORKDIR /.envbuilder/features/go-bdd171b6",
      "ENV B=2 3",
      "ENV b=$PATH",
      'RUN MY-OPT="true" N="1e+06" NONE="<nil>" _CONTAINER_USER="dev" _REMOTE_USER="dev" ./install.sh',
      "# X 1.0.0",
      "WORKDIR /.envbuilder/features/go-10774d69",
      'RUN VERSION="1.25" _CONTAINER_USER="dev" _REMOTE_USER="dev" ./install.sh',
      "USER dev",
    ];
    expect(compileDockerfile("FROM a", specification, { user: "dev", features })).toBe(
      expected.join("\n") + DIRECTIVES,
    );
  });

  test("a remote user of its own, and none at all", () => {
    const features = new Map([["./x", feature({})]]);
    const of = (remoteUser: string, user: string) =>
      compileDockerfile("FROM a\n", { remoteUser, features: new Map([["./x", {}]]) }, { user, features })
        .replace(DIRECTIVES, "")
        .split("\n")
        .slice(-2);
    expect(of("r", "c")).toEqual(['RUN _CONTAINER_USER="c" _REMOTE_USER="r" ./install.sh', "USER r"]);
    expect(of("", "")[1]).toBe('RUN _CONTAINER_USER="" _REMOTE_USER="" ./install.sh');
  });

  test.each<{ readonly name: string; readonly attempt: () => unknown; readonly words: RegExp }>([
    { name: "without an id", attempt: () => feature({ id: "" }), words: /has no id/ },
    { name: "without a version", attempt: () => feature({ version: null }), words: /has no version/ },
    { name: "a version that is a number", attempt: () => feature({ version: 1 }), words: /text as version/ },
    { name: "keywords that are none", attempt: () => feature({ keywords: [1] }), words: /keywords/ },
    { name: "an option that is a text", attempt: () => feature({ options: { a: "x" } }), words: /options\.a/ },
    { name: "no JSON", attempt: () => parseFeature("{", "./x"), words: /cannot be read/ },
    {
      name: "an option that is not declared",
      attempt: () =>
        compileDockerfile(
          "FROM a",
          { remoteUser: "", features: new Map([["./x", "1"]]) },
          { user: "", features: new Map([["./x", feature({})]]) },
        ),
      words: /has no option version/,
    },
    { name: "no image's name", attempt: () => featureFolder("Up/Case"), words: /no image's name/ },
  ])("refused: $name", async ({ attempt, words }) => {
    const { code, message } = await refusalOf(attempt);
    expect([code, message]).toEqual(["E_FEATURE", expect.stringMatching(words)]);
  });
});
