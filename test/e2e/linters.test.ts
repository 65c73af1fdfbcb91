import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { runScript } from "./script.ts";

// What others say of the workflows that people copy and call: syntax and types of expressions, and what an attacker could do with them.

/** An example of the README that is a part of a step stands for this one's. */
const STEP = `jobs:
  container:
    runs-on: ubuntu-latest
    permissions: { contents: read, packages: write }
    steps:
      - uses: ${/uses: (\S+\/dev-container-cache@\S+)/.exec(readFileSync("README.md", "utf8"))?.[1]}
`;

/** The README's examples as whole workflows: what all of them leave out is added. */
function examples(): readonly string[] {
  const blocks = [...readFileSync("README.md", "utf8").matchAll(/^```yaml\n(.*?)^```$/gms)].map(
    ([, text = ""]) => text,
  );
  return blocks.map((text) => {
    const jobs = /^jobs:$/m.test(text) ? text : STEP + text;
    return [
      ...(/^on:/m.test(text) ? [] : ["on: push"]),
      ...(/^permissions:/m.test(text) ? [] : ["permissions: {}"]),
      jobs,
    ].join("\n");
  });
}

/** All of it in a repository of its own, in which actionlint finds the called workflows and zizmor its configuration. */
function layOut(): { readonly folder: string; readonly files: readonly string[] } {
  const folder = mkdtempSync(join(tmpdir(), "linters-"));
  const workflows = join(folder, ".github/workflows");
  mkdirSync(workflows, { recursive: true });
  const yaml = (from: string): readonly string[] => readdirSync(from).filter((name) => name.endsWith(".yml"));
  for (const name of yaml("workflows")) copyFileSync(join("workflows", name), join(workflows, name));
  for (const name of yaml("workflows/starters"))
    copyFileSync(join("workflows/starters", name), join(workflows, `starter-${name}`));
  for (const [index, text] of examples().entries()) writeFileSync(join(workflows, `readme-${index}.yml`), text);
  copyFileSync("action.yml", join(folder, "action.yml"));
  return { folder, files: yaml(workflows).map((name) => join(workflows, name)) };
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
