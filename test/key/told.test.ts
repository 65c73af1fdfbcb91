import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Content, put } from "../checkout.ts";
import { indexOf } from "../plan-of.ts";
import { type Before, type Mutation, toldOf } from "./around.ts";

const IMAGES = {
  "registry.test/base:11": indexOf({ "linux/amd64": "11 amd64", "linux/arm64": "11 arm64" }),
  "registry.test/base:12": indexOf({ "linux/amd64": "12 amd64", "linux/arm64": "12 arm64" }),
};
const MOVED = { ...IMAGES, "registry.test/base:12": indexOf({ "linux/amd64": "moved", "linux/arm64": "moved too" }) };

const DOCKERFILE = `# a comment
FROM registry.test/base:12
COPY package*.json /app/
RUN npm ci
COPY . /app
`;
const WHOLE: Readonly<Record<string, Content>> = {
  ".devcontainer/devcontainer.json": `// a comment
{ "build": { "dockerfile": "Dockerfile", "context": ".." } }
`,
  ".devcontainer/Dockerfile": DOCKERFILE,
  "package.json": "{}\n",
  "README.md": "one\n",
  "docs/guide.md": "one\n",
  "docs/README.md": "one\n",
  ".github/workflows/ci.yml": "one\n",
  ".github/CODEOWNERS": "one\n",
  ".vscode/settings.json": "{}\n",
  "node_modules/a/index.js": "one\n",
  "node_modules/.bin/a": { link: "../a/index.js" },
  "logs/run.log": "one\n",
  "src/main.c": "one\n",
};

const told = (mutation: Omit<Mutation, "name">, before: Partial<Before> = {}): Promise<readonly string[]> =>
  toldOf({ name: "", ...mutation }, { files: WHOLE, images: IMAGES, ...before });

const writing =
  (files: Readonly<Record<string, Content>>) =>
  (root: string): void => {
    for (const [path, content] of Object.entries(files)) put(root, path, content);
  };
const withDockerfile = (text: string) => ({ ...WHOLE, ".devcontainer/Dockerfile": text });
const advice = (line: string, file = ".dockerignore"): string =>
  ` (COPY at .devcontainer/Dockerfile:5 takes it with everything else; if the image needs none of it, a line ${line} in ${file} leaves it out)`;

test.each<[path: string, line: string]>([
  ["README.md", "README.md"],
  ["docs/README.md", "docs/README.md"],
  [".github/workflows/ci.yml", ".github"],
  [".vscode/settings.json", ".vscode"],
  ["node_modules/a/index.js", "node_modules"],
  ["logs/run.log", "logs/run.log"],
])("an image seldom needs %s, and a line of .dockerignore would have left it out", async (path, line) => {
  // What no commit has nobody can open.
  const place = line === "node_modules" ? ".devcontainer/Dockerfile:5" : path;
  expect(await told({ edit: writing({ [path]: "two\n" }) })).toEqual([`${path} changed${advice(line)} @ ${place}`]);
});

test("what the ignore file leaves out now needs no such line any more", async () => {
  const from = { ...WHOLE, ".dockerignore": ".dockerignore\n" };
  const edit = writing({ ".dockerignore": ".dockerignore\nREADME.md\n.github\n" });
  expect(await told({ from, edit })).toEqual([
    ".github/CODEOWNERS, .github/workflows/ci.yml are no longer part of the build: .dockerignore:3 leaves them out @ .dockerignore:3",
    "README.md is no longer part of the build: .dockerignore:2 leaves it out @ .dockerignore:2",
  ]);
});

const IGNORING = { ...WHOLE, ".dockerignore": ".dockerignore\n.devcontainer\nsrc\ndocs\n" };

test("a line that is gone from the ignore file is told with what comes back", async () => {
  const edit = writing({ ".dockerignore": ".dockerignore\n.devcontainer\n" });
  expect(await told({ from: IGNORING, edit })).toEqual([
    "a line is gone from .dockerignore, and docs/README.md, docs/guide.md, src/main.c are part of the build now @ .dockerignore",
  ]);
  const without = (root: string) => rmSync(join(root, ".dockerignore"));
  const from = { ...OUTSIDE, "app/.dockerignore": "file\n", "app/other": "one\n" };
  expect(await told({ from, edit: (root) => rmSync(join(root, "app/.dockerignore")) })).toEqual([
    "a line is gone from app/.dockerignore, and app/file is part of the build now",
    "app/.dockerignore is no longer part of the build",
  ]);
  expect(await told({ from: IGNORING, edit: without })).toHaveLength(1);
});

