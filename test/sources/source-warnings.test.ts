import { expect, test } from "vitest";
import { substitutionWarnings } from "../../src/sources/source-warnings.ts";
import { configured } from "../devcontainer/configured.ts";

const warned = (json: Readonly<Record<string, unknown>>, hasFeatures: boolean, renumbers = false): readonly string[] =>
  substitutionWarnings(configured(JSON.stringify(json), {}), {
    hasFeatures,
    renumbers,
    readable: { withheld: () => undefined },
  }).map(({ text }) => text);

const PATH = expect.stringContaining("holds the path of this checkout");
const NAME = expect.stringContaining("holds the name of this checkout's folder");
const UNSET = expect.stringContaining("The variable NO is not set");

test.each([
  ["the path, in the environment, without features", { containerEnv: { A: "${localWorkspaceFolder}" } }, false, []],
  ["the path, in the environment, with features", { containerEnv: { A: "${localWorkspaceFolder}" } }, true, [PATH]],
  ["the name, without features", { containerEnv: { A: "${localWorkspaceFolderBasename}" } }, false, []],
  ["the name, with features", { containerEnv: { A: "${localWorkspaceFolderBasename}" } }, true, [NAME]],
  ["the container's folder, with features", { containerEnv: { A: "${containerWorkspaceFolder}/x" } }, true, [NAME]],
  [
    "the container's folder, which the configuration names",
    { workspaceFolder: "/app", containerEnv: { A: "${containerWorkspaceFolder}" } },
    true,
    [],
  ],
  [
    "the container's folder, named after the checkout's",
    { workspaceFolder: "/x/${localWorkspaceFolderBasename}", remoteUser: "${containerWorkspaceFolder}" },
    true,
    [NAME],
  ],
  ["a variable that is not set, without features", { containerEnv: { A: "${localEnv:NO}" } }, false, []],
  ["a variable that is not set, with features", { remoteUser: "${localEnv:NO}" }, true, [UNSET]],
  ["the name in a build arg", { build: { args: { A: "${localWorkspaceFolderBasename}" } } }, false, [NAME]],
  ["a variable that is not set, in a build arg", { build: { args: { A: "${localEnv:NO}" } } }, false, [UNSET]],
  ["the path, where a path is meant", { build: { context: "${localWorkspaceFolder}" } }, false, []],
  ["in a hook", { postCreateCommand: "${localWorkspaceFolder}${localEnv:NO}" }, true, []],
] as const)("%s", (_, json, hasFeatures, expected) => {
  expect(warned(json, hasFeatures)).toEqual(expected);
});

test("a user who gets another uid decides about the image, and the environment beside it does not", () => {
  const json = { remoteUser: "${localEnv:NO}", containerEnv: { A: "${localEnv:NO}" } };
  expect(warned(json, false, true)).toEqual([UNSET]);
  expect(warned(json, false)).toEqual([]);
});
