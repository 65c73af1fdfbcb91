import { expect, test } from "vitest";
import { type Content, put } from "../checkout.ts";
import { featureOf, indexOf } from "../plan-of.ts";
import { toldOf } from "./around.ts";

// What an input asks for is told with that input's name and no file; what a file asks for, with its line; and of what is gone, where it stood.

const [BASE, OLD] = ["registry.test/base:12", "registry.test/base:11"];
const TOOL = "registry.test/f/tool:1";
const IMAGES = {
  [BASE]: indexOf({ "linux/amd64": "12 amd64", "linux/arm64": "12 arm64" }),
  [OLD]: indexOf({ "linux/amd64": "11 amd64", "linux/arm64": "11 arm64" }),
  "docker.io/docker/dockerfile:1": indexOf({ "linux/amd64": "frontend" }),
  [TOOL]: featureOf({ id: "tool", options: { version: { default: "1" } } }),
};

type Files = Readonly<Record<string, Content>>;
const FILE = ".devcontainer/devcontainer.json";
const configured = (build: string) => ({
  [FILE]: `{ "build": { "dockerfile": "Dockerfile", "context": "..",\n${build} } }\n`,
});
const FILES: Files = {
  ...configured('"args": {}'),
  ".devcontainer/Dockerfile": `FROM ${BASE} AS dev\nARG WORD\nCOPY src /src\n`,
  "src/a": "a\n",
  "app/a": "a\n",
  "app2/a": "b\n",
  "args.conf": "# words\nWORD=1\n",
  "other.conf": "WORD=2\n",
};
const mounting = { ...FILES, ".devcontainer/Dockerfile": `FROM ${BASE} AS dev\nCOPY --from=more / /\n` };
const staged = { ...FILES, ".devcontainer/Dockerfile": `FROM ${BASE} AS dev\nFROM dev AS last\nRUN last\n` };
const args = '"args": { "WORD": "1" }';
const options = '"options": ["--network=host", "--label=x=1"]';
const contexts = '"options": ["--build-context=more=app"]';
const alone: Files = {
  A: `FROM ${BASE}\nCOPY . /\nRUN a\n`,
  B: `FROM ${BASE}\nCOPY . /\nRUN b\n`,
  "app/a": "a",
  "app2/a": "b",
};

type Row = {
  readonly files?: Files;
  readonly was?: Readonly<Record<string, string>>;
  readonly is?: Readonly<Record<string, string>>;
  readonly to?: Files;
  readonly env?: readonly [was: string, is: string];
  readonly told: readonly string[];
};
const input = (
  name: string,
  was: string,
  is: string,
  told: string,
  more: Partial<Row> = {},
): readonly [string, Row] => [
  `${name}: ${JSON.stringify(was)} → ${JSON.stringify(is)}`,
  { ...more, was: { ...more.was, [name]: was }, is: { ...more.is, [name]: is }, told: [told] },
];
const tool = (options: object): string => JSON.stringify({ [TOOL]: options });
const inA = { was: { "dockerfile-path": "A" }, is: { "dockerfile-path": "A" }, files: alone };
const ignoring = (name: string, value: string): Partial<Row> => ({ was: { [name]: value }, is: { [name]: value } });

