import { chmodSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Content, put } from "../checkout.ts";
import { indexOf } from "../plan-of.ts";
import { type Before, movedBy } from "./around.ts";

const IMAGES = {
  "registry.test/base:1": indexOf({ "linux/amd64": "base amd64", "linux/arm64": "base arm64" }),
  "registry.test/tools:1": indexOf({ "linux/amd64": "tools amd64", "linux/arm64": "tools arm64" }),
};

const BEFORE: Before = { files: {}, images: IMAGES };

/** What instructions read of a context that has one of everything. */
const TREE: Readonly<Record<string, Content>> = {
  ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile", "context": "../app" } }',
  "app/.dockerignore": "*.log\nout\n!out/kept\n",
  "app/dir/file": "file\n",
  "app/dir/sub/deep": "deep\n",
  "app/dir/inside": { link: "../elsewhere/far" },
  "app/elsewhere/far": "far\n",
  "app/link-file": { link: "elsewhere/far" },
  "app/link-dir": { link: "behind" },
  "app/link-link": { link: "link-file" },
  "app/link-absolute": { link: "/elsewhere/far" },
  "app/link-above": { link: "../../../elsewhere/far" },
  "app/link-around": { link: "link-dir/../elsewhere/far" },
  "app/behind/inner/file": "inner\n",
  "app/other": "other\n",
  "app/a.log": "log\n",
  "app/out/kept": "kept\n",
  "app/out/gone": "gone\n",
};

const FAR = "app/elsewhere/far";

