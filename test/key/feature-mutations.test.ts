import { chmodSync, renameSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Served } from "../../src/oci/manifest.ts";
import { type Content, put } from "../checkout.ts";
import { featureOf, indexOf } from "../plan-of.ts";
import { type Before, type Mutation, movedBy, toldOfAll } from "./around.ts";

const CONFIGURATION = {
  image: "registry.test/base:1",
  features: {
    "registry.test/f/tool:1": { version: "2", flag: true },
    "registry.test/f/other:1": {},
    "registry.test/f/secret:1": { text: "${localEnv:TEXT}" },
    "registry.test/f/locked:1": {},
    "./local": { mode: "fast" },
  },
  containerEnv: { EDITOR: "vi", PAGER: "${localEnv:PAGER:less}" },
  remoteUser: "dev",
  postCreateCommand: "make setup",
};

const TOOL = { id: "tool", version: "1.0.0", options: { version: { default: "1" }, flag: { default: false } } };
const LOCKED = featureOf({ id: "locked" }, "as it is locked");
const RELOCKED = featureOf({ id: "locked" }, "locked anew");

const lockfile = (digest: string): string =>
  JSON.stringify({
    features: {
      "registry.test/f/locked:1": {
        version: "1.0.0",
        resolved: `registry.test/f/locked@${digest}`,
        integrity: digest,
      },
    },
  });

const FILES: Readonly<Record<string, Content>> = {
  ".devcontainer/devcontainer.json": JSON.stringify(CONFIGURATION, undefined, 2),
  ".devcontainer/devcontainer-lock.json": lockfile(LOCKED.descriptor.digest),
  ".devcontainer/local/devcontainer-feature.json": JSON.stringify({
    id: "local",
    options: { mode: { default: "slow" } },
    dependsOn: { "./helper": { on: "yes" }, "registry.test/f/dependency:1": { word: "one" } },
  }),
  ".devcontainer/local/install.sh": { script: "#!/bin/sh\necho local\n" },
  ".devcontainer/local/lib/functions.sh": "true\n",
  ".devcontainer/local/current": { link: "lib/functions.sh" },
  ".devcontainer/helper/devcontainer-feature.json": JSON.stringify({ id: "helper" }),
  ".devcontainer/helper/install.sh": "echo helper\n",
  "unrelated.txt": "unrelated\n",
};

const DEEPER = { id: "deeper" };
const IMAGES: Readonly<Record<string, Served>> = {
  "registry.test/base:1": indexOf({ "linux/amd64": "base amd64", "linux/arm64": "base arm64" }),
  "registry.test/f/tool:1": featureOf(TOOL, "tool"),
  "registry.test/f/other:1": featureOf({ id: "other" }, "other"),
  "registry.test/f/secret:1": featureOf({ id: "secret" }, "secret"),
  "registry.test/f/locked:1": featureOf({ id: "locked" }, "newer than it is locked"),
  [`registry.test/f/locked:1@${LOCKED.descriptor.digest}`]: LOCKED,
  "registry.test/f/dependency:1": featureOf(
    { id: "dependency", dependsOn: { "registry.test/f/deeper:1": {} } },
    "dependency",
  ),
  "registry.test/f/deeper:1": featureOf(DEEPER, "deeper"),
  "registry.test/f/added:1": featureOf({ id: "added" }, "added"),
};

const BEFORE: Before = { files: FILES, images: IMAGES, env: { TEXT: "one" } };

const configure =
  (change: Readonly<Record<string, unknown>>) =>
  (root: string): void =>
    put(root, ".devcontainer/devcontainer.json", JSON.stringify({ ...CONFIGURATION, ...change }, undefined, 2));
const withFeatures = (features: Readonly<Record<string, unknown>>) =>
  configure({ features: { ...CONFIGURATION.features, ...features } });
const orderedBy = (features: Readonly<Record<string, unknown>>): Readonly<Record<string, Content>> => ({
  ...FILES,
  ".devcontainer/devcontainer.json": JSON.stringify({
    ...CONFIGURATION,
    features: { ...CONFIGURATION.features, ...features },
  }),
});
const moved = (name: string, what: Served) => ({ ...IMAGES, [`registry.test/f/${name}:1`]: what });

/** What others publish: the commit, and so the source key, is the same. */
const UPSTREAM: readonly Mutation[] = [
  { name: "a feature's digest under the same tag", images: moved("tool", featureOf(TOOL, "tool, but newer")) },
  {
    name: "the default of an option that nobody sets",
    images: moved("other", featureOf({ id: "other", options: { word: { default: "x" } } }, "other")),
  },
  {
    name: "the digest of what a local feature depends on",
    images: moved(
      "dependency",
      featureOf({ id: "dependency", dependsOn: { "registry.test/f/deeper:1": {} } }, "moved"),
    ),
  },
  {
    name: "the digest of what a published feature depends on",
    images: moved("deeper", featureOf(DEEPER, "moved")),
  },
  {
    name: "a published feature that no longer depends on another",
    images: moved("dependency", featureOf({ id: "dependency" }, "dependency")),
  },
  {
    name: "a published feature that comes after another now",
    images: moved("other", featureOf({ id: "other", installsAfter: ["registry.test/f/tool"] }, "other")),
  },
];

