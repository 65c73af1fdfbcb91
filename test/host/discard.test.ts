import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";

async function laidOut(): Promise<
  ReturnType<typeof openFiles> & { readonly temporary: string; readonly folder: string }
> {
  const temporary = mkdtempSync(join(tmpdir(), "runner-"));
  const open = openFiles(temporary);
  const folder = await open.files.temporaryFolder("build");
  for (let number = 0; number < 50; number++) {
    mkdirSync(join(folder, `${number}`));
    writeFileSync(join(folder, `${number}/file`), "");
  }
  return { ...open, temporary, folder };
}

test("what is discarded goes before the end of the run, and nobody waits for it", async () => {
  const { files, folder, temporary, finishDiscarding } = await laidOut();
  const kept = await files.temporaryFolder("kept");
  files.discard(folder);
  expect(existsSync(folder)).toBe(true);
  await finishDiscarding();
  expect(readdirSync(temporary).map((name) => join(temporary, name))).toEqual([kept, `${kept}.owner`]);
});

test("a run that ends in the midst of it leaves nothing either", async () => {
  const { files, folder, temporary, removeTemporaryFolders, finishDiscarding } = await laidOut();
  files.discard(folder);
  removeTemporaryFolders();
  expect(readdirSync(temporary)).toEqual([]);
  await finishDiscarding();
});

test("a folder that is asked for as the run ends is not left behind", async () => {
  const temporary = mkdtempSync(join(tmpdir(), "runner-"));
  const { files, removeTemporaryFolders } = openFiles(temporary);
  const made = files.temporaryFolder("build");
  removeTemporaryFolders();
  await made;
  expect(readdirSync(temporary)).toEqual([]);
});
