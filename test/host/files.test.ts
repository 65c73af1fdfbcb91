import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { asActionError } from "../../src/errors.ts";
import { publishOutputs, publishSummary } from "../../src/host/actions.ts";
import { openFiles } from "../../src/host/files.ts";

// What the system refuses is the runner's trouble, told with the file; and nothing is waited for that never comes.

const { files } = openFiles(tmpdir());
const folder = mkdtempSync(join(tmpdir(), "files-"));
const [small, large, pipe] = [join(folder, "small"), join(folder, "large"), join(folder, "pipe")];
writeFileSync(small, "x");
writeFileSync(large, "x".repeat(300_000));
execFileSync("mkfifo", [pipe]);
const AS = { mode: 0o600, mtime: 0 };

// A device of Linux on which every write meets a full disk.
const FULL = "/dev/full";

test.each<[string, () => Promise<unknown>, RegExp]>([
  ["writing on a full disk", () => files.write(FULL, "x"), /^\/dev\/full .*no space is left/],
  ["a small copy on a full disk", () => files.copy(small, FULL, AS), /^\/dev\/full .*no space is left/],
  ["a large copy on a full disk", () => files.copy(large, FULL, AS), /^\/dev\/full .*no space is left/],
  ["reading a folder", () => files.readText(folder), /it is no file/],
  ["reading a pipe", () => files.readText(pipe), /it is no file/],
  ["hashing a pipe", () => files.digest(pipe), /it is no file/],
  [
    "a temporary folder that is not there",
    () => openFiles("/nowhere").files.temporaryFolder("x"),
    /\/nowhere \(RUNNER_TEMP\): it is not there/,
  ],
  [
    "a temporary folder that is a file",
    () => openFiles(small).files.temporaryFolder("x"),
    /\(RUNNER_TEMP\): a part of its path is no folder/,
  ],
])("%s is E_SYSTEM, and says of what", async (_, work, words) => {
  const thrown = await work().then(() => undefined, asActionError);
  expect(thrown).toMatchObject({
    code: "E_SYSTEM",
    message: expect.stringMatching(words),
    fix: expect.stringMatching(/\.$/),
  });
});

describe("the runner's own files", () => {
  const kept = { ...process.env };
  afterEach(() => {
    process.env = { ...kept };
  });

  test.each([FULL, "/nowhere/output"])("outputs that cannot be written fail the step in words: %s", (path) => {
    process.env.GITHUB_OUTPUT = path;
    let thrown: unknown;
    try {
      publishOutputs({ result: "hit" });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: "E_SYSTEM", message: expect.stringMatching(/GITHUB_OUTPUT/) });
  });

  test.each([FULL, "/nowhere/summary"])("a summary that cannot be written is a warning: %s", (path) => {
    process.env.GITHUB_STEP_SUMMARY = path;
    const warnings: string[] = [];
    publishSummary("# x", { warning: (line) => void warnings.push(line) });
    expect(warnings).toEqual([expect.stringMatching(/GITHUB_STEP_SUMMARY/)]);
  });
});

test.each([1, 300_000])(
  "what has grown to gigabytes since it was hashed, from %d bytes, is not copied to its end",
  async (size) => {
    const [growing, copied] = [join(folder, `growing-${size}`), join(folder, `copied-${size}`)];
    writeFileSync(growing, "x".repeat(size));
    await files.digest(growing);
    expect(await files.copy(growing, copied, AS)).toBe(await files.digest(growing));
    truncateSync(growing, 2 ** 36);
    expect(await files.copy(growing, copied, AS)).toBeUndefined();
    expect(statSync(copied).size).toBeLessThan(2 ** 24);
  },
);

test("docker's configuration that is a folder, as `-v` makes one, is none", async () => {
  const { readJson } = await import("../../src/buildx/docker-folder.ts");
  const path = join(folder, "config.json");
  mkdirSync(path);
  expect(await readJson(files, path)).toBeUndefined();
});
