import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import type { Difference } from "../../src/key/difference.ts";
import { tellLook, tellSources } from "../../src/report/log.ts";
import type { Log } from "../../src/world.ts";
import { makeCheckout } from "../checkout.ts";
import { hostOf, inputsOf, planOf, readFrom } from "../plan-of.ts";

/** The lines of a log, and the log. */
function openLog(): { readonly lines: readonly string[]; readonly log: Log } {
  const lines: string[] = [];
  const info = (line: string): void => void lines.push(line);
  const nothing = (): void => undefined;
  const log: Log = {
    info,
    notice: (line, { file, line: at }) => info(`notice ${file}:${at}: ${line}`),
    warning: (line, at) => info(`warning ${at?.file}:${at?.line}: ${line}`),
    debug: nothing,
    mask: nothing,
    detach: nothing,
    group: (_, body) => body(),
  };
  return { lines, log };
}

/** What stands in the log of a miss with these reasons. */
function logOf(reasons: readonly Difference[]): readonly string[] {
  const { lines, log } = openLog();
  tellLook(
    {
      probed: { plan: undefined, verdict: { kind: "miss", damaged: [] } },
      explanation: { previous: { tag: "branch-main" }, reasons },
    },
    log,
    "fail",
  );
  return lines.slice(lines.indexOf("Compared with branch-main:") + 1);
}

const reason = (number: number): Difference => ({
  part: "yours",
  ingredient: "context",
  text: `${number} changed`,
  at: { file: `file${number}`, line: number },
});

test("each reason is told once, at its place; beyond what a host shows, as a line", () => {
  const placeless: Difference = { part: "yours", ingredient: "option", text: "cache-version 1 → 2" };
  const told = logOf([placeless, ...Array.from({ length: 12 }, (_, at) => reason(at + 1))]);
  expect(told).toEqual([
    "  cache-version 1 → 2",
    ...Array.from({ length: 10 }, (_, at) => `notice file${at + 1}:${at + 1}: ${at + 1} changed`),
    "  11 changed",
    "  12 changed",
  ]);
});

test("what the image is built on is told by the name that the checkout gives it, and that of an input as it is written", async () => {
  const workspace = makeCheckout({
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" } }',
    ".devcontainer/Dockerfile":
      "ARG TAG=12\nARG OTHER\nFROM registry.test/tools:$OTHER AS tools\nFROM registry.test/base:$TAG\nCOPY --from=tools /a /\n",
  });
  const { lines, log } = openLog();
  const { sources } = await planOf({ workspace, images: {}, inputs: { "build-args": "OTHER=1" } });
  tellSources(sources, log);
  expect(lines).toContain("built on: registry.test/tools:$OTHER, registry.test/base:12");
});

test("a secret is hidden, but for what outputs are made of: a job's would be dropped", async () => {
  const workspace = makeCheckout({ ".devcontainer.json": '{ "image": "registry.test/base:1" }' });
  const masked: string[] = [];
  const log = { ...openLog().log, mask: (text: string): void => void masked.push(text) };
  const env = { A: "true", B: "registry.test/team/app", C: "linux/amd64\n", D: "swordfish", E: "tok-1", F: "x\ny" };
  const inputs = { "build-secrets": Object.keys(env).join("\n").replace(/./g, "id=$&,env=$&") };
  const { sources } = await planOf({ workspace, images: {}, inputs, env });
  tellSources(sources, log);
  expect(masked).toEqual(["swordfish", "tok-1", "x\ny"]);
});

test.each([
  ["continue", 1],
  ["build", 1],
  // The error says it there.
  ["fail", 0],
] as const)("a base that is not there is told at its line where the run goes on: on-unknown %s", (onUnknown, times) => {
  const { lines, log } = openLog();
  const at = { file: ".devcontainer/Dockerfile", line: 3 };
  const error = { kind: "absent", request: "GET x", status: 404, words: "manifest unknown" } as const;
  const doubt = { kind: "registry", what: "base image base.test/os:1", error, at } as const;
  const explanation = { previous: undefined, reasons: [] };
  tellLook({ probed: { plan: undefined, verdict: { kind: "unknown", doubt } }, explanation }, log, onUnknown);
  expect(lines.filter((line) => /^warning .devcontainer.Dockerfile:3: .*is not there/.test(line))).toHaveLength(times);
});

test("the features that are asked for are named before anything is looked for", async () => {
  const workspace = makeCheckout({
    ".devcontainer/devcontainer.json": `{ "image": "registry.test/base:12", "features": { "registry.test/f/node:1": {}, "./own": {} } }`,
    ".devcontainer/own/devcontainer-feature.json": '{ "id": "own", "version": "1.0.0" }',
    ".devcontainer/own/install.sh": "echo own\n",
  });
  const { lines, log } = openLog();
  tellSources(
    await readFrom(inputsOf({ workspace, images: {} }), { files: openFiles(tmpdir()).files, host: hostOf(workspace) }),
    log,
  );
  expect(lines).toContain("features: registry.test/f/node:1, ./own");
});