test.each<[copy: string, moved: readonly string[], still: readonly string[]]>([
  ["COPY dir/file /", ["app/dir/file"], ["app/dir/sub/deep", "app/dir/new", FAR, "app/other"]],
  ["COPY dir /", ["app/dir/file", "app/dir/sub/deep", "app/dir/new"], [FAR, "app/other", "app/new"]],
  ["COPY ./dir/ /", ["app/dir/sub/deep", "app/dir/new"], [FAR, "app/other"]],
  ["COPY dir/* /", ["app/dir/file", "app/dir/sub/deep", "app/dir/new", FAR], ["app/other"]],
  ["COPY d*/f* /", ["app/dir/file", "app/dir/fresh"], ["app/dir/new", "app/dir/sub/deep", FAR]],
  ["COPY d?r/fil[e] /", ["app/dir/file"], ["app/dir/new", FAR]],
  ["COPY [a-z]ir/file /", ["app/dir/file"], ["app/dir/new", FAR]],
  ["COPY [^x]ir/file /", ["app/dir/file", "app/other", "app/new"], []],
  ["COPY d[!-0]ir/file* other /", ["app/other", "app/new", FAR], []],
  ["COPY link-file /", [FAR], ["app/other", "app/elsewhere/new"]],
  ["COPY link-link /", [FAR], ["app/other", "app/elsewhere/new"]],
  ["COPY link-absolute /", [FAR], ["app/other", "app/elsewhere/new"]],
  ["COPY link-above /", [FAR], ["app/other", "app/elsewhere/new"]],
  ["COPY link-around /", [FAR, "app/other"], []],
  ["COPY link-dir /", ["app/behind/inner/file", "app/behind/new"], [FAR, "app/other"]],
  ["COPY link-dir/inner/file /", ["app/behind/inner/file"], ["app/behind/inner/new", FAR]],
  ["COPY link-[df]* /", [FAR, "app/behind/inner/file"], ["app/dir/file"]],
  ["COPY link-f*  /", [FAR], ["app/behind/inner/file", "app/dir/file"]],
  ["COPY b*/inner /", ["app/behind/inner/file"], [FAR, "app/dir/file"]],
  ["COPY . /", ["app/other", "app/new", FAR, "app/out/kept"], ["app/a.log", "app/out/gone"]],
  ["COPY ../../.. /", ["app/other", "app/new"], ["app/a.log"]],
  ["COPY out /", ["app/out/kept"], ["app/out/gone", "app/out/new", "app/other"]],
  ["COPY --parents dir/./sub/deep /", ["app/dir/sub/deep"], ["app/dir/file", "app/other"]],
  [
    "COPY --parents dir/**/deep /",
    ["app/dir/sub/deep", "app/dir/new/deep", "app/dir/deep"],
    ["app/dir/sub/new", "app/other"],
  ],
  // A link in the way may lead anywhere: through link-around nobody knows where.
  ["COPY --parents **/deep /", ["app/dir/sub/deep", "app/other"], []],
  ["COPY --parents dir/** /", ["app/dir/sub/deep", "app/dir/new"], ["app/other"]],
  [
    "COPY --parents behind/**/f* /",
    ["app/behind/inner/file", "app/behind/new/f", "app/behind/f"],
    ["app/behind/inner/new", "app/other"],
  ],
  ["COPY --parents d**/deep /", ["app/dir/file", "app/other"], []],
  ["COPY --parents ** /", ["app/other", "app/new"], ["app/a.log"]],
  ["COPY --parents ./d*/file /", ["app/dir/file"], ["app/dir/new", "app/dir/sub/deep", "app/other"]],
  ["COPY --parents d*/s?b /", ["app/dir/sub/deep", "app/dir/sub/new"], ["app/dir/file", "app/other"]],
  ["COPY --parents d[i]r/file /", ["app/dir/file", "app/other"], []],
  ["COPY --exclude=*.txt dir /", ["app/dir/file"], ["app/other"]],
  ["COPY --new-flag=x dir/file /", ["app/other", "app/new"], []],
  ["ADD dir/file /", ["app/dir/file"], ["app/other"]],
  ["COPY $UNKNOWN /", ["app/other", "app/new"], []],
  ["ARG NAME=dir/file\nCOPY $NAME /", ["app/dir/file"], ["app/other"]],
  [
    "ARG TARGETARCH\nCOPY dir/$TARGETARCH* dir/file /",
    ["app/dir/amd64", "app/dir/file"],
    ["app/dir/arm64", "app/other"],
  ],
  ["RUN --mount=type=bind,target=/m x", ["app/other", "app/new"], []],
  ["RUN --mount=source=dir/sub,target=/m x", ["app/dir/sub/deep"], ["app/dir/file", "app/other"]],
  ["RUN --mount=type=cache,target=/m x", [], ["app/other", "app/new"]],
  ["COPY --from=registry.test/tools:1 dir /", [], ["app/dir/file"]],
  ["COPY <<EOF /x\nbody\nEOF", [], ["app/dir/file"]],
  ["ONBUILD COPY other /", [], ["app/other"]],
  ["ONBUILD COPY other /\nFROM base", ["app/other"], ["app/dir/file"]],
  ["FROM registry.test/tools:1\nCOPY dir/file /", ["app/dir/file"], ["app/other"]],
  ["COPY other /\nFROM registry.test/tools:1\nCOPY dir/file /", ["app/dir/file"], ["app/other"]],
  ["COPY other /o\nFROM registry.test/tools:1\nCOPY --from=base /o /", ["app/other"], ["app/dir/file"]],
  ["COPY other /o\nFROM registry.test/tools:1\nCOPY --from=0 /o /", ["app/other"], ["app/dir/file"]],
  ["COPY other /o\nFROM registry.test/tools:1\nRUN --mount=from=base,target=/m x", ["app/other"], ["app/dir/file"]],
  ["COPY other /o\nFROM base AS two\nRUN x\nFROM two", ["app/other"], ["app/dir/file"]],
  ["ARG BUILDKIT_SBOM_SCAN_CONTEXT=true", ["app/other", "app/new"], []],
])("what may be in the image: %s", async (instructions, moved, still) => {
  const files = { ...TREE, ".devcontainer/Dockerfile": `FROM registry.test/base:1 AS base\n${instructions}\n` };
  const movesFor = async (path: string): Promise<boolean> => {
    const edit = (root: string): void => put(root, path, "another content\n");
    return (await movedBy({ name: path, from: files, edit }, BEFORE)).length > 0;
  };
  const paths = [...moved, ...still];
  const answers = await Promise.all(paths.map(async (path) => [path, await movesFor(path)] as const));
  expect(Object.fromEntries(answers)).toEqual(Object.fromEntries(paths.map((path) => [path, moved.includes(path)])));
});