test("a new file under the same ignore file is a new file", async () => {
  expect(await told({ from: IGNORING, edit: writing({ "lib/new.c": "one\n" }) })).toEqual([
    "lib/new.c is part of the build now @ lib/new.c",
  ]);
});

test("an ignore file of the Dockerfile's own is told in its name, and which it replaces", async () => {
  const own = ".devcontainer/Dockerfile.dockerignore";
  const edit = writing({ [own]: "logs\n.devcontainer\n.dockerignore\nsrc\n" });
  expect(await told({ from: IGNORING, edit })).toEqual([
    `logs/run.log is no longer part of the build: ${own}:1 leaves it out @ ${own}:1`,
    `the ignore file is ${own} now, before .dockerignore, and docs/README.md, docs/guide.md are part of the build now @ ${own}`,
  ]);
});

test("what only comes or goes with an instruction is told by that", async () => {
  const from = withDockerfile("FROM registry.test/base:12 AS one\nCOPY src /src\nFROM one\nRUN two\n");
  const more = "FROM registry.test/base:12 AS one\nCOPY src /src\nFROM one\nRUN two\nCOPY docs /docs\n";
  expect(await told({ from, edit: writing({ ".devcontainer/Dockerfile": more }) })).toEqual([
    ".devcontainer/Dockerfile:5 COPY is new @ .devcontainer/Dockerfile:5",
  ]);
  const back = writing({ ".devcontainer/Dockerfile": String(from[".devcontainer/Dockerfile"]) });
  expect(await told({ from: withDockerfile(more), edit: back })).toEqual([
    ".devcontainer/Dockerfile: COPY docs /docs is gone @ .devcontainer/Dockerfile",
  ]);
  expect(await told({ from, inputs: { target: "one" } })).toEqual(["build target (not set) → one (the input target)"]);
  const added = (root: string) => {
    put(root, ".devcontainer/Dockerfile", String(from[".devcontainer/Dockerfile"]).replace("RUN two", "RUN 2"));
    put(root, "src/new.c", "one\n");
  };
  expect(await told({ from, edit: added })).toEqual([
    ".devcontainer/Dockerfile:4 RUN changed @ .devcontainer/Dockerfile:4",
    "src/new.c is part of the build now @ src/new.c",
  ]);
});

test("where an instruction may take anything, that is told with its line, and its folders do not crowd out what is meant", async () => {
  const from = { ...withDockerfile("FROM registry.test/base:12\nCOPY $WHAT /app\n"), ".git/config": "one\n" };
  const objects = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`.git/objects/${at}`, "one\n"]));
  const edit = writing({
    ...objects,
    ".git/config": "two\n",
    "node_modules/a/index.js": "two\n",
    "src/main.c": "two\n",
  });
  const why = (line: string): string =>
    ` (what COPY at .devcontainer/Dockerfile:2 takes cannot be told before the build, so that all of the context counts: write out there what it takes, or, if the image needs none of it, a line ${line} in .dockerignore leaves it out)`;
  expect(await told({ from, edit })).toEqual([
    "src/main.c changed @ src/main.c",
    `.git: 31 files differ${why(".git")} @ .devcontainer/Dockerfile:2`,
    `node_modules/a/index.js changed${why("node_modules")} @ .devcontainer/Dockerfile:2`,
  ]);
  const both = { ...from, ".devcontainer/Dockerfile": "FROM registry.test/base:12\nCOPY $WHAT /app\nCOPY . /all\n" };
  expect(await told({ from: both, edit })).toEqual([
    "src/main.c changed @ src/main.c",
    ".git: 31 files differ @ .git/config",
    "node_modules/a/index.js changed @ node_modules/a/index.js",
  ]);
});

test("files that one line would leave out are told by their folder as seen from the repository", async () => {
  const from = {
    ".devcontainer/devcontainer.json": `{ "build": { "dockerfile": "Dockerfile", "context": "../app" } }`,
    ".devcontainer/Dockerfile": "FROM registry.test/base:12\nCOPY . /app\n",
    "app/file": "one\n",
  };
  const edit = writing({ "app/.github/a": "one\n", "app/.github/b": "two\n" });
  expect(await told({ from, edit })).toEqual([
    "app/.github: 2 files differ (COPY at .devcontainer/Dockerfile:2 takes it with everything else; if the image needs none of it, a line .github in app/.dockerignore leaves it out) @ app/.github/a",
  ]);
});

