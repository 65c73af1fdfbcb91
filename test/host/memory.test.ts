import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openMemory } from "../../src/host/memory.ts";
import type { JobCache } from "../../src/world.ts";

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "tools-"));
});
afterEach(() => rmSync(cache, { recursive: true }));

const open = (jobCache?: JobCache) => openMemory({ RUNNER_TOOL_CACHE: cache }, jobCache);
const folder = () => join(cache, "dev-container-cache-memory");

test("what one job has kept the next one reads, and nothing half-written is left", async () => {
  await open().remember("a", "one");
  await open().remember("a", "two");
  expect(await open().recall("a")).toBe("two");
  expect(readdirSync(join(folder(), "a"))).toEqual(["text"]);
});

test("what was never kept, or is far too long, is not known", async () => {
  await open().remember("a", "one");
  expect(await open().recall("b")).toBeUndefined();
  writeFileSync(join(folder(), "a", "text"), "x".repeat(5000));
  expect(await open().recall("a")).toBeUndefined();
});

test("another machine finds it in the host's cache between jobs, by the same folder", async () => {
  const kept = mkdtempSync(join(tmpdir(), "kept-"));
  const asked: string[] = [];
  const jobCache: JobCache = {
    restore: async (from, key) => {
      asked.push(`restore ${key}`);
      if (existsSync(join(kept, key))) cpSync(join(kept, key), from, { recursive: true });
      return existsSync(join(kept, key));
    },
    save: async (from, key) => {
      asked.push(`save ${key}`);
      cpSync(from, join(kept, key), { recursive: true });
    },
  };
  expect(await open(jobCache).recall("a")).toBeUndefined();
  await open(jobCache).remember("a", "one");
  rmSync(folder(), { recursive: true });
  expect(await open(jobCache).recall("a")).toBe("one");
  // What is on the machine already is not asked for.
  expect(await open(jobCache).recall("a")).toBe("one");
  const key = "dev-container-cache-memory-a";
  expect(asked).toEqual([`restore ${key}`, `save ${key}`, `restore ${key}`]);
  rmSync(kept, { recursive: true });
});

test("without a place, or in one that cannot be written to, nothing is kept and nothing fails", async () => {
  const nowhere = openMemory({}, undefined);
  await nowhere.remember("a", "one");
  expect(await nowhere.recall("a")).toBeUndefined();
  writeFileSync(folder(), "a file");
  await open().remember("a", "one");
  expect(await open().recall("a")).toBeUndefined();
});
