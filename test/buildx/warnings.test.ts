import { expect, test } from "vitest";
import { annotateWarnings } from "../../src/buildx/warnings.ts";

const casing = {
  short: "StageNameCasing: Stage name 'Foo' should be lowercase (line 4)",
  url: "https://docs.docker.com/r/",
  line: 4,
};
const secret = { short: "SecretsUsedInArgOrEnv: Do not use ARG (line 2)", url: undefined, line: 2 };
const whole = { short: "Something about the whole", url: undefined, line: undefined };
const dockerfile = { file: ".devcontainer/Dockerfile", firstLine: 1, lastLine: 4 };

test("each remark once for all platforms, on its line, in the order of the lines", () => {
  expect(annotateWarnings([casing, secret, casing, whole, secret], dockerfile)).toEqual([
    { text: "Something about the whole", at: { file: ".devcontainer/Dockerfile" } },
    { text: "SecretsUsedInArgOrEnv: Do not use ARG", at: { file: ".devcontainer/Dockerfile", line: 2 } },
    {
      text: "StageNameCasing: Stage name 'Foo' should be lowercase (https://docs.docker.com/r/)",
      at: { file: ".devcontainer/Dockerfile", line: 4 },
    },
  ]);
});

test("the same words on two lines are two remarks", () => {
  expect(annotateWarnings([secret, { ...secret, line: 3 }], dockerfile)).toHaveLength(2);
});

test("lines that are not the user's are not told", () => {
  expect(annotateWarnings([casing, secret], { ...dockerfile, lastLine: 3 }).map(({ at }) => at.line)).toEqual([2]);
  expect(annotateWarnings([casing, secret, whole], undefined)).toEqual([]);
});
