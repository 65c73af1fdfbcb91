import { lstatSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { extendedDockerfile } from "../../src/build/dockerfile.ts";
import { fetchFeatures, layOutFeatures } from "../../src/build/feature-build.ts";
import type { InstalledFeature } from "../../src/features/install.ts";
import { openFiles } from "../../src/host/files.ts";
import type { ImageConfig } from "../../src/oci/config.ts";
import type { Registry } from "../../src/world.ts";
import { type Content, makeCheckout, put } from "../checkout.ts";
import { refusalOf } from "../devcontainer/refusal.ts";
import { featureOf, indexOf, planOf, portsOf, registryOf } from "../plan-of.ts";

const BASE = "registry.test/base:1";
const TOOL = "registry.test/f/tool:1";
const IMAGES = { [BASE]: indexOf({ "linux/amd64": "base" }), [TOOL]: featureOf({ id: "tool" }) };
const { files, removeTemporaryFolders } = openFiles(tmpdir());
const folders: string[] = [];
afterAll(() => {
  removeTemporaryFolders();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function checkOut(json: Readonly<Record<string, unknown>>, more: Readonly<Record<string, Content>> = {}): string {
  const workspace = makeCheckout({ ".devcontainer/devcontainer.json": JSON.stringify(json), ...more });
  folders.push(workspace);
  return workspace;
}

type Users = {
  readonly json?: Readonly<Record<string, unknown>>;
  readonly dockerfile?: string;
  readonly label?: readonly Readonly<Record<string, unknown>>[];
  readonly user?: string;
};

async function usersOf({ json = {}, dockerfile = `FROM ${BASE}\n`, label, user = "" }: Users) {
  const configuration = { build: { dockerfile: "Dockerfile" }, features: { [TOOL]: {} }, ...json };
  const workspace = checkOut(configuration, { ".devcontainer/Dockerfile": dockerfile });
  const { sources, probed } = await planOf({ workspace, images: IMAGES, env: { USER: "ada" } });
  const labels: Readonly<Record<string, string>> = label ? { "devcontainer.metadata": JSON.stringify(label) } : {};
  const base: ImageConfig = { user, env: {}, labels, triggers: [] };
  const features = (probed.plan?.features ?? []).map((feature) => ({ feature, entries: [] }));
  const platform = { os: "linux", architecture: "amd64" };
  const extended = extendedDockerfile({ gathered: sources.build, platform, base, features });
  return { ...extended?.users, imageUser: /USER "(.*)"/.exec(extended?.text ?? "")?.[1] };
}

test.each<[string, Users, readonly [container: string, remote: string, image: string]]>([
  ["nobody says anything", {}, ["root", "root", "root"]],
  ["the base's own user", { user: "node" }, ["node", "node", "node"]],
  ["USER", { user: "node", dockerfile: `FROM ${BASE}\nUSER dev\n` }, ["dev", "dev", "dev"]],
  ["USER with a group", { dockerfile: `FROM ${BASE}\nUSER dev:staff\n` }, ["dev", "dev", "dev:staff"]],
  ["remoteUser", { user: "node", json: { remoteUser: "dev" } }, ["node", "dev", "node"]],
  ["containerUser", { user: "node", json: { containerUser: "dev" } }, ["dev", "dev", "node"]],
  ["both", { json: { containerUser: "one", remoteUser: "two" } }, ["one", "two", "root"]],
  ["empty ones are none", { user: "node", json: { containerUser: "", remoteUser: "" } }, ["node", "node", "node"]],
  ["a variable of the environment", { json: { remoteUser: "${localEnv:USER}" } }, ["root", "ada", "root"]],
  ["the base's label", { user: "node", label: [{ remoteUser: "dev" }] }, ["node", "dev", "node"]],
  [
    "the last entry of the base's label",
    { label: [{ remoteUser: "a" }, { remoteUser: "b" }, {}] },
    ["root", "b", "root"],
  ],
  [
    "the configuration over the label",
    { label: [{ remoteUser: "a" }], json: { remoteUser: "b" } },
    ["root", "b", "root"],
  ],
  [
    "the label's containerUser over the image's",
    { user: "node", label: [{ containerUser: "dev" }] },
    ["dev", "dev", "node"],
  ],
  [
    "a variable in the base's label",
    { user: "node", label: [{ remoteUser: "${localEnv:USER}" }] },
    ["node", "node", "node"],
  ],
])("for whom features are installed: %s", async (_, asked, [containerUser, remoteUser, imageUser]) => {
  expect(await usersOf(asked)).toEqual({ containerUser, remoteUser, imageUser });
});

test("a user that cannot be told is asked for, with the line", async () => {
  const asked = { dockerfile: `FROM ${BASE}\nARG BUILDARCH\nUSER dev-$BUILDARCH\n` };
  expect(await refusalOf(() => usersOf(asked))).toMatchObject({
    code: "E_DOCKERFILE",
    message: expect.stringContaining("BUILDARCH"),
    at: { file: ".devcontainer/Dockerfile", line: 3 },
  });
});

// Behind the line break would stand an instruction that nobody has looked at: another image, that is in no key.
test.each<[string, Users]>([
  [
    "a build arg in USER",
    {
      dockerfile: `FROM ${BASE}\nARG WHO\nUSER $WHO\n`,
      json: { build: { dockerfile: "Dockerfile", args: { WHO: "dev\nCOPY --from=evil.test/x / /" } } },
    },
  ],
  ["the base's own user", { user: "dev\rCOPY --from=evil.test/x / /" }],
])("a user with a line break is refused: %s", async (_, asked) => {
  expect(await refusalOf(() => usersOf(asked))).toMatchObject({
    code: "E_DOCKERFILE",
    message: expect.stringContaining("line break"),
  });
});

test.each<[string, Readonly<Record<string, unknown>>]>([
  ["a value of several lines", { A: "a\nb" }],
  ["a name with a blank", { "A B": "x" }],
  ["a name with a variable", { A$B: "x" }],
  ["a name with an equals sign", { "A=B": "x" }],
  ["a name in quotes", { '"A"': "x" }],
  ["no name", { "": "x" }],
  ["a name that BuildKit takes for a flag", { "--A": "x" }],
  ["a value that is no text", { A: 1 }],
])("an environment that cannot be set is refused: %s", async (_, containerEnv) => {
  expect(await refusalOf(() => usersOf({ json: { containerEnv } }))).toMatchObject({
    code: "E_CONFIG",
    at: { file: ".devcontainer/devcontainer.json" },
  });
});

const LOCAL = {
  ".devcontainer/local/devcontainer-feature.json": '{ "id": "local" }',
  ".devcontainer/local/install.sh": "echo one\n",
};

async function localFeatures(workspace: string): Promise<readonly InstalledFeature[]> {
  const { probed } = await planOf({ workspace, images: IMAGES });
  return probed.plan?.features ?? [];
}

const layOut = async (features: readonly InstalledFeature[]): Promise<void> =>
  layOutFeatures(
    files,
    features.map((feature) => ({ feature, entries: undefined })),
    { containerUser: "root", remoteUser: "root" },
    join(await files.temporaryFolder("features"), "features"),
  );

test("a local feature that changed after it was hashed is not built", async () => {
  const workspace = checkOut({ image: BASE, features: { "./local": {} } }, LOCAL);
  const features = await localFeatures(workspace);
  await layOut(features);
  put(workspace, ".devcontainer/local/install.sh", "echo two\n");
  expect(await refusalOf(() => layOut(features))).toMatchObject({
    code: "E_CHANGED",
    message: expect.stringContaining("install.sh of the feature ./local"),
    at: { file: ".devcontainer/devcontainer.json", line: 1 },
  });
});

test("a file that became a link to elsewhere after it was hashed does not reach the build", async () => {
  const workspace = checkOut({ image: BASE, features: { "./local": {} } }, { ...LOCAL, secret: "secret\n" });
  const features = await localFeatures(workspace);
  put(workspace, ".devcontainer/local/install.sh", { link: join(workspace, "secret") });
  expect(await refusalOf(() => layOut(features))).toMatchObject({ code: "E_CHANGED" });
});

// The platforms of one run send their features under one name: see src/context.ts.
test("what is laid out for other users, and has the same size, has another time", async () => {
  const workspace = checkOut({ image: BASE, features: { "./local": {} } }, LOCAL);
  const features = (await localFeatures(workspace)).map((feature) => ({ feature, entries: undefined }));
  const timeFor = async (user: string): Promise<bigint> => {
    const to = join(await files.temporaryFolder("features"), "features");
    await layOutFeatures(files, features, { containerUser: user, remoteUser: user }, to);
    const times = ["prepare", "install", "content/install.sh", "content/devcontainer-features.env"].map(
      (path) => lstatSync(join(to, "local_0", path), { bigint: true }).mtimeNs,
    );
    expect(new Set(times).size).toBe(1);
    return times[0] ?? 0n;
  };
  const [one, two, again] = [await timeFor("one"), await timeFor("two"), await timeFor("one")];
  expect(two).not.toBe(one);
  expect(again).toBe(one);
});

test("a feature that cannot be fetched any more ends the build, with what to do", async () => {
  const workspace = checkOut({ image: BASE, features: { [TOOL]: {} } });
  const features = await localFeatures(workspace);
  const registry: Registry = {
    ...registryOf(IMAGES),
    blob: async () => ({ kind: "denied", request: "GET the blob", words: "no", fix: "Log in." }),
  };
  expect(await refusalOf(() => fetchFeatures(features, portsOf(registry)))).toMatchObject({
    code: "E_REGISTRY",
    message: expect.stringContaining(TOOL),
    fix: "Log in.",
  });
});