test("a comment in what says how the image is built is a change where everything is copied, and would be none without", async () => {
  const comments = {
    ".devcontainer/devcontainer.json": `// another\n{ "build": { "dockerfile": "Dockerfile", "context": ".." } }\n`,
    ".devcontainer/Dockerfile": DOCKERFILE.replace("a comment", "another"),
  };
  const paths = [".devcontainer/Dockerfile", ".devcontainer/devcontainer.json"];
  expect(await told({ edit: writing(comments) })).toEqual(
    paths.map((path) => `${path} changed${advice(path)} @ ${path}`),
  );
});

test("what one line would have left out is told together", async () => {
  const edit = writing({ ".github/workflows/ci.yml": "two\n", ".github/CODEOWNERS": "two\n", "src/main.c": "two\n" });
  expect(await told({ edit })).toEqual([
    "src/main.c changed @ src/main.c",
    `.github: 2 files differ${advice(".github")} @ .github/CODEOWNERS`,
  ]);
});

test("the ignore file that counts is named", async () => {
  const from = { ...WHOLE, ".devcontainer/Dockerfile.dockerignore": "src\n", ".dockerignore": "docs\n" };
  const file = ".devcontainer/Dockerfile.dockerignore";
  expect(await told({ from, edit: writing({ "README.md": "two\n" }) })).toEqual([
    `README.md changed${advice("README.md", file)} @ README.md`,
  ]);
});

test.each<[name: string, instruction: string, path: string]>([
  ["it is named itself", "COPY README.md /", "README.md"],
  ["something in the folder is named", "COPY .github/CODEOWNERS /", ".github/workflows/ci.yml"],
  ["the folder above it is named", "COPY docs /docs", "docs/README.md"],
  ["a pattern takes it", "COPY *.md /", "README.md"],
  ["a mount takes it", "RUN --mount=source=README.md,target=/r cat /r", "README.md"],
  ["a variable may name it", "COPY $UNKNOWN /", "README.md"],
  ["a link that is copied may lead there", "COPY node_modules/.bin/* /", "README.md"],
])("nobody is told to ignore what an instruction wants: %s", async (_, instruction, path) => {
  const from = withDockerfile(`${DOCKERFILE}${instruction}\n`);
  expect(await told({ from, edit: writing({ [path]: "two\n" }) })).toEqual([`${path} changed @ ${path}`]);
});

test("where nothing takes everything, nothing is to be ignored", async () => {
  const from = withDockerfile("FROM registry.test/base:12\nCOPY README.md docs /\n");
  expect(await told({ from, edit: writing({ "docs/README.md": "two\n" }) })).toEqual([
    "docs/README.md changed @ docs/README.md",
  ]);
});

test("a name that an ignore file would read otherwise is told without a line", async () => {
  const edit = writing({ "a[1].log": "two\n" });
  expect(await told({ edit })).toEqual(["a[1].log is part of the build now @ a[1].log"]);
});

const OUTSIDE: Readonly<Record<string, Content>> = {
  ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile", "context": "../app" } }\n',
  ".devcontainer/Dockerfile": "FROM registry.test/base:12\nRUN one\nRUN two\nCOPY . /app\nRUN three\n",
  "app/file": "one\n",
};
const rewriting = (from: string, to: string): ((root: string) => void) =>
  writing({ ".devcontainer/Dockerfile": String(OUTSIDE[".devcontainer/Dockerfile"]).replace(from, to) });

test.each<[name: string, edit: (root: string) => void, expected: readonly string[]]>([
  [
    "another base",
    rewriting("base:12", "base:11"),
    [".devcontainer/Dockerfile:1 FROM registry.test/base:12 → FROM registry.test/base:11 @ .devcontainer/Dockerfile:1"],
  ],
  [
    "an instruction more, which moves the others",
    rewriting("RUN one\n", "ENV A=1\nRUN one\n"),
    [".devcontainer/Dockerfile:2 ENV is new @ .devcontainer/Dockerfile:2"],
  ],
  [
    "an instruction less",
    rewriting("RUN two\n", ""),
    [".devcontainer/Dockerfile: RUN two is gone @ .devcontainer/Dockerfile"],
  ],
  [
    "two instructions",
    (root) => put(root, ".devcontainer/Dockerfile", "FROM registry.test/base:12\nRUN 1\nRUN two\nCOPY . /app\nRUN 3\n"),
    [
      ".devcontainer/Dockerfile:2 RUN changed @ .devcontainer/Dockerfile:2",
      ".devcontainer/Dockerfile:5 RUN changed @ .devcontainer/Dockerfile:5",
    ],
  ],
  [
    "a folder that is renamed, and one file in it",
    (root) => writing({ "app/file": "one\n", "app/deep/er/x": "x\n" })(root),
    ["app/deep/er/x is part of the build now @ app/deep/er/x"],
  ],
])("once: %s", async (_, edit, expected) => {
  expect(await told({ from: OUTSIDE, edit })).toEqual(expected);
});

