// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of devcontainer.json
import { expect } from "vitest";
import type { JsonObject } from "../../src/devcontainer/json.ts";
import type { LockfileUse } from "../../src/features/lockfile.ts";
import type { Difference, Shared } from "../differences/row.ts";

export type Row = {
  readonly name: string;
  /** `features` of `.devcontainer/devcontainer.json`. `R` in ids stands for the registry, `T` for the server of tarballs, `G` for ghcr.io. */
  readonly features?: unknown;
  readonly override?: unknown;
  readonly additional?: JsonObject;
  /** Local features, or the whole workspace. */
  readonly files?: Readonly<Record<string, string | { readonly link: string }>>;
  /** The text of the lockfile, or its value; `D(R/t/alpha:1)` stands for the digest of what is published there. */
  readonly lock?: string | object;
  readonly lockfile?: LockfileUse;
  /** What containers.dev says must not be installed. */
  readonly forbidden?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Another place for the configuration. */
  readonly config?: string;
};

/** A local feature below `.devcontainer`. */
const local = (name: string, metadata: object = {}, more: Row["files"] = {}): NonNullable<Row["files"]> => ({
  [`.devcontainer/${name}/devcontainer-feature.json`]: JSON.stringify({ id: name, version: "1.0.0", ...metadata }),
  [`.devcontainer/${name}/install.sh`]: "true\n",
  ...more,
});

const VERSION = { options: { version: { default: "latest" } } };

