import { expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import { makeCheckout } from "../checkout.ts";
import { refusalOf } from "../devcontainer/refusal.ts";
import { hostOf, inputsOf, readFrom } from "../plan-of.ts";

// A Dockerfile that stands in a compose file has that file's lines, in whatever is said of it.

async function read(build: string, head = "") {
  const workspace = makeCheckout({
    ".devcontainer/devcontainer.json": '{ "dockerComposeFile": "compose.yml", "service": "app" }',
    ".devcontainer/compose.yml": `${head}services:\n  app:\n    build:\n${build}`,
  });
  const { files } = openFiles(workspace);
  return readFrom(inputsOf({ workspace, images: {}, inputs: {} }), { files, host: hostOf(workspace) });
}

const inline = (...lines: readonly string[]): string =>
  `      dockerfile_inline: |\n${lines.map((line) => `        ${line}\n`).join("")}`;

test.each<[string, string, number, string?]>([
  ["an instruction", inline("FROM scratch", "RUNN x"), 6],
  [
    "behind an empty line, a comment and a continued one",
    inline("", "# c", "FROM scratch", "RUN a \\", "  b", "RUNN x"),
    10,
  ],
  ["of an anchor further up", "      dockerfile_inline: *a\n", 3, "x-a: &a |\n  FROM scratch\n  RUNN x\n"],
  ["a directive", inline("# escape=x", "FROM scratch"), 5],
  ["no FROM", inline("ARG A"), 5],
  ["a here-document without an end", inline("FROM scratch", "RUN <<EOF", "x"), 6],
  ["in quotes, from where they begin", '      dockerfile_inline: "FROM scratch\\nENV A\\n"\n', 5],
])("%s", async (_, build, line, head) => {
  const error = await refusalOf(() => read(build, head));
  expect(error).toMatchObject({ code: "E_DOCKERFILE", at: { file: ".devcontainer/compose.yml", line } });
});

test("a warning, and what is told of a base", async () => {
  const { warnings, wanted } = await read(inline("FROM registry.test/base:1", "USER --x a"));
  expect(warnings).toMatchObject([{ at: { file: ".devcontainer/compose.yml", line: 6 } }]);
  expect(wanted.platforms[0]?.images).toMatchObject([{ at: { file: ".devcontainer/compose.yml", line: 5 } }]);
});
