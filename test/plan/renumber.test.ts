import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { renumberInstruction } from "../../src/plan/renumber.ts";

const folder = mkdtempSync(join(tmpdir(), "renumber-"));
afterAll(() => rmSync(folder, { recursive: true }));

const PASSWD =
  "root:x:0:0:root:/root:/bin/sh\nvscode:x:1000:1000:Dev, of; the $team:HOME:/bin/bash\nxvscode:x:1500:1500::/x:/bin/sh\n";
const GROUP = "root:x:0:\nvscode:x:1000:\nstaff:x:50:vscode\n";

type Machine = { readonly passwd?: string; readonly group?: string | undefined; readonly user?: string };
type Ran = {
  readonly code: number | null;
  readonly words: string;
  readonly passwd: string;
  readonly group: string;
  readonly calls: readonly string[];
};

/** Runs the instruction's own words, on a folder in the place of the root, with programs that only tell what they were called with. */
function runOn({ passwd = PASSWD, group = GROUP, user = "vscode" }: Machine, shell: readonly string[] = ["sh"]): Ran {
  const root = mkdtempSync(join(folder, "root-"));
  for (const name of ["etc", "bin", "home/vscode"]) mkdirSync(join(root, name), { recursive: true });
  const home = join(root, "home/vscode");
  writeFileSync(join(root, "etc/passwd"), passwd.replace("HOME", home));
  if (group !== "none") writeFileSync(join(root, "etc/group"), group);
  chmodSync(join(root, "etc/passwd"), 0o640);
  for (const program of ["chown", "find"]) {
    writeFileSync(join(root, "bin", program), `#!/bin/sh\necho "${program} $*" >> ${root}/calls\n`);
    chmodSync(join(root, "bin", program), 0o755);
  }
  writeFileSync(join(root, "calls"), "");
  const [sh = "", dash = "", script = "", ...args]: string[] = JSON.parse(
    renumberInstruction({ user, uid: 1001 }).replace(/^RUN /, ""),
  );
  expect([sh, dash]).toEqual(["/bin/sh", "-c"]);
  const here = script.replaceAll("/etc/", `${root}/etc/`).replaceAll("find / ", `find ${root} `);
  const [program = "", ...before] = shell;
  const ran = spawnSync(program, [...before, "-c", here, ...args], {
    encoding: "utf8",
    env: { PATH: `${root}/bin:${process.env.PATH}` },
  });
  const read = (name: string) => readFileSync(join(root, name), "utf8").replaceAll(root, "");
  expect(statSync(join(root, "etc/passwd")).mode & 0o777).toBe(0o640);
  const calls = read("calls")
    .split("\n")
    .filter((line) => line !== "");
  return { code: ran.status, words: ran.stderr, passwd: read("etc/passwd"), group: read("etc/group"), calls };
}

const shells = [["sh"], ["dash"], ["bash", "--norc", "--posix"], ["busybox", "sh"]].filter(([program = ""]) => {
  try {
    execFileSync("which", [program]);
    return true;
  } catch {
    return false;
  }
});

describe.each(shells.map((shell) => [shell.join(" "), shell] as const))("in %s", (_, shell) => {
  const MOVED = {
    code: 0,
    passwd: PASSWD.replace("vscode:x:1000:1000", "vscode:x:1001:1001").replace("HOME", "/home/vscode"),
    group: GROUP.replace("vscode:x:1000", "vscode:x:1001"),
  };
  const CALLS = [
    "find  -xdev -user 1000 -exec chown -h 1001 {} +",
    "find  -xdev -group 1000 -exec chgrp -h 1001 {} +",
    "chown -hR 1001:1001 /home/vscode/.",
  ];

  test("user, group, home, and what the user owns elsewhere", () => {
    expect(runOn({}, shell)).toMatchObject({ ...MOVED, calls: CALLS });
  });

  test("a last line that does not end", () => {
    const { passwd, code } = runOn({ passwd: PASSWD.trimEnd() }, shell);
    expect({ passwd, code }).toEqual({ passwd: MOVED.passwd, code: 0 });
  });

  test("a group of that number is left alone, and the user's keeps its own", () => {
    const group = `${GROUP}docker:x:1001:\n`;
    expect(runOn({ group }, shell)).toMatchObject({
      code: 0,
      passwd: MOVED.passwd.replace("1001:1001", "1001:1000"),
      group,
      calls: [CALLS[0], "chown -hR 1001:1000 /home/vscode/."],
    });
  });

  test("root's group stays root's", () => {
    const passwd = PASSWD.replace("1000:1000", "1000:0");
    const ran = runOn({ passwd }, shell);
    expect(ran).toMatchObject({ code: 0, group: GROUP, calls: [CALLS[0], "chown -hR 1001:0 /home/vscode/."] });
    expect(ran.passwd).toContain("vscode:x:1001:0:");
  });

  test("an image without groups", () => {
    expect(runOn({ group: "none" }, shell)).toMatchObject({ code: 0, passwd: MOVED.passwd, group: "\n" });
  });

  test("who has the uid and the group already keeps everything", () => {
    const passwd = PASSWD.replace("1000:1000", "1001:1001");
    expect(runOn({ passwd }, shell)).toMatchObject({
      code: 0,
      passwd: passwd.replace("HOME", "/home/vscode"),
      group: GROUP,
      calls: [],
    });
  });

  test("who has the uid and another group gets the group", () => {
    const ran = runOn({ passwd: PASSWD.replace("1000:1000", "1001:1000") }, shell);
    expect(ran).toMatchObject({ code: 0, passwd: MOVED.passwd, group: MOVED.group });
    expect(ran.calls).toContain(CALLS[1]);
  });

  test("root by another name stays root", () => {
    const passwd = `${PASSWD}toor:x:0:0::/root:/bin/sh\n`;
    expect(runOn({ passwd, user: "toor" }, shell)).toMatchObject({ code: 0, group: GROUP, calls: [] });
  });

  test("a home that is the root of everything, or nowhere, is no home", () => {
    for (const home of ["/", "", "/nonexistent"]) {
      const ran = runOn({ passwd: PASSWD.replace("HOME", home) }, shell);
      expect(ran).toMatchObject({ code: 0, calls: CALLS.slice(0, 2) });
    }
  });

  test.each<[string, Machine, string]>([
    [
      "the uid is another's",
      { passwd: `${PASSWD}node:x:1001:1001::/n:/bin/sh\n` },
      "it is the uid of node in this image",
    ],
    ["there is no such user", { user: "dev" }, "there is no such user in /etc/passwd"],
    ["a name that is a pattern", { user: "vs*" }, "there is no such user in /etc/passwd"],
    ["a name that is another one's end", { user: "scode" }, "there is no such user in /etc/passwd"],
  ])("an error: %s", (_name, machine, words) => {
    const ran = runOn(machine, shell);
    expect(ran).toMatchObject({ code: 1, group: GROUP, calls: [] });
    expect(ran.words.replaceAll(/\/\S*\/etc\//g, "/etc/")).toBe(
      `remote-user-uid cannot give ${machine.user ?? "vscode"} the uid 1001: ${words}\n`,
    );
    expect(ran.passwd).toBe((machine.passwd ?? PASSWD).replace("HOME", "/home/vscode"));
  });
});

test("there is a shell to try it with", () => {
  expect(shells.length).toBeGreaterThan(1);
});
