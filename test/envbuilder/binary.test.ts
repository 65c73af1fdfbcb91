import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as zlib from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hashBinary } from "../../src/envbuilder/binary.ts";
import { openGunzip, openUnzstd } from "../../src/host/unpack.ts";
import { type Digest, isDigest } from "../../src/oci/digest.ts";
import type { ImageManifest } from "../../src/oci/manifest.ts";
import type { Memory } from "../../src/world.ts";
import { type FakeRegistry, openFakeRegistry } from "../fakes/registry.ts";
import { openClient, refusal } from "../registry/client.ts";

const GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";
const DIGEST = `sha256:${"b".repeat(64)}` as const;

let fake: FakeRegistry;
beforeEach(async () => {
  fake = await openFakeRegistry();
});
afterEach(() => fake.close());

async function tarOf(files: Readonly<Record<string, Uint8Array>>): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "layer-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  const bytes = execFileSync("tar", ["-c", "-C", folder, ...Object.keys(files)], { maxBuffer: 2 ** 28 });
  await rm(folder, { recursive: true });
  return bytes;
}

function seed(bytes: Uint8Array): Digest {
  const digest = fake.seedBlob("coder/builder", bytes);
  if (!isDigest(digest)) throw new Error(digest);
  return digest;
}

function imageOf(...layers: readonly { readonly bytes: Uint8Array; readonly mediaType?: string }[]): ImageManifest {
  const descriptors = layers.map(({ bytes, mediaType = GZIP }) => ({
    mediaType,
    digest: seed(bytes),
    size: bytes.length,
  }));
  return {
    kind: "manifest",
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "x", digest: DIGEST, size: 2 },
    layers: descriptors,
    annotations: {},
  };
}

const forgetful: Memory = { recall: async () => undefined, remember: async () => undefined };
const hash = (manifest: ImageManifest, memory: Memory = forgetful) =>
  hashBinary(
    { repository: { registry: fake.host, repository: "coder/builder" }, digest: DIGEST, manifest },
    { registry: openClient(), openGunzip, openUnzstd, memory },
  );

const isBlob = (line: string) => line.includes("/blobs/");
const PATH = ".envbuilder/bin/envbuilder";
/** As kaniko would read it off a disk. */
const md5 = (content: Uint8Array | string) => createHash("md5").update("-rwxr-xr-x0,0").update(content).digest("hex");

test("the last layer with the program counts, packed or not", async () => {
  const [old, current] = [Buffer.from("old"), Buffer.from("current")];
  const [first, second, third] = await Promise.all([
    tarOf({ [PATH]: old }),
    tarOf({ "etc/x": old, [PATH]: current }),
    tarOf({ "etc/y": old }),
  ]);
  const manifest = imageOf(
    { bytes: zlib.gzipSync(first) },
    { bytes: second, mediaType: "application/vnd.oci.image.layer.v1.tar" },
    { bytes: zlib.gzipSync(third) },
  );
  expect(await hash(manifest)).toEqual({ kind: "hash", md5: md5("current") });
  expect(fake.requests.filter((line) => line.includes(manifest.layers[0]?.digest ?? ""))).toEqual([]);
});

/** From Node 22.15 on. */
const packZstd: unknown = Reflect.get(zlib, "zstdCompressSync");

test("a builder packed with zstd is read where the runtime can", async () => {
  const bytes = await tarOf({ [PATH]: Buffer.from("p") });
  const mediaType = "application/vnd.oci.image.layer.v1.tar+zstd";
  const found = await hash(imageOf({ bytes: typeof packZstd === "function" ? packZstd(bytes) : bytes, mediaType }));
  if (openUnzstd) expect(found).toEqual({ kind: "hash", md5: md5("p") });
  else expect(found).toMatchObject({ kind: "unreadable", why: expect.stringContaining("from 22.15 on") });
});

