import { expect, test } from "vitest";
import { openArgs } from "../../src/dockerfile/open-args.ts";
import { parseDockerfile } from "../../src/dockerfile/parse.ts";

const openIn = (text: string): readonly string[] => [...openArgs(parseDockerfile(text, "Dockerfile"))].sort();

test.each<[string, string, readonly string[]]>([
  ["declared in a stage", "FROM a\nARG REVISION\nRUN echo $REVISION > /revision\n", ["REVISION"]],
  ["declared before the first FROM", "ARG REVISION\nFROM a\nLABEL revision=$REVISION\n", ["REVISION"]],
  ["several in one line", "FROM a\nARG REVISION SOURCE\n", ["REVISION", "SOURCE"]],
  ["behind ONBUILD", "FROM a\nONBUILD ARG REVISION\n", ["REVISION"]],
  ["written into the environment", "FROM a\nARG REVISION\nENV REVISION=$REVISION\n", ["REVISION"]],
  ["a longer name that begins alike", "FROM a\nARG REVISION\nCOPY $REVISION_FILE ${REVISIONS} /\n", ["REVISION"]],
  ["the word alone", "FROM a\nARG SOURCE\nCOPY SOURCE /\nRUN --mount=type=bind,source=SOURCE make\n", ["SOURCE"]],
  ["with a default", "FROM a\nARG REVISION=3\n", []],
  ["with an empty default", "FROM a\nARG REVISION=\n", []],
  ["with a default in another stage", "FROM a\nARG REVISION\nFROM b\nARG REVISION=3\n", []],
  ["with a default before the first FROM", "ARG REVISION=3\nFROM a\nARG REVISION\n", []],
  ["with a default behind ONBUILD", "FROM a\nARG REVISION\nONBUILD ARG REVISION=3\n", []],
  ["used by FROM", "ARG SOURCE\nFROM $SOURCE\n", []],
  ["used by FROM with a default there", "ARG SOURCE\nFROM ${SOURCE:-a}\n", []],
  ["used by the platform of FROM", "ARG SOURCE\nFROM --platform=$SOURCE a\n", []],
  ["used by COPY", "FROM a\nARG SOURCE\nCOPY ${SOURCE}/a /\n", []],
  ["used by COPY in JSON", 'FROM a\nARG SOURCE\nCOPY ["$SOURCE", "/"]\n', []],
  ["used by a flag of COPY", "FROM a\nARG SOURCE\nCOPY --chown=$SOURCE a /\n", []],
  ["used by what COPY writes", "FROM a\nARG SOURCE\nCOPY <<EOF /a\n$SOURCE\nEOF\n", []],
  ["used by ADD", "FROM a\nARG SOURCE\nADD $SOURCE /\n", []],
  ["used by a mount", "FROM a\nARG SOURCE\nRUN --mount=type=bind,source=$SOURCE,target=/a make\n", []],
  ["used by COPY behind ONBUILD", "FROM a\nARG SOURCE\nONBUILD COPY $SOURCE /\n", []],
  ["used through ENV", "FROM a\nARG SOURCE\nENV FROM_HERE=/x/$SOURCE\nCOPY $FROM_HERE /\n", []],
  ["used through two", "FROM a\nARG SOURCE\nARG ONE=$SOURCE\nENV TWO ${ONE}\nCOPY $TWO /\n", []],
  ["used through FROM's own", "ARG SOURCE\nARG BASE=$SOURCE\nFROM $BASE\n", []],
  ["used in the name of a variable", "FROM a\nARG SOURCE\nENV X$SOURCE=1\n", []],
  ["used in another one inside", "FROM a\nARG SOURCE\nCOPY ${OTHER:-$SOURCE} /\n", []],
])("%s", (_, text, names) => {
  expect(openIn(text)).toEqual(names);
});
