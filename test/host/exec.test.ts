import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openExec } from "../../src/host/exec.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "exec-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => openExec({ PATH: process.env.PATH ?? "", FOLDER: folder });

/** Whether a process is there that is no zombie. */
const lives = (pid: string): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

/** The ids that a script has written down, when it has written all of them. */
async function written(count: number): Promise<string[]> {
  for (;;) {
    const ids = readIds();
    if (ids.length === count) return ids;
    await new Promise((done) => setTimeout(done, 10));
  }
}

function readIds(): string[] {
  try {
    return readFileSync(join(folder, "ids"), "utf8").trim().split("\n");
  } catch {
    return [];
  }
}

/** Polls: a killed process is gone when the system has got round to it. */
const gone = (ids: readonly string[]) => expect.poll(() => ids.filter(lives)).toEqual([]);

test.each<[string, string, object, object | undefined]>([
  ["what it says and how it ends", "echo out; echo err >&2; exit 3", {}, { code: 3, stdout: "out\n", stderr: "err\n" }],
  ["that it was killed", "kill -9 $$", {}, { code: 137, stdout: "", stderr: "", endedBy: "SIGKILL" }],
  [
    "that it took too long",
    "echo begun; exec sleep 60",
    { timeout: 2000 },
    { code: 137, stdout: "begun\n", stderr: "", endedBy: "time limit" },
  ],
  ["its input", "cat", { input: "in" }, { code: 0, stdout: "in", stderr: "" }],
  ["its variables", "echo $A", { env: { A: "1" } }, { code: 0, stdout: "1\n", stderr: "" }],
  ["an input that nobody reads", "exit 0", { input: "x".repeat(1 << 20) }, { code: 0, stdout: "", stderr: "" }],
])("a program: %s", async (_, script, options, expected) => {
  expect(await open().exec("sh", ["-c", script], options)).toEqual(expected);
});

test("no such program is an answer", async () => {
  expect(await open().exec("no-such-program-anywhere", [])).toBeUndefined();
});

test("lines are told as they come", async () => {
  const lines: string[] = [];
  await open().exec("sh", ["-c", "printf 'a\\nb' >&2"], { onLine: (line) => lines.push(line) });
  expect(lines).toEqual(["a", "b"]);
});

test.each([
  ["itself", "sleep 60"],
  ["what it has started, and what holds its output", "sleep 60 & sleep 60; :"],
  ["what has left its group and holds its output", "setsid sleep 60 & echo $! > $FOLDER/ids; sleep 60"],
])("past its time a program is stopped: %s", async (_, script) => {
  const finished = await open().exec("sh", ["-c", script], { timeout: 2000 });
  expect(finished?.code).not.toBe(0);
  for (const id of readIds()) if (lives(id)) process.kill(Number(id), "SIGKILL");
});

test("all are stopped, with what they have started; nobody goes on with what was stopped", async () => {
  const { exec, stopAll } = open();
  let wentOn = false;
  void exec("sh", ["-c", "sleep 60 & echo $$ $! | tr ' ' '\\n' > $FOLDER/ids; wait"]).then(() => {
    wentOn = true;
  });
  const ids = await written(2);
  // Those who listen are not waited for so long: the test would not end.
  await stopAll(600_000);
  await gone(ids);
  expect(wentOn).toBe(false);
  expect(await exec("echo", ["later"])).toMatchObject({ code: 0, stdout: "later\n" });
});

test("who does not listen is ended after a while", async () => {
  const { exec, stopAll } = open();
  void exec("sh", ["-c", "trap '' TERM; echo $$ > $FOLDER/ids; while :; do sleep 0.1; done"]);
  const ids = await written(1);
  const then = Date.now();
  await stopAll(300);
  expect(Date.now() - then).toBeGreaterThanOrEqual(290);
  await gone(ids);
});

test("whatever runs is ended at once", async () => {
  const { exec, killAll } = open();
  const finished = exec("sh", ["-c", "trap '' TERM; echo $$ > $FOLDER/ids; while :; do sleep 0.1; done"]);
  const ids = await written(1);
  killAll();
  expect((await finished)?.code).not.toBe(0);
  await gone(ids);
});
