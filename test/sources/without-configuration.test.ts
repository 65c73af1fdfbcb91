import { expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import type { Sources } from "../../src/plan/plan.ts";
import { type Content, makeCheckout } from "../checkout.ts";
import { refusalOf } from "../devcontainer/refusal.ts";
import { hostOf, inputsOf, readFrom } from "../plan-of.ts";

const FILES: Readonly<Record<string, Content>> = {
  "docker/Dockerfile": "FROM registry.test/base:1\nCOPY app/main.txt /\n",
  "app/main.txt": "main\n",
  "docker/app/main.txt": "beside the Dockerfile\n",
};

function read(
  inputs: Readonly<Record<string, string>>,
  more: Readonly<Record<string, Content>> = {},
): Promise<Sources> {
  const workspace = makeCheckout({ ...FILES, ...more });
  const { files } = openFiles(workspace);
  return readFrom(inputsOf({ workspace, images: {}, inputs }), { files, host: hostOf(workspace) });
}

/** The paths of the context that each platform's build takes. */
function takenBy({ context }: Sources["build"]): string[][] {
  return [...(context?.entries.values() ?? [])].map((entries) => entries.map(({ path }) => path));
}

test("dockerfile-path is built in the place of a configuration, with the workspace as its context", async () => {
  const configuration = {
    ".devcontainer/devcontainer.json": '{ "image": "registry.test/other:1", "remoteUser": "x" }',
  };
  const { wanted, build, configuration: name } = await read({ "dockerfile-path": "docker/Dockerfile" }, configuration);
  expect(wanted.platforms[0]?.images.map(({ written }) => written)).toEqual(["registry.test/base:1"]);
  expect(takenBy(build)).toEqual([["app", "app/main.txt"]]);
  expect(build.context?.root).toMatch(/checkout-[^/]*$/);
  expect(wanted.platforms[0]?.plan.yours.configuration).toEqual({ kind: "dockerfile" });
  expect(name).toBe("docker/Dockerfile");
});

test("build-context-path is its context", async () => {
  const { build } = await read({ "dockerfile-path": "docker/Dockerfile", "build-context-path": "docker" });
  expect(takenBy(build)).toEqual([["app", "app/main.txt"]]);
  expect(build.context?.root).toMatch(/checkout-[^/]*\/docker$/);
});

test("fallback-image counts where there is no configuration, and is told", async () => {
  const { wanted, warnings } = await read({ "fallback-image": "registry.test/fallback:1" });
  expect(wanted.platforms[0]?.images.map(({ written }) => written)).toEqual(["registry.test/fallback:1"]);
  expect(warnings).toMatchObject([
    { text: expect.stringContaining("fallback-image counts, registry.test/fallback:1") },
  ]);
});

test("fallback-image does not count where there is a configuration", async () => {
  const configuration = { ".devcontainer.json": '{ "image": "registry.test/own:1" }' };
  const { wanted } = await read({ "fallback-image": "registry.test/fallback:1" }, configuration);
  expect(wanted.platforms[0]?.images.map(({ written }) => written)).toEqual(["registry.test/own:1"]);
});

test.each<[string, Readonly<Record<string, string>>, RegExp]>([
  [
    "a Dockerfile that is not there",
    { "dockerfile-path": "Dockerfile" },
    /The input dockerfile-path names Dockerfile, and there is no such file/,
  ],
  [
    "a Dockerfile outside",
    { "dockerfile-path": "../Dockerfile" },
    /dockerfile-path is "..\/Dockerfile", which leaves the checkout/,
  ],
  [
    "a context outside",
    { "dockerfile-path": "docker/Dockerfile", "build-context-path": ".." },
    /build-context-path is "..", which leaves/,
  ],
  [
    "a context without a Dockerfile",
    { "build-context-path": "docker" },
    /build-context-path is set and dockerfile-path is not/,
  ],
  [
    "two configurations",
    { "dockerfile-path": "docker/Dockerfile", "devcontainer-dir": "x" },
    /dockerfile-path and devcontainer-dir are both set/,
  ],
  [
    "a chosen configuration that is not there",
    { "fallback-image": "a:1", "devcontainer-json-path": "x.json" },
    /x\.json in the checkout, and there is no such file/,
  ],
  ["a fallback that is no image", { "fallback-image": "A B" }, /fallback-image is "A B", which is not allowed/],
])("refused: %s", async (_, inputs, words) => {
  expect((await refusalOf(() => read(inputs))).message).toMatch(words);
});