/** Here both have to say the same, or both refuse. */
export const SAME: readonly Row[] = [
  { name: "no features", features: {} },
  { name: "features that are null", features: null },
  { name: "features in a list", features: ["R/t/alpha"] },
  { name: "features that are a text", features: "R/t/alpha" },
  { name: "features that are false", features: false },
  // Identifiers
  { name: "a tag", features: { "R/t/alpha:1": {} } },
  { name: "no tag", features: { "R/t/alpha": {} } },
  { name: "a digest", features: { "R/t/alpha@D(R/t/alpha:1)": {} } },
  { name: "a digest of nothing", features: { [`R/t/alpha@sha256:${"0".repeat(64)}`]: {} } },
  { name: "a digest of another kind", features: { [`R/t/alpha@sha512:${"0".repeat(128)}`]: {} } },
  { name: "capital letters", features: { "R/T/Alpha:1": {} } },
  { name: "a tag that is not there", features: { "R/t/u/alpha:2": {} } },
  { name: "a name that is not there", features: { "R/t/u/nowhere": {} } },
  { name: "a version range", features: { "R/t/alpha:^1": {} } },
  { name: "a short name", features: { node: {} } },
  { name: "a short name with a version", features: { node: "18" } },
  { name: "a short name that was changed", features: { golang: "1.22", common: {} } },
  { name: "a short name that became an option", features: { gradle: {} } },
  {
    name: "two of the same, and what they became",
    features: { maven: {}, "G/devcontainers/features/java:1": "17", gradle: {} },
  },
  { name: "a short name beside what it became", features: { java: { version: "17" }, gradle: {}, jupyterlab: {} } },
  { name: "an unknown short name", features: { nonsense: {} } },
  { name: "an owner that moved", features: { "G/devcontainers-contrib/features/moved": {} } },
  { name: "an image", features: { "R/t/image:1": {} } },
  { name: "no registry", features: { "t/alpha": {} } },
  { name: "what GitHub might have released", features: { "owner/repository/feature": {} } },
  { name: "only a host", features: { "localhost/": {} } },
  { name: "a feature right below its host", features: { "R/alpha": {} } },
  { name: "a segment too many at the end", features: { "R/t/alpha/": {} } },
  { name: "a character that no name has", features: { "R/t/al pha": {} } },
  { name: "an absolute path", features: { "/x": {} } },
  { name: "plain http", features: { "http://localhost/devcontainer-feature-a.tgz": {} } },
  { name: "a tarball", features: { "T/devcontainer-feature-tarred.tgz": { version: "3" } } },
  { name: "a tarball with a query", features: { "T/devcontainer-feature-tarred.tgz?x=1": {} } },
  { name: "a tarball with a dependency", features: { "T/devcontainer-feature-needy.tgz": {} } },
  { name: "a tarball with its own name", features: { "T/devcontainer-feature-other.tgz": {} } },
  { name: "a tarball with another file name", features: { "T/wrong-name.tgz": {} } },
  { name: "a tarball that is not there", features: { "T/devcontainer-feature-none.tgz": {} } },
  { name: "a local feature", features: { "./local": {} }, files: local("local", VERSION) },
  { name: "a local feature by a detour", features: { "../.devcontainer/./local": {} }, files: local("local", VERSION) },
  { name: "a local feature with its own name", features: { "./local": {} }, files: local("local", { id: "another" }) },
  { name: "a local feature that is not there", features: { "./local": {} } },
  {
    name: "a local feature without metadata",
    features: { "./local": {} },
    files: { ".devcontainer/local/install.sh": "" },
  },
  {
    name: "a local feature in a deep folder",
    features: { "./a/b/local": {} },
    files: local("a/b/local", { id: "local" }),
  },
  { name: "a local feature outside", features: { "../local": {} }, files: local("../local") },
  {
    name: "a local feature of a configuration at the top",
    features: { "./.devcontainer/local": {} },
    files: local("local"),
    config: ".devcontainer.json",
  },
  {
    name: "a local feature beside a configuration at the top",
    features: { "./local": {} },
    files: local("../local"),
    config: ".devcontainer.json",
  },
  {
    name: "a local feature with hidden files and links",
    features: { "./local": {} },
    files: local(
      "local",
      {},
      {
        ".devcontainer/local/.hidden": "x",
        ".devcontainer/local/sub/.hidden": "y",
        ".devcontainer/local/inside": { link: "install.sh" },
        ".devcontainer/local/outside": { link: "../../README" },
        ".devcontainer/local/absolute": { link: "/etc/passwd" },
      },
    ),
  },
  {
    name: "a local feature behind a linked folder",
    features: { "./linked/local": {} },
    files: { ...local("real/local", { id: "local" }), ".devcontainer/linked": { link: "real" } },
  },
  {
    name: "a local feature with comments",
    features: { "./local": {} },
    files: {
      ".devcontainer/local/devcontainer-feature.json": '// x\n{"id": "local", "options": {"a": {"default": "b",},},}',
    },
  },
  // What is published
  { name: "an archive packed with gzip", features: { "R/t/gzip:1": {} } },
  { name: "an archive whose names begin with nothing", features: { "R/t/no-dot:1": {} } },
  { name: "hidden files in an archive", features: { "R/t/hidden:1": {} } },
  { name: "an environment file in an archive", features: { "R/t/stale-env:1": {} } },
  { name: "no annotation", features: { "R/t/unannotated:1": "2" } },
  { name: "no annotation, and names that begin with nothing", features: { "R/t/unannotated-no-dot:1": {} } },
  { name: "no annotation, packed with gzip", features: { "R/t/unannotated-gzip:1": {} } },
  { name: "an annotation with comments", features: { "R/t/commented:1": {} } },
  { name: "an annotation with errors", features: { "R/t/broken:1": {} } },
  { name: "an annotation that is no JSON", features: { "R/t/garbage:1": {} } },
  { name: "an annotation that says something else", features: { "R/t/merged:1": {} } },
  { name: "an annotation that says less", features: { "R/t/late:1": "5" } },
  { name: "links, second names and long names in an archive", features: { "R/t/linked:1": {} } },
  { name: "a file twice in an archive", features: { "R/t/twice:1": {} } },
  { name: "its own name", features: { "R/t/own-name:1": {} } },
  { name: "no name of its own", features: { "R/t/no-name:1": {} } },
  { name: "a deprecated feature", features: { "R/t/deprecated:1": {} } },
  // Options
  { name: "a version", features: { "R/t/alpha:1": "2" } },
  { name: "an empty version", features: { "R/t/alpha:1": "" } },
  { name: "true", features: { "R/t/alpha:1": true } },
  { name: "false", features: { "R/t/alpha:1": false } },
  { name: "a number", features: { "R/t/alpha:1": 18 } },
  { name: "null", features: { "R/t/alpha:1": null } },
  { name: "options", features: { "R/t/alpha:1": { plain: "p", flag: true, version: "v" } } },
  { name: "options that nobody declared", features: { "R/t/alpha:1": { other: "o", flag: "maybe", 3: "x" } } },
  { name: "options of all kinds", features: { "R/t/alpha:1": { plain: 1.5, flag: false, list: ["a", 1, true] } } },
  { name: "an option with everything a shell likes", features: { "R/t/alpha:1": { plain: 'a"b\\c`d`$E${F}\n g' } } },
  { name: "a version of a feature without one", features: { "R/t/no-version:1": "2" } },
  { name: "a version without a default", features: { "R/t/bare-version:1": {} } },
  { name: "a version without a default, given", features: { "R/t/bare-version:1": "7" } },
  { name: "names of options", features: { "R/t/names:1": { "x-y": "z" } } },
  { name: "two options with one name", features: { "R/t/names:1": { "with.dash": "z" } } },
  { name: "defaults of all kinds", features: { "R/t/defaults:1": {} } },
  { name: "a build argument", features: { "R/t/argument:1": {} } },
  { name: "a build argument with a version", features: { "R/t/argument:1": "5" } },
  { name: "a build argument with a version in an object", features: { "R/t/argument:1": { version: "6" } } },
  { name: "a build argument without a version", features: { "R/t/argument-alone:1": {} } },
  { name: "an object as an option", features: { "R/t/alpha:1": { version: {} } } },
  { name: "options that are no objects", features: { "R/t/option-text:1": {} } },
  {
    name: "variables in options",
    features: {
      "R/t/alpha:1": { plain: "${localEnv:NOTHING:x} ${containerWorkspaceFolder}", "${localEnv:NOTHING:k}": "v" },
    },
  },
  { name: "variables in a version", features: { "R/t/alpha:1": "${localWorkspaceFolderBasename}" } },
  // Order
  { name: "by name and not as written", features: { "R/t/plain": {}, "R/t/beta": {}, "R/t/alpha": {} } },
  {
    name: "as people sort names, not as bytes",
    features: Object.fromEntries(["b", "a9", "a10", "a1", "a.1", "a-1", "a_1"].map((name) => [`R/t/${name}`, {}])),
  },
  { name: "namespaces before names", features: { "R/u/alpha:1": {}, "R/t/plain:1": {} } },
  { name: "tags as texts", features: { "R/t/tagged:1.9": {}, "R/t/tagged:1.10": {} } },
  { name: "the same twice by two tags", features: { "R/t/alpha:1.0": {}, "R/t/alpha:1": {} } },
  {
    name: "the same with other options",
    features: { "R/t/alpha:1": { version: "1" }, "R/t/alpha:1.0": "1", "R/t/alpha": {} },
  },
  {
    name: "fewest options first",
    features: { "R/t/alpha:1": { version: "1", flag: true }, "R/t/alpha:1.0": { version: "2" }, "R/t/alpha": {} },
  },
  { name: "a dependency", features: { "R/t/gamma:1": {} } },
  { name: "a dependency that is asked for as well", features: { "R/t/gamma:1": {}, "R/t/alpha": {} } },
  { name: "a dependency with other options", features: { "R/t/gamma:1": {}, "R/t/alpha": { version: "1" } } },
  { name: "a dependency of a dependency", features: { "R/t/delta:1": {} } },
  { name: "the same dependency of two", features: { "R/t/needs-same:1": {}, "R/t/unannotated:1": {} } },
  { name: "a dependency that is a tarball", features: { "R/t/needs-tarball:1": {} } },
  { name: "dependencies by version", features: { "R/t/needs-versions:1": {} } },
  { name: "numbers are all equal", features: { "R/t/needs-numbers:1": {} } },
  { name: "a dependency that is not there", features: { "R/t/needs-nowhere:1": {} } },
  { name: "dependencies in a list", features: { "R/t/needs-list:1": {} } },
  { name: "a preference that is a text", features: { "R/t/after-text:1": {} } },
  { name: "dependencies that go round", features: { "R/t/ring-1:1": {} } },
  { name: "dependencies that lead into a ring", features: { "R/t/plain": {}, "R/t/into-ring:1": {} } },
  { name: "after another", features: { "R/t/a-after-tag:1": {}, "R/t/b": {} } },
  { name: "after another that is not installed", features: { "R/t/a-after-tag:1": {}, "R/t/plain": {} } },
  { name: "after two", features: { "R/t/a-after-two:1": {}, "R/t/b": {}, "R/t/plain": {}, "R/t/a1": {} } },
  {
    name: "after one that comes after another",
    features: { "R/t/a-after-chain:1": {}, "R/t/beta": {}, "R/t/alpha": {} },
  },
  { name: "after one that is only a dependency", features: { "R/t/beta": {}, "R/t/gamma:1": {} } },
  { name: "after a tarball", features: { "R/t/a-after-tarball:1": {}, "T/devcontainer-feature-tarred.tgz": {} } },
  { name: "after a local feature", features: { "R/t/a-after-local:1": {}, "./local": {} }, files: local("local") },
  { name: "after a local feature that is not there", features: { "R/t/a-after-missing-local:1": {}, "R/t/plain": {} } },
  { name: "after one by its old name", features: { "R/t/after-former:1": {}, "R/t/renamed:1": {} } },
  { name: "after one by its new name", features: { "R/t/a-after-renamed:1": {}, "R/t/former:1": {} } },
  { name: "old and new name are one", features: { "R/t/renamed:1": { a: "1" }, "R/t/former:1": {}, "R/t/plain": {} } },
  {
    name: "old and new name are one, and fewest options come first",
    features: { "R/t/former:1": { a: "1" }, "R/t/renamed:1": {} },
  },
  { name: "a dependency that is asked for by another tag", features: { "R/t/gamma:1": {}, "R/t/alpha:1": {} } },
  { name: "after one that is nowhere, whose id has three parts", features: { "R/t/after-nowhere:1": {} } },
  { name: "after one that GitHub releases", features: { "R/t/after-release:1": {} } },
  { name: "after an unknown short name", features: { "R/t/after-short:1": {} } },
  { name: "after itself", features: { "R/t/self:1": {} } },
  { name: "after one another", features: { "R/t/soft-ring-1:1": {}, "R/t/soft-ring-2:1": {} } },
  { name: "local features by path", features: { "./b": {}, "./a": {} }, files: { ...local("a"), ...local("b") } },
  {
    name: "the same local feature twice",
    features: { "./a": {}, "./../.devcontainer/a": {}, "./b/../a": "1" },
    files: local("a"),
  },
  {
    name: "local ones among published ones",
    features: { "R/t/plain": {}, "./a": {}, "T/devcontainer-feature-tarred.tgz": {} },
    files: local("a"),
  },
  {
    name: "a local one with dependencies",
    features: { "./a": {}, "R/t/alpha": {} },
    files: { ...local("a", { dependsOn: { "./b": {} }, installsAfter: ["R/t/alpha"] }), ...local("b") },
  },
  // overrideFeatureInstallOrder
  { name: "one first", features: { "R/t/alpha": {}, "R/t/plain": {} }, override: ["R/t/plain"] },
  {
    name: "two first",
    features: { "R/t/alpha": {}, "R/t/beta": {}, "R/t/plain": {}, "R/t/b": {} },
    override: ["R/t/plain", "R/t/b"],
  },
  {
    name: "one first by another tag",
    features: { "R/t/alpha": {}, "R/t/plain:1": {} },
    override: ["R/t/plain:latest"],
  },
  { name: "not before a dependency", features: { "R/t/gamma:1": {}, "R/t/a1": {} }, override: ["R/t/gamma:1"] },
  { name: "a dependency first", features: { "R/t/gamma:1": {}, "R/t/a1": {} }, override: ["R/t/alpha"] },
  {
    name: "a local one first",
    features: { "./b": {}, "./a": {} },
    override: ["./b"],
    files: { ...local("a"), ...local("b") },
  },
  { name: "one that is not installed first", features: { "R/t/alpha": {} }, override: ["R/t/plain"] },
  { name: "a local one that is not there first", features: { "R/t/alpha": {} }, override: ["./none"] },
  {
    name: "one first of two names for one place",
    features: { "G/devcontainers-extra/features/moved": {}, "G/devcontainers-contrib/features/moved": "1" },
    override: ["G/devcontainers-contrib/features/moved"],
  },
  { name: "not by an old name", features: { "R/t/renamed:1": {}, "R/t/alpha": {} }, override: ["R/t/former:1"] },
  { name: "a text for the order", features: { "R/t/alpha": {} }, override: "R/t/plain" },
  { name: "a number in the order", features: { "R/t/alpha": {} }, override: [1] },
  { name: "an empty preference", features: { "R/t/plain": {}, "R/t/alpha": {} }, override: [] },
  { name: "an unknown short name first", features: { "R/t/alpha": {} }, override: ["nonsense"] },
  // What it brings along
  { name: "environment", features: { "R/t/env:1": {} } },
  { name: "environment with names that are numbers", features: { "R/t/numbered-env:1": {} } },
  { name: "environment that is no text", features: { "R/t/env-number:1": {} } },
  { name: "everything that a label carries", features: { "R/t/label:1": {} } },
  { name: "a label with nothing in it", features: { "R/t/label-null:1": {} } },
  { name: "old properties", features: { "R/t/old:1": {}, "R/t/old-port:1": {} } },
  // additional-features
  { name: "one more", features: { "R/t/beta": {} }, additional: { "R/t/alpha": { version: "a" } } },
  {
    name: "one more that is there already",
    features: { "R/t/alpha": {} },
    additional: { "R/t/alpha": { version: "a" } },
  },
  { name: "one more and none before", additional: { "R/t/alpha": "${localEnv:HOME}" } },
  // The lockfile
  {
    name: "locked",
    features: { "R/t/tagged:1.10": {} },
    lock: { "R/t/tagged:1.10": { integrity: "D(R/t/tagged:1.9)" } },
  },
  {
    name: "locked by another tag",
    features: { "R/t/tagged:1.10": {} },
    lock: { "R/t/tagged": { integrity: "D(R/t/tagged:1.9)" } },
  },
  {
    name: "locked to what is not there",
    features: { "R/t/tagged:1.10": {} },
    lock: { "R/t/tagged:1.10": { integrity: `sha256:${"0".repeat(64)}` } },
  },
  {
    name: "locked without a digest",
    features: { "R/t/tagged:1.10": {} },
    lock: { "R/t/tagged:1.10": { version: "1.9" } },
  },
  {
    name: "a dependency locked",
    features: { "R/t/gamma:1": {} },
    lock: { "R/t/alpha": { integrity: "D(R/t/plain:1)" } },
  },
  {
    name: "a tarball locked",
    features: { "T/devcontainer-feature-tarred.tgz": {} },
    lock: { "T/devcontainer-feature-tarred.tgz": { integrity: "D(T/devcontainer-feature-tarred.tgz)" } },
  },
  {
    name: "a tarball locked to something else",
    features: { "T/devcontainer-feature-tarred.tgz": {} },
    lock: { "T/devcontainer-feature-tarred.tgz": { integrity: `sha256:${"0".repeat(64)}` } },
  },
  {
    name: "a lockfile that is not read",
    features: { "R/t/tagged:1.10": {} },
    lock: { "R/t/tagged:1.10": { integrity: "D(R/t/tagged:1.9)" } },
    lockfile: "ignore",
  },
  {
    name: "a lockfile at the top",
    features: { "R/t/tagged:1.10": {} },
    config: ".devcontainer.json",
    lock: { "R/t/tagged:1.10": { integrity: "D(R/t/tagged:1.9)" } },
  },
  { name: "a short name beside a lockfile", features: { node: {} }, lock: {} },
  {
    name: "a short name locked by its long one",
    features: { node: {} },
    lock: { "G/devcontainers/features/node:1": { integrity: "D(R/devcontainers/features/node:0.9)" } },
  },
  { name: "an empty lockfile", features: { "R/t/alpha": {} }, lock: "" },
  { name: "a lockfile that is no JSON", features: { "R/t/alpha": {} }, lock: "{" },
  { name: "a lockfile with comments", features: { "R/t/alpha": {} }, lock: '{"features": {}} // x' },
  { name: "a lockfile without features", features: { "R/t/alpha": {} }, lock: "{}" },
  {
    name: "a lockfile required",
    features: { "R/t/alpha:1": {} },
    lockfile: "require",
    lock: { "R/t/alpha:1": { version: "1.0.0", resolved: "R/t/alpha@D(R/t/alpha:1)", integrity: "D(R/t/alpha:1)" } },
  },
  {
    name: "a lockfile required, of a feature with a dependency",
    features: { "R/t/gamma:1": {} },
    lockfile: "require",
    lock: {
      "R/t/alpha": { version: "1.0.0", resolved: "R/t/alpha@D(R/t/alpha:1)", integrity: "D(R/t/alpha:1)" },
      "R/t/gamma:1": {
        version: "1.0.0",
        resolved: "R/t/gamma@D(R/t/gamma:1)",
        integrity: "D(R/t/gamma:1)",
        dependsOn: ["R/t/alpha"],
      },
    },
  },
  { name: "a lockfile required and missing", features: { "R/t/alpha:1": {} }, lockfile: "require" },
  { name: "a lockfile required and empty", features: { "R/t/alpha:1": {} }, lockfile: "require", lock: "" },
  {
    name: "a lockfile required and stale",
    features: { "R/t/alpha:1": {} },
    lockfile: "require",
    lock: { "R/t/alpha:1": { version: "0.9.0", resolved: "R/t/alpha@D(R/t/alpha:1)", integrity: "D(R/t/alpha:1)" } },
  },
  {
    name: "a lockfile required with one too many",
    features: { "R/t/alpha:1": {} },
    lockfile: "require",
    lock: {
      "R/t/alpha:1": { version: "1.0.0", resolved: "R/t/alpha@D(R/t/alpha:1)", integrity: "D(R/t/alpha:1)" },
      "R/t/plain:1": { version: "1.0.0", resolved: "R/t/plain@D(R/t/plain:1)", integrity: "D(R/t/plain:1)" },
    },
  },
  {
    name: "a lockfile required for local features only",
    features: { "./local": {} },
    files: local("local"),
    lockfile: "require",
    lock: {},
  },
  {
    name: "a lockfile required, and one more feature",
    features: {},
    additional: { "R/t/alpha:1": {} },
    lockfile: "require",
    lock: {},
  },
];

