import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import { openCheckout } from "../../src/sources/workspace.ts";
import { makeCheckout } from "../checkout.ts";
import { refusalOf } from "../devcontainer/refusal.ts";
import { hostOf, indexOf, inputsOf, planOf, readFrom } from "../plan-of.ts";

const { files } = openFiles(tmpdir());
const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

const BASE = "registry.test/base:1";
const images = { [BASE]: indexOf({ "linux/amd64": "base" }) };

/** A repository whose image is a folder of its own, built from what lies beside it, as public repositories do. */
function monorepo(prefix = ""): string {
  const checkout = makeCheckout({
    [`${prefix}.git/HEAD`]: "ref: refs/heads/main\n",
    [`${prefix}image/.devcontainer/devcontainer.json`]: JSON.stringify({
      build: { dockerfile: "../../docker/Dockerfile", context: "../.." },
      features: { "./features/tool": {} },
    }),
    [`${prefix}image/.devcontainer/features`]: { link: "../../features" },
    [`${prefix}features/tool/devcontainer-feature.json`]: '{"id":"tool"}',
    [`${prefix}features/tool/install.sh`]: "echo tool\n",
    [`${prefix}docker/Dockerfile`]: `FROM ${BASE}\nCOPY setup.sh /\n`,
    [`${prefix}setup.sh`]: "echo setup\n",
  });
  made.push(checkout);
  return checkout;
}

const read = (workspace: string, workspaceFolder: string) =>
  readFrom(inputsOf({ workspace, images, inputs: { "workspace-folder": workspaceFolder } }), {
    files,
    host: hostOf(workspace),
  });

test("context, Dockerfile and linked features beside the workspace are read: they are in the commit", async () => {
  const workspace = monorepo();
  const { probed } = await planOf({ workspace, images, inputs: { "workspace-folder": "image" } });
  expect(probed.verdict).toEqual({ kind: "miss", damaged: [] });
  expect(probed.plan?.features.map(({ id }) => id)).toEqual(["tool"]);
});

test("messages name files from the repository's root, wherever it was checked out to", async () => {
  for (const [prefix, folder] of [
    ["", "image"],
    ["app/", "app/image"],
  ] as const) {
    const sources = await read(monorepo(prefix), folder);
    expect(sources.places).toMatchObject({
      configuration: "image/.devcontainer/devcontainer.json",
      dockerfile: "docker/Dockerfile",
      bases: { [BASE]: { source: { file: "docker/Dockerfile", line: 1 } } },
      context: ".",
    });
  }
});

test("where nothing was checked out that is said, unless an image stands in for it", async () => {
  const workspace = makeCheckout({});
  made.push(workspace);
  const world = { files, host: hostOf(workspace) };
  for (const inputs of [{}, { "devcontainer-json-path": "dev.json" }, { "dockerfile-path": "Dockerfile" }])
    await expect(openCheckout(inputsOf({ workspace, images, inputs }), world)).rejects.toMatchObject({
      code: "E_CONFIG",
      message: expect.stringMatching(/is empty: nothing was checked out in this job/),
      fix: expect.stringMatching(/actions\/checkout before this action/),
    });
  const instead = inputsOf({ workspace, images, inputs: { "fallback-image": BASE } });
  expect(await openCheckout(instead, world)).toEqual({ folder: workspace, checkout: workspace });
});

test("without a repository the border is the runner's workspace", async () => {
  const workspace = makeCheckout({ "a/b/.devcontainer.json": JSON.stringify({ image: BASE }) });
  made.push(workspace);
  const inputs = inputsOf({ workspace, images, inputs: { "workspace-folder": "a/b" } });
  expect(await openCheckout(inputs, { files, host: hostOf(workspace) })).toEqual({
    folder: join(workspace, "a/b"),
    checkout: workspace,
  });
});

