import { expect, test } from "vitest";
import { writtenLabels } from "../../src/dockerfile/labels.ts";
import { parseDockerfile } from "../../src/dockerfile/parse.ts";

const SCOPE = { args: new Map([["KEY", "key"]]), platform: undefined };

test.each<[string, string, string | undefined, readonly string[]]>([
  ["none", "FROM a\n", undefined, []],
  ["several in one line", "FROM a\nLABEL a.b=1 c=2\n", undefined, ["a.b", "c"]],
  ["in quotes", 'FROM a\nLABEL "a.b"="1 2"\n', undefined, ["a.b"]],
  ["the old form", "FROM a\nLABEL a.b 1 2\n", undefined, ["a.b"]],
  ["in a name that an ARG holds", "FROM a\nARG KEY\nLABEL x.$KEY=1\n", undefined, ["x.key"]],
  ["in a name that only the build knows", "FROM a\nLABEL x.$KEY=1\n", undefined, []],
  ["in the stage below", "FROM a AS below\nLABEL a=1\nFROM below\nLABEL b=1\n", undefined, ["a", "b"]],
  ["not in a stage beside", "FROM a AS beside\nLABEL a=1\nFROM b\nCOPY --from=beside /a /\n", undefined, []],
  ["not above the target", "FROM a AS below\nLABEL a=1\nFROM below\nLABEL b=1\n", "below", ["a"]],
  ["left by ONBUILD below", "FROM a AS below\nONBUILD LABEL a=1\nFROM below\n", undefined, ["a"]],
])("labels: %s", (_, text, target, names) => {
  expect([...writtenLabels(parseDockerfile(text, "Dockerfile"), target, SCOPE)].sort()).toEqual(names);
});