const locked = (name: string) => ({
  version: "1.0.0",
  resolved: `R/t/${name}@D(R/t/${name}:1)`,
  integrity: `D(R/t/${name}:1)`,
});

export type Deviation = Row & Difference & { readonly reference: object; readonly ours: object };

const NO_OPTIONS: Shared = {
  what: "`null` as an option, a list for options",
  cli: "become the text null, and options called 0, 1, …",
  here: "are refused",
  why: "they are mistakes",
};
const NOWHERE: Shared = {
  what: "`installsAfter` and `overrideFeatureInstallOrder` that name what is in no registry",
  cli: "fail",
  here: "are passed over; for the second a warning tells it",
  why: "a preference is no need, and what is not there is not installed",
};
const ARCHIVES: Shared = {
  what: "paths, links and devices in an archive that lead out of it or are no files",
  cli: "are left out, or become something else",
  here: "are refused",
  why: "what was published is installed whole or not at all",
};

const installs = (...folders: readonly string[]) => ({
  kind: "installed",
  features: folders.map((folder) => expect.objectContaining({ folder })),
});
const refuses = (words: string) => ({ kind: "error", words: expect.stringContaining(words) });

/** Here we say something else, on purpose. */
export const DIFFERENT: readonly Deviation[] = [
  {
    name: "a tag and a digest",
    what: "a feature by tag and digest",
    cli: "is refused",
    here: "is installed: the digest decides",
    why: "images are named that way everywhere else",
    features: { "R/t/alpha:none@D(R/t/alpha:1)": {} },
    reference: { kind: "error" },
    ours: installs("alpha_0"),
  },
  {
    name: "null as an option",
    ...NO_OPTIONS,
    features: { "R/t/alpha:1": { version: null } },
    reference: installs("alpha_0"),
    ours: refuses('null as its option "version"'),
  },
  {
    name: "a list for options",
    ...NO_OPTIONS,
    features: { "R/t/alpha:1": ["x"] },
    reference: installs("alpha_0"),
    ours: refuses("a list where its options should be"),
  },
  {
    name: "a dependency that is local",
    what: "a published feature that depends on a local folder",
    cli: "is installed with what the repository has there",
    here: "is refused",
    why: "it would be another feature in every repository",
    features: { "R/t/needs-local:1": {} },
    files: local("local", VERSION),
    reference: installs("local_0", "needs-local_1"),
    ours: refuses("depends on ./local, a folder"),
  },
  {
    name: "a feature without metadata",
    cli: "is installed",
    here: "is refused",
    why: "nobody can say what it depends on",
    features: { "R/t/nothing:1": {} },
    reference: installs("nothing_0"),
    ours: refuses("no devcontainer-feature.json with a JSON object"),
  },
  {
    name: "a local feature that is a link to a folder in the repository",
    cli: "is refused",
    here: "is installed",
    why: "it is all there",
    features: { "./linked": {} },
    files: { ...local("local"), ".devcontainer/linked": { link: "local" } },
    reference: { kind: "error" },
    ours: installs("local_0"),
  },
  {
    name: "a local feature behind a link that leaves the checkout",
    cli: "is installed",
    here: "is refused",
    why: "a stranger's commit must not read the runner's files",
    features: { "./linked/local": {} },
    files: { ...local("../../outside/local", { id: "local" }), ".devcontainer/linked": { link: "../../outside" } },
    reference: installs("local_0"),
    ours: refuses("a link that leaves the checkout"),
  },
  {
    name: "after one that is nowhere",
    ...NOWHERE,
    features: { "R/t/after-deep-nowhere:1": {} },
    reference: { kind: "error" },
    ours: installs("after-deep-nowhere_0"),
  },
  {
    name: "one first that is nowhere",
    ...NOWHERE,
    features: { "R/t/alpha": {} },
    override: ["R/t/u/nowhere"],
    reference: { kind: "error" },
    ours: installs("alpha_0"),
  },
  {
    name: "the order in another language",
    what: "the order of features",
    cli: "follows the host's locale",
    here: "is the same everywhere",
    why: "an image must not depend on the machine that builds it",
    features: { "R/t/z:1": {}, "R/t/w:1": {} },
    env: { LANG: "et_EE.UTF-8" },
    reference: installs("z_0", "w_1"),
    ours: installs("w_0", "z_1"),
  },
  {
    name: "two dollars in the environment",
    what: "`$$` in a feature's `containerEnv`",
    cli: "becomes `$`, and the builder takes what follows for a variable: `a$$b` is `a` in the image",
    here: "stays in the instruction, and the builder takes the two for a variable without a value: `a$$b` is `ab`",
    why: "it is no pattern",
    features: { "R/t/env-dollars:1": {} },
    reference: { features: [{ instructions: ['ENV A="x$y"'] }] },
    ours: { features: [{ instructions: ['ENV A="x$$y"'] }] },
  },
  {
    name: "a short name locked as the CLI itself locks it",
    what: "a locked feature with a short name (`node`)",
    cli: "is written to the lockfile and not found there",
    here: "is found",
    why: "it is what the CLI's own lockfile says",
    features: { node: {} },
    lock: { node: { integrity: "D(R/devcontainers/features/node:0.9)" } },
    reference: { features: [{ files: { "devcontainer-feature.json": expect.stringContaining("1.0.0") } }] },
    ours: { features: [{ files: { "devcontainer-feature.json": expect.stringContaining("0.9.0") } }] },
  },
  {
    name: "a required lockfile in another order",
    cli: "fails",
    here: "is good",
    why: "it says the same",
    features: { "R/t/gamma:1": {} },
    lockfile: "require",
    lock: { "R/t/gamma:1": { ...locked("gamma"), dependsOn: ["R/t/alpha"] }, "R/t/alpha": locked("alpha") },
    reference: { kind: "error" },
    ours: installs("alpha_0", "gamma_1"),
  },
  {
    name: "a lockfile with something else than a digest",
    cli: "fails where the feature is fetched",
    here: "fails before any request, with its place",
    why: "the mistake is in the lockfile",
    features: { "R/t/alpha:1": {} },
    lock: { "R/t/alpha:1": { integrity: 1 } },
    reference: { kind: "error" },
    ours: refuses("not a sha256 digest"),
  },
  {
    name: "a feature that containers.dev forbids",
    what: "a feature on containers.dev's list of forbidden ones",
    cli: "is refused",
    here: "is installed: the list is not asked for",
    why: "a probe must not depend on one more server; name what you trust in `allowed-images`",
    features: { "R/t/alpha:1": {} },
    forbidden: ["R/t/alpha"],
    reference: { kind: "error" },
    ours: installs("alpha_0"),
  },
  {
    name: "an archive that climbs out",
    ...ARCHIVES,
    features: { "R/t/climbing:1": {} },
    reference: installs("climbing_0"),
    ours: refuses("climbs out"),
  },
  {
    name: "an archive with an absolute path",
    ...ARCHIVES,
    features: { "R/t/absolute:1": {} },
    reference: installs("absolute_0"),
    ours: refuses("absolute path"),
  },
  {
    name: "a link out of an archive",
    ...ARCHIVES,
    features: { "R/t/link-out:1": {} },
    reference: installs("link-out_0"),
    ours: refuses("a link that leads out of the archive"),
  },
  {
    name: "an archive that writes through a link",
    ...ARCHIVES,
    features: { "R/t/through-link:1": {} },
    reference: installs("through-link_0"),
    ours: refuses("a link that leads out of the archive"),
  },
  {
    name: "an archive with a device",
    ...ARCHIVES,
    features: { "R/t/device:1": {} },
    reference: installs("device_0"),
    ours: refuses("neither a file, a folder nor a link"),
  },
];
