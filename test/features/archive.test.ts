import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ActionError } from "../../src/errors.ts";
import { ARCHIVE_LIMITS, type ArchiveEntry, readArchive, textIn } from "../../src/features/archive.ts";
import { refusalOf } from "../devcontainer/refusal.ts";
import { openMemoryPorts } from "./memory-ports.ts";
import { type Packed, paxRecord, writeTar } from "./tar-writer.ts";

const { gunzip } = openMemoryPorts({ registries: {} }).ports;
const refuse = (why: string): ActionError => new ActionError("E_FEATURE", { what: why });
const read = async (bytes: Uint8Array): Promise<readonly ArchiveEntry[]> =>
  (await readArchive(bytes, { gunzip, refuse })).entries;
const refusal = (bytes: Uint8Array): Promise<ActionError> => refusalOf(() => read(bytes));
const shown = (entries: readonly ArchiveEntry[]) =>
  Object.fromEntries(
    entries.map((entry) => {
      if (entry.kind === "directory") return [entry.path, "/"];
      return [
        entry.path,
        entry.kind === "link" ? `→ ${entry.target}` : textIn(entries, entry.path, ARCHIVE_LIMITS.bytes),
      ];
    }),
  );

describe("what tar wrote", () => {
  let root: string;
  const deep = `${"a-rather-long-folder/".repeat(8)}file`;

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "archive-test-"));
    mkdirSync(join(root, deep, ".."), { recursive: true });
    writeFileSync(join(root, deep), "deep");
    writeFileSync(join(root, "install.sh"), "x".repeat(1500), { mode: 0o755 });
    writeFileSync(join(root, "ünï"), "");
    linkSync(join(root, "install.sh"), join(root, "second"));
    symlinkSync("install.sh", join(root, "link"));
    symlinkSync(`./${"./".repeat(80)}install.sh`, join(root, "long-link"));
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it.each(["ustar", "pax", "gnu", "oldgnu"])("in the format %s", async (format) => {
    const names = format === "ustar" ? ["--exclude=long-link"] : [];
    const bytes = execFileSync("tar", ["-C", root, `--format=${format}`, "--sort=name", "-c", ...names, "."]);
    const entries = shown(await read(bytes));
    expect(entries).toMatchObject({
      [deep]: "deep",
      "install.sh": "x".repeat(1500),
      second: "x".repeat(1500),
      ünï: "",
      link: "→ install.sh",
      "a-rather-long-folder": "/",
    });
    if (format !== "ustar") expect(entries["long-link"]).toBe(`→ ./${"./".repeat(80)}install.sh`);
    expect(Object.keys(entries).filter((path) => !path.startsWith("a-rather"))).toHaveLength(
      format === "ustar" ? 4 : 5,
    );
  });
});

