import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Content, makeCheckout, put } from "../checkout.ts";
import { featureOf, indexOf, planOf } from "../plan-of.ts";

/** One of everything whose order in the file means nothing. */
const CONFIGURATION = {
  build: {
    dockerfile: "Dockerfile",
    context: "..",
    args: { ONE: "1", TWO: "2" },
    options: ["--build-context=shared=shared", "--network=none"],
  },
  features: {
    "registry.test/f/b:1": { x: "1", y: "2" },
    "registry.test/f/a:1": {},
    "./local": {},
    "./other": { z: true },
  },
  containerEnv: { A: "1", B: "${localEnv:B}" },
  remoteEnv: { C: "1", D: "2" },
  remoteUser: "dev",
  customizations: { vscode: { settings: { a: 1, b: [1, 2] }, extensions: ["x", "y"] } },
  postCreateCommand: { one: "a", two: "b" },
  portsAttributes: { "1": { label: "a" }, "2": { label: "b" } },
};

const local = (id: string) => JSON.stringify({ id, dependsOn: { "./shared": {} } });

const FILES: Readonly<Record<string, Content>> = {
  ".devcontainer/Dockerfile": "FROM registry.test/base:1\nARG ONE TWO\nCOPY app /app\nCOPY --from=shared . /shared\n",
  ".devcontainer/local/devcontainer-feature.json": local("local"),
  ".devcontainer/other/devcontainer-feature.json": local("other"),
  ".devcontainer/shared/devcontainer-feature.json": '{ "id": "shared" }',
  "app/file.txt": "app\n",
  "app/link": { link: "file.txt" },
  "shared/file.txt": "shared\n",
  // The configuration itself must not be in the context: its text is another one in each order.
  ".dockerignore": ".devcontainer\n",
};

const options = { x: { default: "" }, y: { default: "" } };
const IMAGES = {
  "registry.test/base:1": indexOf({ "linux/amd64": "base amd64" }),
  "registry.test/f/a:1": featureOf({ id: "a" }),
  "registry.test/f/b:1": featureOf({ id: "b", options }),
};

/** Everything that decides: the plans, and with which digests something is built. */
async function decided(workspace: string): Promise<unknown> {
  const { sources, probed } = await planOf({ workspace, images: IMAGES, env: { B: "2" } });
  if (!probed.plan) throw new Error(JSON.stringify(probed.verdict));
  const { key, platforms, bindings } = probed.plan;
  return { key, platforms, bindings, source: sources.wanted.sourceKey, own: sources.wanted.ownKey };
}

/** The same value with the members of every object in another order; lists keep theirs. */
function reorder(value: unknown, seed: number): unknown {
  if (Array.isArray(value)) return value.map((item) => reorder(item, seed));
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, reorder(member, seed)] as const);
  const turned = members.map((member, at) => ({ member, rank: ((at + 1) * seed) % 7919 }));
  return Object.fromEntries(turned.sort((a, b) => a.rank - b.rank).map(({ member }) => member));
}

test("the plan does not depend on the order of names in the file", async () => {
  const write = (configuration: unknown): string => JSON.stringify(configuration);
  const workspace = makeCheckout({ ...FILES, ".devcontainer/devcontainer.json": write(CONFIGURATION) });
  const usual = await decided(workspace);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 7918 }), async (seed) => {
      put(workspace, ".devcontainer/devcontainer.json", write(reorder(CONFIGURATION, seed)));
      expect(await decided(workspace)).toEqual(usual);
    }),
    { numRuns: 20 },
  );
  rmSync(workspace, { recursive: true });
});

test("the plan does not depend on where the checkout is", async () => {
  const workspace = makeCheckout({ ...FILES, ".devcontainer/devcontainer.json": JSON.stringify(CONFIGURATION) });
  const usual = await decided(workspace);
  const elsewhere = mkdtempSync(join(tmpdir(), "elsewhere-"));
  // Letters, blanks, and what means something to a Dockerfile, a shell or a pattern.
  const name = fc.stringMatching(/^[a-zA-Z ,="'$#*[\]{}é-]{1,20}$/).filter((text) => text.trim() !== "");
  await fc.assert(
    fc.asyncProperty(fc.array(name, { minLength: 1, maxLength: 3 }), async (path) => {
      const clone = join(elsewhere, ...path);
      mkdirSync(clone, { recursive: true });
      cpSync(workspace, clone, { recursive: true, verbatimSymlinks: true });
      expect(await decided(clone)).toEqual(usual);
      rmSync(clone, { recursive: true });
    }),
    { numRuns: 15 },
  );
  rmSync(elsewhere, { recursive: true });
  rmSync(workspace, { recursive: true });
});
