import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isFile, openTarReader } from "../../src/envbuilder/tar-reader.ts";

/** A real archive of GNU tar's with files of these contents, in their order. */
async function archive(files: Readonly<Record<string, string>>, ...options: readonly string[]): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "tar-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  execFileSync("tar", [...options, "-cf", `${folder}.tar`, "-C", folder, ...Object.keys(files)]);
  const bytes = await readFile(`${folder}.tar`);
  await rm(folder, { recursive: true });
  await rm(`${folder}.tar`);
  return bytes;
}

/** Looks for a file in an archive that comes in pieces of so many bytes. */
function look(bytes: Uint8Array, path: string, size: number) {
  const taken: Uint8Array[] = [];
  const take = (piece: Uint8Array) => void taken.push(Uint8Array.from(piece));
  const search = openTarReader((member) => (member.path === path && isFile(member.type) ? { take, isLast: true } : {}));
  for (let at = 0; at < bytes.length; at += size) {
    const told = search(bytes.subarray(at, at + size));
    if (told !== "more") return { told, at, content: Buffer.concat(taken).toString() };
  }
  return { told: "more", at: bytes.length, content: Buffer.concat(taken).toString() };
}

const LONG = `${"deep/".repeat(60)}file`;
const BIG = "0123456789".repeat(5000);

describe.each([1, 511, 512, 513, 100_000])("in pieces of %i bytes", (size) => {
  test("a file between others", async () => {
    const bytes = await archive({ "a/x": "no", "b/y": BIG, "c/z": "no" });
    expect(look(bytes, "b/y", size)).toMatchObject({ told: "enough", content: BIG });
  });

  test.each(["gnu", "pax", "ustar"])("a long name in the form %s", async (format) => {
    const name = format === "ustar" ? `${"d".repeat(90)}/${"f".repeat(90)}` : LONG;
    const bytes = await archive({ "a/x": "no", [name]: "yes" }, `--format=${format}`);
    expect(look(bytes, name, size)).toMatchObject({ told: "enough", content: "yes" });
  });

  test("an archive without it, and an empty file", async () => {
    const bytes = await archive({ "a/x": "no", empty: "" });
    expect(look(bytes, "b/y", size).told).toBe("ended");
    expect(look(bytes, "empty", size)).toMatchObject({ told: "enough", content: "" });
  });
});

test("what stands behind the file is not waited for", async () => {
  const bytes = await archive({ "a/x": "yes", "b/y": BIG });
  expect(look(bytes, "a/x", 512)).toMatchObject({ told: "enough", at: 512 });
});

test("a name that is written from the root, or from here", async () => {
  const bytes = await archive({ "a/x": "yes" }, "--transform", "s,^,./,");
  expect(look(bytes, "a/x", 512).told).toBe("enough");
});

test("a folder or a link of that name is not it", async () => {
  const bytes = await archive({ "a/x": "" });
  const other = Buffer.from(bytes);
  other.write("2", 156);
  other.write(checksum(other), 148);
  expect(look(other, "a/x", 512).told).toBe("ended");
});

/** What stands in a header for its sum, the six digits of it. */
function checksum(header: Buffer): string {
  const sum = header.subarray(0, 512).reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  return sum.toString(8).padStart(6, "0");
}

test("a header with another sum is damage", async () => {
  const bytes = Buffer.from(await archive({ "a/x": "yes" }));
  bytes.write("z", 0);
  expect(look(bytes, "a/x", 512).told).toEqual({ wrong: expect.stringContaining("checksum") });
});

test("an extended header without end is not collected", async () => {
  const bytes = Buffer.from(await archive({ [LONG]: "x" }, "--format=gnu"));
  bytes.write("77777777777", 124);
  bytes.write(checksum(bytes), 148);
  expect(look(bytes, "a/x", 512).told).toEqual({ wrong: expect.stringContaining("extended header") });
});

test("the sum of what is handed over is that of the file", async () => {
  const md5 = (text: string) => createHash("md5").update(text).digest("hex");
  const { content } = look(await archive({ f: BIG }), "f", 700);
  expect(md5(content)).toBe(md5(BIG));
});
