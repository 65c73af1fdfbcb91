import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { JsonObject } from "../../src/devcontainer/json.ts";
import { parseConfiguration } from "../../src/devcontainer/parse.ts";
import { substitute } from "../../src/devcontainer/substitute.ts";
import type { LockfileUse } from "../../src/features/lockfile.ts";
import { openFiles } from "../../src/host/files.ts";
import { parseImagePattern } from "../../src/registry/allowed.ts";
import { type FeatureSources, gatherFeatures, refuseForeignFeatures } from "../../src/sources/feature-sources.ts";
import { containerEnvironment, installationOf } from "../../src/sources/installation.ts";
import { type Content, makeCheckout } from "../checkout.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

const FILE = ".devcontainer/devcontainer.json";
const { files } = openFiles(tmpdir());
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

type Asked = {
  readonly json: Readonly<Record<string, unknown>>;
  readonly more?: Readonly<Record<string, Content>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly additional?: JsonObject;
  readonly lockfile?: LockfileUse;
};

const configured = (json: Asked["json"], workspace: string, env: Asked["env"] = {}) =>
  substitute(parseConfiguration(JSON.stringify(json, undefined, 1), FILE), {
    localEnv: env,
    localWorkspaceFolder: workspace,
  });

async function gather({ json, more = {}, env, additional = {}, lockfile = "use" }: Asked) {
  const workspace = makeCheckout({ [FILE]: JSON.stringify(json), ...more });
  folders.push(workspace);
  const configuration = configured(json, workspace, env);
  const found = { file: join(workspace, FILE) };
  return gatherFeatures(
    { configuration, found, workspace: { folder: workspace, checkout: workspace }, additional, lockfile },
    files,
  );
}

const written = (sources: FeatureSources | undefined) =>
  sources?.written.map(({ id, options, tree, locked }) => [
    id,
    ...(options === undefined ? [] : [options]),
    ...(tree === undefined ? [] : ["tree"]),
    ...(locked === undefined ? [] : ["locked"]),
  ]);

