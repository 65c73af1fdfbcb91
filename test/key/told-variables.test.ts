import { expect, test } from "vitest";
import { type Content, put } from "../checkout.ts";
import { indexOf } from "../plan-of.ts";
import { toldOf } from "./around.ts";

// A value of a compose file that is another one because a variable is: the variable is named, and the line of the env file that sets it. What
// variables hold is told to nobody.

const IMAGES = Object.fromEntries(
  ["one", "two"].flatMap((tag) =>
    ["base", "more"].map((name) => [`registry.test/${name}:${tag}`, indexOf({ "linux/amd64": `${name} ${tag}` })]),
  ),
);
const COMPOSE = ".devcontainer/compose.yml";
const ENV = ".devcontainer/.env";
const checkout = (service: string, env = "# the version\nV=one\n"): Readonly<Record<string, Content>> => ({
  ".devcontainer/devcontainer.json": '{ "dockerComposeFile": "compose.yml", "service": "app" }\n',
  ".devcontainer/Dockerfile": "FROM registry.test/base:one AS one\nARG W\nFROM one AS two\nRUN true\n",
  "app/file": "a\n",
  [COMPOSE]: `services:\n  app:\n${service}`,
  [ENV]: env,
});
const build = (more: string): string => `    build:\n      context: .\n${more}`;
const ofEnv = `it reads the variable V of ${ENV}:2`;

type Row = readonly [name: string, service: string, expected: string];
test.each<Row>([
  ["an image", "    image: registry.test/base:$V\n", `image changed (${ofEnv}) @ ${COMPOSE}:3`],
  ["a target", build("      target: ${V}\n"), `build target changed (${ofEnv}) @ ${COMPOSE}:5`],
  [
    "an arg",
    build("      target: two\n      args:\n        W: ${V:-none}\n"),
    `build arg W changed (${COMPOSE}:7; ${ofEnv}) @ ${COMPOSE}:7`,
  ],
  [
    "a context",
    build("      target: two\n      additional_contexts:\n        more: docker-image://registry.test/more:$V\n"),
    `build context that holds a value of the environment changed (${ofEnv}) @ ${COMPOSE}:7`,
  ],
  [
    "a label",
    build("      target: two\n      labels:\n        team: $V\n"),
    `a build option that holds a value of the environment changed (${COMPOSE}:7; ${ofEnv}) @ ${COMPOSE}:7`,
  ],
  [
    "a Dockerfile that stands there",
    "    build:\n      dockerfile_inline: |\n        FROM registry.test/base:one\n        RUN echo $V\n",
    `${COMPOSE}:6 an instruction changed (the Dockerfile reads the variable V of ${ENV}:2) @ ${COMPOSE}:6`,
  ],
])("%s", async (_, service, expected) => {
  const files = checkout(service);
  const before = { files, images: IMAGES };
  const edit = (root: string) => put(root, ENV, "# the version\nV=two\n");
  expect(await toldOf({ name: "", edit }, before)).toEqual([expected]);
  // What the step says goes over the file.
  const step = expected.replaceAll(` of ${ENV}:2`, "");
  const env = { V: "two" };
  expect(await toldOf({ name: "", env }, { ...before, env: { V: "one" } })).toEqual([step]);
});

test("an arg without a value takes the variable of its name", async () => {
  const files = checkout(build("      target: two\n      args:\n        - W\n"), "W=secret one\n");
  const edit = (root: string) => put(root, ENV, "\n\nW=secret two\n");
  expect(await toldOf({ name: "", edit }, { files, images: IMAGES })).toEqual([
    `build arg W changed (${COMPOSE}:7; it reads the variable W of ${ENV}:3) @ ${COMPOSE}:7`,
  ]);
});

test("a default, and what is in it", async () => {
  const files = checkout(build("      target: two\n      args:\n        W: a${A:-${V}}${A:+b}\n"));
  const edit = (root: string) => put(root, ENV, "V=two\n");
  expect(await toldOf({ name: "", edit }, { files, images: IMAGES })).toEqual([
    `build arg W changed (${COMPOSE}:7; it reads the variables A, V of ${ENV}:1) @ ${COMPOSE}:7`,
  ]);
});
