import { chmodSync, cpSync, mkdtempSync, renameSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Served } from "../../src/oci/manifest.ts";
import { type Content, makeCheckout, put } from "../checkout.ts";
import { featureOf, indexOf, planOf } from "../plan-of.ts";
import { type Keys, keysOf, type Mutation, movedBy, toldOfAll } from "./around.ts";
import { filesOf, IMAGES, LAYOUTS, type Layout, VALUES, type Values } from "./layouts.ts";

// What must move the key and what must not, in each of the usual layouts. Other files here have the rows that are about one of them.

/** What an edit says in one layout; nothing where that layout has no such thing. */
type Row = {
  readonly name: string;
  readonly change: (layout: Layout) => Omit<Mutation, "name"> | undefined;
};

const row = (name: string, change: Row["change"]): Row => ({ name, change });
const everywhere = (name: string, mutation: Omit<Mutation, "name">): Row => row(name, () => mutation);

/** Something in the folder of the build context. */
const inContext = (name: string, edit: (root: string) => void): Row =>
  row(name, ({ context }) => (context === undefined ? undefined : { edit: (root) => edit(join(root, context)) }));

const writing =
  (values: Partial<Values>) =>
  (layout: Layout): Omit<Mutation, "name"> => ({
    edit: (root) => {
      for (const [path, content] of Object.entries(layout.write({ ...VALUES, ...values }))) put(root, path, content);
    },
  });
/** What devcontainer.json, or a compose file, says otherwise. */
const said = (name: string, values: Partial<Values>): Row => row(name, writing(values));
const building = (name: string, values: Partial<Values>, from: Partial<Values> = {}): Row =>
  row(name, (layout) =>
    layout.context === undefined
      ? undefined
      : { from: filesOf(layout, from), ...writing({ ...from, ...values })(layout) },
  );
const property = (name: string, properties: Values["properties"]): Row =>
  said(name, { properties: { ...VALUES.properties, ...properties } });
const featured = (name: string, mutation: (layout: Layout) => Omit<Mutation, "name">): Row =>
  row(name, (layout) => (layout.hasFeatures ? mutation(layout) : undefined));
const where =
  (hasFeatures: boolean) =>
  (name: string, properties: Values["properties"]): Row => ({
    name,
    change: (layout) => (layout.hasFeatures === hasFeatures ? property(name, properties).change(layout) : undefined),
  });
const featuredProperty = where(true);
const plainProperty = where(false);
const dockerfile = (name: string, from: string, to: string): Row => {
  if (!VALUES.dockerfile.includes(from)) throw new Error(`there is no ${from}`);
  return building(name, { dockerfile: VALUES.dockerfile.replace(from, to) });
};
const upstream = (moved: Readonly<Record<string, Served>>): Omit<Mutation, "name"> => ({
  images: { ...IMAGES, ...moved },
});

/** A build that takes everything along, and something else than that. */
const COPIES_ALL: Partial<Values> = {
  dockerfile: `${VALUES.dockerfile.split("FROM registry.test/base:11 AS")[0]}COPY . /all\n`,
};
const inWhole = (name: string, edit: (root: string) => void): Row =>
  row(name, (layout) => {
    const { context } = layout;
    if (context === undefined) return undefined;
    return { from: filesOf(layout, COPIES_ALL), edit: (root) => edit(join(root, context)) };
  });

/** A line that goes on would be one that ends in a backslash. */
const ON_ONE_LINE = VALUES.dockerfile.replace(/ \\\n +/, " ");

const UPSTREAM: readonly Row[] = [
  everywhere(
    "the base's digest for this platform",
    upstream({ "registry.test/base:12": indexOf({ "linux/amd64": "moved", "linux/arm64": "12 arm64" }) }),
  ),
  row("the frontend's digest", ({ context }) =>
    context === undefined
      ? undefined
      : upstream({ "docker.io/docker/dockerfile:1": indexOf({ "linux/amd64": "moved" }) }),
  ),
  row("the digest of an image that is copied from", ({ context }) =>
    context === undefined ? undefined : upstream({ "registry.test/tools:1": indexOf({ "linux/amd64": "moved" }) }),
  ),
  featured("a feature's digest under the same tag", () =>
    upstream({
      "registry.test/f/tool:1": featureOf({ id: "tool", options: { version: { default: "1" } } }, "other"),
    }),
  ),
];

