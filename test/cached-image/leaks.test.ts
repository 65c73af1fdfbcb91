import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, expect, test } from "vitest";
import type { Definition } from "../../src/cached-image/definition.ts";
import { refuseLeaking } from "../../src/cached-image/leaks.ts";
import { openFiles } from "../../src/host/files.ts";
import { makeCheckout } from "../checkout.ts";
import { refusalOf } from "../devcontainer/refusal.ts";
import { hostOf, inputsOf } from "../plan-of.ts";

const { files, removeTemporaryFolders } = openFiles(tmpdir());
const workspace = makeCheckout({});
afterAll(() => {
  removeTemporaryFolders();
  rmSync(workspace, { recursive: true });
});

const S = "tok-5f0e2b9c";
const BASE = { dialect: "envbuilder", "builder-image": "a.test/envbuilder:1" };

type Play = { readonly inputs?: Readonly<Record<string, string>>; readonly isFork?: boolean };

async function judge(dockerfile: string, { inputs = {}, isFork = false }: Play = {}): Promise<readonly string[]> {
  const told: string[] = [];
  const definition: Definition = {
    ...{ file: ".devcontainer/devcontainer.json", specification: undefined, written: '{\n"a": 1 }' },
    ...{ context: undefined, folder: workspace, root: "/", ignore: undefined, workspaceFolder: "/workspaces/empty" },
    dockerfile: { text: dockerfile, file: "Dockerfile" },
  };
  const host = hostOf(workspace, { HOME: workspace, GITHUB_TOKEN: S });
  await refuseLeaking(definition, inputsOf({ workspace, images: {}, inputs: { ...BASE, ...inputs } }), {
    files,
    host: { ...host, event: { ...host.event, isFork } },
    log: { warning: (line) => told.push(line) },
  });
  return told;
}

test.each<[string, Play]>([
  [`ENV A=${S}`, {}],
  ["ENV A=pass-91c3d7aa", { inputs: { "extra-env": "ENVBUILDER_BUILD_SECRETS=A=pass-91c3d7aa" } }],
  ["ENV A=pass-91c3d7aa", { inputs: { "extra-env": "CODER_AGENT_TOKEN=pass-91c3d7aa" } }],
])("what a builder would publish is refused: %s", async (line, play) => {
  const { message, at, code } = await refusalOf(() => judge(`FROM x\n${line}\n`, play));
  expect({ at, code }).toEqual({ at: { file: "Dockerfile", line: 2 }, code: "E_DOCKERFILE" });
  expect(message).toMatch(/^A line of Dockerfile holds a secret of this run \(/);
});

test("a look alone warns, and a fork is not told", async () => {
  expect(await judge(`ENV A=${S}`, { inputs: { "on-miss": "fail" } })).toEqual([
    expect.stringContaining("holds a secret"),
  ]);
  expect(await judge(`ENV A=${S}`, { isFork: true })).toEqual([]);
  expect(await judge("ENV A=1")).toEqual([]);
});
