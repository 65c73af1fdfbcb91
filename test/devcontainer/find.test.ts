import { describe, expect, it } from "vitest";
import { type ChosenConfiguration, findConfiguration } from "../../src/devcontainer/find.ts";
import { openMemoryFiles, type Tree } from "./memory-files.ts";
import { refusalOf } from "./refusal.ts";

const find = (tree: Tree, chosen?: ChosenConfiguration, folder = "/home/dev/app") =>
  findConfiguration(openMemoryFiles({ "/home/dev/app/README.md": "", ...tree }), { folder, checkout: folder }, chosen);

type Row = { name: string; tree: Tree; chosen?: ChosenConfiguration; found: string };

describe("a configuration is found", () => {
  const folder = "/home/dev/app/.devcontainer";
  const rows: readonly Row[] = [
    {
      name: "in its folder",
      tree: { [`${folder}/devcontainer.json`]: "{}" },
      found: ".devcontainer/devcontainer.json",
    },
    { name: "in the root", tree: { "/home/dev/app/.devcontainer.json": "{}" }, found: ".devcontainer.json" },
    {
      name: "in its folder, before the root",
      tree: { [`${folder}/devcontainer.json`]: "{}", "/home/dev/app/.devcontainer.json": "" },
      found: ".devcontainer/devcontainer.json",
    },
    {
      name: "in the root, when the first place is a folder of that name",
      tree: { [`${folder}/devcontainer.json/x`]: "", "/home/dev/app/.devcontainer.json": "{}" },
      found: ".devcontainer.json",
    },
    {
      name: "in the only sub-folder that has one",
      tree: { [`${folder}/go/devcontainer.json`]: "{}", [`${folder}/docs/x.md`]: "", [`${folder}/Dockerfile`]: "" },
      found: ".devcontainer/go/devcontainer.json",
    },
    {
      name: "in the root, before a sub-folder",
      tree: { [`${folder}/go/devcontainer.json`]: "", "/home/dev/app/.devcontainer.json": "{}" },
      found: ".devcontainer.json",
    },
    {
      name: "through a link inside the workspace",
      tree: { [`${folder}/devcontainer.json`]: { link: "../shared/dev.json" }, "/home/dev/app/shared/dev.json": "{}" },
      found: ".devcontainer/devcontainer.json",
    },
    {
      name: "by its path",
      tree: { "/home/dev/app/a/dev.json": "{}" },
      chosen: { path: "a/../a/dev.json" },
      found: "a/dev.json",
    },
    {
      name: "by an absolute path",
      tree: { "/home/dev/app/a/dev.json": "{}" },
      chosen: { path: "/home/dev/app/a/dev.json" },
      found: "a/dev.json",
    },
    {
      name: "by its folder",
      tree: { "/home/dev/app/a/devcontainer.json": "{}" },
      chosen: { folder: "a" },
      found: "a/devcontainer.json",
    },
    {
      name: "by folder and path together",
      tree: { "/home/dev/app/a/b/dev.json": "{}" },
      chosen: { folder: "a", path: "b/dev.json" },
      found: "a/b/dev.json",
    },
    {
      name: "by its path, when several are there",
      tree: { [`${folder}/go/devcontainer.json`]: "{}", [`${folder}/node/devcontainer.json`]: "" },
      chosen: { path: ".devcontainer/go/devcontainer.json" },
      found: ".devcontainer/go/devcontainer.json",
    },
  ];
  it.each(rows)("$name", async ({ tree, chosen, found }) => {
    expect(await find(tree, chosen)).toEqual({ file: `/home/dev/app/${found}`, relative: found, text: "{}" });
  });

  it("in a workspace that is itself reached through a link", async () => {
    const tree: Tree = { "/home/me": { link: "/home/dev/app" }, "/home/dev/app/.devcontainer.json": "{}" };
    expect(await find(tree, {}, "/home/me")).toMatchObject({ file: "/home/me/.devcontainer.json", text: "{}" });
  });
});

type Refused = { name: string; tree?: Tree; chosen?: ChosenConfiguration; code: string; what: string; fix: string };