const ALL_KEYS: readonly Row[] = [
  inContext("content of a copied file", (root) => put(root, "src/main.c", "int other;\n")),
  inContext("rename of a copied file", (root) => renameSync(join(root, "src/main.c"), join(root, "src/start.c"))),
  inContext("chmod +x of a copied file", (root) => chmodSync(join(root, "src/main.c"), 0o755)),
  inContext("chmod -x of a copied file", (root) => chmodSync(join(root, "scripts/setup.sh"), 0o644)),
  inContext("target of a copied link", (root) => put(root, "link.txt", { link: "src/main.c" })),
  inContext("content behind a copied link", (root) => put(root, "src/sub/deep.txt", "deeper\n")),
  inContext("content behind a link in the middle of a source", (root) => put(root, "behind/inner.txt", "other\n")),
  inContext("content behind a link that a pattern matches", (root) => put(root, "behind/matched.txt", "other\n")),
  inContext("a new file under a copied folder", (root) => put(root, "src/new.c", "")),
  inContext("a new file under a pattern", (root) => put(root, "scripts/new.sh", "")),
  inWhole("a new file where everything is copied", (root) => put(root, "other/new.txt", "")),
  inWhole("a new empty folder's file where everything is copied", (root) => put(root, "new/new.txt", "")),
  inContext("a file that an ignore file brings back", (root) => put(root, "ignored/kept.txt", "other\n")),
  inWhole("an ignore file that leaves out less", (root) => put(root, ".dockerignore", "")),
  dockerfile("a heredoc's body", "echo one", "echo two"),
  dockerfile("a default of ARG", "ARG WORD=one", "ARG WORD=two"),
  dockerfile("a time before FROM", "ARG VARIANT", "ARG SOURCE_DATE_EPOCH=1\nARG VARIANT"),
  dockerfile("a reachable stage", "echo a &&", "echo c &&"),
  dockerfile("another frontend", "dockerfile:1", "dockerfile:2"),
  dockerfile("an option of the frontend", "dockerfile:1", "dockerfile:1 --x=y"),
  dockerfile("no frontend any more", "# syntax=docker/dockerfile:1\n", ""),
  building(
    "an escape directive",
    { dockerfile: ON_ONE_LINE.replace("# syntax", "# escape=`\n# syntax") },
    { dockerfile: ON_ONE_LINE },
  ),
  inWhole("the commit, where everything is copied and .git lies in the context", (root) =>
    put(root, ".git/HEAD", "x\n"),
  ),
  building("a build arg's value", { args: { ...VALUES.args, WORD: "two" } }),
  building("a build arg that names the base", { args: { ...VALUES.args, VARIANT: "11" } }),
  building("an undeclared BUILDKIT_SYNTAX", { args: { ...VALUES.args, BUILDKIT_SYNTAX: "docker/dockerfile:2" } }),
  building("an undeclared SOURCE_DATE_EPOCH", { args: { ...VALUES.args, SOURCE_DATE_EPOCH: "1" } }),
  building("an undeclared TARGETARCH", { args: { ...VALUES.args, TARGETARCH: "arm64" } }),
  building("the target", { target: "last" }),
  row("an entry of build.options", (layout) =>
    layout.context === undefined || layout.name === "compose"
      ? undefined
      : writing({ options: ["--network=none"] })(layout),
  ),
  featuredProperty("containerEnv beside features", { containerEnv: { EDITOR: "ed" } }),
  featuredProperty("remoteUser beside features", { remoteUser: "root" }),
  everywhere("cache-version", { inputs: { "cache-version": "2" } }),
  everywhere("another platform", { inputs: { platforms: "linux/arm64" } }),
  everywhere("a label of the input", { inputs: { labels: "team=a" } }),
  featured(
    "a feature's option",
    writing({ features: { ...VALUES.features, "registry.test/f/tool:1": { version: "2" } } }),
  ),
  featured("the order of features", (layout) => ({
    edit: (root) => {
      const properties = { ...VALUES.properties, overrideFeatureInstallOrder: ["registry.test/f/other"] };
      for (const [path, content] of Object.entries(layout.write({ ...VALUES, properties }))) put(root, path, content);
    },
  })),
  featured("a local feature's file", () => ({
    edit: (root) => put(root, ".devcontainer/local/install.sh", { script: "echo other\n" }),
  })),
];