test("paths of inputs may lead out of the workspace folder, for all of the checkout is in the commit", async () => {
  const workspace = makeCheckout({
    ".git/HEAD": "ref: refs/heads/main\n",
    "image/file": "",
    "docker/Dockerfile": `FROM ${BASE}\nARG A\nCOPY setup.sh /\nCOPY --from=more x /\n`,
    "docker/setup.sh": "",
    "more/x": "",
    "args.conf": "A=1\n",
    token: "abcdefghijkl",
    "other/devcontainer.json": JSON.stringify({ image: BASE }),
  });
  made.push(workspace);
  const at = (inputs: Readonly<Record<string, string>>) =>
    readFrom(inputsOf({ workspace, images, inputs: { "workspace-folder": "image", ...inputs } }), {
      files,
      host: hostOf(workspace),
    });
  const { build } = await at({
    "dockerfile-path": "../docker/Dockerfile",
    "build-context-path": "../docker",
    "build-arg-files": "../*.conf",
    "build-contexts": "more=../more",
    "build-secrets": "id=t,src=../token",
  });
  expect(build.arguments.args).toEqual({ A: "1" });
  expect(build.arguments.places).toMatchObject({ A: { file: "args.conf", line: 1 } });
  expect([...(build.context?.entries.values() ?? [])].flat().map(({ path }) => path)).toEqual(["setup.sh"]);
  expect((await at({ "devcontainer-json-path": "../other/devcontainer.json" })).configuration).toBe(
    "other/devcontainer.json",
  );
  for (const [input, value] of [
    ["dockerfile-path", "../../Dockerfile"],
    ["devcontainer-json-path", "../../devcontainer.json"],
    ["build-arg-files", "../../args.conf"],
    ["build-contexts", "more=../../more"],
    ["build-secrets", "id=t,src=../../token"],
  ] as const) {
    const given = input === "dockerfile-path" ? {} : { "dockerfile-path": "../docker/Dockerfile" };
    const error = await refusalOf(() => at({ ...(input.startsWith("build") ? given : {}), [input]: value }));
    expect(error.message).toMatch(/(?:leaves|leads out of) the checkout/);
  }
});

test("what stands in the place of a file or a folder is told", async () => {
  const workspace = makeCheckout({
    ".git/HEAD": "",
    "a/.devcontainer/devcontainer.json": JSON.stringify({ build: { dockerfile: "../folder" } }),
    "a/folder/x": "",
    "b/.devcontainer/devcontainer.json/x": "",
    "c/.devcontainer/devcontainer.json": JSON.stringify({ build: { dockerfile: "Dockerfile", context: "Dockerfile" } }),
    "c/.devcontainer/Dockerfile": `FROM ${BASE}\n`,
    "d/.devcontainer/devcontainer.json": JSON.stringify({ dockerComposeFile: "compose.yml", service: "app" }),
    "d/.devcontainer/compose.yml": { link: "nowhere.yml" },
    file: "",
  });
  made.push(workspace);
  execFileSync("mkfifo", [join(workspace, "b/pipe")]);
  const said = async (folder: string, inputs: Readonly<Record<string, string>> = {}) => {
    const asked = inputsOf({ workspace, images, inputs: { "workspace-folder": folder, ...inputs } });
    return (await refusalOf(() => readFrom(asked, { files, host: hostOf(workspace) }))).message;
  };
  expect(await said("a")).toMatch(/names the Dockerfile a\/folder, which is a folder, and no file\.$/);
  expect(await said("b")).toMatch(/There is \.devcontainer\/devcontainer\.json, which is a folder, and no file\.$/);
  expect(await said("b", { "devcontainer-json-path": "pipe" })).toMatch(
    /b\/pipe .*, which is a pipe, a socket or a device/,
  );
  expect(await said("b", { "dockerfile-path": "pipe" })).toMatch(
    /names b\/pipe, which is a pipe, a socket or a device/,
  );
  expect(await said("c")).toMatch(
    /names the build context c\/\.devcontainer\/Dockerfile, which is a file, and no folder/,
  );
  expect(await said("d")).toMatch(/names d\/\.devcontainer\/compose\.yml, which is a link to nothing, and no file/);
  expect(await said("file")).toBe('The input workspace-folder is "file", which is a file, and no folder.');
});

test.each<[string, (workspace: string) => string, RegExp]>([
  [
    "is not there",
    (workspace) => join(workspace, "gone"),
    /^GITHUB_WORKSPACE.* names .*gone, and there is no such folder/,
  ],
  ["is a file", (workspace) => join(workspace, "file"), /^GITHUB_WORKSPACE.* names .*file, which is a file/],
])("a runner's workspace that %s is no input's fault", async (_, of, words) => {
  const workspace = makeCheckout({ file: "" });
  made.push(workspace);
  const asked = inputsOf({ workspace, images, inputs: {} });
  const error = await refusalOf(() => readFrom(asked, { files, host: hostOf(of(workspace)) }));
  expect([error.code, error.message]).toEqual(["E_SYSTEM", expect.stringMatching(words)]);
});

test("a workspace folder that is a link goes by its own name, as under the reference CLI", async () => {
  const workspace = makeCheckout({
    ".git/HEAD": "ref: refs/heads/main\n",
    "real/deep/app/.devcontainer/devcontainer.json": JSON.stringify({
      build: { dockerfile: "../../Dockerfile", context: "..", args: { NAME: "${localWorkspaceFolderBasename}" } },
    }),
    "real/deep/app/file": "x",
    link: { link: "real/deep/app" },
    Dockerfile: `FROM ${BASE}\nARG NAME\nCOPY file /\n`,
    "real/deep/Dockerfile": "FROM registry.test/other:1\n",
  });
  made.push(workspace);
  const sources = await read(workspace, "link");
  expect(sources.places).toMatchObject({
    configuration: "link/.devcontainer/devcontainer.json",
    dockerfile: "Dockerfile",
  });
  expect(sources.build.arguments.args).toEqual({ NAME: "link" });
  expect(sources.wanted.platforms[0]?.images.map(({ written }) => written)).toEqual([BASE]);
  expect([...(sources.build.context?.entries.values() ?? [])].flat().map(({ path }) => path)).toEqual(["file"]);
});

