import { beforeEach, expect, test } from "vitest";
import { put } from "../checkout.ts";
import { writeTar } from "../features/tar-writer.ts";
import { CACHE, type Cache, checkoutOf, DIRECTIVES, openCache } from "./kept.ts";

// Why a layer is not there: what the image that was pushed last tells by its history and its layers.

const LINES = ["FROM base.test/base:1", "ENV A=1", "COPY src one.txt /dst/", "RUN ls /dst"];
const LAYER = writeTar([
  { name: "dst/", mode: 0o755 },
  { name: "dst/a.txt", text: "a\n" },
  { name: "dst/deep/b.txt", text: "b\n" },
  { name: "dst/one.txt", text: "1\n" },
]);

let cache: Cache;
let checkout: string;
let keys: ReadonlyMap<string, string>;
beforeEach(async () => {
  cache = openCache();
  checkout = checkoutOf(LINES, { "src/a.txt": "a\n", "src/deep/b.txt": "b\n", "one.txt": "1\n" });
  keys = await cache.keepAll(checkout);
  const layers = [...LINES.slice(1), ...DIRECTIVES].map((text) => ({
    text,
    diffId: keys.has(text) ? `sha256:${keys.get(text)}` : undefined,
    content: text.startsWith("COPY src") ? LAYER : new Uint8Array(),
  }));
  cache.push("latest", layers);
});

const because = async (): Promise<unknown> => {
  const verdict = await cache.probe(checkout);
  if (verdict.kind !== "miss") return verdict.kind;
  return verdict.because?.map(({ text, at }) => [at?.line, text]);
};

test("which files are others, new or gone", async () => {
  put(checkout, "src/a.txt", "other\n");
  put(checkout, "src/c.txt", "c\n");
  put(checkout, "src/deep/b.txt", { link: "../a.txt" });
  expect(await because()).toEqual([
    [3, "src/a.txt has changed"],
    [3, "src/c.txt is new"],
    [3, "/dst/deep/b.txt is gone"],
  ]);
});

test("a file that may be run now", async () => {
  put(checkout, "one.txt", { script: "1\n" });
  expect(await because()).toEqual([[3, "a file or folder that it copies has other rights or another name"]]);
});

test("many files: ten are told, and how many there are", async () => {
  for (let at = 10; at < 25; at++) put(checkout, `src/${at}`, "x");
  const told = await because();
  expect(told).toHaveLength(11);
  expect(told).toEqual(
    expect.arrayContaining([
      [3, "src/10 is new"],
      [3, "and 5 more"],
    ]),
  );
});

test.each([
  [
    "an instruction in another's place",
    ["ENV A=1", "COPY src one.txt /dst/", "RUN ls -l /dst"],
    [4, "RUN ls -l /dst stands where RUN ls /dst stood"],
  ],
  ["another value in front", ["ENV A=2", ...LINES.slice(2)], [2, "ENV A=2 stands where ENV A=1 stood"]],
  ["one more", [...LINES.slice(1), "RUN more"], [5, `RUN more stands where ${DIRECTIVES[0]} stood`]],
])("%s", async (_name, lines, expected) => {
  put(checkout, "Dockerfile", `${[LINES[0], ...lines].join("\n")}\n`);
  expect(await because()).toEqual([expected]);
});

test("a stage that the last one stands on, whose lines are in the same history", async () => {
  const [from, ...own] = LINES;
  const staged = (...lines: readonly string[]) => put(checkout, "Dockerfile", `${lines.join("\n")}\n`);
  staged(`${from} AS one`, own[0] ?? "", own[1] ?? "", "FROM one", "RUN ls -l /dst");
  expect(await because()).toEqual([[5, "RUN ls -l /dst stands where RUN ls /dst stood"]]);
  put(checkout, "one.txt", "2\n");
  expect(await because()).toEqual([[3, "one.txt has changed"]]);
  staged(`${from} AS one`, own[0] ?? "", own[1] ?? "", "FROM one AS two", "RUN other", from ?? "", "RUN last");
  expect(await because()).toBeUndefined();
});

test("the user, whom the builder writes down for itself", async () => {
  put(checkout, "devcontainer.json", '{ "build": { "dockerfile": "Dockerfile" }, "containerUser": "other" }');
  expect(await because()).toEqual([[undefined, "the container's user is another one"]]);
});

test("a line that is the same, with its layer gone", async () => {
  cache.registry.trouble(`manifest ${CACHE}:${keys.get("RUN ls /dst")}`, "absent");
  expect(await because()).toEqual([[4, expect.stringContaining("the line is the same: a build arg")]]);
});

test.each(["absent", "unavailable"] as const)(
  "where what was pushed last is %s, the miss is told alone",
  async (kind) => {
    cache.registry.trouble(`manifest ${CACHE}:latest`, kind);
    put(checkout, "one.txt", "2\n");
    expect(await because()).toEqual([]);
  },
);

test("a layer that cannot be read: that a file has changed, and not which", async () => {
  cache.push(
    "latest",
    [...LINES.slice(1), ...DIRECTIVES].map((text) => ({ text, content: new Uint8Array([1]) })),
  );
  put(checkout, "one.txt", "2\n");
  expect(await because()).toEqual([[3, "a file that it copies has changed"]]);
});