test.each<[instructions: string, moved: readonly string[], still: readonly string[]]>([
  ["RUN x", [], ["lib/a", "lib/new"]],
  ["COPY --from=lib a /", ["lib/a"], ["lib/b", "lib/new", "other/a"]],
  ["COPY --from=lib . /", ["lib/a", "lib/new"], ["lib/out", "other/a"]],
  ["COPY --from=lib sub/ /", ["lib/sub/deep", "lib/sub/new"], ["lib/a"]],
  ["COPY --from=lib s*/d* /", ["lib/sub/deep"], ["lib/sub/new", "lib/a"]],
  ["COPY --from=lib link /", ["lib/sub/deep"], ["lib/a", "lib/sub/new"]],
  ["COPY --from=lib --parents sub/**/deep /", ["lib/sub/deep"], ["lib/sub/new", "lib/a"]],
  ["COPY --from=docker.io/library/lib:latest a /", ["lib/a"], ["lib/b"]],
  ["ARG NAME=a\nCOPY --from=lib $NAME /", ["lib/a"], ["lib/b"]],
  ["COPY --from=lib $UNKNOWN /", ["lib/a", "lib/new"], ["other/a"]],
  ["RUN --mount=from=lib,target=/m x", ["lib/a", "lib/new"], ["other/a"]],
  ["RUN --mount=from=lib,source=sub,target=/m x", ["lib/sub/deep", "lib/sub/new"], ["lib/a"]],
  ["RUN --mount=type=cache,from=lib,source=sub,target=/m x", ["lib/sub/deep"], ["lib/a"]],
  ["FROM lib\nRUN x", ["lib/a", "lib/new"], ["other/a"]],
  ["ARG L=lib\nFROM base AS one\nONBUILD COPY --from=lib a /\nFROM one", ["lib/a"], ["lib/b", "other/a"]],
  ["FROM base AS lib\nRUN x\nFROM base\nCOPY --from=lib /a /", ["lib/a", "lib/b"], ["other/a"]],
  ["FROM base AS unused\nCOPY --from=lib a /\nFROM base", [], ["lib/a"]],
  ["COPY --new-flag=x --from=lib a /", ["lib/b", "other/a"], []],
])("what may be taken of named contexts: %s", async (instructions, moved, still) => {
  const syntax = "# syntax=docker/dockerfile:1\n";
  const files = {
    ".devcontainer/devcontainer.json": JSON.stringify({
      build: { dockerfile: "Dockerfile", options: ["--build-context=lib=lib", "--build-context", "other=other"] },
    }),
    "lib/.dockerignore": "out\n",
    "lib/a": "a\n",
    "lib/b": "b\n",
    "lib/out": "out\n",
    "lib/sub/deep": "deep\n",
    "lib/link": { link: "sub/deep" },
    "other/a": "a\n",
    ".devcontainer/Dockerfile": `${syntax}FROM registry.test/base:1 AS base\n${instructions}\n`,
  };
  const images = { ...IMAGES, "docker.io/docker/dockerfile:1": indexOf({ "linux/amd64": "frontend" }) };
  const movesFor = async (path: string): Promise<boolean> => {
    const edit = (root: string): void => put(root, path, "another content\n");
    return (await movedBy({ name: path, from: files, edit }, { files, images })).length > 0;
  };
  const paths = [...moved, ...still];
  const answers = await Promise.all(paths.map(async (path) => [path, await movesFor(path)] as const));
  expect(Object.fromEntries(answers)).toEqual(Object.fromEntries(paths.map((path) => [path, moved.includes(path)])));
});

test.each([
  ["a frontend that nobody knows here", "# syntax=registry.test/other:1\n", {}],
  ["a frontend that a build arg names", "", { "build-args": "BUILDKIT_SYNTAX=registry.test/other:1" }],
])("%s may read everything", async (_, syntax, inputs) => {
  const files = { ...TREE, ".devcontainer/Dockerfile": `${syntax}FROM registry.test/base:1\nCOPY dir/file /\n` };
  const images = { ...IMAGES, "registry.test/other:1": indexOf({ "linux/amd64": "frontend" }) };
  const mutation = { name: "", from: files, edit: (root: string) => put(root, "app/other", "x\n") };
  expect(await movedBy(mutation, { files, images, inputs })).toEqual(["key", "own", "source", "unlabelled"]);
});

/** Dockerfiles whose target needs less than all of it. */
test.each<[name: string, before: string, after: string, moved: boolean]>([
  ["a base of another stage", "FROM a:1 AS x\nFROM $B\n", "FROM a:2 AS x\nFROM $B\n", false],
  ["an ARG of another stage", "FROM a AS x\nARG V=1\nFROM $B\n", "FROM a AS x\nARG V=2\nFROM $B\n", false],
  ["a global ARG of another stage", "ARG V=1\nFROM a:$V AS x\nFROM $B\n", "ARG V=2\nFROM a:$V AS x\nFROM $B\n", false],
  ["a global ARG that is declared again", "ARG V=1\nFROM $B\nARG V\n", "ARG V=2\nFROM $B\nARG V\n", true],
  [
    "a global ARG that another one uses",
    "ARG U=1\nARG V=$U\nFROM $B\nARG V\n",
    "ARG U=2\nARG V=$U\nFROM $B\nARG V\n",
    true,
  ],
  ["a global ARG in a default", "ARG V=1\nFROM ${NONE:-$B}\nRUN x$V\n", "ARG V=2\nFROM ${NONE:-$B}\nRUN x$V\n", false],
  [
    "a stage that is mounted",
    "FROM $B AS x\nRUN 1\nFROM $B\nRUN --mount=from=x,target=/m y\n",
    "FROM $B AS x\nRUN 2\nFROM $B\nRUN --mount=from=x,target=/m y\n",
    true,
  ],
  [
    "the order of stages that nothing uses",
    "FROM a AS x\nFROM b AS y\nFROM $B\n",
    "FROM b AS y\nFROM a AS x\nFROM $B\n",
    false,
  ],
  [
    "a stage that a trigger copies from",
    "FROM $B AS x\nRUN 1\nFROM $B AS y\nONBUILD COPY --from=x /a /\nFROM y\n",
    "FROM $B AS x\nRUN 2\nFROM $B AS y\nONBUILD COPY --from=x /a /\nFROM y\n",
    true,
  ],
])("what the target needs: %s", async (_, before, after, moved) => {
  const dockerfile = (text: string): string =>
    text.replace("$B", "registry.test/base:1").replaceAll("$B", "registry.test/base:1");
  const files = { ...TREE, ".devcontainer/Dockerfile": dockerfile(before) };
  const edit = (root: string): void => put(root, ".devcontainer/Dockerfile", dockerfile(after));
  expect((await movedBy({ name: "", from: files, edit }, BEFORE)).length > 0).toBe(moved);
});

