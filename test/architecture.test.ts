import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

/** The map of the house: what each room may import. Everything not named is forbidden. `.` is the story: the files right below src. */
const house: Record<string, { readonly rooms: readonly string[]; readonly modules: readonly string[] }> = {
  "main.ts": { rooms: [".", "host", "oci", "registry", "report"], modules: ["node:crypto", "node:os"] },
  ".": {
    rooms: [
      "arguments",
      "compose",
      "report",
      "key",
      "registry",
      "buildx",
      "sbom",
      "features",
      "devcontainer",
      "dockerfile",
      "oci",
    ],
    modules: [],
  },
  report: { rooms: [".", "key", "oci", "sbom"], modules: [] },
  key: { rooms: ["oci"], modules: [] },
  registry: { rooms: [".", "oci"], modules: [] },
  "registry/http.ts": { rooms: [".", "oci", "registry"], modules: ["node:tls"] },
  "registry/door.ts": { rooms: [], modules: ["node:tls"] },
  "registry/direct.ts": { rooms: ["registry"], modules: ["node:http", "node:https", "node:net"] },
  "registry/proxied.ts": { rooms: ["registry"], modules: ["undici"] },
  arguments: { rooms: [".", "buildx", "oci"], modules: [] },
  buildx: { rooms: [".", "oci"], modules: [] },
  sbom: { rooms: [".", "oci"], modules: [] },
  devcontainer: { rooms: [".", "oci"], modules: ["jsonc-parser"] },
  features: { rooms: [".", "devcontainer", "oci"], modules: ["jsonc-parser"] },
  compose: { rooms: [".", "devcontainer", "oci"], modules: ["yaml"] },
  dockerfile: { rooms: [".", "oci"], modules: [] },
  oci: { rooms: [], modules: ["node:crypto"] },
  host: { rooms: [".", "oci"], modules: [] },
  "host/actions.ts": { rooms: ["."], modules: ["@actions/core", "node:fs"] },
  "host/context.ts": { rooms: [".", "host"], modules: ["node:fs"] },
  "host/exec.ts": { rooms: ["."], modules: ["node:child_process", "node:readline"] },
  "host/gunzip.ts": { rooms: ["."], modules: ["node:util", "node:zlib"] },
  "host/files.ts": {
    rooms: [".", "oci"],
    modules: ["node:crypto", "node:fs", "node:fs/promises", "node:path", "node:stream", "node:stream/promises"],
  },
  "host/tools.ts": { rooms: ["."], modules: ["@actions/tool-cache", "node:fs/promises", "node:path"] },
};

/** Of the story's files, rooms below may import the words and ports only. */
const WORDS = new Set(["errors.ts", "world.ts"]);

const IMPORT =
  /^\s*(?:import|export)\b[^"';]*?from\s+["']([^"']+)["']|^\s*import\s+["']([^"']+)["']|\bimport\(["']([^"']+)["']\)/gm;

const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const folderOf = (file: string): string => (file === "main.ts" ? file : dirname(file));
const roomOf = (file: string): string => (file in house ? file : folderOf(file));

const edges = files.flatMap((file) =>
  [...readFileSync(join("src", file), "utf8").matchAll(IMPORT)].map((match) => ({
    file,
    target: match[1] ?? match[2] ?? match[3] ?? "",
  })),
);

test("every room is on the map, and no room is empty", () => {
  const rooms = new Set(files.map(folderOf));
  expect([...rooms].sort()).toEqual(
    Object.keys(house)
      .filter((name) => !name.includes("/"))
      .sort(),
  );
});

test.each(edges)("$file → $target", ({ file, target }) => {
  const room = house[roomOf(file)];
  expect(room, `unknown room ${roomOf(file)}`).toBeDefined();
  if (!target.startsWith(".")) {
    const name = builtinModules.includes(target) ? `node:${target}` : target;
    expect(room?.modules).toContain(name);
    return;
  }
  const other = relative("src", resolve("src", dirname(file), target));
  const allowed = new Set([...(room?.rooms ?? []), folderOf(file)]);
  expect(allowed, `${file} must not know ${folderOf(other)}`).toContain(folderOf(other));
  const isStory = folderOf(file) === "." || file === "main.ts" || folderOf(file) === "report";
  if (folderOf(other) === "." && !isStory) expect(WORDS, `${file} must not know the story`).toContain(other);
});