const local = (id: string, more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, Content>> => ({
  [`.devcontainer/${id}/devcontainer-feature.json`]: JSON.stringify({ id, ...more }),
  [`.devcontainer/${id}/install.sh`]: `echo ${id}\n`,
});
const locks = (...ids: readonly string[]): Readonly<Record<string, Content>> => ({
  ".devcontainer/devcontainer-lock.json": JSON.stringify({
    features: Object.fromEntries(ids.map((id) => [id, { integrity: `sha256:${"a".repeat(64)}` }])),
  }),
});

test.each<[string, Asked["json"]]>([
  ["nothing", { image: "a" }],
  ["an empty object", { features: {} }],
  ["null", { features: null }],
])("no feature is asked for: %s", async (_, json) => {
  expect(await gather({ json })).toBeUndefined();
});

test("a lockfile without any feature is not even read", async () => {
  expect(await gather({ json: {}, more: { ".devcontainer/devcontainer-lock.json": "no JSON" } })).toBeUndefined();
});

test.each<[string, Asked, readonly (readonly unknown[])[]]>([
  [
    "by id, options as they are written",
    { json: { features: { "r.test/b": { x: 1 }, "r.test/a:1": "2" } } },
    [
      ["r.test/a:1", "2"],
      ["r.test/b", { x: 1 }],
    ],
  ],
  [
    "variables are replaced, those of the input are not",
    {
      json: { features: { "r.test/a": { x: "${localEnv:X}" } } },
      env: { X: "1" },
      additional: { "r.test/b": { y: "${localEnv:X}" } },
    },
    [
      ["r.test/a", { x: "1" }],
      ["r.test/b", { y: "${localEnv:X}" }],
    ],
  ],
  [
    "what the configuration asks for, the input does not change",
    { json: { features: { "r.test/a": { x: 1 } } }, additional: { "r.test/a": { x: 2 } } },
    [["r.test/a", { x: 1 }]],
  ],
  ["a local one has a tree", { json: { features: { "./one": {} } }, more: local("one") }, [["./one", {}, "tree"]]],
  [
    "a local one that a local one depends on, once, without options",
    {
      json: { features: { "./one": {}, "./two": {} } },
      more: {
        ...local("one", { dependsOn: { "./three": { x: 1 }, "r.test/a": {} } }),
        ...local("two", { dependsOn: { "./three": {}, "./one": {} } }),
        ...local("three"),
      },
    },
    [
      ["./one", {}, "tree"],
      ["./three", "tree"],
      ["./two", {}, "tree"],
    ],
  ],
  [
    "local ones in a circle come to an end",
    {
      json: { features: { "./one": {} } },
      more: { ...local("one", { dependsOn: { "./two": {} } }), ...local("two", { dependsOn: { "./one": {} } }) },
    },
    [
      ["./one", {}, "tree"],
      ["./two", "tree"],
    ],
  ],
  [
    "what the lockfile knows, that of others included",
    { json: { features: { "r.test/a": {}, "r.test/b": {} } }, more: locks("r.test/a", "r.test/z") },
    [
      ["r.test/a", {}, "locked"],
      ["r.test/b", {}],
      ["r.test/z", "locked"],
    ],
  ],
  [
    "a lockfile that is ignored",
    { json: { features: { "r.test/a": {} } }, more: locks("r.test/a"), lockfile: "ignore" },
    [["r.test/a", {}]],
  ],
])("what is written: %s", async (_, asked, expected) => {
  expect(written(await gather(asked))).toEqual(expected);
});

test.each<[string, Asked, string]>([
  ["a local one that is not there", { json: { features: { "./one": {} } } }, "E_CONFIG"],
  [
    "a local one that a local one depends on",
    { json: { features: { "./one": {} } }, more: local("one", { dependsOn: { "./two": {} } }) },
    "E_FEATURE",
  ],
  ["one outside of .devcontainer", { json: { features: { "../one": {} } } }, "E_CONFIG"],
  ["one that climbs out of the workspace", { json: { features: { "./../../../one": {} } } }, "E_CONFIG"],
  ["an absolute one", { json: { features: { "/etc": {} } } }, "E_CONFIG"],
  [
    "a link to a folder outside of the workspace",
    { json: { features: { "./one": {} } }, more: { ".devcontainer/one": { link: "/etc" } } },
    "E_CONFIG",
  ],
  [
    "metadata that is a link to elsewhere",
    {
      json: { features: { "./one": {} } },
      more: { ".devcontainer/one/devcontainer-feature.json": { link: "/etc/hostname" } },
    },
    "E_CONFIG",
  ],
  [
    "a local one that climbs out from a local one",
    { json: { features: { "./one": {} } }, more: local("one", { dependsOn: { "./../../x": {} } }) },
    "E_FEATURE",
  ],
])("refused before any request: %s", async (_, asked, code) => {
  expect(await refusalOf(() => gather(asked))).toMatchObject({ code, at: { file: FILE } });
});

test("where a feature is asked for, and whose options hold something of the environment", async () => {
  const sources = await gather({
    json: { features: { "r.test/a": { x: "${localEnv:X}" }, "r.test/b": "${env:X}", "r.test/c": { x: "plain" } } },
    additional: { "r.test/d": {} },
  });
  expect([...(sources?.hidden ?? [])]).toEqual(["r.test/a", "r.test/b", "r.test/d"]);
  expect(sources?.places).toEqual({
    "r.test/a": { file: FILE, line: 3 },
    "r.test/b": { file: FILE, line: 6 },
    "r.test/c": { file: FILE, line: 7 },
    "r.test/d": { input: "additional-features" },
  });
});

test("with whom and what features are installed", () => {
  const configuration = configured(
    {
      containerUser: "${localEnv:WHO}",
      remoteUser: "dev",
      containerEnv: { A: "1", B: "x${localEnv:WHO}", C: "", D: "${containerEnv:PATH}" },
    },
    "/work/app",
    { WHO: "ada" },
  );
  expect(installationOf(configuration, undefined, { hasFeatures: true })).toEqual({
    values: {
      containerUser: "ada",
      remoteUser: "dev",
      "containerEnv.A": "1",
      "containerEnv.B": "xada",
      "containerEnv.C": "",
      "containerEnv.D": "${containerEnv:PATH}",
    },
    hidden: ["containerUser", "containerEnv.B"],
  });
  expect(installationOf(configuration, undefined, { hasFeatures: false })).toEqual({
    values: { containerUser: "ada", remoteUser: "dev" },
    hidden: ["containerUser"],
  });
  expect(installationOf(configured({}, "/work/app"), undefined, { hasFeatures: true })).toEqual({
    values: {},
    hidden: [],
  });
});

test("no containerEnv is none", () => {
  for (const containerEnv of [undefined, null])
    expect(containerEnvironment(configured({ containerEnv }, "/work/app"))).toEqual([]);
});

test.each<[string, Readonly<Record<string, unknown>>, string, number]>([
  ["a containerEnv that is a text", { containerEnv: "x" }, "containerEnv is not an object", 2],
  ["a containerEnv that is a list", { containerEnv: ["x"] }, "containerEnv is not an object", 2],
  ["a value that is no text", { containerEnv: { A: 1 } }, "containerEnv.A is not a text", 3],
  ["a user that is no text", { remoteUser: 5 }, "remoteUser is not a text", 2],
  ["a user of the container that is no text", { containerUser: {} }, "containerUser is not a text", 2],
])("%s is refused where features are installed", async (_, json, what, line) => {
  const error = await refusalOf(() => installationOf(configured(json, "/w"), undefined, { hasFeatures: true }));
  expect(error).toMatchObject({ code: "E_CONFIG", message: expect.stringContaining(what), at: { file: FILE, line } });
});

test.each<[string, Readonly<Record<string, unknown>>, string | undefined]>([
  ["one that matches", { "r.test/f/a:1": {} }, undefined],
  ["a local one", { "./one": {} }, undefined],
  ["one of another registry", { "r.test/f/a:1": {}, "other.test/f/a": {} }, "other.test/f/a"],
  ["a short id", { node: {} }, "node"],
  [
    "a tarball of another host",
    { "https://other.test/devcontainer-feature-a.tgz": {} },
    "https://other.test/devcontainer-feature-a.tgz",
  ],
  ["a tarball of the host", { "https://r.test/devcontainer-feature-a.tgz": {} }, undefined],
])("allowed-images: %s", async (_, features, refused) => {
  const pattern = parseImagePattern("r.test/**");
  if ("wrong" in pattern) throw new Error(pattern.wrong);
  const request = {
    configuration: configured({ features }, "/w"),
    configFile: `/w/${FILE}`,
    workspace: "/w",
    checkout: "/w",
    lockfile: "use",
  } as const;
  const attempt = () => refuseForeignFeatures(request, [pattern]);
  if (refused === undefined) expect(attempt).not.toThrow();
  else expect(await refusalOf(attempt)).toMatchObject({ code: "E_INPUT", message: expect.stringContaining(refused) });
});