const ROWS: readonly (readonly [string, Row])[] = [
  input("target", "", "dev", "build target (not set) → dev (the input target)", { files: staged }),
  input("target", "dev", "", "build target dev → (not set) (before: the input target)", { files: staged }),
  input("build-contexts", "", "more=app", "build context more is new (the input build-contexts)"),
  input("build-contexts", "more=app", "", "build context more is gone (before: the input build-contexts)"),
  input(
    "build-contexts",
    "more=app",
    "more=app2",
    "build context more is app2 now, before app (the input build-contexts)",
    {
      files: mounting,
    },
  ),
  input(
    "build-contexts",
    `more=docker-image://${OLD}`,
    `more=docker-image://${BASE}`,
    "build context more changed (the input build-contexts)",
    { files: mounting },
  ),
  input("build-args", "", "OTHER=1\nWORD=1", "build arg WORD is new (line 2 of the input build-args)"),
  input("build-args", "OTHER=1\nWORD=1", "", "build arg WORD is gone (before: line 2 of the input build-args)"),
  input("build-args", "WORD=1", "WORD=2", "build arg WORD changed (line 1 of the input build-args)"),
  input(
    "build-args",
    "",
    "BUILDKIT_SYNTAX=docker/dockerfile:1",
    "build arg BUILDKIT_SYNTAX is new (line 1 of the input build-args)",
  ),
  [
    "build-args: a variable",
    {
      ...ignoring("build-args", "WORD"),
      env: ["1", "2"],
      told: ["build arg WORD changed (line 1 of the input build-args; it reads the variable WORD)"],
    },
  ],
  input("build-arg-files", "", "args.conf", "build arg WORD is new (args.conf:2) @ args.conf:2"),
  input("build-arg-files", "args.conf", "other.conf", "build arg WORD changed (other.conf:1) @ other.conf:1"),
  input("build-arg-files", "args.conf", "", "build arg WORD is gone (before: args.conf:2)"),
  [
    "build-arg-files: a line",
    {
      ...ignoring("build-arg-files", "args.conf"),
      to: { "args.conf": "# words\n\nWORD=2\n" },
      told: ["build arg WORD changed (args.conf:3) @ args.conf:3"],
    },
  ],
  input(
    "ignore-args",
    "",
    "WORD",
    "build arg WORD no longer counts (the input ignore-args names it)",
    ignoring("build-args", "WORD=1"),
  ),
  input("labels", "", "team=a", "label team is new (the input labels; ignore-labels takes it out of the key)"),
  input("labels", "team=a", "", "label team is gone (before: the input labels)"),
  input(
    "ignore-labels",
    "",
    "team",
    "label team no longer counts (the input ignore-labels names it)",
    ignoring("labels", "team=a"),
  ),
  input("network", "", "host", "build option --network is new (the input network)"),
  input("network", "host", "", "build option --network is gone (before: the input network)"),
  input("add-hosts", "", "a:10.0.0.1", "build option --add-host is new (the input add-hosts)"),
  input("build-secrets", "", "npm=WORD", "build secret npm is new (the input build-secrets)", { env: ["one", "one"] }),
  input("build-secrets", "npm=WORD", "", "build secret npm is gone (before: the input build-secrets)", {
    env: ["one", "one"],
  }),
  input(
    "platforms",
    "",
    "linux/amd64,linux/arm64",
    "platform linux/arm64 was not in the previous set (the input platforms)",
  ),
  input(
    "platforms",
    "linux/amd64,linux/arm64",
    "linux/amd64",
    "platform linux/arm64 is no longer asked for (the input platforms)",
  ),
  input("cache-version", "", "2", "the input cache-version (not set) → 2"),
  input("cache-version", "2", "", "the input cache-version 2 → (not set)"),
  input("remote-user-uid", "", "1001", "the input remote-user-uid (not set) → 1001"),
  input("remote-user-uid", "1001", "1002", "the input remote-user-uid 1001 → 1002"),
  input("additional-features", "", tool({}), `feature ${TOOL} is new (the input additional-features)`),
  input(
    "additional-features",
    tool({}),
    "",
    `feature ${TOOL} is no longer installed (before: the input additional-features)`,
  ),
  input(
    "additional-features",
    tool({ version: "1" }),
    tool({ version: "2" }),
    `feature ${TOOL} option version changed (the input additional-features)`,
  ),
  input("fallback-image", OLD, BASE, `image ${OLD} → ${BASE} (the input fallback-image)`, {
    files: { "README.md": "" },
  }),
  input("dockerfile-path", "A", "B", "the Dockerfile is B now, before A (the input dockerfile-path)", { files: alone }),
  input(
    "build-context-path",
    "app",
    "app2",
    "the build context is app2 now, before app (the input build-context-path)",
    inA,
  ),
  [
    "devcontainer.json: an arg is gone",
    {
      files: { ...FILES, ...configured(args) },
      to: configured('"args": {}'),
      told: [`build arg WORD is gone (before: ${FILE}:2) @ ${FILE}`],
    },
  ],
  [
    "devcontainer.json: the ARG of an arg is gone",
    {
      files: { ...FILES, ...configured(args) },
      to: { ".devcontainer/Dockerfile": `FROM ${BASE} AS dev\nCOPY src /src\n` },
      told: [".devcontainer/Dockerfile: ARG WORD is gone @ .devcontainer/Dockerfile"],
    },
  ],
  [
    "devcontainer.json: options are gone",
    {
      files: { ...FILES, ...configured(options) },
      to: configured('"args": {}'),
      told: [
        `label x is gone (before: ${FILE}:2) @ ${FILE}`,
        `build option --network is gone (before: ${FILE}:2) @ ${FILE}`,
      ],
    },
  ],
  [
    "devcontainer.json: a context is gone",
    {
      files: { ...FILES, ...configured(contexts) },
      to: configured('"args": {}'),
      told: [`build context more is gone (before: ${FILE}:2) @ ${FILE}`],
    },
  ],
  [
    "devcontainer.json: another context",
    {
      to: {
        [FILE]: '{ "build": { "dockerfile": "Dockerfile",\n"context": "../app" } }\n',
        "app/src/a": "a\n",
        "app/src/b": "b\n",
      },
      told: [`the build context is app now, before . @ ${FILE}:2`],
    },
  ],
  [
    "devcontainer.json: a Dockerfile in the place of an image",
    {
      files: { ...FILES, [FILE]: `{\n"image": "${BASE}" }\n` },
      to: { [FILE]: '{\n"build": {\n"dockerfile": "Dockerfile",\n"context": ".." } }\n' },
      told: [`the dev container comes from a Dockerfile now, before from an image @ ${FILE}:3`],
    },
  ],
  [
    "devcontainer.json: another Dockerfile",
    {
      to: {
        [FILE]: '{ "build": { "context": "..",\n"dockerfile": "D2" } }\n',
        ".devcontainer/D2": `FROM ${BASE}\nRUN d2\nCOPY src /src\n`,
      },
      told: [`the Dockerfile is .devcontainer/D2 now, before .devcontainer/Dockerfile @ ${FILE}:2`],
    },
  ],
];

test.each(ROWS)("%s", async (_, { files = FILES, was = {}, is = {}, to = {}, env, told }) => {
  const edit = (root: string): void => {
    for (const [path, content] of Object.entries(to)) put(root, path, content);
  };
  const around = { files, images: IMAGES, inputs: was, ...(env ? { env: { WORD: env[0] } } : {}) };
  const mutation = { name: "", edit, inputs: is, ...(env ? { env: { WORD: env[1] } } : {}) };
  expect(await toldOf(mutation, around)).toEqual(told);
});
