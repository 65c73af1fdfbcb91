import { expect, test } from "vitest";
import { indexOf, sha } from "../plan-of.ts";
import { type Before, movedBy, toldOf } from "./around.ts";
import { built, type Files, image, openAround, service } from "./named-images.ts";

// A digest behind a name says which image is meant, and so does the name today: of two commits that differ in nothing else each has its own
// sources, and both one image. That the real builder makes one: test/e2e/same-key.test.ts.

const BASE = "registry.test/base:12";
const TOOLS = "registry.test/tools:1";
const SYNTAX = "docker/dockerfile:1";
const AMD64 = "12 amd64";
const base = indexOf({ "linux/amd64": AMD64, "linux/arm64": "12 arm64" });
const old = indexOf({ "linux/amd64": "old amd64", "linux/arm64": "old arm64" });
const tools = indexOf({ "linux/amd64": "tools" });
const frontend = indexOf({ "linux/amd64": "frontend" });
const pinned = (name: string, { descriptor }: typeof base): string => `${name}@${descriptor.digest}`;
const alone = {
  ...base,
  descriptor: { ...base.descriptor, digest: sha(AMD64) },
  body: { ...base.body, kind: "manifest" as const, config: base.descriptor, layers: [] },
};
const IMAGES = {
  [BASE]: base,
  [pinned(BASE, base)]: base,
  [pinned(BASE, old)]: old,
  [`${BASE}@${sha(AMD64)}`]: alone,
  "registry.test/plain:latest": base,
  [pinned("registry.test/plain", base)]: base,
  [TOOLS]: tools,
  [pinned(TOOLS, tools)]: tools,
  [`docker.io/${SYNTAX}`]: frontend,
  [pinned(`docker.io/${SYNTAX}`, frontend)]: frontend,
};
const [NOW, OLD] = [pinned(BASE, base), pinned(BASE, old)];

const around = openAround(IMAGES);

test.each<[name: string, from: Files, to: Files]>([
  ["FROM", built(`FROM ${BASE}\nRUN x`), built(`FROM ${NOW}\nRUN x`)],
  ["FROM of two stages", built(`FROM ${BASE} AS a\nFROM ${BASE}`), built(`FROM ${NOW} AS a\nFROM ${NOW}`)],
  [
    "FROM of the builder's platform",
    built(`FROM --platform=$BUILDPLATFORM ${BASE}`),
    built(`FROM --platform=$BUILDPLATFORM ${NOW}`),
  ],
  ["the platform's own manifest", built(`FROM ${BASE}`), built(`FROM ${BASE}@${sha(AMD64)}`)],
  ["a variable", built(`ARG B=${BASE}\nFROM $B\nRUN x`), built(`ARG B=${NOW}\nFROM $B\nRUN x`)],
  [
    "part of a variable",
    built("ARG T=12\nARG B=base:$T\nFROM registry.test/$B"),
    built(`ARG T=12@${base.descriptor.digest}\nARG B=base:$T\nFROM registry.test/$B`),
  ],
  ["a name without a tag", built("FROM registry.test/plain"), built(`FROM ${pinned("registry.test/plain", base)}`)],
  [
    "COPY --from",
    built(`FROM ${BASE}\nCOPY --from=${TOOLS} /a /`),
    built(`FROM ${BASE}\nCOPY --from=${pinned(TOOLS, tools)} /a /`),
  ],
  [
    "a mount",
    built(`FROM ${BASE}\nRUN --mount=from=${TOOLS},target=/m x`),
    built(`FROM ${BASE}\nRUN --mount=from=${pinned(TOOLS, tools)},target=/m x`),
  ],
  [
    "the frontend",
    built(`# syntax=${SYNTAX}\nFROM ${BASE}`),
    built(`# syntax=${pinned(SYNTAX, frontend)}\nFROM ${BASE}`),
  ],
  ["the image of the configuration", image(BASE), image(NOW)],
  ["the image of a service", service(BASE), service(NOW)],
])("a digest that is what the name stands for moves the keys of the sources alone: %s", async (_, from, to) => {
  expect(await movedBy(...around(from, to))).toEqual(["own", "source"]);
  expect(await movedBy(...around(to, from))).toEqual(["own", "source"]);
  expect(await toldOf(...around(from, to))).toEqual([]);
});

const two = (first: string, second: string): Files =>
  built(`FROM ${first} AS a\nRUN x\nFROM ${second}\nCOPY --from=a /x /`);
const ALL = ["key", "own", "source", "unlabelled"];

test.each<[name: string, from: Files, to: Files, more?: Partial<Before>]>([
  ["another digest", built(`FROM ${NOW}`), built(`FROM ${OLD}`)],
  ["two digests behind one name, the other way round", two(NOW, OLD), two(OLD, NOW)],
  ["a digest at the other of two places", two(OLD, BASE), two(BASE, OLD)],
  ["a digest at one of two places", two(BASE, BASE), two(NOW, BASE)],
  [
    "a name that is a stage's",
    built(`FROM ${BASE} AS x\nRUN x\nFROM x`),
    built(`FROM ${BASE} AS x\nRUN x\nFROM x@${base.descriptor.digest}`),
    { images: { ...IMAGES, [pinned("docker.io/library/x", base)]: base } },
  ],
  [
    "a name that a build context has",
    built(`FROM ${BASE}`),
    built(`FROM ${NOW}`),
    { inputs: { "build-contexts": `${BASE}=docker-image://${TOOLS}` } },
  ],
  [
    "a name with a digest that a build context has",
    built(`FROM ${BASE}`),
    built(`FROM ${NOW}`),
    { inputs: { "build-contexts": `${NOW}=docker-image://${TOOLS}` } },
  ],
  [
    "what a variable stands for that a build arg has",
    built(`ARG B=${BASE}\nFROM $B`),
    built(`ARG B=${BASE}\nFROM $B`, { B: NOW }),
  ],
])("everything else behind a name moves all keys: %s", async (_, from, to, more) => {
  expect(await movedBy(...around(from, to, more))).toEqual(ALL);
});

test("a digest that is another one is told as its image, once, where it stands", async () => {
  const short = "sha256:\\w{12}…";
  for (const [from, to, place] of [
    [built(`FROM ${NOW}`), built(`FROM ${OLD}`), ".devcontainer/Dockerfile:1"],
    [image(NOW), image(OLD), ".devcontainer/devcontainer.json:1"],
    [built(`FROM ${BASE}`), built(`FROM ${OLD}`), ".devcontainer/Dockerfile:1"],
  ] as const)
    expect(await toldOf(...around(from, to))).toEqual([
      expect.stringMatching(new RegExp(`^base ${BASE} ${short} → ${short} @ ${place}$`)),
    ]);
});

test("a build context of another name changes nothing about that", async () => {
  const more = { inputs: { "build-contexts": `more=docker-image://${TOOLS}` } };
  expect(await movedBy(...around(built(`FROM ${BASE}`), built(`FROM ${NOW}`), more))).toEqual(["own", "source"]);
});
