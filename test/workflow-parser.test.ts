import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { beforeAll, expect, test } from "vitest";
import { workflowDocuments } from "./workflow-documents.ts";

// GitHub's own parser, which also checks what a caller hands to a called workflow against that workflow's own inputs and secrets.

const CALLED = /^\.github\/workflows\/([a-z]+\.yml)$/;

type Parser = typeof import("@actions/workflow-parser") &
  typeof import("@actions/workflow-parser/actions/action-parser");
let parser: Parser;
// It imports JSON as no Node takes it: a bundler does.
beforeAll(async () => {
  const outfile = join(mkdtempSync(join(tmpdir(), "workflow-parser-")), "parser.mjs");
  const contents =
    'export * from "@actions/workflow-parser"; export * from "@actions/workflow-parser/actions/action-parser";';
  const stdin = { contents, resolveDir: process.cwd() };
  await build({ stdin, outfile, bundle: true, platform: "node", format: "esm", logLevel: "error" });
  parser = await import(pathToFileURL(outfile).href);
});

async function errorsOf(name: string, content: string): Promise<readonly string[]> {
  const { context, value } = parser.parseWorkflow({ name, content }, new parser.NoOperationTraceWriter());
  if (value === undefined) return context.errors.getErrors().map(({ message }) => message);
  const files = {
    getFileContent: async ({ path }: { readonly path: string }) => {
      const called = CALLED.exec(path)?.[1];
      if (called === undefined) throw new Error(`There is no workflow ${path}`);
      return { name: path, content: readFileSync(`workflows/${called}`, "utf8") };
    },
  };
  await parser.convertWorkflowTemplate(context, value, files, { fetchReusableWorkflowDepth: 1 });
  return context.errors.getErrors().map(({ message }) => message);
}

test.each([...workflowDocuments()])("GitHub's parser takes %s", async (name, content) => {
  expect(await errorsOf(name, content)).toEqual([]);
});

test("GitHub's parser takes action.yml", () => {
  const content = readFileSync("action.yml", "utf8");
  const { context } = parser.parseAction({ name: "action.yml", content }, new parser.NoOperationTraceWriter());
  expect(context.errors.getErrors().map(({ message }) => message)).toEqual([]);
});

const CALL = "jobs:\n  a:\n    uses: OWNER/dev-container-cache/.github/workflows/check.yml@v1\n";
test.each([
  ["a key that nothing has", "on: push\njobs:\n  a:\n    runs-on: x\n    step: []\n", /Unexpected value 'step'/],
  ["an expression that does not end", "on: push\njobs:\n  a:\n    runs-on: ${{ github.\n    steps: []\n", /expression/],
  ["an input that the called workflow does not have", `on: push\n${CALL}    with: { on-mis: fail }\n`, /on-mis/],
])("and finds %s", async (_, content, words) => {
  expect((await errorsOf("wrong.yml", content)).join("\n")).toMatch(words);
});
