import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { parse } from "yaml";
import { OUTPUTS } from "../src/handover/outputs.ts";
import { readInputs } from "../src/inputs/read-inputs.ts";
import { DIFFERENCES as COMPOSE } from "./compose/rows.ts";
import { DIFFERENT as CONFIGURATION } from "./devcontainer/reference-rows.ts";
import { DIFFERENT as DOCKERFILE } from "./differences/dockerfile-rows.ts";
import type { Difference } from "./differences/row.ts";
import { UID_DIFFERENCES } from "./differences/uid-rows.ts";
import { UNDRIVEN } from "./differences/undriven-rows.ts";
import { DIFFERENT as FEATURES } from "./features/reference-rows.ts";
import { ROWS as REACH } from "./reach/rows.ts";

// It goes through all inputs as they are written: that each of them is read, and has its default, is what others have to show.
vi.mock("../src/inputs/deciding-inputs.ts", () => ({ decidingInputs: () => "sha256:0" }));

type Entry = { readonly description: string; readonly default?: string };
const action: { readonly inputs: Record<string, Entry>; readonly outputs: Record<string, Entry> } = parse(
  readFileSync("action.yml", "utf8"),
);

const cell = (text: string): string => text.replaceAll("|", "\\|").trim();

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

const inputTable = table(
  ["Input", "Default", "What it does"],
  Object.entries(action.inputs).map(([name, input]) => [
    `\`${name}\``,
    input.default === undefined ? "" : `\`${input.default}\``,
    input.description,
  ]),
);
const outputTable = table(
  ["Output", "What it holds"],
  Object.entries(action.outputs).map(([name, output]) => [`\`${name}\``, output.description]),
);

/** Each line has runs in test/reach that show it. */
const reachTable = table(
  ["Event", "The code counts as", "Pushes", "Variables", "Secrets and agents", "Rights on the machine"],
  REACH.map(({ event, counts, pushes, variables, secrets, rights }) => [
    event,
    counts,
    pushes,
    variables,
    secrets,
    rights,
  ]),
);

const AREAS: Readonly<Record<string, readonly Difference[]>> = {
  Configuration: CONFIGURATION,
  Features: [...FEATURES, ...UNDRIVEN],
  "Dockerfile and image": DOCKERFILE,
  Compose: COMPOSE,
  "`remote-user-uid`, beside `updateRemoteUserUID` of `up`": UID_DIFFERENCES,
};

const lineOf = ({ name, what = name, cli, here, why }: Difference): readonly string[] => [what, cli, here, why];

/** A line for each deviation that has a test; those with the same name in the README are one. */
const differenceTables = Object.entries(AREAS)
  .map(([area, rows]) => {
    const lines = new Map(rows.map((row) => [row.what ?? row.name, lineOf(row)]));
    return table([area, "The reference CLI", "Here", "Why"], [...lines.values()]);
  })
  .join("\n\n");

test("deviations with one name in the README say one thing there", () => {
  const all = Object.values(AREAS).flat();
  for (const row of all)
    expect(all.filter((other) => other.what !== undefined && other.what === row.what).map(lineOf)).toSatisfy(
      (lines: readonly (readonly string[])[]) => lines.every((line) => line.join() === lineOf(row).join()),
    );
});

test("README tables say what action.yml and the tables of deviations say (vitest -u rewrites them)", async () => {
  const readme = readFileSync("README.md", "utf8");
  const fill = (text: string, mark: string, content: string): string =>
    text.replace(
      new RegExp(`(<!-- ${mark} -->\n)[\\s\\S]*?(<!-- /${mark} -->)`),
      (_, open, close) => `${open}${content}\n${close}`,
    );
  const tables = { inputs: inputTable, outputs: outputTable, differences: differenceTables, reach: reachTable };
  const next = Object.entries(tables).reduce((text, [mark, content]) => fill(text, mark, content), readme);
  for (const content of Object.values(tables)) expect(next).toContain(content);
  await expect(next).toMatchFileSnapshot("../README.md");
});

test("the code reads exactly the inputs of action.yml", () => {
  const asked = new Set<string>();
  const read = (name: string): string => {
    asked.add(name);
    return "";
  };
  readInputs(read, { cacheRepository: "ghcr.io/team/app", isFork: false });
  expect([...asked].sort()).toEqual(Object.keys(action.inputs).sort());
});

test("defaults of action.yml are the defaults of the code", () => {
  const defaults = { cacheRepository: "ghcr.io/team/app", isFork: false };
  const { written: _, ...given } = readInputs((name) => action.inputs[name]?.default ?? "", defaults);
  expect(given).toEqual({ ...readInputs(() => "", defaults), written: undefined });
});

test("the code sets exactly the outputs of action.yml", () => {
  expect([...OUTPUTS]).toEqual(Object.keys(action.outputs));
});

test("every error code stands in the README's troubleshooting table", () => {
  const codes =
    readFileSync("src/errors.ts", "utf8")
      .match(/"E_[A-Z_]+"/g)
      ?.map((code) => code.slice(1, -1)) ?? [];
  const table = /## Troubleshooting\n(.*?)\n## /s.exec(readFileSync("README.md", "utf8"))?.[1] ?? "";
  expect(codes.length).toBeGreaterThan(10);
  expect(codes.filter((code) => !table.includes(`\`${code}\``))).toEqual([]);
});
