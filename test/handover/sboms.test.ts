import { mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { chooseSbomFolder } from "../../src/handover/sboms.ts";
import { openFiles } from "../../src/host/files.ts";
import { makeCheckout } from "../checkout.ts";
import { hostOf, inputsOf } from "../plan-of.ts";

let workspace: string;
let temporary: string;
let elsewhere: string;

beforeEach(() => {
  workspace = makeCheckout({ file: "x", "folder/file": "x" });
  temporary = mkdtempSync(join(tmpdir(), "runner-"));
  elsewhere = mkdtempSync(join(tmpdir(), "elsewhere-"));
  symlinkSync(elsewhere, join(workspace, "away"));
  symlinkSync("folder", join(workspace, "near"));
});

const choose = (folder: string): Promise<string | undefined> =>
  chooseSbomFolder(inputsOf({ workspace, images: {}, inputs: { "sbom-dir": folder } }), {
    files: openFiles(tmpdir()).files,
    host: hostOf(workspace, { RUNNER_TEMP: temporary }),
  });

test.each<[string, () => string, () => string | undefined]>([
  ["none", () => "", () => undefined],
  ["a new one", () => "out/sboms/", () => `${workspace}/out/sboms`],
  ["one that is there", () => "folder", () => `${workspace}/folder`],
  ["one behind a link that stays inside", () => "near/new", () => `${workspace}/near/new`],
  ["the checkout itself", () => ".", () => workspace],
  ["one of the checkout by its whole path", () => `${workspace}/out`, () => `${workspace}/out`],
  ["one of the runner's temporary folder", () => `${temporary}/out`, () => `${temporary}/out`],
])("sbom-dir: %s", async (_, written, expected) => {
  expect(await choose(written())).toBe(expected());
});

test.each<[string, () => string, RegExp]>([
  ["..", () => "../out", /lies neither in the workspace nor in RUNNER_TEMP/],
  ["another place", () => elsewhere, /lies neither/],
  ["a place whose name only begins like the checkout's", () => `${workspace}-2`, /lies neither/],
  ["a link out of the checkout", () => "away", /lies neither/],
  ["a new folder behind a link out of the checkout", () => "away/new/one", /lies neither/],
  ["a file", () => "file", /is no folder/],
])("sbom-dir, refused: %s", async (_, written, words) => {
  await expect(choose(written())).rejects.toMatchObject({ code: "E_INPUT", message: expect.stringMatching(words) });
});

test("a workspace that is itself behind a link", async () => {
  const link = join(elsewhere, "checkout");
  symlinkSync(workspace, link);
  mkdirSync(join(workspace, "out"));
  const inputs = inputsOf({ workspace, images: {}, inputs: { "sbom-dir": "out" } });
  expect(await chooseSbomFolder(inputs, { files: openFiles(tmpdir()).files, host: hostOf(link) })).toBe(`${link}/out`);
});
