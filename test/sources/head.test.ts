import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import { readHead } from "../../src/sources/head.ts";
import { type Content, makeCheckout } from "../checkout.ts";

const SHA = "0123456789".repeat(4);

test.each<[string, Readonly<Record<string, Content>>, object]>([
  ["a branch", { ".git/HEAD": "ref: refs/heads/release/1.x\n" }, { kind: "branch", name: "release/1.x" }],
  [
    "a branch and its commit",
    { ".git/HEAD": "ref: refs/heads/a/b\n", ".git/refs/heads/a/b": `${"0a".repeat(20)}\n` },
    { kind: "branch", name: "a/b", revision: "0a".repeat(20) },
  ],
  [
    "a branch that is none, and leads out of the folder",
    { ".git/HEAD": "ref: refs/heads/../../../x\n", x: "0a".repeat(20) },
    { kind: "branch", name: "../../../x" },
  ],
  ["a commit", { ".git/HEAD": `${SHA}\n` }, { kind: "commit", revision: SHA }],
  ["something else", { ".git/HEAD": "ref: refs/remotes/origin/main\n" }, { kind: "unknown" }],
  ["several lines", { ".git/HEAD": "ref: refs/heads/a\nref: refs/heads/b\n" }, { kind: "unknown" }],
  ["no repository", {}, { kind: "unknown" }],
  ["a folder of that name", { ".git/HEAD/x": "" }, { kind: "unknown" }],
  [
    "a worktree",
    { ".git": "gitdir: elsewhere/worktrees/a\n", "elsewhere/worktrees/a/HEAD": "ref: refs/heads/a\n" },
    { kind: "branch", name: "a" },
  ],
  ["a file that names no folder", { ".git": "x\n" }, { kind: "unknown" }],
])("%s", async (_, content, head) => {
  const checkout = makeCheckout(content);
  expect(await readHead(openFiles(tmpdir()).files, checkout)).toEqual(head);
  rmSync(checkout, { recursive: true });
});