const LABEL: readonly Row[] = [
  property("customizations", { customizations: { vscode: { extensions: ["a.c"] } } }),
  property("a lifecycle hook", { postCreateCommand: "make other" }),
  property("a forwarded port", { forwardPorts: [3001] }),
  plainProperty("containerEnv without features", { containerEnv: { EDITOR: "ed" } }),
  plainProperty("remoteUser without features", { remoteUser: "root" }),
  plainProperty("containerUser without features", { containerUser: "root" }),
];

const NOTHING: readonly Row[] = [
  dockerfile("a comment", "# a comment", "# another"),
  dockerfile("blank lines", "COPY src/", "\n\nCOPY src/"),
  dockerfile("the case of AS", "AS dev", "as dev"),
  dockerfile("the case of a stage's name", "AS dev", "AS Dev"),
  building(
    "the name of a stage that another one stands on",
    { target: "last", dockerfile: VALUES.dockerfile.replace("AS dev", "AS other").replace("FROM dev", "FROM other") },
    { target: "last" },
  ),
  dockerfile("the default of an ARG that is given a value", "ARG VARIANT=11", "ARG VARIANT=10"),
  dockerfile("the case of an instruction", "RUN echo a", "run echo a"),
  dockerfile("line breaks and indentation in a COPY", "COPY src/ /src/", "COPY src/ \\\n    /src/"),
  dockerfile("a line break in an instruction", "COPY src/ /src/", "COPY src/\\\n /src/"),
  dockerfile("an unreachable stage", "echo unused", "echo more"),
  dockerfile("the base of an unreachable stage", "FROM registry.test/base:11 AS", "FROM registry.test/absent:1 AS"),
  dockerfile("an ARG before FROM that nothing uses", "ARG VARIANT", "ARG UNUSED=1\nARG VARIANT"),
  dockerfile(
    "a version of BuildKit before FROM that nothing uses",
    "ARG VARIANT",
    "ARG BUILDKIT_VERSION=1\nARG VARIANT",
  ),
  inContext("a file that no instruction reads", (root) => put(root, "other/notes.txt", "another\n")),
  inContext("a new file that no instruction reads", (root) => put(root, "more/notes.txt", "more\n")),
  inContext("a link that no instruction reads", (root) => put(root, "other/link", { link: "/nowhere" })),
  inContext("an ignored file", (root) => put(root, "ignored/gone.txt", "other\n")),
  inWhole("an ignored file where everything is copied", (root) => put(root, "ignored/new.txt", "other\n")),
  inContext("an ignore file that leaves out what nothing reads", (root) =>
    put(root, ".dockerignore", "ignored\n!ignored/kept.txt\nother\n"),
  ),
  inContext("mtime", (root) => utimesSync(join(root, "src/main.c"), 1, 1)),
  inContext("the modes of another umask", (root) => {
    for (const path of ["src/main.c", "behind/inner.txt"]) chmodSync(join(root, path), 0o600);
    for (const path of ["src", "src/sub", "scripts", "behind"]) chmodSync(join(root, path), 0o700);
    chmodSync(join(root, "scripts/setup.sh"), 0o700);
  }),
  everywhere("another commit", { edit: (root) => put(root, ".git/HEAD", "ref: refs/heads/other\n") }),
  everywhere("the commit that a run is about", { env: { GITHUB_SHA: "1".repeat(40) } }),
  everywhere("a file outside of the context, and of everything", { edit: (root) => put(root, "elsewhere/file", "") }),
  everywhere("a README beside the configuration", {
    edit: (root) => put(root, ".devcontainer/README.md", "read me\n"),
  }),
  row("a comment in devcontainer.json", (layout) => ({
    edit: (root) => {
      const path = ".devcontainer/devcontainer.json";
      put(root, path, String(filesOf(layout)[path]).replace("// a comment", "/* another\n */"));
    },
  })),
  said("the order of properties", {
    properties: Object.fromEntries(Object.entries(VALUES.properties).reverse()),
  }),
  building("an undeclared ordinary build arg", { args: { ...VALUES.args, UNDECLARED: "2" } }),
  everywhere("an ordinary build arg that nothing declares", { inputs: { "build-args": "NOBODY=1" } }),
  everywhere(
    "another platform's digest",
    upstream({ "registry.test/base:12": indexOf({ "linux/amd64": "12 amd64", "linux/arm64": "moved" }) }),
  ),
  row("the digest of an unreachable stage's base", ({ context }) =>
    context === undefined
      ? undefined
      : upstream({ "registry.test/base:11": indexOf({ "linux/amd64": "moved", "linux/arm64": "moved" }) }),
  ),
  everywhere("labels of the commit", {
    inputs: { labels: "org.opencontainers.image.created=now\norg.opencontainers.image.revision=1" },
  }),
  everywhere("a label that ignore-labels names", { inputs: { labels: "team.run=1", "ignore-labels": "team.*" } }),
  everywhere("tags, layer caches and what to do on a miss", {
    inputs: {
      tags: "latest",
      "cache-from": "type=registry,ref=registry.test/x",
      "cache-to": "type=inline",
      "on-miss": "fail",
    },
  }),
  everywhere("which builder, how it builds, and what is attested", {
    inputs: { builder: "mine", "no-cache": "true", load: "true", sbom: "true", provenance: "max" },
  }),
  everywhere("another system, another runner", {
    env: { RUNNER_OS: "macOS", RUNNER_ARCH: "ARM64", RUNNER_ENVIRONMENT: "self-hosted", ImageOS: "other" },
  }),
  everywhere("who runs it, where", { env: { HOSTNAME: "other", RUNNER_NAME: "other", USER: "other", HOME: "/other" } }),
  everywhere("locale and time zone", { env: { LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8", TZ: "Asia/Tokyo" } }),
];

/** The same image in other words: each has its own sources. */
const WRITTEN: readonly Row[] = [
  building("what the target is called", {
    target: "development",
    dockerfile: VALUES.dockerfile.replace("AS dev", "AS development").replace("FROM dev", "FROM development"),
  }),
  featured("the default of a feature's option", (layout) => ({
    from: filesOf(layout, { features: { ...VALUES.features, "registry.test/f/tool:1": {} } }),
    ...writing({ features: { ...VALUES.features, "registry.test/f/tool:1": "1" } })(layout),
  })),
];

const tables: readonly (readonly [readonly Row[], readonly (keyof Keys)[]])[] = [
  [UPSTREAM, ["key", "unlabelled"]],
  [ALL_KEYS, ["key", "own", "source", "unlabelled"]],
  [LABEL, ["key", "own"]],
  [WRITTEN, ["own", "source"]],
  [NOTHING, []],
];
const cases = tables.flatMap(([rows, moved]) =>
  rows.flatMap(({ name, change }) =>
    LAYOUTS.flatMap((layout) => {
      const mutation = change(layout);
      return mutation ? [{ layout, name, mutation, moved }] : [];
    }),
  ),
);

test.each(cases)("$layout.name: $name moves $moved", async ({ layout, name, mutation, moved }) => {
  expect(await movedBy({ name, ...mutation }, { files: filesOf(layout), images: IMAGES })).toEqual(moved);
});

test.each(LAYOUTS)("$name: the same commit in two checkouts at different paths has one key", async (layout) => {
  const workspace = makeCheckout(filesOf(layout));
  const other = join(mkdtempSync(join(tmpdir(), "elsewhere-")), "deeper", "clone");
  cpSync(workspace, other, { recursive: true, verbatimSymlinks: true });
  expect(await keysOf({ workspace: other, images: IMAGES })).toEqual(await keysOf({ workspace, images: IMAGES }));
});

test.each(LAYOUTS)("$name: what only the label carries changes nothing but the label", async (layout) => {
  const planned = async (files: Readonly<Record<string, Content>>) => {
    const { probed } = await planOf({ workspace: makeCheckout(files), images: IMAGES });
    const { label, ...rest } = probed.plan?.platforms[0]?.plan ?? {};
    return { label, rest };
  };
  const properties = { ...VALUES.properties, customizations: {}, postCreateCommand: "make other", forwardPorts: [] };
  const [was, is] = [await planned(filesOf(layout)), await planned(filesOf(layout, { properties }))];
  expect(is.rest).toEqual(was.rest);
  expect(is.label).not.toEqual(was.label);
});

// Of one layout, so that a reader has a chance; the texts are the same everywhere.
test("each change is told, and once", async () => {
  const [, layout] = LAYOUTS;
  if (!layout) throw new Error("there is no layout");
  const rows = [...UPSTREAM, ...ALL_KEYS, ...LABEL].flatMap(({ name, change }) => {
    const mutation = change(layout);
    return mutation ? [{ name, ...mutation }] : [];
  });
  expect(await toldOfAll(rows, { files: filesOf(layout), images: IMAGES })).toMatchInlineSnapshot(`
    {
      "a build arg that names the base": [
        "build arg VARIANT changed (.devcontainer/devcontainer.json:8) @ .devcontainer/devcontainer.json:8",
      ],
      "a build arg's value": [
        "build arg WORD is new (.devcontainer/devcontainer.json:10) @ .devcontainer/devcontainer.json:10",
      ],
      "a default of ARG": [
        ".devcontainer/Dockerfile:5 ARG changed @ .devcontainer/Dockerfile:5",
      ],
      "a file that an ignore file brings back": [
        "ignored/kept.txt changed @ ignored/kept.txt",
      ],
      "a forwarded port": [
        "forwardPorts changed, which stands in the image's metadata label @ .devcontainer/devcontainer.json:25",
      ],
      "a heredoc's body": [
        ".devcontainer/Dockerfile:11 RUN changed @ .devcontainer/Dockerfile:11",
      ],
      "a label of the input": [
        "label team is new (the input labels; ignore-labels takes it out of the key)",
      ],
      "a lifecycle hook": [
        "postCreateCommand changed, which stands in the image's metadata label @ .devcontainer/devcontainer.json:24",
      ],
      "a new empty folder's file where everything is copied": [
        "new/new.txt is part of the build now @ new/new.txt",
      ],
      "a new file under a copied folder": [
        "src/new.c is part of the build now @ src/new.c",
      ],
      "a new file under a pattern": [
        "scripts/new.sh is part of the build now @ scripts/new.sh",
      ],
      "a new file where everything is copied": [
        "other/new.txt is part of the build now @ other/new.txt",
      ],
      "a reachable stage": [
        ".devcontainer/Dockerfile:14 RUN changed @ .devcontainer/Dockerfile:14",
      ],
      "a time before FROM": [
        ".devcontainer/Dockerfile:3 ARG is new @ .devcontainer/Dockerfile:3",
      ],
      "an entry of build.options": [
        "build option --network is new (.devcontainer/devcontainer.json:12) @ .devcontainer/devcontainer.json:12",
      ],
      "an escape directive": [
        ".devcontainer/Dockerfile: the escape character changed @ .devcontainer/Dockerfile",
      ],
      "an ignore file that leaves out less": [
        "a line is gone from .dockerignore, and ignored/gone.txt is part of the build now",
        ".dockerignore changed @ .dockerignore",
      ],
      "an option of the frontend": [
        ".devcontainer/Dockerfile:1 # syntax=docker/dockerfile:1 → # syntax=docker/dockerfile:1 --x=y @ .devcontainer/Dockerfile:1",
      ],
      "an undeclared BUILDKIT_SYNTAX": [
        "build arg BUILDKIT_SYNTAX is new (.devcontainer/devcontainer.json:10) @ .devcontainer/devcontainer.json:10",
      ],
      "an undeclared SOURCE_DATE_EPOCH": [
        "build arg SOURCE_DATE_EPOCH is new (.devcontainer/devcontainer.json:10) @ .devcontainer/devcontainer.json:10",
      ],
      "an undeclared TARGETARCH": [
        "build arg TARGETARCH is new (.devcontainer/devcontainer.json:10) @ .devcontainer/devcontainer.json:10",
      ],
      "another frontend": [
        ".devcontainer/Dockerfile:1 # syntax=docker/dockerfile:1 → # syntax=docker/dockerfile:2 @ .devcontainer/Dockerfile:1",
      ],
      "another platform": [
        "platform linux/arm64 was not in the previous set (the input platforms)",
        "platform linux/amd64 is no longer asked for (the input platforms)",
      ],
      "cache-version": [
        "the input cache-version (not set) → 2",
      ],
      "chmod +x of a copied file": [
        "src/main.c has mode 0755 now, before 0644 @ src/main.c",
      ],
      "chmod -x of a copied file": [
        "scripts/setup.sh has mode 0644 now, before 0755 @ scripts/setup.sh",
      ],
      "containerEnv without features": [
        "containerEnv.EDITOR changed, which stands in the image's metadata label @ .devcontainer/devcontainer.json:14",
      ],
      "containerUser without features": [
        "containerUser changed, which stands in the image's metadata label @ .devcontainer/devcontainer.json:28",
      ],
      "content behind a copied link": [
        "src/sub/deep.txt changed @ src/sub/deep.txt",
      ],
      "content behind a link in the middle of a source": [
        "behind/inner.txt changed @ behind/inner.txt",
      ],
      "content behind a link that a pattern matches": [
        "behind/matched.txt changed @ behind/matched.txt",
      ],
      "content of a copied file": [
        "src/main.c changed @ src/main.c",
      ],
      "customizations": [
        "customizations changed, which stands in the image's metadata label @ .devcontainer/devcontainer.json:17",
      ],
      "no frontend any more": [
        ".devcontainer/Dockerfile: # syntax=docker/dockerfile:1 is gone @ .devcontainer/Dockerfile",
      ],
      "remoteUser without features": [
        "remoteUser changed, which stands in the image's metadata label @ .devcontainer/devcontainer.json:16",
      ],
      "rename of a copied file": [
        "src/start.c was src/main.c before @ src/start.c",
      ],
      "target of a copied link": [
        "link.txt points to src/main.c now @ link.txt",
      ],
      "the base's digest for this platform": [
        "base registry.test/base:12 sha256:98b4c84e4d6a… → sha256:5edd1832df25… @ .devcontainer/Dockerfile:4",
      ],
      "the commit, where everything is copied and .git lies in the context": [
        ".git/HEAD changed @ .git/HEAD",
      ],
      "the digest of an image that is copied from": [
        "base registry.test/tools:1 sha256:357c4de03167… → sha256:5edd1832df25… @ .devcontainer/Dockerfile:7",
      ],
      "the frontend's digest": [
        "frontend docker/dockerfile:1 sha256:7adcfdcc196b… → sha256:a744a83c79e4… @ .devcontainer/Dockerfile:1",
      ],
      "the target": [
        "build target dev → last @ .devcontainer/devcontainer.json:6",
      ],
    }
  `);
});
