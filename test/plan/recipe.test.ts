import { expect, test } from "vitest";
import { GOLDEN, layOutGolden } from "../golden.ts";

// Golden texts. Whoever changes one of them changes the images of everybody: raise RECIPE in src/key/ingredients.ts in the same commit, or
// images from before the change go on being found. A difference in one of these files that leaves its first line alone is a mistake.
test.each(GOLDEN)("what is generated for $name", async (golden) => {
  const file = `../golden/${golden.name.replaceAll(/[^A-Za-z]+/g, "-")}.txt`;
  await expect(await layOutGolden(golden)).toMatchFileSnapshot(file);
});
