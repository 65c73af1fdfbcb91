import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import { openOwner } from "../../src/host/owner.ts";

// /proc tells: elsewhere nothing is said, and nothing is removed.
describe.runIf(existsSync("/proc/self/ns/pid"))("where /proc tells", () => {
  const owner = openOwner();
  const [boot = "", namespace = "", pid = "", started = ""] = (owner.self ?? "").split(":");

  test("a process is told by where and when it runs, in a text that fits into an option", () => {
    expect(owner.self).toMatch(/^[0-9a-f-]{36}:\d+:\d+:\d+$/);
    expect(pid).toBe(String(process.pid));
  });

  test("a process that ended is dead, and one that has its number by now does not stand in for it", async () => {
    const child = spawn("sleep", ["60"]);
    await once(child, "spawn");
    const childsOwner = `${boot}:${namespace}:${child.pid}`;
    expect(owner.isDead(`${childsOwner}:1`)).toBe(true);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(owner.isDead(`${childsOwner}:${started}`)).toBe(true);
  });

  test.each([
    ["this process itself", owner.self ?? ""],
    ["one before a restart of the machine, or on another one", `00000000-0000-0000-0000-000000000000:${namespace}:1:1`],
    ["one in another container", `${boot}:1:999999:1`],
    ["no owner at all", ""],
    ["a text of somebody else's", "somebody"],
  ])("nothing is said of %s", (_, text) => {
    expect(owner.isDead(text)).toBe(false);
  });
});

function makeFolder(root: string, name: string): void {
  mkdirSync(join(root, name));
  writeFileSync(join(root, `${name}.owner`), "dead");
}

describe("private folders of killed runs", () => {
  const DEAD = { self: "dead", isDead: (owner: string) => owner === "dead" };
  const open = () => {
    const root = mkdtempSync(join(tmpdir(), "dead-"));
    return { root, dead: openFiles(root, DEAD), living: openFiles(root, { ...DEAD, self: "living" }) };
  };

  test("are found by a later run; what a run leaves to its job, and what belongs to one at work, is not", async () => {
    const { root, dead, living } = open();
    const left = await dead.files.temporaryFolder("docker");
    await dead.files.temporaryFolder("env", { keep: true });
    await living.files.temporaryFolder("docker");
    expect(living.findDeadFolders()).toEqual([left]);
    living.removeFolder(left);
    expect(living.findDeadFolders()).toEqual([]);
    expect(readdirSync(root).filter((name) => name.includes(left.slice(root.length + 1)))).toEqual([]);
  });

  test("are found where a removal was broken off, by then without what was in them", async () => {
    const { dead, living } = open();
    const left = await dead.files.temporaryFolder("build");
    rmSync(left, { recursive: true });
    expect(living.findDeadFolders()).toEqual([left]);
  });

  test.each<[string, (root: string) => void]>([
    ["has another name", (root) => makeFolder(root, "other")],
    ["has no note", (root) => mkdirSync(join(root, "dev-container-cache-docker-x"))],
    [
      "is a link",
      (root) => {
        makeFolder(root, "other");
        symlinkSync(join(root, "other"), join(root, "dev-container-cache-docker-x"));
        writeFileSync(join(root, "dev-container-cache-docker-x.owner"), "dead");
      },
    ],
    [
      "has a link for a note",
      (root) => {
        makeFolder(root, "other");
        mkdirSync(join(root, "dev-container-cache-docker-x"));
        symlinkSync(join(root, "other.owner"), join(root, "dev-container-cache-docker-x.owner"));
      },
    ],
    [
      "is a file",
      (root) => {
        writeFileSync(join(root, "dev-container-cache-docker-x"), "");
        writeFileSync(join(root, "dev-container-cache-docker-x.owner"), "dead");
      },
    ],
  ])("what %s is left alone", (_, make) => {
    const { root, living } = open();
    make(root);
    expect(living.findDeadFolders()).toEqual([]);
  });

  test("a temporary folder that is not there holds none", () => {
    expect(openFiles("/nowhere", DEAD).findDeadFolders()).toEqual([]);
  });
});