/** What the commit and the inputs say. */
const YOURS: readonly Mutation[] = [
  { name: "a feature's option", edit: withFeatures({ "registry.test/f/tool:1": { version: "3", flag: true } }) },
  { name: "an option that is set to its default", edit: withFeatures({ "./local": { mode: "slow" } }) },
  { name: "a value in the place of options that nobody shows", edit: withFeatures({ "registry.test/f/other:1": "1" }) },
  { name: "an option that nobody declares", edit: withFeatures({ "registry.test/f/other:1": { undeclared: 1 } }) },
  { name: "another tag", edit: withFeatures({ "registry.test/f/added:1": {} }) },
  { name: "a feature less", edit: withFeatures({ "registry.test/f/other:1": undefined }) },
  { name: "the variable of the environment in an option", env: { TEXT: "two" } },
  {
    name: "a feature that the input additional-features adds",
    inputs: { "additional-features": '{"registry.test/f/added:1":{}}' },
  },
  {
    name: "the order of options of which one uses the other",
    from: orderedBy({ "registry.test/f/other:1": { name: "x", greeting: "hello $NAME" } }),
    edit: withFeatures({ "registry.test/f/other:1": { greeting: "hello $NAME", name: "x" } }),
  },
  {
    name: "the order of options of which one runs on into the next line",
    from: orderedBy({ "registry.test/f/other:1": { name: "x\\", greeting: "hello" } }),
    edit: withFeatures({ "registry.test/f/other:1": { greeting: "hello", name: "x\\" } }),
  },
  {
    name: "the order of options that are one variable",
    from: orderedBy({ "registry.test/f/other:1": { "a-b": "1", a_b: "2" } }),
    edit: withFeatures({ "registry.test/f/other:1": { a_b: "2", "a-b": "1" } }),
  },
  {
    name: "an order of installation that is another one",
    edit: configure({ overrideFeatureInstallOrder: ["registry.test/f/tool"] }),
  },
  {
    name: "content of a local feature's file",
    edit: (root) => put(root, ".devcontainer/local/lib/functions.sh", "false\n"),
  },
  {
    name: "rename of a local feature's file",
    edit: (root) =>
      renameSync(join(root, ".devcontainer/local/lib/functions.sh"), join(root, ".devcontainer/local/lib/others.sh")),
  },
  {
    name: "target of a link in a local feature",
    edit: (root) => put(root, ".devcontainer/local/current", { link: "install.sh" }),
  },
  { name: "a new file in a local feature", edit: (root) => put(root, ".devcontainer/local/lib/new.sh", "") },
  {
    name: "a file of a local feature on which a local feature depends",
    edit: (root) => put(root, ".devcontainer/helper/install.sh", "echo other\n"),
  },
  {
    name: "the options with which a local feature depends on another",
    edit: (root) =>
      put(
        root,
        ".devcontainer/local/devcontainer-feature.json",
        String(FILES[".devcontainer/local/devcontainer-feature.json"]).replace('"yes"', '"no"'),
      ),
  },
  { name: "containerEnv", edit: configure({ containerEnv: { EDITOR: "ed" } }) },
  {
    name: "a variable of containerEnv that is empty",
    edit: configure({ containerEnv: { ...CONFIGURATION.containerEnv, PROXY: "" } }),
  },
  { name: "the variable of the environment in containerEnv", env: { PAGER: "more" } },
  { name: "remoteUser", edit: configure({ remoteUser: "root" }) },
  { name: "containerUser", edit: configure({ containerUser: "dev" }) },
  { name: "a lockfile that is ignored", inputs: { lockfile: "ignore" } },
  {
    name: "the digest in the lockfile",
    edit: (root) => put(root, ".devcontainer/devcontainer-lock.json", lockfile(RELOCKED.descriptor.digest)),
    images: { ...IMAGES, [`registry.test/f/locked:1@${RELOCKED.descriptor.digest}`]: RELOCKED },
  },
];