test.each<[string, string, string]>([
  ["to the repository itself", ".", "here"],
  ["up to it", "..", "sub/up"],
])("a link %s keeps its name, and the border is the repository", async (_, to, folder) => {
  const workspace = makeCheckout({
    ".git/HEAD": "ref: refs/heads/main\n",
    ".devcontainer/devcontainer.json": JSON.stringify({ build: { dockerfile: "Dockerfile", context: ".." } }),
    ".devcontainer/Dockerfile": `FROM ${BASE}\nCOPY file /\n`,
    file: "",
    [folder]: { link: to },
  });
  made.push(workspace);
  const asked = inputsOf({ workspace, images, inputs: { "workspace-folder": folder } });
  expect(await openCheckout(asked, { files, host: hostOf(workspace) })).toEqual({
    folder: join(workspace, folder),
    checkout: workspace,
  });
  const sources = await read(workspace, folder);
  expect([...(sources.build.context?.entries.values() ?? [])].flat().map(({ path }) => path)).toEqual(["file"]);
});

test("a link to another repository in the runner's workspace stands for that one", async () => {
  const workspace = makeCheckout({
    "app/.git/HEAD": "ref: refs/heads/main\n",
    "app/.devcontainer/devcontainer.json": JSON.stringify({ build: { dockerfile: "Dockerfile" } }),
    "app/.devcontainer/Dockerfile": `FROM ${BASE}\n`,
    link: { link: "app" },
  });
  made.push(workspace);
  const asked = inputsOf({ workspace, images, inputs: { "workspace-folder": "link" } });
  expect(await openCheckout(asked, { files, host: hostOf(workspace) })).toEqual({
    folder: join(workspace, "app"),
    checkout: join(workspace, "app"),
  });
  expect((await read(workspace, "link")).places).toMatchObject({ dockerfile: ".devcontainer/Dockerfile" });
});

test("a workspace folder behind a link out of the checkout is refused", async () => {
  const workspace = makeCheckout({ ".git/HEAD": "" });
  const outside = makeCheckout({ ".devcontainer.json": JSON.stringify({ image: BASE }) });
  made.push(workspace, outside);
  symlinkSync(outside, join(workspace, "link"));
  expect((await refusalOf(() => read(workspace, "link"))).message).toMatch(/outside the checkout/);
});

test("another repository beside this one is outside", async () => {
  const workspace = makeCheckout({
    "other/.git/HEAD": "",
    "other/secret.txt": "x",
    "own/.git/HEAD": "",
    "own/.devcontainer.json": JSON.stringify({ build: { dockerfile: "Dockerfile", context: "../other" } }),
    "own/Dockerfile": `FROM ${BASE}\nCOPY . /\n`,
  });
  made.push(workspace);
  const error = await refusalOf(() => read(workspace, "own"));
  expect(error.message).toBe('build.context is "../other", which leaves the checkout.');
});

test("what leaves the checkout by a link is refused", async () => {
  const workspace = monorepo();
  const outside = makeCheckout({ Dockerfile: `FROM ${BASE}\n` });
  made.push(outside);
  rmSync(join(workspace, "docker"), { recursive: true });
  mkdirSync(join(workspace, "docker"));
  symlinkSync(join(outside, "Dockerfile"), join(workspace, "docker/Dockerfile"));
  const error = await refusalOf(() => read(workspace, "image"));
  expect(error.message).toBe("docker/Dockerfile is a link that leads out of the checkout.");
});

test.each<[string, build: Readonly<Record<string, unknown>>, copy: string]>([
  ["the build context", { context: "../app" }, "COPY . /app"],
  ["a named context", { options: ["--build-context=named=app"] }, "COPY --from=named . /app"],
])("what cannot be read of %s is told at its place in the repository", async (_, build, copy) => {
  const workspace = makeCheckout({
    ".git/HEAD": "ref: refs/heads/main\n",
    "sub/.devcontainer/devcontainer.json": JSON.stringify({ build: { dockerfile: "Dockerfile", ...build } }),
    "sub/.devcontainer/Dockerfile": `FROM ${BASE}\n${copy}\n`,
    "sub/app/file": "",
  });
  made.push(workspace);
  execFileSync("mkfifo", [join(workspace, "sub/app/pipe")]);
  expect(await refusalOf(() => read(workspace, "sub"))).toMatchObject({
    code: "E_CONTEXT",
    message: expect.stringMatching(/^pipe is part of/),
    at: { file: "sub/app/pipe" },
  });
});