test("once: a stage that is put before others, which all refer to stages by then in other places", async () => {
  const dockerfile = (first: string) => ({
    ...OUTSIDE,
    ".devcontainer/Dockerfile": `${first}FROM registry.test/base:12 AS one\nRUN one\nFROM one AS two\nFROM registry.test/base:12\nCOPY --from=one /a /\nCOPY --from=two /a /\n${first && "COPY --from=zero /z /\n"}`,
  });
  const edit = writing(dockerfile("FROM registry.test/base:11 AS zero\n"));
  expect(await told({ from: dockerfile(""), edit })).toEqual([
    ".devcontainer/Dockerfile:1 FROM is new @ .devcontainer/Dockerfile:1",
    ".devcontainer/Dockerfile:8 COPY is new @ .devcontainer/Dockerfile:8",
  ]);
});

test("once: what is copied comes from another stage", async () => {
  const dockerfile = (stage: string) => ({
    ...OUTSIDE,
    ".devcontainer/Dockerfile": `FROM registry.test/base:12 AS one\nRUN 1\nFROM registry.test/base:12 AS two\nRUN 2\nFROM registry.test/base:12\nCOPY --from=${stage} /a /\nCOPY --from=one /b /\nCOPY --from=two /c /\n`,
  });
  expect(await told({ from: dockerfile("one"), edit: writing(dockerfile("two")) })).toEqual([
    ".devcontainer/Dockerfile:6 COPY changed @ .devcontainer/Dockerfile:6",
  ]);
});

test("once: another image", async () => {
  const image = (tag: string) => ({
    ".devcontainer/devcontainer.json": `{\n  "image": "registry.test/base:${tag}"\n}\n`,
  });
  expect(await told({ from: image("11"), edit: writing(image("12")) })).toEqual([
    "image registry.test/base:11 → registry.test/base:12 @ .devcontainer/devcontainer.json:2",
  ]);
});

test("a base that moved on two platforms is one line", async () => {
  const inputs = { platforms: "linux/amd64,linux/arm64" };
  const [line, ...others] = await told({ from: OUTSIDE, images: MOVED }, { inputs });
  expect(others).toEqual([]);
  expect(line).toMatch(
    /^base registry\.test\/base:12 sha256:\w+… → sha256:\w+… \(linux\/amd64\), sha256:\w+… → sha256:\w+… \(linux\/arm64\) @ \.devcontainer\/Dockerfile:1$/,
  );
});

const VARIANT: Readonly<Record<string, Content>> = {
  ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile", "args": { "OTHER": "1" } } }\n',
  ".devcontainer/Dockerfile": "ARG VARIANT=12\nFROM registry.test/base:${VARIANT}\n",
};
const configured = (value: string) => ({
  ...VARIANT,
  ".devcontainer/devcontainer.json": `{ "build": { "dockerfile": "Dockerfile", "args": { "VARIANT": "${value}" } } }\n`,
});

