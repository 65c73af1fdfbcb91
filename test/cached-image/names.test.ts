import { beforeEach, describe, expect, test } from "vitest";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import type { RegistryError } from "../../src/world.ts";
import { CACHE, type Cache, checkoutOf, DIRECTIVES, openCache } from "./kept.ts";

// Images whose digest nobody can compute, because a layer of theirs is kept nowhere else: a name leads to them, and their config tells.

const LINES = ["FROM base.test/base:1", "ADD a.txt /a.txt", "RUN cat /a.txt"];

let cache: Cache;
let checkout: string;
let keys: ReadonlyMap<string, string>;
let tag: string;
beforeEach(async () => {
  cache = openCache();
  checkout = checkoutOf(LINES, { "a.txt": "a\n" });
  keys = await cache.keepAll(checkout);
  const verdict = await cache.probe(checkout);
  tag = `${verdict.kind === "miss" ? verdict.key : ""}`;
});

/** What the builder would push: `added` is the layer that ADD has made. */
function push(name: string, { added = digestOf("added"), copied = "RUN cat /a.txt" } = {}): Digest {
  const layers = [...LINES.slice(1), ...DIRECTIVES].map((text) => {
    const key = keys.get(text === LINES[2] ? copied : text);
    return { text, diffId: text.startsWith("ADD") ? added : key && `sha256:${key}` };
  });
  return cache.push(name, layers);
}

test("every layer but that of ADD is kept, and without a name that is a miss", async () => {
  expect([...keys.keys()]).toEqual(["RUN cat /a.txt", ...DIRECTIVES.slice(0, 2)]);
  expect(tag).toMatch(/^image-[0-9a-f]{64}$/);
  expect(await cache.probe(checkout)).toMatchObject({
    kind: "miss",
    why: expect.stringContaining(
      "no tag names the image that was made of them, and its digest cannot be told: envbuilder keeps the layer of ADD a.txt /a.txt nowhere",
    ),
  });
});

test("what was pushed last is found, whatever the layer of ADD, and has to be given a name", async () => {
  for (const added of [digestOf("one"), digestOf("two")]) {
    const digest = push("latest", { added });
    expect(await cache.probe(checkout)).toMatchObject({
      kind: "hit",
      served: { descriptor: { digest } },
      nameless: tag,
    });
  }
});

test("what this run had built is found by its digest, wherever latest has gone, and only where it is this commit's", async () => {
  const [digest, other] = [push("passing"), push("latest", { copied: DIRECTIVES[0] })];
  expect(await cache.probe(checkout, { digest })).toMatchObject({
    kind: "hit",
    served: { descriptor: { digest } },
    nameless: tag,
  });
  expect((await cache.probe(checkout, { digest: other })).kind).toBe("miss");
});

test("its own name finds it when another image was pushed last", async () => {
  const digest = push(tag);
  push("latest", { copied: DIRECTIVES[0] });
  const verdict = await cache.probe(checkout);
  expect(verdict).toMatchObject({ kind: "hit", served: { descriptor: { digest } } });
  expect(verdict).not.toHaveProperty("nameless");
});

test("an image with another layer of what is kept is another one, under either name", async () => {
  for (const name of [tag, "latest"]) push(name, { copied: DIRECTIVES[0] });
  expect((await cache.probe(checkout)).kind).toBe("miss");
});

test.each<RegistryError["kind"]>(["denied", "limited", "unavailable", "malformed"])(
  "a name of which the registry says %s: nothing is told",
  async (kind) => {
    for (const line of [`manifest ${CACHE}:${tag}`, `manifest ${CACHE}:latest`]) {
      cache.registry.trouble(line, kind);
      expect([line, (await cache.probe(checkout)).kind]).toEqual([line, "unknown"]);
      cache.registry.trouble(line, undefined);
    }
  },
);

describe("what no key tells makes another image of the same keys", () => {
  const ADD_FOLDER = ["FROM base.test/base:1", "ADD d /d/", "RUN ls /d"];
  const ARG = ["FROM base.test/base:1", "ARG NAME=a", "ADD $NAME.txt /d/"];
  const FOLDER = ["FROM base.test/base:1", "ARG NAME=a", "WORKDIR /d/$NAME", "COPY a.txt /"];
  const of = (name: string): string =>
    `{ "build": { "dockerfile": "Dockerfile", "args": { "NAME": "${name}" } }, "containerUser": "dev" }`;

  test.each<[string, readonly string[], Record<string, string>, Record<string, string>]>([
    ["a file of a folder", ADD_FOLDER, { "d/a.txt": "a" }, { "d/b.txt": "a" }],
    ["a file that a pattern finds", ["FROM base.test/base:1", "ADD *.txt /d/"], { "a.txt": "a" }, { "b.txt": "a" }],
    [
      "an arg in what is added",
      ARG,
      { "a.txt": "a", "b.txt": "a" },
      { "a.txt": "a", "b.txt": "a", "devcontainer.json": of("b") },
    ],
    ["an arg in a folder", FOLDER, { "a.txt": "a" }, { "a.txt": "a", "devcontainer.json": of("b") }],
  ])("%s has another name", async (_, lines, before, after) => {
    const [one, two] = [checkoutOf(lines, before), checkoutOf(lines, after)];
    const kept = await cache.keepAll(one);
    expect(await cache.keepAll(two)).toEqual(new Map());
    const layers = [...lines.slice(1), ...DIRECTIVES].map((text) => {
      const key = kept.get(text);
      return { text, diffId: /^(ADD|WORKDIR .d)/.test(text) ? digestOf("unkept") : key && `sha256:${key}` };
    });
    const digest = cache.push("latest", layers);
    expect((await cache.probe(two)).kind).not.toBe("hit");
    expect((await cache.probe(one)).kind).not.toBe("hit");
    // Without the digest of what was built, the other commit's build could have pushed last.
    expect((await cache.probe(one, { digest: undefined })).kind).not.toBe("hit");
    cache.push("latest", layers.toReversed());
    const built = await cache.probe(one, { digest });
    expect(built).toMatchObject({ kind: "hit", served: { descriptor: { digest } } });
    const named = `${built.kind === "hit" ? built.nameless : ""}`;
    expect(named).toMatch(/^image-[0-9a-f]{64}$/);
    cache.push(named, layers);
    expect((await cache.probe(one)).kind).toBe("hit");
    expect((await cache.probe(two)).kind).not.toBe("hit");
  });

  test("but for variables that a RUN has put into all keys behind it", async () => {
    const lines = ["FROM base.test/base:1", "ARG NAME=a", "RUN id $NAME", "WORKDIR /d/$NAME"];
    const made = checkoutOf(lines);
    const kept = await cache.keepAll(made);
    cache.push(
      "latest",
      [...lines.slice(1), ...DIRECTIVES].map((text) => {
        const key = kept.get(text);
        return { text, diffId: text.startsWith("WORKDIR /d") ? digestOf("made") : key && `sha256:${key}` };
      }),
    );
    expect((await cache.probe(made)).kind).toBe("hit");
  });
});

describe("a stage on a stage", () => {
  test("whose base is of OCI's types stands on other bytes, and is found by its config alone", async () => {
    const stages = checkoutOf(["FROM base.test/base:1 AS one", "RUN one", "FROM one", "RUN two"]);
    const kept = await cache.keepAll(stages);
    expect([...kept.keys()]).toEqual(["RUN one", "RUN two", ...DIRECTIVES.slice(0, 2)]);
    expect(await cache.probe(stages)).toMatchObject({
      kind: "miss",
      why: expect.stringContaining("as every stage is that another one stands on"),
    });
  });
});
