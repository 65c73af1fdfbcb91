import { chmodSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Served } from "../../src/oci/manifest.ts";
import { type Content, put } from "../checkout.ts";
import { featureOf, indexOf } from "../plan-of.ts";
import { type Before, type Mutation, movedBy, toldOfAll } from "./around.ts";

const COMPOSE = `services:
  app:
    user: dev
    build:
      context: app
      dockerfile_inline: |
        FROM registry.test/base:\${VERSION:-1} AS first
        ARG WORD
        COPY file.txt /
        COPY --from=shared . /shared
        FROM first AS second
      target: second
      labels: { team: one }
      extra_hosts: ["cache.test:10.0.0.1"]
    environment: { NOISE: one }
  db:
    image: registry.test/db:1
`;
const OVERRIDE = `services:
  app:
    build:
      args: { WORD: "\${WORD}" }
      additional_contexts: { shared: ../shared }
`;
const CONFIGURATION = {
  dockerComposeFile: ["compose.yml", "override.yml"],
  service: "app",
  features: { "registry.test/f/tool:1": {} },
};

const FILES: Readonly<Record<string, Content>> = {
  ".devcontainer/devcontainer.json": JSON.stringify(CONFIGURATION),
  ".devcontainer/compose.yml": COMPOSE,
  ".devcontainer/override.yml": OVERRIDE,
  ".devcontainer/.env": "WORD=one\n",
  ".devcontainer/app/file.txt": "file\n",
  "shared/lib.txt": "lib\n",
};

const IMAGES: Readonly<Record<string, Served>> = {
  "registry.test/base:1": indexOf({ "linux/amd64": "base" }),
  "registry.test/base:2": indexOf({ "linux/amd64": "newer base" }),
  "registry.test/f/tool:1": featureOf({ id: "tool" }),
};

const BEFORE: Before = { files: FILES, images: IMAGES };

const compose = (from: string, to: string) => (root: string) => {
  if (!COMPOSE.includes(from)) throw new Error(`compose.yml does not hold ${from}`);
  put(root, ".devcontainer/compose.yml", COMPOSE.replace(from, to));
};

const MOVE_THE_SOURCES: readonly Mutation[] = [
  { name: "a build arg that .env holds", edit: (root) => put(root, ".devcontainer/.env", "WORD=two\n") },
  { name: "a build arg that the step holds", env: { WORD: "two" } },
  { name: "the base, by a variable", env: { VERSION: "2" } },
  { name: "an instruction of the inline Dockerfile", edit: compose("ARG WORD", "ARG WORD OTHER") },
  { name: "the target", edit: compose("target: second", "target: first") },
  { name: "a label", edit: compose("team: one", "team: two") },
  { name: "a host", edit: compose("10.0.0.1", "10.0.0.2") },
  { name: "the network", edit: compose("      target:", "      network: none\n      target:") },
  { name: "the user, for whom features are installed", edit: compose("user: dev", "user: other") },
  { name: "a file of the context", edit: (root) => put(root, ".devcontainer/app/file.txt", "other\n") },
  { name: "its execution bit", edit: (root) => chmodSync(join(root, ".devcontainer/app/file.txt"), 0o755) },
  { name: "a file of an additional context", edit: (root) => put(root, "shared/lib.txt", "other\n") },
  {
    name: "another service",
    edit: (root) => put(root, ".devcontainer/devcontainer.json", JSON.stringify({ ...CONFIGURATION, service: "db" })),
    images: { ...IMAGES, "registry.test/db:1": indexOf({ "linux/amd64": "db" }) },
  },
  {
    name: "a file of compose less",
    edit: (root) =>
      put(
        root,
        ".devcontainer/devcontainer.json",
        JSON.stringify({ ...CONFIGURATION, dockerComposeFile: "compose.yml" }),
      ),
    images: { ...IMAGES, "docker.io/library/shared:latest": indexOf({ "linux/amd64": "shared" }) },
  },
];

