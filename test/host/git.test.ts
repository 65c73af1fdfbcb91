import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { openGit } from "../../src/host/git.ts";

const ENV = { PATH: process.env.PATH ?? "", HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1" };

/** Command lines of the machine that hold a text. */
const running = (text: string): readonly string[] =>
  readdirSync("/proc").flatMap((name) => {
    try {
      const line = /^\d+$/.test(name) ? readFileSync(`/proc/${name}/cmdline`, "utf8") : "";
      return line.includes(text) ? [line] : [];
    } catch {
      return [];
    }
  });

test("a git that leaves too much on the disk is ended with all that it has started", async () => {
  const folder = mkdtempSync(join(tmpdir(), "grows-"));
  const file = join(folder, "file");
  const grows = `alias.grow=!while :; do echo more >> ${file}; sleep 0.01; done`;
  const isTooMuch = async (): Promise<boolean> => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 20;
  const finished = await openGit().git(["-c", grows, "grow"], ENV, { isTooMuch });
  expect(finished?.endedBy).toBe("size limit");
  await expect.poll(() => running(file)).toEqual([]);
  rmSync(folder, { recursive: true });
});

test("a git that prints more than is asked for is ended; else what is more is not kept", async () => {
  const flood = await openGit().git(["-c", "alias.flood=!yes", "flood"], ENV, { longest: 100_000 });
  expect(flood?.endedBy).toBe("size limit");
  const some = ["-c", "alias.some=!yes | head -c 5000000", "some"];
  const kept = await openGit().git(some, ENV);
  expect(kept).toMatchObject({ code: 0 });
  expect(kept?.endedBy).toBeUndefined();
  expect(kept?.stdout.length).toBeLessThan(2_000_000);
  const whole = await openGit().git(some, ENV, { longest: 6_000_000 });
  expect(whole?.stdout).toHaveLength(5_000_000);
});

test.each([[["setsid", "setpriv"]], [["setsid"]], [[]]])(
  "a machine that has %j beside git runs it",
  async (programs) => {
    const folder = mkdtempSync(join(tmpdir(), "machine-"));
    for (const name of ["git", ...programs])
      symlinkSync(execFileSync("which", [name], { encoding: "utf8" }).trim(), join(folder, name));
    const { git } = openGit();
    const env = { ...ENV, PATH: folder };
    vi.stubEnv("PATH", folder);
    for (let times = 0; times < 2; times++) {
      expect(await git(["--version"], env)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^git version/) });
      expect(await git(["-C", "/nonexistent", "status"], env)).toMatchObject({ code: 128 });
    }
    rmSync(join(folder, "git"));
    expect(await openGit().git(["--version"], env)).toBeUndefined();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  },
);

test("a letter whose bytes come in two pieces is one letter", async () => {
  const two = ["-c", "alias.two=!printf '\\303'; sleep 0.3; printf '\\251'", "two"];
  expect((await openGit().git(two, ENV))?.stdout).toBe("é");
});
