import { rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { readDefinition, workspaceFolderOf } from "../../src/cached-image/definition.ts";
import type { Options } from "../../src/envbuilder/options.ts";
import { openFiles } from "../../src/host/files.ts";
import { type Content, makeCheckout } from "../checkout.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

const { files } = openFiles(tmpdir());
const made: string[] = [];
afterEach(() => {
  for (const checkout of made.splice(0)) rmSync(checkout, { recursive: true });
});

const checkoutOf = (content: Readonly<Record<string, Content>>): string => {
  const checkout = makeCheckout(content);
  made.push(checkout);
  return checkout;
};

async function read(content: Readonly<Record<string, Content>>, options: Options = {}) {
  const checkout = checkoutOf(content);
  const { context, folder, ...definition } = await readDefinition({ checkout, options, files });
  const relative = (path: string | undefined) => path?.replace(checkout, "");
  return { ...definition, context: relative(context), folder: relative(folder) };
}

const image = (name: string) => JSON.stringify({ image: name });

describe("where envbuilder looks for a configuration", () => {
  const all = {
    ".devcontainer/devcontainer.json": image("one"),
    "devcontainer.json": image("two"),
    ".devcontainer/b/devcontainer.json": image("four"),
    ".devcontainer/a/devcontainer.json": image("three"),
  };
  test.each([
    { found: "one", without: [] },
    { found: "two", without: [".devcontainer/devcontainer.json"] },
    { found: "three", without: [".devcontainer/devcontainer.json", "devcontainer.json"] },
  ])("$found", async ({ found, without }) => {
    const content = Object.fromEntries(Object.entries(all).filter(([path]) => !without.includes(path)));
    expect((await read(content)).dockerfile.text).toBe(`FROM ${found}`);
  });

  test("the name that other tools know is none", async () => {
    const { code } = await refusalOf(() => read({ ".devcontainer.json": image("x") }));
    expect(code).toBe("E_CONFIG");
  });

  test("a link to a folder is none of the folders", async () => {
    const checkout = checkoutOf({ "real/devcontainer.json": image("x"), ".devcontainer/y": "" });
    symlinkSync("../real", join(checkout, ".devcontainer", "linked"));
    await expect(readDefinition({ checkout, options: {}, files })).rejects.toMatchObject({ code: "E_CONFIG" });
  });

  test.each<Options>([
    { ENVBUILDER_DEVCONTAINER_DIR: "conf", ENVBUILDER_DEVCONTAINER_JSON_PATH: "d.json" },
    { ENVBUILDER_DEVCONTAINER_DIR: "/workspaces/empty/conf", ENVBUILDER_DEVCONTAINER_JSON_PATH: "d.json" },
    { ENVBUILDER_DEVCONTAINER_JSON_PATH: "../conf/d.json" },
  ])("%j", async (options) => {
    expect(await read({ "conf/d.json": image("x") }, options)).toMatchObject({ file: "conf/d.json" });
  });
});

test("an image: nothing of the checkout is the context", async () => {
  expect(await read({ "devcontainer.json": image("debian:12") })).toMatchObject({
    dockerfile: { text: "FROM debian:12" },
    context: undefined,
    root: "/.envbuilder",
    ignore: undefined,
  });
});

test("a Dockerfile, its context and its ignore file", async () => {
  const build = { build: { dockerfile: "Dockerfile", context: ".." } };
  const content = { ".devcontainer/devcontainer.json": JSON.stringify(build), ".devcontainer/Dockerfile": "FROM x\n" };
  expect(await read({ ...content, ".dockerignore": "a" })).toMatchObject({
    dockerfile: { text: "FROM x\n", file: ".devcontainer/Dockerfile" },
    context: "",
    root: "/workspaces/empty",
    ignore: { text: "a", file: ".dockerignore" },
  });
  const own = await read({ ...content, ".dockerignore": "a", ".devcontainer/Dockerfile.dockerignore": "b" });
  expect(own.ignore).toEqual({ text: "b", file: ".devcontainer/Dockerfile.dockerignore" });
});

test("the builder sees the context in its own clone, where it has one", async () => {
  const build = { build: { dockerfile: "D" } };
  const content = { ".devcontainer/devcontainer.json": JSON.stringify(build), ".devcontainer/D": "FROM x\n" };
  const git = { ENVBUILDER_GIT_URL: "https://g.test/team/app.git" };
  const remote = await read(content, { ...git, ENVBUILDER_REMOTE_REPO_BUILD_MODE: true });
  expect([remote.root, remote.workspaceFolder]).toEqual(["/.envbuilder/repo/.devcontainer", "/workspaces/app"]);
  expect((await read(content, git)).root).toBe("/workspaces/app/.devcontainer");
});

test("the fallback image, without a configuration and with one that names nothing", async () => {
  const options = { ENVBUILDER_FALLBACK_IMAGE: "debian:12" };
  expect(await read({ x: "" }, options)).toMatchObject({ dockerfile: { text: "FROM debian:12" }, context: undefined });
  expect(await read({ ".devcontainer/devcontainer.json": "{}" }, options)).toMatchObject({
    dockerfile: { text: "FROM debian:12" },
    context: "/.devcontainer",
  });
});

test("a Dockerfile alone counts from the checkout, whatever configuration there is", async () => {
  const options = { ENVBUILDER_DOCKERFILE_PATH: "/d/Dockerfile", ENVBUILDER_BUILD_CONTEXT_PATH: "d" };
  expect(await read({ "d/Dockerfile": "FROM x\n", "devcontainer.json": image("y") }, options)).toMatchObject({
    file: "d/Dockerfile",
    specification: undefined,
    context: "/d",
  });
});

describe("refused", () => {
  const build = (json: object) => ({ "devcontainer.json": JSON.stringify({ build: json }), Dockerfile: "FROM x\n" });
  test.each<{
    readonly name: string;
    readonly content: Readonly<Record<string, Content>>;
    readonly options?: Options;
    readonly code: string;
  }>([
    { name: "no configuration", content: { x: "" }, code: "E_CONFIG" },
    { name: "one that names nothing", content: { "devcontainer.json": "{}" }, code: "E_CONFIG" },
    { name: "a Dockerfile that is not there", content: build({ dockerfile: "D" }), code: "E_DOCKERFILE" },
    {
      name: "a context that is not there",
      content: build({ dockerfile: "Dockerfile", context: "c" }),
      code: "E_CONFIG",
    },
    { name: "a context outside", content: build({ dockerfile: "Dockerfile", context: ".." }), code: "E_CONFIG" },
    { name: "a Dockerfile outside", content: build({ dockerfile: "../D" }), code: "E_CONFIG" },
    { name: "a link that leads out", content: { "devcontainer.json": { link: "/etc/hostname" } }, code: "E_CONFIG" },
    { name: "a folder outside", content: {}, options: { ENVBUILDER_DEVCONTAINER_DIR: "../x" }, code: "E_INPUT" },
    {
      name: "a folder of the container",
      content: {},
      options: { ENVBUILDER_DEVCONTAINER_DIR: "/etc" },
      code: "E_INPUT",
    },
    {
      name: "a Dockerfile path outside",
      content: {},
      options: { ENVBUILDER_DOCKERFILE_PATH: "../D" },
      code: "E_INPUT",
    },
  ])("$name", async ({ content, options, code }) => {
    expect((await refusalOf(() => read(content, options))).code).toBe(code);
  });
});

test.each<Options>([
  { ENVBUILDER_WORKSPACE_FOLDER: "app" },
  { ENVBUILDER_WORKSPACE_FOLDER: "/../../home/runner" },
  { ENVBUILDER_WORKSPACE_BASE_DIR: "w", ENVBUILDER_GIT_URL: "https://g.test/a" },
])("a workspace folder that is nowhere in the builder's container: %j", async (options) => {
  const refused = await refusalOf(() => read({ ".devcontainer/devcontainer.json": image("x") }, options));
  expect(refused).toMatchObject({ code: "E_INPUT" });
});

test.each<readonly [Options, string]>([
  [{}, "/workspaces/empty"],
  [{ ENVBUILDER_GIT_URL: "https://g.test/team/app.git" }, "/workspaces/app"],
  [{ ENVBUILDER_GIT_URL: "https://g.test/team/app#refs/heads/x/y" }, "/workspaces/app"],
  [{ ENVBUILDER_GIT_URL: "git@g.test:team/app.git" }, "/workspaces/app"],
  [{ ENVBUILDER_GIT_URL: "https://g.test/" }, "/workspaces/empty"],
  [{ ENVBUILDER_GIT_URL: "https://g.test/a", ENVBUILDER_WORKSPACE_BASE_DIR: "/w" }, "/w/a"],
  [{ ENVBUILDER_GIT_URL: "https://g.test/a", ENVBUILDER_WORKSPACE_FOLDER: "/home/x" }, "/home/x"],
])("the workspace folder of %j is %s", (options, folder) => {
  expect(workspaceFolderOf(options)).toBe(folder);
});
