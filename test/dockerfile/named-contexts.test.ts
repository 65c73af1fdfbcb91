import { expect, test } from "vitest";
import { nameContexts, replacementOf } from "../../src/dockerfile/named-contexts.ts";
import { parseDockerfile } from "../../src/dockerfile/parse.ts";
import { finalBase, imageUses, type Scope } from "../../src/dockerfile/stages.ts";
import { finalUser } from "../../src/dockerfile/user.ts";

type Contexts = Readonly<Record<string, string | undefined>>;

const scope = (contexts: Contexts): Scope => ({
  args: new Map(),
  platform: { os: "linux", architecture: "amd64" },
  contexts: nameContexts(Object.entries(contexts)),
});

test.each([
  ["node", "node", true],
  ["node", "node:latest", true],
  ["node", "docker.io/library/node", true],
  ["docker.io/library/node:latest", "node", true],
  ["index.docker.io/library/node", "node", true],
  ["registry-1.docker.io/library/node", "node", false],
  ["library/node", "node", true],
  ["node", "node:20", false],
  ["node:20", "node", false],
  ["node:20", "docker.io/library/node:20", true],
  ["registry.test/node", "node", false],
  ["registry.test/node", "registry.test/node:latest", true],
  ["Registry.test/node", "registry.test/node", true],
  ["team/node", "docker.io/team/node", true],
  ["node", `node@sha256:${"a".repeat(64)}`, false],
  [`node@sha256:${"a".repeat(64)}`, `docker.io/library/node@sha256:${"a".repeat(64)}`, true],
  ["dev", "dev", true],
  ["dev", "other", false],
])("the context %s stands in the place of %s: %s", (context, name, expected) => {
  const replacement = replacementOf(scope({ [context]: "x" }), name);
  expect(replacement).toEqual(expected ? { kind: "image", reference: "x" } : undefined);
});

test("a folder, no context at all, and two spellings of one name", () => {
  expect(replacementOf(scope({ node: undefined }), "node")).toEqual({ kind: "folder" });
  expect(replacementOf({}, "node")).toBeUndefined();
  // buildx reads them one after the other into one table.
  const twice = scope({ node: "first", "docker.io/library/node:latest": "second" });
  expect(replacementOf(twice, "node")).toEqual({ kind: "image", reference: "second" });
});

test.each<[string, string, Contexts, readonly (readonly [by: string, written: string, reference: string])[]]>([
  ["a base", "FROM node\n", { node: "other:1" }, [["FROM", "node", "other:1"]]],
  [
    "a base by another spelling",
    "FROM docker.io/library/node:latest\n",
    { node: "other:1" },
    [["FROM", "docker.io/library/node:latest", "other:1"]],
  ],
  ["a base by a variable", "ARG B=node\nFROM $B\n", { node: "other:1" }, [["FROM", "$B", "other:1"]]],
  ["a base by a folder", "FROM node\n", { node: undefined }, []],
  ["a base with a tag is another one", "FROM node:20\n", { node: "other:1" }, [["FROM", "node:20", "node:20"]]],
  [
    "what COPY names",
    "FROM a\nCOPY --from=tools /x /x\n",
    { tools: "other:1" },
    [
      ["FROM", "a", "a"],
      ["COPY", "tools", "other:1"],
    ],
  ],
  ["what COPY names, by a folder", "FROM a\nCOPY --from=tools /x /x\n", { tools: undefined }, [["FROM", "a", "a"]]],
  [
    "what a mount names",
    "FROM a\nRUN --mount=from=tools,target=/t x\n",
    { tools: "other:1" },
    [
      ["FROM", "a", "a"],
      ["RUN --mount", "tools", "other:1"],
    ],
  ],
  [
    "a stage: the image in its place is read too",
    "FROM a AS tools\nFROM b\nCOPY --from=tools /x /x\n",
    { tools: "other:1" },
    [
      ["FROM", "a", "a"],
      ["FROM", "b", "b"],
      ["FROM", "tools", "other:1"],
    ],
  ],
  ["scratch stays scratch", "FROM scratch\n", { scratch: "other:1" }, []],
])("images: a context in the place of %s", (_, text, contexts, expected) => {
  const dockerfile = parseDockerfile(text, "Dockerfile");
  const uses = imageUses(dockerfile, dockerfile.stages, scope(contexts));
  expect(uses.map(({ by, written, reference }) => [by, written, reference])).toEqual(expected);
});

const STAGES = "FROM a AS one\nUSER ada\nENV WHO=ada\nFROM one AS two\nRUN x\nFROM two AS three\nUSER $WHO\n";

test.each<[string, string, Contexts, string | undefined, string]>([
  ["nothing is replaced", "two", {}, "a", "ada"],
  ["the base", "two", { a: "other" }, "a", "ada"],
  ["the base, by a folder", "two", { a: undefined }, undefined, "ada"],
  ["a stage below: its USER does not run", "two", { one: "other" }, "one", "other's"],
  ["a stage below, by a folder", "two", { one: undefined }, undefined, "other's"],
  ["the target itself", "two", { two: "other" }, "two", "other's"],
  ["a stage above: it does not count", "one", { two: "other" }, "a", "ada"],
  ["a stage below: its ENV does not count", "three", { one: "other" }, "one", "of-the-image"],
])("what the target stands on: %s", (_, target, contexts, written, user) => {
  const dockerfile = parseDockerfile(STAGES, "Dockerfile");
  expect(finalBase(dockerfile, target, scope(contexts))?.written).toBe(written);
  const base = { user: "other's", env: { WHO: "of-the-image" }, triggers: [] };
  expect(finalUser(dockerfile, target, scope(contexts), base)).toEqual({ kind: "user", user });
});