const MOVE_NOTHING: readonly Mutation[] = [
  { name: "a comment, and the order of what has none", edit: compose("services:", "# a comment\nservices:") },
  { name: "another service's image", edit: compose("registry.test/db:1", "registry.test/db:2") },
  { name: "the environment in which the service runs", edit: compose("NOISE: one", "NOISE: two") },
  { name: "a port", edit: compose("    environment:", "    ports: [80]\n    environment:") },
  {
    name: "a build arg that no ARG declares",
    edit: compose("      labels:", "      args: { UNDECLARED: x }\n      labels:"),
  },
  {
    name: "a secret's file, and where layers are cached",
    edit: compose("      labels:", "      cache_from: [registry.test/x]\n      no_cache: true\n      labels:"),
  },
  { name: "a variable that nothing uses", env: { OTHER: "x" } },
  { name: "the same label as a list", edit: compose("{ team: one }", '["team=one"]') },
];

test.each(MOVE_THE_SOURCES)("compose, must move all keys: $name", async (mutation) => {
  expect(await movedBy(mutation, BEFORE)).toEqual(["key", "own", "source", "unlabelled"]);
});

test.each(MOVE_NOTHING)("compose, must move no key: $name", async (mutation) => {
  expect(await movedBy(mutation, BEFORE)).toEqual([]);
});

test("each change is told, and once", async () => {
  expect(await toldOfAll([...MOVE_THE_SOURCES], BEFORE)).toMatchInlineSnapshot(`
    {
      "a build arg that .env holds": [
        "build arg WORD changed (.devcontainer/override.yml:4; it reads the variable WORD of .devcontainer/.env:1) @ .devcontainer/override.yml:4",
      ],
      "a build arg that the step holds": [
        "build arg WORD changed (.devcontainer/override.yml:4; it reads the variable WORD) @ .devcontainer/override.yml:4",
      ],
      "a file of an additional context": [
        "shared/lib.txt changed @ shared/lib.txt",
      ],
      "a file of compose less": [
        "build arg WORD is gone (before: .devcontainer/override.yml:4) @ .devcontainer/devcontainer.json:1",
        "build context shared is gone (before: .devcontainer/override.yml:5) @ .devcontainer/devcontainer.json:1",
      ],
      "a file of the context": [
        ".devcontainer/app/file.txt changed @ .devcontainer/app/file.txt",
      ],
      "a host": [
        "build option --add-host changed (.devcontainer/compose.yml:14) @ .devcontainer/compose.yml:14",
      ],
      "a label": [
        "label team changed (.devcontainer/compose.yml:13; ignore-labels takes it out of the key) @ .devcontainer/compose.yml:13",
      ],
      "an instruction of the inline Dockerfile": [
        ".devcontainer/compose.yml:8 an instruction changed (the Dockerfile reads the variable VERSION) @ .devcontainer/compose.yml:8",
      ],
      "another service": [
        "the dev container comes from an image now, before from a Dockerfile @ .devcontainer/compose.yml:17",
        "build target second → (not set) (before: .devcontainer/compose.yml:12) @ .devcontainer/compose.yml",
        "build option --add-host is gone (before: .devcontainer/compose.yml:14) @ .devcontainer/compose.yml",
        "label team is gone (before: .devcontainer/compose.yml:13) @ .devcontainer/compose.yml",
        "build arg WORD is gone (before: .devcontainer/override.yml:4) @ .devcontainer/override.yml",
        "the service's user changed, with which features are installed @ .devcontainer/devcontainer.json",
        "build context shared is gone (before: .devcontainer/override.yml:5) @ .devcontainer/override.yml",
      ],
      "its execution bit": [
        ".devcontainer/app/file.txt has mode 0755 now, before 0644 @ .devcontainer/app/file.txt",
      ],
      "the base, by a variable": [
        ".devcontainer/compose.yml:7 an instruction changed (the Dockerfile reads the variable VERSION) @ .devcontainer/compose.yml:7",
      ],
      "the network": [
        "build option --network is new (.devcontainer/compose.yml:12) @ .devcontainer/compose.yml:12",
      ],
      "the target": [
        "build target second → first @ .devcontainer/compose.yml:12",
      ],
      "the user, for whom features are installed": [
        "the service's user changed, with which features are installed @ .devcontainer/compose.yml:3",
      ],
    }
  `);
});
