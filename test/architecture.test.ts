import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

/**
 * The house from top to bottom: a room imports only rooms that stand below it here, types included. The story stands in the order in which
 * it is told, read from below: what is told later knows what was told before, and never the other way round.
 */
const ORDER: readonly string[] = [
  "main.ts",
  "run.ts",
  "network.ts",
  "cached-image",
  ...["handover", "report", "publish", "build", "probe", "plan", "sources", "inputs"],
  ...["features", "compose", "envbuilder", "devcontainer", "dockerfile", "arguments", "key", "sbom", "git"],
  ...["buildx", "registry", "host"],
  "world.ts",
  "errors.ts",
  "line.ts",
  "nearest.ts",
  "oci",
];

const KNOWLEDGE = [
  "features",
  "compose",
  "envbuilder",
  "devcontainer",
  "dockerfile",
  "arguments",
  "key",
  "sbom",
  "git",
];
const WORDS = ["world.ts", "errors.ts", "line.ts", "nearest.ts", "oci"];
const BELOW_STORY = [...KNOWLEDGE, "buildx", "registry", ...WORDS];

/** Which rooms each may know, where that is less than all that stand below it. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  inputs: BELOW_STORY,
  sources: ["inputs", ...BELOW_STORY],
  plan: ["sources", "inputs", ...BELOW_STORY],
  probe: ["plan", "sources", "inputs", ...BELOW_STORY],
  build: ["probe", "plan", "sources", "inputs", ...BELOW_STORY],
  publish: ["build", "probe", "plan", "sources", "inputs", ...BELOW_STORY],
  report: ["publish", "build", "probe", "plan", "sources", "inputs", ...BELOW_STORY],
  handover: ["report", "publish", "build", "probe", "plan", "sources", "inputs", ...BELOW_STORY],
  "cached-image": ["handover", "report", "publish", "build", "probe", "plan", "sources", "inputs", ...BELOW_STORY],
  "run.ts": ["handover", "report", "publish", "probe", "plan", "sources", "inputs", ...WORDS],
  "network.ts": ["inputs", "registry", ...WORDS],
  features: ["devcontainer", ...WORDS],
  compose: ["devcontainer", ...WORDS],
  envbuilder: ["devcontainer", "dockerfile", ...WORDS],
  devcontainer: WORDS,
  dockerfile: WORDS,
  arguments: ["buildx", ...WORDS],
  key: ["oci"],
  sbom: WORDS,
  git: WORDS,
  buildx: WORDS,
  registry: WORDS,
  host: WORDS,
  "world.ts": ["errors.ts", "oci"],
  "errors.ts": [],
  "line.ts": [],
  "nearest.ts": [],
  oci: [],
};

/** The doors, and the rooms that a library serves: what each may import from outside. Everything not named is forbidden. */
const MODULES: Readonly<Record<string, readonly string[]>> = {
  "main.ts": ["node:crypto", "node:os"],
  devcontainer: ["jsonc-parser"],
  envbuilder: ["jsonc-parser"],
  features: ["jsonc-parser"],
  compose: ["yaml"],
  "envbuilder/hashes.ts": ["node:crypto"],
  oci: ["node:crypto"],
  "registry/http.ts": ["node:tls"],
  "registry/door.ts": ["node:tls"],
  "registry/ahead.ts": ["node:http", "node:https", "node:net"],
  "registry/direct.ts": ["node:dns", "node:http", "node:https", "node:net"],
  "registry/proxied.ts": ["undici"],
  "host/actions.ts": ["@actions/core", "node:fs"],
  "host/context.ts": ["node:fs", "node:path"],
  "host/exec.ts": ["node:child_process", "node:os", "node:readline"],
  "host/file-bytes.ts": ["node:crypto", "node:fs", "node:stream", "node:stream/promises"],
  "host/file-system.ts": ["node:fs"],
  "host/files.ts": ["node:crypto", "node:fs", "node:fs/promises", "node:path"],
  "host/git.ts": ["@actions/exec", "node:diagnostics_channel"],
  "host/unpack.ts": ["node:stream", "node:util", "node:zlib"],
  "host/memory.ts": ["node:fs/promises", "node:path"],
  "host/github.ts": ["@actions/github"],
  "host/job-cache.ts": ["@actions/cache"],
  "host/owner.ts": ["node:fs"],
  "host/private-folders.ts": ["node:fs", "node:fs/promises", "node:path"],
  "host/tools.ts": ["@actions/tool-cache", "node:fs/promises", "node:path"],
};

