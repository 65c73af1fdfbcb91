import type { Publication } from "./published.ts";
import { paxRecord } from "./tar-writer.ts";

/** A feature that is what its manifest shows. `R` in ids stands for the registry, `T` for the server of tarballs. */
function feature(path: string, metadata: object = {}, more: Partial<Publication> = {}): Publication {
  return { path, metadata: { id: path.split("/").at(-1), version: "1.0.0", ...metadata }, ...more };
}

const VERSION = { version: { type: "string", default: "latest", proposals: ["latest", "1"] } };

/** All that the rows install from a registry. */
export const SHELF: readonly Publication[] = [
  feature(
    "t/alpha",
    { options: { ...VERSION, flag: { type: "boolean", default: false }, plain: { type: "string" } } },
    { tags: ["1", "1.0", "latest"] },
  ),
  feature("u/alpha"),
  feature("t/beta", { installsAfter: ["R/t/alpha"] }, { tags: ["1", "latest"] }),
  feature("t/gamma", { dependsOn: { "R/t/alpha": {} } }),
  feature("t/delta", { dependsOn: { "R/t/gamma:1": {}, "R/t/alpha:1": { version: "x" } } }),
  feature("t/plain", {}, { tags: ["1", "latest"] }),
  // What it brings along
  feature("t/env", { containerEnv: { PATH: "/x/bin:${PATH}", QUOTED: 'a "b" \\c', EMPTY: "", COST: "$5" } }),
  feature("t/numbered-env", { containerEnv: { b: "1", 10: "ten", 2: "two", a: "2" } }),
  feature("t/env-dollars", { containerEnv: { A: "x$$y" } }),
  feature("t/env-number", { containerEnv: { A: 1 } }),
  feature("t/label", {
    name: "Label",
    customizations: { vscode: { extensions: ["a.b"] } },
    mounts: [{ type: "volume", source: "v", target: "/v" }, "source=w,target=/w"],
    entrypoint: "/start.sh",
    securityOpt: ["seccomp=unconfined"],
    capAdd: ["SYS_PTRACE"],
    privileged: true,
    init: false,
    postAttachCommand: ["a", "b"],
    postStartCommand: { one: "a" },
    postCreateCommand: "echo 'x' \"y\" \\z ${localEnv:HOME} ${containerWorkspaceFolder}",
    updateContentCommand: "u",
    onCreateCommand: "o",
    remoteUser: "nobody",
    containerUser: "nobody",
    remoteEnv: { A: "b" },
    forwardPorts: [1],
    waitFor: "onCreateCommand",
  }),
  feature("t/label-null", { init: null, mounts: [], customizations: {}, entrypoint: "" }),
  feature("t/label-dollars", { postCreateCommand: "printf $'a'" }),
  feature("t/old", {
    extensions: ["o"],
    settings: { a: "o" },
    customizations: { vscode: { extensions: ["n"], settings: { a: "n" } } },
  }),
  feature("t/old-port", { devPort: 1, extensions: ["o"] }),
  feature("t/own-name", { id: "another" }),
  feature("t/no-name", { id: undefined }),
  // How it is published
  feature("t/gzip", {}, { packed: "gzip" }),
  feature("t/no-dot", {}, { prefix: "" }),
  feature("t/hidden", {}, { files: { ".hidden": "x", "sub/file": "y", "sub/.hidden": "z" } }),
  feature("t/stale-env", {}, { files: { "devcontainer-features.env": "A=1" } }),
  feature("t/unannotated", { dependsOn: { "R/t/plain": {} }, options: VERSION }, { annotation: null }),
  feature("t/unannotated-gzip", { dependsOn: { "R/t/plain": {} } }, { annotation: null, packed: "gzip" }),
  feature("t/unannotated-no-dot", { dependsOn: { "R/t/plain": {} } }, { annotation: null, prefix: "" }),
  feature("t/nothing", {}, { annotation: null, metadata: "" }),
  feature("t/commented", {}, { annotation: '// x\n{"id": "commented", "options": {"a": {"default": "b",},},}' }),
  feature("t/broken", {}, { annotation: '{"id": "broken" "options": {"a": {"default": "b"}}' }),
  feature("t/garbage", { options: { a: { default: "b" } } }, { annotation: "garbage" }),
  feature(
    "t/merged",
    { options: { a: { default: "archive" }, b: {} }, init: true, privileged: true, dependsOn: { "R/t/plain": {} } },
    { annotation: { id: "merged", version: "1.0.0", init: false, options: { a: { default: "annotation" } } } },
  ),
  feature("t/late", { containerEnv: { A: "1" }, options: VERSION }, { annotation: { id: "late" } }),
  feature(
    "t/linked",
    {},
    {
      members: [
        { name: "./link", link: "install.sh" },
        { name: "./second", type: "1", link: "./install.sh" },
        { name: "././././x/xx", type: "x", text: paxRecord("path", `./${"long/".repeat(30)}name`) },
        { name: "./short", text: "long" },
        { name: "././@LongLink", type: "L", text: `./${"deep/".repeat(30)}name\0` },
        { name: "./short", text: "deep" },
      ],
    },
  ),
  feature("t/twice", {}, { members: [{ name: "./install.sh", text: "later\n" }] }),
  feature("t/climbing", {}, { members: [{ name: "./../climbed", text: "x" }] }),
  feature("t/absolute", {}, { members: [{ name: "/tmp/absolute", text: "x" }] }),
  feature(
    "t/link-out",
    {},
    {
      members: [
        { name: "./out", link: "../../etc/passwd" },
        { name: "./root", link: "/etc/passwd" },
      ],
    },
  ),
  feature(
    "t/through-link",
    {},
    {
      members: [
        { name: "./out", link: "../.." },
        { name: "./out/file", text: "x" },
      ],
    },
  ),
  feature("t/device", {}, { members: [{ name: "./device", type: "3" }] }),
  feature("t/image", {}, { configType: "application/vnd.oci.image.config.v1+json" }),
  feature("t/deprecated", { deprecated: true }),
  // Options
  feature("t/names", {
    options: {
      "with-dash": { default: "a" },
      "2nd": { default: "b" },
      __9y: { default: "c" },
      ünï: { default: "d" },
      "a b.c": { default: "e" },
      7: { default: "f" },
    },
  }),
  feature("t/defaults", {
    options: {
      n: { default: 18 },
      t: { default: true },
      e: { default: "" },
      none: {},
      null: { default: null },
      list: { default: ["a", "b"] },
    },
  }),
  feature("t/no-version", { options: { other: { default: "x" } } }),
  feature("t/bare-version", { options: { version: { type: "string" } } }),
  feature("t/argument", { options: VERSION, buildArg: "ARGUMENT" }),
  feature("t/argument-alone", { buildArg: "ARGUMENT" }),
  feature("t/option-text", { options: { a: "b" } }),
  // Order
  ...["a_1", "a-1", "a.1", "a1", "a10", "a9", "b", "w", "z"].map((name) =>
    feature(`t/${name}`, {}, { tags: ["1", "latest"] }),
  ),
  feature("t/tagged", { version: "1.9" }, { tags: ["1.9"] }),
  feature("t/tagged", { version: "1.10" }, { tags: ["1.10"] }),
  feature("t/renamed", { legacyIds: ["former", "older"] }),
  feature("t/former", { id: "renamed", currentId: "renamed", legacyIds: ["former", "older"] }),
  feature("t/after-former", { installsAfter: ["R/t/former"] }),
  feature("t/a-after-renamed", { installsAfter: ["R/t/renamed"] }),
  feature("t/a-after-tag", { installsAfter: ["R/t/b:1"] }),
  feature("t/a-after-chain", { installsAfter: ["R/t/beta"] }),
  feature("t/a-after-two", { installsAfter: ["R/t/b", "R/t/plain"] }),
  feature("t/a-after-tarball", { installsAfter: ["T/devcontainer-feature-tarred.tgz"] }),
  feature("t/a-after-local", { installsAfter: ["./local"] }),
  feature("t/a-after-missing-local", { installsAfter: ["./missing"] }),
  feature("t/after-nowhere", { installsAfter: ["R/t/nowhere"] }),
  feature("t/after-deep-nowhere", { installsAfter: ["R/t/u/nowhere"] }),
  feature("t/after-release", { installsAfter: ["devcontainers/features/node"] }),
  feature("t/after-short", { installsAfter: ["nobody-knows"] }),
  feature("t/self", { installsAfter: ["R/t/self:1"] }),
  feature("t/soft-ring-1", { installsAfter: ["R/t/soft-ring-2:1"] }),
  feature("t/soft-ring-2", { installsAfter: ["R/t/soft-ring-1:1"] }),
  feature("t/ring-1", { dependsOn: { "R/t/ring-2:1": {} } }),
  feature("t/ring-2", { dependsOn: { "R/t/ring-1:1": {} } }),
  feature("t/into-ring", { dependsOn: { "R/t/ring-1:1": {} } }),
  feature("t/needs-nowhere", { dependsOn: { "R/t/u/nowhere": {} } }),
  feature("t/needs-local", { dependsOn: { "./local": { version: "2" } } }),
  feature("t/needs-tarball", { dependsOn: { "T/devcontainer-feature-tarred.tgz": "3" } }),
  feature("t/needs-versions", {
    dependsOn: { "R/t/alpha:1": "1", "R/t/alpha:1.0": true, "R/t/alpha": { flag: true } },
  }),
  feature("t/needs-numbers", { dependsOn: { "R/t/alpha:1": { plain: 1 }, "R/t/alpha:1.0": { plain: 2 } } }),
  feature("t/needs-same", { dependsOn: { "R/t/plain:1": {} } }),
  feature("t/needs-list", { dependsOn: ["R/t/plain"] }),
  feature("t/after-text", { installsAfter: "R/t/plain" }),
  // Behind short ids
  feature("devcontainers/features/node", { options: VERSION }),
  feature("devcontainers/features/node", { version: "0.9.0", options: VERSION }, { tags: ["0.9"] }),
  feature("devcontainers/features/go", { options: VERSION }),
  feature("devcontainers/features/common-utils"),
  feature("devcontainers/features/java", {
    options: { ...VERSION, installGradle: { default: false }, installMaven: { default: false } },
  }),
  feature("devcontainers/features/python", { options: { ...VERSION, installJupyterlab: { default: false } } }),
  feature("devcontainers-extra/features/moved", {}, { tags: ["1", "latest"] }),
];

/** By file name, on the server of tarballs. */
export const TARBALLS: Readonly<Record<string, Publication>> = {
  "devcontainer-feature-tarred.tgz": feature(
    "tarred",
    { options: VERSION, containerEnv: { T: "1" } },
    { packed: "gzip", files: { ".hidden": "x", "sub/.kept": "y" } },
  ),
  "devcontainer-feature-needy.tgz": feature("needy", { dependsOn: { "R/t/plain": {} } }, { packed: "gzip" }),
  "devcontainer-feature-no-dot.tgz": feature("no-dot", {}, { packed: "gzip", prefix: "" }),
  "devcontainer-feature-other.tgz": feature("another", {}, { packed: "gzip" }),
  "wrong-name.tgz": feature("wrong-name", {}, { packed: "gzip" }),
};
