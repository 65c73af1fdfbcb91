import { posix } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { folderOf, lastSegment, pathWithin, resolvePath } from "../../src/devcontainer/paths.ts";

const written = fc
  .array(fc.constantFrom("..", ".", "", "a", "b c", "...", "ä"), { maxLength: 8 })
  .map((s) => s.join("/"));
const absolute = written.map((path) => `/${path}`);

it("resolves as node:path does", () => {
  fc.assert(
    fc.property(absolute, fc.oneof(written, absolute), (folder, path) => {
      expect(resolvePath(folder, path)).toBe(posix.resolve(folder, path));
    }),
  );
});

it("names folder and last segment as node:path does", () => {
  fc.assert(
    fc.property(absolute, (path) => {
      const full = posix.resolve(path);
      expect(folderOf(full)).toBe(posix.dirname(full));
      expect(lastSegment(path)).toBe(posix.basename(path));
    }),
  );
});

it("says how a path is written from inside a folder, or that it is outside", () => {
  fc.assert(
    fc.property(absolute, absolute, (folder, path) => {
      const relative = posix.relative(folder, path);
      const outside = relative === ".." || relative.startsWith("../");
      expect(pathWithin(folder, path)).toBe(outside ? undefined : relative || ".");
    }),
  );
});

it.each([
  { name: "a neighbour whose name starts the same", folder: "/home/dev/a", path: "/home/dev/ab", within: undefined },
  { name: "the folder itself", folder: "/home/dev/a", path: "/home/dev/a/", within: "." },
  { name: "a file named like the parent", folder: "/home/dev/a", path: "/home/dev/a/..b", within: "..b" },
  { name: "everything is inside the root", folder: "/", path: "/a/b", within: "a/b" },
])("$name", ({ folder, path, within }) => {
  expect(pathWithin(folder, path)).toBe(within);
});