const IMPORT =
  /^\s*(?:import|export)\b[^"';]*?from\s+["']([^"']+)["']|^\s*import\s+["']([^"']+)["']|\bimport\(["']([^"']+)["']\)/gm;

const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const roomOf = (file: string): string => (file.includes("/") ? dirname(file) : file);

const edges = files.flatMap((file) =>
  [...readFileSync(join("src", file), "utf8").matchAll(IMPORT)].map((match) => ({
    file,
    target: match[1] ?? match[2] ?? match[3] ?? "",
  })),
);
const inside = edges.flatMap(({ file, target }) =>
  target.startsWith(".") ? [{ file, other: relative("src", resolve("src", dirname(file), target)) }] : [],
);
const outside = edges.filter(({ target }) => !target.startsWith("."));
const betweenRooms = inside
  .map(({ file, other }) => ({ file: roomOf(file), other: roomOf(other) }))
  .filter(({ file, other }) => file !== other);

/** Tarjan's strongly connected components of more than one member: circles, each with everyone who is in it. */
function circles(arrows: readonly { readonly file: string; readonly other: string }[]): string[][] {
  const targets = new Map<string, string[]>();
  for (const { file, other } of arrows) targets.set(file, [...(targets.get(file) ?? []), other]);
  const [index, low] = [new Map<string, number>(), new Map<string, number>()];
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.get(node) ?? 0);
    stack.push(node);
    for (const target of targets.get(node) ?? []) {
      if (!index.has(target)) visit(target);
      else if (!stack.includes(target)) continue;
      low.set(node, Math.min(low.get(node) ?? 0, low.get(target) ?? 0));
    }
    if (low.get(node) !== index.get(node)) return;
    const members = stack.splice(stack.indexOf(node));
    if (members.length > 1) found.push(members.sort());
  };
  for (const node of targets.keys()) if (!index.has(node)) visit(node);
  return found;
}

test("every room is on the map, and no room is empty", () => {
  const rooms = new Set(files.map(roomOf));
  expect([...rooms].sort()).toEqual([...ORDER].sort());
});

test("the map itself points down only", () => {
  const up = Object.entries(ROOMS).flatMap(([room, known]) =>
    known.filter((other) => ORDER.indexOf(other) <= ORDER.indexOf(room)).map((other) => `${room} → ${other}`),
  );
  expect(up).toEqual([]);
});

test("a circle is found where there is one", () => {
  const arrows = ["ab", "bc", "ca", "cd", "de", "ed", "ea", "xy"].map(([file = "", other = ""]) => ({ file, other }));
  expect(circles(arrows)).toEqual([["a", "b", "c", "d", "e"]]);
  expect(circles(arrows.slice(0, 2))).toEqual([]);
});

test("no circle of files, types included", () => {
  expect(circles(inside)).toEqual([]);
});

test("no circle of rooms, types included", () => {
  expect(circles(betweenRooms)).toEqual([]);
});

test.each(inside)("$file → $other", ({ file, other }) => {
  const [room, target] = [roomOf(file), roomOf(other)];
  const below = ORDER.slice(ORDER.indexOf(room) + 1);
  expect([room, ...(ROOMS[room] ?? below)], `${file} must not know ${target}`).toContain(target);
});

test.each(outside)("$file → $target", ({ file, target }) => {
  const name = builtinModules.includes(target) ? `node:${target}` : target;
  expect(MODULES[file] ?? MODULES[roomOf(file)] ?? [], `${file} is no door for ${name}`).toContain(name);
});