/** Two commits that write in two ways what is installed: one image, and each its own sources. */
const WRITTEN: readonly Mutation[] = [
  {
    name: "defaults that are written out",
    from: orderedBy({ "registry.test/f/tool:1": {} }),
    edit: withFeatures({ "registry.test/f/tool:1": { flag: false, version: "1" } }),
  },
  {
    name: "the default of a local feature's option",
    from: orderedBy({ "./local": {} }),
    edit: withFeatures({ "./local": { mode: "slow" } }),
  },
  {
    name: "the default version in the place of options",
    from: orderedBy({ "registry.test/f/tool:1": {} }),
    edit: withFeatures({ "registry.test/f/tool:1": "1" }),
  },
  {
    name: "a version in the place of options",
    from: orderedBy({ "registry.test/f/tool:1": { version: "2" } }),
    edit: withFeatures({ "registry.test/f/tool:1": "2" }),
  },
  { name: "true as a text", edit: withFeatures({ "registry.test/f/tool:1": { version: "2", flag: "true" } }) },
  {
    name: "a lockfile with the digest that is installed without it",
    from: Object.fromEntries(Object.entries(FILES).filter(([path]) => !path.endsWith("-lock.json"))),
    images: { ...IMAGES, "registry.test/f/locked:1": LOCKED },
    edit: (root) => put(root, ".devcontainer/devcontainer-lock.json", lockfile(LOCKED.descriptor.digest)),
  },
  {
    name: "what a lockfile says of features that nobody installs",
    edit: (root) => {
      const { features } = JSON.parse(lockfile(LOCKED.descriptor.digest));
      const gone = { integrity: RELOCKED.descriptor.digest };
      const text = JSON.stringify({ features: { ...features, "registry.test/f/gone:1": gone } });
      put(root, ".devcontainer/devcontainer-lock.json", text);
    },
  },
  {
    name: "an order of installation that changes none",
    edit: configure({ overrideFeatureInstallOrder: ["registry.test/f/absent"] }),
  },
];

const NOTHING: readonly Mutation[] = [
  {
    name: "features in another order in the file",
    edit: configure({ features: Object.fromEntries(Object.entries(CONFIGURATION.features).reverse()) }),
  },
  {
    name: "declared options in another order in the file",
    edit: withFeatures({ "registry.test/f/tool:1": { flag: true, version: "2" } }),
  },
  {
    name: "options that nobody declares in another order in the file",
    from: orderedBy({ "registry.test/f/other:1": { one: "1", two: "2" } }),
    edit: withFeatures({ "registry.test/f/other:1": { two: "2", one: "1" } }),
  },
  {
    name: "containerEnv in another order in the file",
    edit: configure({ containerEnv: { PAGER: "${localEnv:PAGER:less}", EDITOR: "vi" } }),
  },
  {
    name: "mode of a local feature's file",
    edit: (root) => chmodSync(join(root, ".devcontainer/local/install.sh"), 0o600),
  },
  {
    name: "mtime of a local feature's file",
    edit: (root) => utimesSync(join(root, ".devcontainer/local/install.sh"), 1, 1),
  },
  {
    name: "a file that the build writes over",
    edit: (root) => put(root, ".devcontainer/local/devcontainer-features.env", "MODE=other\n"),
  },
  { name: "a file beside the features", edit: (root) => put(root, "unrelated.txt", "other\n") },
  {
    name: "what a tag serves now that the lockfile holds to a digest",
    images: moved("locked", featureOf({ id: "locked" }, "newest")),
  },
  {
    name: "a feature that is there without being asked for",
    images: moved("added", featureOf({ id: "added" }, "moved")),
  },
  { name: "a variable of the environment that nothing names", env: { OTHER: "1" } },
];

test.each(UPSTREAM)("must move the key alone: $name", async (mutation) => {
  expect(await movedBy(mutation, BEFORE)).toEqual(["key", "unlabelled"]);
});

test.each(YOURS)("must move all keys: $name", async (mutation) => {
  expect(await movedBy(mutation, BEFORE)).toEqual(["key", "own", "source", "unlabelled"]);
});

test.each(WRITTEN)("must move the keys of the sources alone: $name", async (mutation) => {
  const before = { ...BEFORE, images: mutation.images ?? IMAGES };
  expect(await movedBy(mutation, before)).toEqual(["own", "source"]);
});

test("what only is written in another way is no reason for a miss", async () => {
  const told = await toldOfAll(WRITTEN, { ...BEFORE, images: { ...IMAGES, "registry.test/f/locked:1": LOCKED } });
  expect(Object.values(told).flat()).toEqual([]);
});

test.each(NOTHING)("must move no key: $name", async (mutation) => {
  expect(await movedBy(mutation, BEFORE)).toEqual([]);
});