describe("readArchive", () => {
  const file = (name: string, more: Partial<Packed> = {}): Packed => ({ name, text: "x", ...more });

  it.each<[string, readonly Packed[], object]>([
    ["nothing", [], {}],
    ["names with and without ./", [file("./a"), file("b"), file("./c//./d")], { a: "x", b: "x", "c/d": "x" }],
    ["the later of two", [file("a"), file("./a", { text: "y" })], { a: "y" }],
    ["a folder told by its slash alone", [file("a/", { type: "0", text: "" })], { a: "/" }],
    ["a link inside", [file("a/b", { link: "../c" })], { "a/b": "→ ../c" }],
    ["a link in a link's place", [file("a", { link: "b" }), file("a")], { a: "x" }],
    ["the second name of a file", [file("a"), file("b", { type: "1", link: "./a", text: "" })], { a: "x", b: "x" }],
    [
      "a pax name for one file only",
      [file("p", { type: "x", text: paxRecord("path", "ü") }), file("a"), file("b")],
      { ü: "x", b: "x" },
    ],
    ["a pax name for all", [file("p", { type: "g", text: paxRecord("comment", "c") }), file("a")], { a: "x" }],
    ["a name of dots", [file("...")], { "...": "x" }],
  ])("reads %s", async (_, members, entries) => expect(shown(await read(writeTar(members)))).toEqual(entries));

  it.each<[string, readonly Packed[], string]>([
    ["a path that climbs", [file("./a/../../b")], "climbs out"],
    ["a path that climbs and comes back", [file("../archive/a")], "climbs out"],
    ["an absolute path", [file("/a")], "absolute path"],
    ["an absolute pax path", [file("p", { type: "x", text: paxRecord("path", "/a") }), file("a")], "absolute path"],
    ["a GNU path that climbs", [file("p", { type: "L", text: "../a\0" }), file("a")], "climbs out"],
    ["a NUL in a pax path", [file("p", { type: "x", text: paxRecord("path", "a\0b") }), file("a")], "not UTF-8"],
    ["a name that is not UTF-8", [file("p", { type: "L", bytes: Buffer.from([0x61, 0xff]) }), file("a")], "not UTF-8"],
    ["a path through a link", [file("a", { link: "b" }), file("a/c")], "a is no folder"],
    ["a path through a later link", [file("a/c"), file("a", { link: "b" })], "a is no folder"],
    ["a path through a file", [file("a"), file("a/b/c")], "a is no folder"],
    ["a link that climbs", [file("a/b", { link: "../../c" })], "leads out"],
    ["an absolute link", [file("a", { link: "/etc" })], "leads out"],
    ["a second name of nothing", [file("b", { type: "1", link: "a" })], "no file before it"],
    ["a second name of a link", [file("a", { link: "c" }), file("b", { type: "1", link: "a" })], "no file before it"],
    ["a second name of what is outside", [file("b", { type: "1", link: "/etc/passwd" })], "absolute path"],
    ["a device", [file("a", { type: "4" })], "neither a file"],
    ["a pipe", [file("a", { type: "6" })], "neither a file"],
    ["a sparse file", [file("p", { type: "x", text: paxRecord("GNU.sparse.major", "1") }), file("a")], "sparse"],
    ["an old sparse file", [file("a", { type: "S" })], "neither a file"],
    ["a pax size that is wrong", [file("p", { type: "x", text: paxRecord("size", "-1") }), file("a")], "cut off"],
    [
      "a pax size that is too large",
      [file("p", { type: "x", text: paxRecord("size", "9".repeat(30)) }), file("a")],
      "cut off",
    ],
    ["a pax record that lies", [file("p", { type: "x", text: "99 path=a\n" }), file("a")], "extended header"],
    ["a pax record without end", [file("p", { type: "x", text: "0 path=a\n" }), file("a")], "extended header"],
    ["a path that is too long", [file("p", { type: "L", text: "a/".repeat(600) }), file("a")], "a path of"],
  ])("refuses %s", async (_, members, words) => {
    expect((await refusal(writeTar(members))).message).toContain(words);
  });

  it("refuses what is cut off or damaged", async () => {
    const tar = writeTar([file("a", { text: "x".repeat(600) })]);
    expect((await refusal(tar.subarray(0, 1024))).message).toContain("cut off");
    const damaged = Buffer.from(tar);
    damaged.write("b", 0);
    expect((await refusal(damaged)).message).toContain("checksum");
    expect((await refusal(Buffer.from("<html>".repeat(200)))).message).toContain("checksum");
  });

  it("does not take the times in a header of GNU tar for the front of a path", async () => {
    const tar = writeTar([file("a")]);
    tar.write("ustar  \0", 257);
    tar.write("01234567", 345);
    expect(shown(await read(withChecksums(tar.subarray(0, 512), tar)))).toEqual({ a: "x" });
  });

  it("takes an end without blocks of zeros, as some tools write it", async () => {
    expect(shown(await read(writeTar([file("a")]).subarray(0, 1024)))).toEqual({ a: "x" });
  });

  it("unpacks gzip, and no more of it than is reasonable", async () => {
    expect(shown(await read(gzipSync(writeTar([file("a")]))))).toEqual({ a: "x" });
    const bomb = gzipSync(Buffer.alloc(ARCHIVE_LIMITS.bytes + 1));
    expect((await refusal(bomb)).message).toContain("cannot be unpacked");
    expect((await refusal(Buffer.from([0x1f, 0x8b, 1, 2, 3]))).message).toContain("cannot be unpacked");
  });

  it("counts entries", async () => {
    const many = Array.from({ length: ARCHIVE_LIMITS.entries + 1 }, (_, at) => file(`${at}`, { text: "" }));
    expect((await refusal(writeTar(many))).message).toContain("more than 10000 files");
  });

  it("yields nothing outside, whatever stands in it, and fails in no other way than it says", async () => {
    const segment = fc.constantFrom("a", "b", "..", ".", "", "c");
    const path = fc
      .tuple(fc.constantFrom("", "/", "./"), fc.array(segment, { maxLength: 4 }))
      .map(([start, rest]) => start + rest.join("/"));
    const member = fc.record({
      name: path,
      link: path,
      type: fc.constantFrom("0", "1", "2", "5", "x", "L", "K", "g"),
      text: fc.oneof(
        path,
        path.map((value) => paxRecord("path", value)),
        path.map((value) => paxRecord("linkpath", value)),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(member, { maxLength: 6 }), async (members) => {
        const entries = await readOrRefused(writeTar(members));
        const links = new Set(entries.flatMap(({ path: at, kind }) => (kind === "link" ? [at] : [])));
        for (const entry of entries) {
          const segments = entry.path.split("/");
          expect(segments).not.toContain("..");
          expect(segments).not.toContain("");
          for (let depth = 1; depth < segments.length; depth++)
            expect(links).not.toContain(segments.slice(0, depth).join("/"));
          if (entry.kind === "link") expect(join("/root", entry.path, "..", entry.target)).toMatch(/^\/root(\/|$)/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("fails in no other way than it says, whatever the bytes are", async () => {
    const tar = writeTar([file("a"), file("p", { type: "x", text: paxRecord("path", "b") }), file("c")]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(tar.length - 1), fc.nat(255)), { maxLength: 5 }),
        fc.nat(tar.length),
        async (changes, length) => {
          const bytes = Buffer.from(tar);
          for (const [at, byte] of changes) bytes[at] = byte;
          await readOrRefused(withChecksums(bytes.subarray(0, length)));
        },
      ),
      { numRuns: 500 },
    );
  });
});

async function readOrRefused(bytes: Uint8Array): Promise<readonly ArchiveEntry[]> {
  try {
    return await read(bytes);
  } catch (thrown) {
    if (thrown instanceof ActionError) return [];
    throw thrown;
  }
}

/** Makes every block a header with the right sum, so that damage is not found there, and gives what they are a part of. */
function withChecksums(bytes: Buffer, whole = bytes): Buffer {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    const block = bytes.subarray(at, at + 512);
    if (block.every((byte) => byte === 0)) continue;
    block.write(" ".repeat(8), 148);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  }
  return whole;
}
