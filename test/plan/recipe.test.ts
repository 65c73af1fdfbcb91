import { expect, test } from "vitest";
import type { Json } from "../../src/devcontainer/json.ts";
import { GOLDEN, keyOfGolden, layOutGolden } from "../golden.ts";

// Golden texts. Whoever changes one of them changes the images of everybody: raise RECIPE in src/key/ingredients.ts in the same commit, or
// images from before the change go on being found. A difference in one of these files that leaves its first line alone is a mistake.
test.each(GOLDEN)("what is generated for $name", async (golden) => {
  const file = `../golden/${golden.name.replaceAll(/[^A-Za-z]+/g, "-")}.txt`;
  await expect(await layOutGolden(golden)).toMatchFileSnapshot(file);
});

// What has one key is one text, too: the builder is given the very same.
test.each<[name: string, one: Json, other: Json]>([
  ["defaults that are written out", {}, { version: "1", "with-dash": true }],
  ["a version in the place of options", { version: "2" }, "2"],
  ["a text in the place of a truth", { "with-dash": false }, { "with-dash": "false" }],
])("%s: what is generated, and the key", async (name, one, other) => {
  const written = (options: Json) => ({
    name,
    json: { image: "registry.test/base:1", features: { "registry.test/f/tool:1": options } },
  });
  expect(await layOutGolden(written(other))).toBe(await layOutGolden(written(one)));
  expect(await keyOfGolden(written(other))).toBe(await keyOfGolden(written(one)));
});