test("a build arg that only another stage declares", async () => {
  const files = {
    ...TREE,
    ".devcontainer/Dockerfile": "ARG ONE\nFROM a:$ONE AS x\nARG TWO\nFROM registry.test/base:1\nARG THREE\n",
  };
  const moved = (args: string) =>
    movedBy(
      { name: "", inputs: { "build-args": args } },
      { files, images: IMAGES, inputs: { "build-args": "ONE=1\nTWO=1\nTHREE=1" } },
    );
  expect(await moved("ONE=2\nTWO=2\nTHREE=1")).toEqual([]);
  expect(await moved("ONE=1\nTWO=1\nTHREE=2")).toEqual(["key", "own", "source", "unlabelled"]);
});

test("what another platform takes from the context does not count for this one", async () => {
  const files = {
    ...TREE,
    "app/bin/amd64": "amd64\n",
    "app/bin/arm64": "arm64\n",
    ".devcontainer/Dockerfile": "FROM registry.test/base:1\nARG TARGETARCH\nCOPY bin/$TARGETARCH /\n",
  };
  const edit = (root: string): void => put(root, "app/bin/arm64", "other\n");
  const moved = (platforms: string) => movedBy({ name: "", edit }, { files, images: IMAGES, inputs: { platforms } });
  expect(await moved("linux/amd64")).toEqual([]);
  expect(await moved("linux/arm64")).toEqual(["key", "own", "source", "unlabelled"]);
  expect(await moved("linux/amd64,linux/arm64")).toEqual(["key", "own", "source", "unlabelled"]);
});

/** Paths whose mode counts, and those whose does not. */
test.each<[instructions: string, moved: readonly string[], still: readonly string[]]>([
  ["COPY --chmod=755 dir /d", [], ["app/dir/file", "app/dir/sub/deep"]],
  ["COPY --chmod=0644 --chown=1 dir/file other /d/", [], ["app/dir/file", "app/other"]],
  ["ADD --chmod=755 dir/file /d", [], ["app/dir/file"]],
  ["COPY --chmod=755 link-file /d", [], [FAR]],
  ["COPY --chmod=755 dir/file /d\nCOPY dir/file /e", ["app/dir/file"], []],
  ["COPY --chmod=755 dir /d\nCOPY dir/sub /e", ["app/dir/sub/deep"], ["app/dir/file"]],
  ["COPY --chmod=755 . /d\nCOPY link-dir /e", ["app/behind/inner/file"], ["app/dir/file", "app/other"]],
  ["COPY --chmod=755 dir /d\nRUN --mount=source=dir,target=/m x", ["app/dir/file"], []],
  ["COPY --chmod=755 dir /d\nCOPY $UNKNOWN /e", ["app/dir/file"], []],
  ["COPY --chmod=u+x dir/file /d", ["app/dir/file"], []],
  ["ARG MODE=755\nCOPY --chmod=$MODE dir/file /d", ["app/dir/file"], []],
  ["COPY dir/file /d", ["app/dir/file"], []],
])("whose mode may be in the image: %s", async (instructions, moved, still) => {
  const files = { ...TREE, ".devcontainer/Dockerfile": `FROM registry.test/base:1 AS base\n${instructions}\n` };
  const movesFor = async (path: string): Promise<boolean> => {
    const edit = (root: string): void => chmodSync(join(root, path), 0o755);
    return (await movedBy({ name: path, from: files, edit }, BEFORE)).length > 0;
  };
  const paths = [...moved, ...still];
  const answers = await Promise.all(paths.map(async (path) => [path, await movesFor(path)] as const));
  expect(Object.fromEntries(answers)).toEqual(Object.fromEntries(paths.map((path) => [path, moved.includes(path)])));
});
