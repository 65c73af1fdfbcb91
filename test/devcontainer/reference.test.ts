import { describe, expect, it } from "vitest";
import { findConfiguration } from "../../src/devcontainer/find.ts";
import { buildKind } from "../../src/devcontainer/kind.ts";
import { metadataLabel } from "../../src/devcontainer/label.ts";
import { parseConfiguration } from "../../src/devcontainer/parse.ts";
import { pathWithin } from "../../src/devcontainer/paths.ts";
import { substitute } from "../../src/devcontainer/substitute.ts";
import { ActionError } from "../../src/errors.ts";
import { openMemoryFiles } from "./memory-files.ts";
import { askReference, environmentOf, inWorkspace, type Ordered, type Sample } from "./oracle.ts";
import { DEFAULT, DIFFERENT, DOCKERFILES, type Row, SAME } from "./reference-rows.ts";

function sampleOf({ config, files = {}, env = {}, baseLabel }: Row): Sample {
  const text = typeof config === "object" ? JSON.stringify(config) : config;
  return { files: { ...DOCKERFILES, ...(text === undefined ? {} : { [DEFAULT]: text }), ...files }, env, baseLabel };
}

async function askOurs(sample: Sample, workspace: string): Promise<Ordered> {
  const tree = Object.fromEntries(Object.entries(sample.files).map(([path, text]) => [`${workspace}/${path}`, text]));
  try {
    const { file, relative, text } = await findConfiguration(openMemoryFiles(tree), {
      folder: workspace,
      checkout: workspace,
    });
    const variables = { localEnv: environmentOf(sample, workspace), localWorkspaceFolder: workspace };
    const configuration = substitute(parseConfiguration(text, relative), variables);
    const built = buildKind(configuration, file, workspace);
    const label = metadataLabel({ base: sample.baseLabel, raw: configuration.raw });
    if (built.kind === "image") return { ...built, label };
    if (built.kind === "compose") return { kind: "error", words: "compose" };
    return {
      kind: "dockerfile",
      dockerfile: pathWithin(workspace, built.dockerfile) ?? built.dockerfile,
      context: pathWithin(workspace, built.context) ?? built.context,
      target: built.target,
      args: [...built.args].map(([name, { value }]) => `${name}=${value}`),
      cacheFrom: built.cacheFrom,
      label,
    };
  } catch (thrown) {
    if (thrown instanceof ActionError) return { kind: "error", words: thrown.message };
    throw thrown;
  }
}

function askBoth(row: Row): Promise<readonly [Ordered, Ordered]> {
  const sample = sampleOf(row);
  return inWorkspace(sample, (workspace) => Promise.all([askReference(sample, workspace), askOurs(sample, workspace)]));
}

describe("as the reference CLI builds", () => {
  it.concurrent.each(SAME)("$name", async (row) => {
    const [reference, ours] = await askBoth(row);
    if (reference.kind === "error") expect(ours.kind).toBe("error");
    else expect(ours).toEqual(reference);
  });
});

describe("unlike the reference CLI", () => {
  it.concurrent.each(DIFFERENT)("$name: $why", async (row) => {
    const [reference, ours] = await askBoth(row);
    expect(reference).toMatchObject(row.reference);
    expect(ours).toMatchObject(row.ours);
  });
});
