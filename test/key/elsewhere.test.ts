import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LAYOUTS } from "./layouts.ts";

// The same commit, checked out and read by processes of their own: what they inherit must not matter.

const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

let folder: string;
let program: string;
let usual: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "elsewhere-"));
  // Others come in too.
  chmodSync(tmpdir(), 0o755);
  chmodSync(folder, 0o777);
  program = join(folder, "elsewhere.mjs");
  await build({
    entryPoints: ["test/key/elsewhere.ts"],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    mainFields: ["module", "main"],
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire("file:///");' },
    logLevel: "silent",
  });
  usual = keys({});
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Elsewhere = {
  readonly umask?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly node?: string;
  /** Who checks out, and who reads. */
  readonly users?: readonly [make: number, read: number];
};

/** The keys of all layouts, in a checkout of its own. */
function keys({ umask = "022", env = {}, node = process.execPath, users }: Elsewhere): string {
  const checkout = mkdtempSync(join(folder, "checkout-"));
  chmodSync(checkout, 0o777);
  const [maker, reader] = users ?? [];
  const run = (what: string, user: number | undefined): string =>
    execFileSync("sh", ["-c", `umask ${umask}; exec "$@"`, "sh", node, program, what, checkout], {
      encoding: "utf8",
      env: { PATH: process.env.PATH, HOME: "/", ...env },
      cwd: "/",
      ...(user === undefined ? {} : { uid: user, gid: user }),
    });
  run("make", maker);
  return run("read", reader);
}

test("there is something to compare: where a Dockerfile lies makes no other image, features and an image do", () => {
  const all: readonly { readonly key: string }[] = JSON.parse(usual);
  expect(all).toHaveLength(LAYOUTS.length);
  expect(new Set(all.map(({ key }) => key)).size).toBe(3);
});

test.each<[string, Elsewhere]>([
  ["another path", {}],
  ["a umask that leaves nothing to others", { umask: "077" }],
  ["a umask that leaves everything", { umask: "000" }],
  ["a umask that leaves all to the group", { umask: "002" }],
  ["another locale", { env: { LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8", LANGUAGE: "tr" } }],
  ["no locale", { env: { LC_ALL: "C" } }],
  ["another time zone", { env: { TZ: "Pacific/Chatham" } }],
  ["another host and home", { env: { HOSTNAME: "other", HOME: "/nowhere", USER: "other", RUNNER_NAME: "other" } }],
])("no key moves: %s", (_, elsewhere) => {
  expect(keys(elsewhere)).toBe(usual);
});

test.each([
  ["20", "node20-x64"],
  ["24", "node24-x64"],
])("no key moves: Node %s", (major, name) => {
  const node = realpathSync(resolve(`node_modules/${name}/bin/node`));
  expect(execFileSync(node, ["--version"], { encoding: "utf8" })).toMatch(new RegExp(`^v${major}\\.`));
  expect(keys({ node })).toBe(usual);
});

// Only root can become somebody else.
test.runIf(isRoot).each<[string, readonly [number, number]]>([
  ["checked out and read by nobody", [NOBODY, NOBODY]],
  ["checked out by root and read by nobody", [0, NOBODY]],
  ["checked out by nobody and read by root", [NOBODY, 0]],
])("no key moves: %s", (_, users) => {
  // Nobody may not run what lies in a folder of root's.
  const node = join(folder, "node");
  cpSync(realpathSync(process.execPath), node);
  expect(statSync(node).mode & 0o111).toBe(0o111);
  expect(keys({ users, node })).toBe(usual);
});