test("each change is told, and once", async () => {
  expect(await toldOfAll([...UPSTREAM, ...YOURS], BEFORE)).toMatchInlineSnapshot(`
    {
      "a feature less": [
        "feature registry.test/f/other:1 is no longer installed @ .devcontainer/devcontainer.json:3",
      ],
      "a feature that the input additional-features adds": [
        "feature registry.test/f/added:1 is new (the input additional-features)",
      ],
      "a feature's digest under the same tag": [
        "feature registry.test/f/tool:1 sha256:aab807405508… → sha256:a391f61810bf… @ .devcontainer/devcontainer.json:4",
      ],
      "a feature's option": [
        "feature registry.test/f/tool:1 option version changed @ .devcontainer/devcontainer.json:5",
      ],
      "a file of a local feature on which a local feature depends": [
        "feature ./helper changed: its files are others now @ .devcontainer/devcontainer.json:13",
      ],
      "a lockfile that is ignored": [
        "feature registry.test/f/locked:1 sha256:0c5ad01f904e… → sha256:be88ffa3faa5… (the input lockfile)",
      ],
      "a new file in a local feature": [
        "feature ./local changed: its files are others now @ .devcontainer/devcontainer.json:13",
      ],
      "a published feature that comes after another now": [
        "feature registry.test/f/other:1 sha256:a4e1502365c0… → sha256:a4c6eb769379… @ .devcontainer/devcontainer.json:8",
      ],
      "a published feature that no longer depends on another": [
        "feature registry.test/f/dependency:1 sha256:ed923be65d22… → sha256:82e1a0278e21…",
      ],
      "a value in the place of options that nobody shows": [
        "feature registry.test/f/other:1 is written differently, and installs the same @ .devcontainer/devcontainer.json:8",
      ],
      "a variable of containerEnv that is empty": [
        "containerEnv.PROXY changed, with which features are installed @ .devcontainer/devcontainer.json:20",
      ],
      "an option that is set to its default": [
        "feature ./local option mode changed @ .devcontainer/devcontainer.json:14",
      ],
      "an option that nobody declares": [
        "feature registry.test/f/other:1 option undeclared changed @ .devcontainer/devcontainer.json:9",
      ],
      "an order of installation that is another one": [
        "overrideFeatureInstallOrder is new, the order in which features are installed @ .devcontainer/devcontainer.json:23",
      ],
      "another tag": [
        "feature registry.test/f/added:1 is new @ .devcontainer/devcontainer.json:16",
      ],
      "containerEnv": [
        "containerEnv.EDITOR changed, with which features are installed @ .devcontainer/devcontainer.json:18",
        "containerEnv.PAGER changed, with which features are installed @ .devcontainer/devcontainer.json",
      ],
      "containerUser": [
        "containerUser changed, with which features are installed @ .devcontainer/devcontainer.json:23",
      ],
      "content of a local feature's file": [
        "feature ./local changed: its files are others now @ .devcontainer/devcontainer.json:13",
      ],
      "remoteUser": [
        "remoteUser changed, with which features are installed @ .devcontainer/devcontainer.json:21",
      ],
      "rename of a local feature's file": [
        "feature ./local changed: its files are others now @ .devcontainer/devcontainer.json:13",
      ],
      "target of a link in a local feature": [
        "feature ./local changed: its files are others now @ .devcontainer/devcontainer.json:13",
      ],
      "the default of an option that nobody sets": [
        "feature registry.test/f/other:1 sha256:a4e1502365c0… → sha256:97e68b743ca4… @ .devcontainer/devcontainer.json:8",
      ],
      "the digest in the lockfile": [
        "feature registry.test/f/locked:1 sha256:0c5ad01f904e… → sha256:276a258dbc1e… @ .devcontainer/devcontainer-lock.json:1",
      ],
      "the digest of what a local feature depends on": [
        "feature registry.test/f/dependency:1 sha256:ed923be65d22… → sha256:1f9caa5e4031…",
      ],
      "the digest of what a published feature depends on": [
        "feature registry.test/f/deeper:1 sha256:0ec354ea3ce9… → sha256:0f80dc67a0e3…",
      ],
      "the options with which a local feature depends on another": [
        "feature ./local changed: its files are others now @ .devcontainer/devcontainer.json:13",
      ],
      "the order of options of which one runs on into the next line": [
        "feature registry.test/f/other:1 gets its options in another order @ .devcontainer/devcontainer.json:8",
      ],
      "the order of options of which one uses the other": [
        "feature registry.test/f/other:1 gets its options in another order @ .devcontainer/devcontainer.json:8",
      ],
      "the order of options that are one variable": [
        "feature registry.test/f/other:1 gets its options in another order @ .devcontainer/devcontainer.json:8",
      ],
      "the variable of the environment in an option": [
        "feature registry.test/f/secret:1 option text changed (it reads the variable TEXT) @ .devcontainer/devcontainer.json:10",
      ],
      "the variable of the environment in containerEnv": [
        "containerEnv.PAGER changed, with which features are installed (it reads the variable PAGER) @ .devcontainer/devcontainer.json:19",
      ],
    }
  `);
});
