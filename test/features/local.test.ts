import { chmod, mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ActionError } from "../../src/errors.ts";
import type { AskedFeature } from "../../src/features/asked.ts";
import type { FoundFeature } from "../../src/features/found.ts";
import { readLocalFeature } from "../../src/features/local.ts";
import { openFiles } from "../../src/host/files.ts";
import { refusalOf } from "../devcontainer/refusal.ts";

const ASKED: AskedFeature = {
  id: "./hello",
  options: {},
  neededBy: undefined,
  at: { file: "devcontainer.json", line: 3 },
};

let workspace: string;
let folder: string;

beforeEach(async () => {
  const home = await mkdtemp(join(tmpdir(), "local-feature-"));
  workspace = join(home, "app");
  folder = join(workspace, ".devcontainer/hello");
  await write("devcontainer-feature.json", '{"id": "hello"}');
  await write("install.sh", "true\n");
  await write("bin/tool", "x");
  await symlink("tool", join(folder, "bin/link"));
});
afterEach(() => rm(dirname(workspace), { recursive: true }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

function read(at = folder): Promise<FoundFeature> {
  const reference = { kind: "local", folder: at, name: "hello" } as const;
  return readLocalFeature(openFiles(tmpdir()).files, ASKED, { reference, checkout: workspace });
}
const refusal = (at = folder): Promise<ActionError> => refusalOf(() => read(at));

describe("a local feature's digest", () => {
  it.each<[string, () => Promise<unknown>]>([
    ["content", () => write("bin/tool", "y")],
    ["a new file", () => write("bin/other", "")],
    ["a hidden file", () => write(".hidden", "")],
    ["a new folder", () => mkdir(join(folder, "empty"))],
    ["a new name", () => rename(join(folder, "bin/tool"), join(folder, "bin/tools"))],
    [
      "a link to something else",
      async () => {
        await rm(join(folder, "bin/link"));
        await symlink("tools", join(folder, "bin/link"));
      },
    ],
    [
      "a file in a link's place",
      async () => {
        await rm(join(folder, "bin/link"));
        await write("bin/link", "tool");
      },
    ],
  ])("changes with %s", async (_, edit) => {
    const { digest } = await read();
    await edit();
    expect((await read()).digest).not.toBe(digest);
  });

  it.each<[string, () => Promise<unknown>]>([
    ["modes, which the build sets", () => chmod(join(folder, "install.sh"), 0o700)],
    ["times", () => utimes(join(folder, "install.sh"), 1, 1)],
    ["what the build writes over", () => write("devcontainer-features.env", "x")],
    ["what is beside it", () => write("../other", "x")],
  ])("does not change with %s", async (_, edit) => {
    const { digest } = await read();
    await edit();
    expect((await read()).digest).toBe(digest);
  });

  it("does not change with the place of the checkout", async () => {
    const { digest, source } = await read();
    const moved = join(dirname(workspace), "elsewhere");
    await rename(workspace, moved);
    [workspace, folder] = [moved, join(moved, ".devcontainer/hello")];
    expect((await read()).digest).toBe(digest);
    expect(source).toMatchObject({
      entries: [{ path: "bin", kind: "directory" }, { path: "bin/link", target: "tool" }, { path: "bin/tool" }, {}, {}],
    });
  });
});

describe("a local feature is refused", () => {
  it("without a folder, and without metadata in it", async () => {
    expect((await refusal(`${folder}-none`)).message).toContain("has no file devcontainer-feature.json in");
    await rm(join(folder, "devcontainer-feature.json"));
    expect((await refusal()).message).toContain("has no file devcontainer-feature.json in");
  });

  it("with metadata that is no object", async () => {
    await write("devcontainer-feature.json", "[]");
    expect(await refusal()).toMatchObject({ code: "E_CONFIG", at: { line: 3 } });
  });

  it("with metadata behind a link out of its folder", async () => {
    await write("../shared.json", '{"id": "hello"}');
    await rm(join(folder, "devcontainer-feature.json"));
    await symlink("../shared.json", join(folder, "devcontainer-feature.json"));
    expect((await refusal()).message).toContain("a link out of its folder");
  });

  it("behind a link out of the workspace", async () => {
    const outside = join(dirname(workspace), "outside");
    await rename(folder, outside);
    await symlink(outside, folder);
    const { message } = await refusal();
    expect(message).toContain("a link that leaves the checkout");
    expect(message).not.toContain(outside);
  });

  it("with more files than a feature has", async () => {
    const { files } = openFiles(tmpdir());
    const many = Array.from({ length: 10_001 }, (_, at) => `f${at}`);
    const reference = { kind: "local", folder, name: "hello" } as const;
    const crowded = { ...files, list: async () => many };
    const error = await refusalOf(() => readLocalFeature(crowded, ASKED, { reference, checkout: workspace }));
    expect(error.message).toContain("more than 10000 files");
  });

  it("with something that is neither file, folder nor link", async () => {
    const { files } = openFiles(tmpdir());
    const odd = {
      ...files,
      stat: async (path: string) =>
        path.endsWith("tool") ? ({ kind: "other", mode: 0, size: 0 } as const) : files.stat(path),
    };
    const reference = { kind: "local", folder, name: "hello" } as const;
    const error = await refusalOf(() => readLocalFeature(odd, ASKED, { reference, checkout: workspace }));
    expect(error.message).toContain("has in its folder bin/tool");
  });
});
