import { expect, test } from "vitest";
import { FEATURES_CONTEXT, featureInstructions, nameGenerated } from "../../src/plan/recipe.ts";
import { GOLDEN, layOutGolden } from "../golden.ts";

// Golden texts. Whoever changes one of them changes the images of everybody: raise RECIPE in src/key/ingredients.ts in the same commit, or
// images from before the change go on being found. A difference in one of these files that leaves its first line alone is a mistake.
test.each(GOLDEN)("what is generated for $name", async (golden) => {
  const file = `../golden/${golden.name.replaceAll(/[^A-Za-z]+/g, "-")}.txt`;
  await expect(await layOutGolden(golden)).toMatchFileSnapshot(file);
});

const NODE = { folder: "node_0", name: "ghcr.io/devcontainers/features/node:1", containerEnv: [], at: { file: "x" } };
const GO = { ...NODE, folder: "go_1", name: "./go" };
const instructions = featureInstructions({
  escapeChar: "\\",
  steps: [NODE, GO],
  containerEnv: [],
  imageUser: "dev",
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
    ],
  ],
  [
    "[linux/arm64 stage-12 2/5]",
    [
      "[2/5] prepare the features",
      `[2/5] feature ${NODE.name}`,
      "[2/5] feature ./go",
      "[2/5] clear up after the features",
    ],
  ],
  [
    "   5 | >>>",
    [
      "   5 | >>> prepare the features",
      `   5 | >>> feature ${NODE.name}`,
      "   5 | >>> feature ./go",
      "   5 | >>> clear up after the features",
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