test.each<[name: string, told: string, from: Readonly<Record<string, Content>>, before: Partial<Before>]>([
  ["a default", "registry.test/base:12", VARIANT, {}],
  ["devcontainer.json", "registry.test/base:12", configured("12"), {}],
  [
    "a file",
    "registry.test/base:12",
    { ...VARIANT, "args.conf": "VARIANT=12\n" },
    { inputs: { "build-arg-files": "args.conf" } },
  ],
  // Nobody knows what a workflow puts in, and the summary of some hosts hides nothing.
  ["an input", "registry.test/base:${VARIANT}", VARIANT, { inputs: { "build-args": "VARIANT=12" } }],
  ["the environment", "registry.test/base:${VARIANT}", configured("${localEnv:V}"), { env: { V: "12" } }],
  [
    "a file that names a variable",
    "registry.test/base:${VARIANT}",
    { ...VARIANT, "args.conf": "VARIANT\n" },
    { inputs: { "build-arg-files": "args.conf" }, env: { VARIANT: "12" } },
  ],
  [
    "an arg that is in the default of another",
    "registry.test/base:${VARIANT}",
    { ...VARIANT, ".devcontainer/Dockerfile": "ARG TAG\nARG VARIANT=$TAG\nFROM registry.test/base:${VARIANT}\n" },
    { inputs: { "build-args": "TAG=12" } },
  ],
])("what a base's name stands for is told where the checkout says it: %s", async (_, name, from, before) => {
  const [line, ...others] = await told({ from, images: MOVED }, before);
  expect(others).toEqual([]);
  expect(line).toMatch(/^base \S+ sha256:\w+… → sha256:\w+… @ /);
  expect(line?.split(" ")[1]).toBe(name);
});

test("a build arg that names the base is the only reason", async () => {
  expect(await told({ from: configured("11"), edit: writing(configured("12")) })).toEqual([
    "build arg VARIANT changed (.devcontainer/devcontainer.json:1) @ .devcontainer/devcontainer.json:1",
  ]);
});

test("places are seen from the repository, wherever in it the workspace is", async () => {
  const inside = Object.fromEntries(Object.entries(OUTSIDE).map(([path, content]) => [`sub/${path}`, content]));
  const from = {
    ...inside,
    ".git/HEAD": "ref: refs/heads/main\n",
    "sub/.devcontainer/Dockerfile": "FROM registry.test/base:12\nARG WORD\nCOPY . /app\n",
    "sub/args.conf": "# words\nWORD=one\n",
  };
  const edit = writing({ "sub/app/file": "two\n", "sub/args.conf": "# words\nWORD=two\n" });
  const inputs = { "workspace-folder": "sub", "build-arg-files": "args.conf" };
  expect(await told({ from, edit }, { inputs })).toEqual([
    "build arg WORD changed (sub/args.conf:2) @ sub/args.conf:2",
    "sub/app/file changed @ sub/app/file",
  ]);
});

test.each<[name: string, inputs: Readonly<Record<string, string>>, expected: string]>([
  ["a target", { target: "dev" }, "build target (not set) → dev (the input target)"],
  ["a context", { "build-contexts": "more=app" }, "build context more is new (the input build-contexts)"],
  ["a build arg", { "build-args": "OTHER=1\nWORD=1" }, "build arg WORD is new (line 2 of the input build-args)"],
  ["a host", { "add-hosts": "a:10.0.0.1" }, "build option --add-host is new (the input add-hosts)"],
])("what an input asks for names it, and no file: %s", async (_, inputs, expected) => {
  const from = {
    ...OUTSIDE,
    ".devcontainer/Dockerfile": "FROM registry.test/base:12 AS dev\nARG WORD\nCOPY . /app\nFROM dev\nRUN last\n",
  };
  expect(await told({ from, inputs })).toEqual([expected]);
});

test("a build arg that is given or no more is told as that, and not as a change of the Dockerfile that uses it", async () => {
  const file = ".devcontainer/devcontainer.json";
  const asking = (args: string) => `{ "build": { "dockerfile": "Dockerfile", "context": "..",\n"args": ${args} } }\n`;
  const given = { [file]: asking('{ "V": "12" }') };
  for (const used of ["", "ARG V\nRUN echo $V\n"]) {
    const from = { ...withDockerfile(`ARG V=11\nFROM registry.test/base:$V\n${used}`), [file]: asking("{}") };
    expect(await told({ from, edit: writing(given) })).toEqual([`build arg V is new (${file}:2) @ ${file}:2`]);
    expect(await told({ from: { ...from, ...given }, edit: writing({ [file]: asking("{}") }) })).toEqual([
      `build arg V is gone (before: ${file}:2) @ ${file}`,
    ]);
    const more = `ARG V=11\nFROM registry.test/base:$V\nRUN y\n${used}`;
    expect(await told({ from, edit: writing({ ...given, ".devcontainer/Dockerfile": more }) })).toEqual([
      ".devcontainer/Dockerfile:3 RUN is new @ .devcontainer/Dockerfile:3",
      `build arg V is new (${file}:2) @ ${file}:2`,
    ]);
  }
});