test("the download ends where the program does", async () => {
  const program = randomBytes(300_000);
  const bytes = zlib.gzipSync(await tarOf({ [PATH]: program, "usr/big": randomBytes(30_000_000) }));
  const registry = openClient();
  const manifest = imageOf({ bytes });
  const found = await hashBinary(
    { repository: { registry: fake.host, repository: "coder/builder" }, digest: DIGEST, manifest },
    { registry, openGunzip, openUnzstd, memory: forgetful },
  );
  expect(found).toEqual({ kind: "hash", md5: md5(program) });
  expect(registry.traffic().bytes).toBeLessThan(3_000_000);
});

test("what is known of an image is not asked again", async () => {
  const kept = new Map<string, string>();
  const memory: Memory = {
    recall: async (name) => kept.get(name),
    remember: async (name, text) => void kept.set(name, text),
  };
  const manifest = imageOf({ bytes: zlib.gzipSync(await tarOf({ [PATH]: Buffer.from("p") })) });
  await hash(manifest, memory);
  const asked = fake.requests.length;
  expect(await hash(manifest, memory)).toEqual({ kind: "hash", md5: md5("p") });
  expect(fake.requests).toHaveLength(asked);
});

test("what was kept and is no hash does not count", async () => {
  const manifest = imageOf({ bytes: zlib.gzipSync(await tarOf({ [PATH]: Buffer.from("p") })) });
  const memory: Memory = { recall: async () => "../../etc", remember: async () => undefined };
  expect(await hash(manifest, memory)).toEqual({ kind: "hash", md5: md5("p") });
});

test("an image without it", async () => {
  const manifest = imageOf({ bytes: zlib.gzipSync(await tarOf({ "bin/envbuilder": Buffer.from("p") })) });
  expect(await hash(manifest)).toEqual({ kind: "absent" });
});

test.each([
  { name: "no gzip", bytes: Buffer.from("no gzip at all"), why: /damaged: incorrect header check/ },
  { name: "no archive", bytes: zlib.gzipSync(Buffer.alloc(1024, "x")), why: /damaged: it holds a header with a wrong/ },
  {
    name: "of a type that nobody knows",
    bytes: Buffer.from("x"),
    mediaType: "application/vnd.oci.image.layer.v1.tar+br",
    why: /type .*br, which is not read here/,
  },
])("a layer that is $name cannot be read", async ({ why, ...layer }) => {
  expect(await hash(imageOf(layer))).toEqual({ kind: "unreadable", why: expect.stringMatching(why) });
});

test.each([
  { status: 401, code: "UNAUTHORIZED", kind: "denied" },
  { status: 404, code: "BLOB_UNKNOWN", kind: "absent" },
  { status: 500, code: "UNKNOWN", kind: "unavailable" },
])("a layer that the registry answers $status for", async ({ status, code, kind }) => {
  const manifest = imageOf({ bytes: zlib.gzipSync(await tarOf({ [PATH]: Buffer.from("p") })) });
  fake.override(isBlob, refusal(status, code));
  expect(await hash(manifest)).toEqual({ kind: "registry", error: expect.objectContaining({ kind }) });
});

test("a layer that breaks off half-way is asked for anew, and its hash begins anew", async () => {
  const program = randomBytes(400_000);
  const bytes = zlib.gzipSync(await tarOf({ [PATH]: program }));
  const manifest = imageOf({ bytes });
  let times = 0;
  fake.override(isBlob, (_, right) => (times++ === 0 ? { ...right(), cut: 200_000 } : right()));
  expect(await hash(manifest)).toEqual({ kind: "hash", md5: md5(program) });
  expect(times).toBe(2);
});

test("another content than the one that was asked for is not believed where it is read to its end", async () => {
  const manifest = imageOf({ bytes: zlib.gzipSync(await tarOf({ "bin/a": Buffer.from("p") })) });
  const other = zlib.gzipSync(await tarOf({ "bin/b": randomBytes(20) }));
  const layers = manifest.layers.map((layer) => ({ ...layer, size: other.length }));
  fake.override(isBlob, { status: 200, body: other });
  expect(await hash({ ...manifest, layers })).toMatchObject({ kind: "registry", error: { kind: "malformed" } });
});