describe("a configuration is refused", () => {
  const outside: Tree = { "/home/dev/secret.json": "{}" };
  const rows: readonly Refused[] = [
    {
      name: "when there is none",
      code: "E_CONFIG",
      what: "There is no dev container configuration in the checkout. Looked for .devcontainer/devcontainer.json, .devcontainer.json and .devcontainer/<name>/devcontainer.json.",
      fix: 'Check out the repository first, or add a configuration. A minimal .devcontainer/devcontainer.json is: { "image": "debian:12" }',
    },
    {
      name: "when the workspace is the folder that it is in",
      tree: { "/home/dev/app/devcontainer.json": "{}" },
      code: "E_CONFIG",
      what: "There is no dev container configuration in the checkout. Looked for .devcontainer/devcontainer.json, .devcontainer.json and .devcontainer/<name>/devcontainer.json.",
      fix: "There is devcontainer.json, which is looked for only by name: set devcontainer-json-path to devcontainer.json, and workspace-folder to the folder that the dev container is for (the checkout by default).",
    },
    {
      name: "when it is called nearly so: in other letters",
      tree: { "/home/dev/app/.devcontainer/DevContainer.json": "{}" },
      code: "E_CONFIG",
      what: "There is no dev container configuration in the checkout. Looked for .devcontainer/devcontainer.json, .devcontainer.json and .devcontainer/<name>/devcontainer.json. There is .devcontainer/DevContainer.json, which is another name.",
      fix: "Call it .devcontainer/devcontainer.json, or set the input devcontainer-json-path to it as it is called: .devcontainer/DevContainer.json",
    },
    {
      name: "when it is called nearly so: with another ending",
      tree: { "/home/dev/app/.devcontainer/devcontainer.jsonc": "{}" },
      code: "E_CONFIG",
      what: "There is no dev container configuration in the checkout. Looked for .devcontainer/devcontainer.json, .devcontainer.json and .devcontainer/<name>/devcontainer.json. There is .devcontainer/devcontainer.jsonc, which is another name.",
      fix: "Call it .devcontainer/devcontainer.json, or set the input devcontainer-json-path to it as it is called: .devcontainer/devcontainer.jsonc",
    },
    {
      name: "when it is called nearly so: in a folder with a letter too many",
      tree: { "/home/dev/app/.devcontainers/devcontainer.json": "{}" },
      code: "E_CONFIG",
      what: "There is no dev container configuration in the checkout. Looked for .devcontainer/devcontainer.json, .devcontainer.json and .devcontainer/<name>/devcontainer.json. There is .devcontainers/devcontainer.json, which is another name.",
      fix: "Call it .devcontainer/devcontainer.json, or set the input devcontainer-json-path to it as it is called: .devcontainers/devcontainer.json",
    },
    {
      name: "when it is called nearly so: in other letters, at the top",
      tree: { "/home/dev/app/DevContainer.json": "{}" },
      code: "E_CONFIG",
      what: "There is no dev container configuration in the checkout. Looked for .devcontainer/devcontainer.json, .devcontainer.json and .devcontainer/<name>/devcontainer.json. There is DevContainer.json, which is another name.",
      fix: "Call it .devcontainer/devcontainer.json, or set the input devcontainer-json-path to it as it is called: DevContainer.json",
    },
    {
      name: "when the chosen one is called nearly so",
      tree: { "/home/dev/app/dev/Devcontainer.json": "{}" },
      chosen: { path: "dev/devcontainer.json" },
      code: "E_INPUT",
      what: 'The input devcontainer-json-path is "dev/devcontainer.json", which means dev/devcontainer.json in the checkout, and there is no such file; there is Devcontainer.json.',
      fix: "Correct the path; upper and lower case count.",
    },
    {
      name: "when there are several and none was chosen",
      tree: {
        "/home/dev/app/.devcontainer/b/devcontainer.json": "",
        "/home/dev/app/.devcontainer/a/devcontainer.json": "",
      },
      code: "E_CONFIG",
      what: "There are 2 dev container configurations and none was chosen: .devcontainer/a/devcontainer.json, .devcontainer/b/devcontainer.json.",
      fix: "Set the input devcontainer-json-path to one of them, for example devcontainer-json-path: .devcontainer/a/devcontainer.json",
    },
    {
      name: "when the chosen one is missing",
      chosen: { path: "dev.json" },
      code: "E_INPUT",
      what: 'The input devcontainer-json-path is "dev.json", which means dev.json in the checkout, and there is no such file.',
      fix: "Correct the path; upper and lower case count.",
    },
    {
      name: "when the chosen folder holds none",
      tree: { "/home/dev/app/a/x": "" },
      chosen: { folder: "a" },
      code: "E_INPUT",
      what: 'The input devcontainer-dir is "a", which means a/devcontainer.json in the checkout, and there is no such file.',
      fix: "Correct the path; upper and lower case count.",
    },
    {
      name: "when the path was meant from .devcontainer",
      tree: { "/home/dev/app/.devcontainer/go/devcontainer.json": "" },
      chosen: { path: "go/devcontainer.json" },
      code: "E_INPUT",
      what: 'The input devcontainer-json-path is "go/devcontainer.json", which means go/devcontainer.json in the checkout, and there is no such file.',
      fix: "Without devcontainer-dir the path counts from the workspace: set it to .devcontainer/go/devcontainer.json.",
    },
    ...[{ path: "../secret.json" }, { path: "/home/dev/secret.json" }, { folder: "..", path: "secret.json" }].map(
      (chosen): Refused => ({
        name: `when the chosen one leaves the checkout: ${JSON.stringify(chosen)}`,
        tree: outside,
        chosen,
        code: "E_INPUT",
        what: `The input devcontainer-json-path is "${chosen.path}", which leaves the checkout.`,
        fix: "Give a path inside the checkout: what a commit does not hold cannot be looked for by commit.",
      }),
    ),
    {
      name: "when the chosen one is a link that leaves the checkout",
      tree: { ...outside, "/home/dev/app/dev.json": { link: "../secret.json" } },
      chosen: { path: "dev.json" },
      code: "E_INPUT",
      what: "The input devcontainer-json-path names dev.json, a link that leaves the checkout.",
      fix: "Put the file itself into the repository.",
    },
    {
      name: "when its folder is a link that leaves the checkout",
      tree: { "/home/dev/other/devcontainer.json": "{}", "/home/dev/app/.devcontainer": { link: "../other" } },
      code: "E_CONFIG",
      what: "Found .devcontainer/devcontainer.json, a link that leaves the checkout.",
      fix: "Put the file itself into the repository.",
    },
  ];
  it.each(rows)("$name", async ({ tree = {}, chosen, code, what, fix }) => {
    const { message, ...error } = await refusalOf(() => find(tree, chosen));
    expect({ code: error.code, what: message, fix: error.fix }).toEqual({ code, what, fix });
  });

  it("when it vanishes between the look and the read", async () => {
    const files = openMemoryFiles({ "/home/dev/app/.devcontainer.json": "{}" });
    const vanishing = { ...files, readText: async () => undefined };
    const error = await refusalOf(() =>
      findConfiguration(vanishing, { folder: "/home/dev/app", checkout: "/home/dev/app" }),
    );
    expect(error.message).toBe(".devcontainer.json was removed while it was about to be read.");
  });
});
