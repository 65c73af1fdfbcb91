import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { workflowDocuments } from "../workflow-documents.ts";
import { runScript } from "./script.ts";

// What others say of the workflows that people copy and call: syntax and types of expressions, and what an attacker could do with them.

/** All of it in a repository of its own, in which actionlint finds the called workflows and zizmor its configuration. */
function layOut(): { readonly folder: string; readonly files: readonly string[] } {
  const folder = mkdtempSync(join(tmpdir(), "linters-"));
  const workflows = join(folder, ".github/workflows");
  mkdirSync(workflows, { recursive: true });
  const documents = workflowDocuments();
  for (const [name, text] of documents) writeFileSync(join(workflows, name), text);
  copyFileSync("action.yml", join(folder, "action.yml"));
  return { folder, files: [...documents.keys()].map((name) => join(workflows, name)) };
}

const run = (program: string, args: readonly string[]): { readonly status: number | null; readonly said: string } => {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return { status, said: stdout + stderr };
};

let actionlint: string;
let zizmor: string;
let shellcheck: string;
beforeAll(async () => {
  [actionlint = "", zizmor = ""] = await runScript("scripts/linters.sh");
  [shellcheck = ""] = await runScript("scripts/programs.sh", "shellcheck");
});

const lint = (file: string) =>
  run(actionlint, ["-no-color", "-oneline", `-shellcheck=${shellcheck}`, "-pyflakes=", file]);

const QUIETLY = ["--offline", "--no-progress", "--quiet", "--color=never", "--format=plain"];
const audit = (...paths: readonly string[]) => run(zizmor, [...QUIETLY, "--config", ".github/zizmor.yml", ...paths]);

const { folder, files } = layOut();

test("actionlint finds nothing in the workflows, the starters and the README's examples", () => {
  expect(files.length).toBeGreaterThan(10);
  for (const file of files) expect(lint(file)).toEqual({ status: 0, said: "" });
});

test("zizmor finds nothing in these and in action.yml", () => {
  expect(audit(...files, join(folder, "action.yml"))).toEqual({
    status: 0,
    said: expect.stringMatching(/^No findings/),
  });
});

test("both find what is wrong", () => {
  const file = join(folder, "wrong.yml");
  writeFileSync(
    file,
    "on: pull_request\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v7\n      - run: echo ${{ github.head_ref }}\n      - run: echo ${{ nothing.x }}\n",
  );
  expect(lint(file).said).toMatch(/undefined variable "nothing"/);
  const { status, said } = audit(file);
  expect(status).not.toBe(0);
  for (const rule of ["unpinned-uses", "template-injection", "excessive-permissions"]) expect(said).toContain(rule);
});
