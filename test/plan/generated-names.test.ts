import { expect, test } from "vitest";
import { nameGenerated, placeOfStep } from "../../src/plan/generated-names.ts";
import { addedInstructions, FEATURES_CONTEXT } from "../../src/plan/recipe.ts";

const NODE = { folder: "node_0", name: "ghcr.io/devcontainers/features/node:1", containerEnv: [], at: { file: "x" } };
const GO = { ...NODE, folder: "go_1", name: "./go" };
const instructions = addedInstructions({
  escapeChar: "\\",
  steps: [NODE, GO],
  containerEnv: [],
  imageUser: "dev",
  renumbered: { user: "dev", uid: 1001 },
  at: { file: "x" },
});
const runs = instructions.filter((line) => line.startsWith("RUN "));

test.each([
  [
    "[stage-1 2/5]",
    [
      "[2/5] prepare the features",
      `[2/5] feature ${NODE.name}`,
      "[2/5] feature ./go",
      "[2/5] clear up after the features",
      "[2/5] remote-user-uid",
    ],
  ],
  [
    "[linux/arm64 stage-12 2/5]",
    [
      "[2/5] prepare the features",
      `[2/5] feature ${NODE.name}`,
      "[2/5] feature ./go",
      "[2/5] clear up after the features",
      "[2/5] remote-user-uid",
    ],
  ],
  [
    "   5 | >>>",
    [
      "   5 | >>> prepare the features",
      `   5 | >>> feature ${NODE.name}`,
      "   5 | >>> feature ./go",
      "   5 | >>> clear up after the features",
      "   5 | >>> remote-user-uid",
    ],
  ],
])("what is generated is told by what it does: %s", (before, told) => {
  expect(runs.map((run) => nameGenerated(`${before} ${run}`, [NODE, GO]))).toEqual(told);
});

test.each([
  [
    "an older name of a step",
    `[stage-1 3/5] RUN --mount=type=bind,from=${FEATURES_CONTEXT},source=go_1,target=/tmp/dev-container-features-source /bin/sh /tmp/dev-container-features-source/install`,
    "[3/5] feature ./go",
  ],
  ["the files of the features", `[context ${FEATURES_CONTEXT}] load from client`, "[features] load from client"],
  ["the target, where the user gave it no name", "[dev-container-cache-target 2/3] RUN make", "[2/3] RUN make"],
  [
    "the same on another platform",
    "[linux/arm64 dev-container-cache-target 2/3] RUN make",
    "[linux/arm64 2/3] RUN make",
  ],
  ["that name in a sentence", "   1 | FROM dev-container-cache-target", "   1 | FROM the target"],
  ["the user's own stages", "[stage-1 2/5] RUN make", "[stage-1 2/5] RUN make"],
])("%s", (_, text, told) => {
  expect(nameGenerated(text, [NODE, GO])).toBe(told);
});

test("a step of a feature stands where the feature is asked for, and no other step does", () => {
  const go = { ...GO, at: { file: "devcontainer.json", line: 5 } };
  const places = runs.map((run) => placeOfStep(nameGenerated(`[stage-1 2/5] ${run}`, [NODE, go]), [NODE, go]));
  expect(places).toEqual([undefined, NODE.at, go.at, undefined, undefined]);
  expect(placeOfStep("[2/5] RUN feature ./go", [NODE, go])).toBeUndefined();
});
