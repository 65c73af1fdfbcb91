import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

// What scripts/soundness.mjs compares images by, beside archives that tar itself has made.

type Entry = Readonly<Record<string, string>>;

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Reads an archive in a process of its own, in chunks that end in the middle of everything. */
function read(archive: string): Readonly<Record<string, Entry>> {
  const program = `
    import { createReadStream } from "node:fs";
    import { readTar } from ${JSON.stringify(resolve("scripts/tar.mjs"))};
    const entries = await readTar(createReadStream(${JSON.stringify(archive)}, { highWaterMark: 301 }));
    console.log(JSON.stringify(Object.fromEntries(entries)));`;
  return JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" }));
}

const LONG = "d".repeat(70);
const DEEP = `${LONG}/${LONG}/ü deep`;

function makeFolder(target = DEEP): string {
  const root = mkdtempSync(join(tmpdir(), "tar-"));
  mkdirSync(join(root, LONG, LONG), { recursive: true, mode: 0o755 });
  writeFileSync(join(root, DEEP), "deep");
  writeFileSync(join(root, "file"), "x".repeat(5000));
  writeFileSync(join(root, "empty"), "");
  linkSync(join(root, "file"), join(root, "again"));
  symlinkSync(target, join(root, "link"));
  execFileSync("mkfifo", ["-m", "0600", join(root, "pipe")]);
  chmodSync(join(root, "file"), 0o4711);
  return root;
}

// The oldest one has no room for a long target.
test.each([
  ["gnu", DEEP],
  ["pax", DEEP],
  ["ustar", "file"],
])("an archive in the format %s", (format, target) => {
  const root = makeFolder(target);
  const archive = `${root}.tar`;
  execFileSync("tar", [
    `--format=${format}`,
    "--owner=5",
    "--group=70000",
    "--numeric-owner",
    "-cf",
    archive,
    "-C",
    root,
    ".",
  ]);
  const owner = "5:70000";
  const big = { kind: "file", owner, mode: "4711", content: sha256("x".repeat(5000)) };
  const folder = { kind: "folder", owner, mode: "755" };
  expect(read(archive)).toEqual({
    [LONG]: folder,
    [`${LONG}/${LONG}`]: folder,
    [DEEP]: { kind: "file", owner, mode: "644", content: sha256("deep") },
    file: big,
    again: big,
    empty: { kind: "file", owner, mode: "644", content: sha256("") },
    link: { kind: "link", owner, target },
    pipe: { kind: "pipe", owner, mode: "600" },
  });
  rmSync(root, { recursive: true });
  rmSync(archive);
});

test("an archive that ends in the middle of a file is none", () => {
  const root = makeFolder();
  execFileSync("tar", ["-cf", `${root}.tar`, "-C", root, "file"]);
  execFileSync("truncate", ["--size=2000", `${root}.tar`]);
  expect(() => read(`${root}.tar`)).toThrow(/ends in the middle/);
});
