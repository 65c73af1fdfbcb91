import { createHash, randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, expect, test } from "vitest";
import type { Descriptor } from "../../src/oci/manifest.ts";
import type { Repository } from "../../src/oci/reference.ts";
import type { Answer, Registry } from "../../src/world.ts";
import { folder, LOGIN, makeCertificate, makePasswordFile, openClient, run, startRegistry } from "./registries.ts";
import { runScript } from "./script.ts";

// skopeo, which shares no code with us nor with docker-registry, reads what we push and pushes what we read: over TLS, with a password.

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const sha = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}` as const;

let host: string;
let skopeo: (...args: readonly string[]) => string;
let registry: Registry;
let name: Repository;

beforeAll(async () => {
  const [program = ""] = await runScript("scripts/programs.sh", "skopeo");
  const { pem, certificate, key } = makeCertificate("IP:127.0.0.1");
  host = await startRegistry(
    "skopeo",
    `, tls: { certificate: ${certificate}, key: ${key} } }\nauth: { htpasswd: { realm: test, path: ${makePasswordFile()} } }`,
  );
  writeFileSync(join(folder, "auth.json"), JSON.stringify({ auths: { [host]: { auth: btoa("me:pass") } } }));
  skopeo = (...args) => run(program, "--insecure-policy", ...args);
  registry = openClient({ login: LOGIN, certificate: pem });
  name = { registry: host, repository: `team/${randomUUID().slice(0, 8)}` };
});

const AUTH = ["--authfile", "auth.json"];
const found = <T>(answer: Answer<T>): T => {
  if (answer.kind === "found") return answer.value;
  throw new Error(`${answer.kind}: ${answer.words} (${answer.request})`);
};

/** A tar of one file, as an engine would unpack it: written by hand, for there is nothing to write one with but what is under test. */
function tarOf(path: string, content: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(path, 0);
  header.write("0000644\x000000000\x000000000\0", 100);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0${"0".repeat(11)}\0`, 124);
  header.write("        0", 148);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  body.write(content);
  return Buffer.concat([header, body, Buffer.alloc(1024)]);
}

async function pushImage(architecture: string): Promise<Descriptor & { readonly platform: object }> {
  const tar = tarOf("hello", `hello from ${architecture}\n`);
  const layer = found(await registry.putBlob(name, gzipSync(tar), LAYER));
  const about = {
    os: "linux",
    architecture,
    config: {},
    rootfs: { type: "layers", diff_ids: [sha(tar)] },
    history: [],
  };
  const config = found(await registry.putBlob(name, Buffer.from(JSON.stringify(about)), CONFIG));
  const image = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] }));
  const pushed = found(await registry.putManifest(name, image, MANIFEST, undefined));
  return { ...pushed, platform: { os: "linux", architecture } };
}

test("skopeo pulls what we push, checks all of it, and pushes it elsewhere; we read that", async () => {
  const manifests = [await pushImage("amd64"), await pushImage("arm64")];
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }));
  found(await registry.putManifest(name, index, INDEX, "one"));
  const ours = `docker://${host}/${name.repository}`;
  const tls = ["--cert-dir", "certs"];
  run("mkdir", "-p", "certs");
  run("cp", "ca.crt", "certs/ca.crt");

  expect(skopeo("inspect", ...AUTH, ...tls, "--raw", `${ours}:one`)).toBe(index.toString());
  expect(JSON.parse(skopeo("list-tags", ...AUTH, ...tls, ours))).toMatchObject({ Tags: ["one"] });
  skopeo("copy", ...AUTH, "--all", "--src-cert-dir", "certs", `${ours}:one`, "dir:pulled");
  expect(readFileSync(join(folder, "pulled/manifest.json"))).toEqual(index);

  const theirs = { registry: host, repository: `${name.repository}-theirs` };
  const there = `docker://${host}/${theirs.repository}`;
  skopeo("copy", ...AUTH, "--all", "--dest-cert-dir", "certs", "dir:pulled", `${there}:two`);
  const served = found(await registry.manifest({ ...theirs, tag: "two" }));
  expect(Buffer.from(served.bytes)).toEqual(index);
  for (const { digest } of manifests) {
    const image = found(await registry.manifest({ ...theirs, digest }));
    if (image.body.kind !== "manifest") throw new Error("no image");
    for (const blob of [image.body.config, ...image.body.layers]) {
      expect(await registry.hasBlob(theirs, blob)).toEqual({ kind: "found", value: true });
      expect(sha(found(await registry.blob(theirs, blob)))).toBe(blob.digest);
    }
  }

  // In docker's own types, as older builders push them.
  skopeo("copy", ...AUTH, "--format", "v2s2", "--dest-cert-dir", "certs", "dir:pulled", `${there}:docker`);
  const docker = found(await registry.manifest({ ...theirs, tag: "docker" }));
  expect(docker.body).toMatchObject({
    kind: "manifest",
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
  });
  expect(found(await registry.describe({ ...theirs, tag: "docker" }))).toEqual(docker.descriptor);
  expect([...found(await registry.tags(theirs))].sort()).toEqual(["docker", "two"]);
});

test("what we mount, skopeo finds complete", async () => {
  const image = await pushImage("amd64");
  const body = found(await registry.manifest({ ...name, digest: image.digest }));
  if (body.body.kind !== "manifest") throw new Error("no image");
  const other = { registry: host, repository: `${name.repository}-mounted` };
  for (const blob of [body.body.config, ...body.body.layers]) found(await registry.mountBlob(other, name, blob));
  found(await registry.putManifest(other, body.bytes, MANIFEST, "one"));
  skopeo("copy", ...AUTH, "--src-cert-dir", "certs", `docker://${host}/${other.repository}:one`, "dir:mounted");
  expect(readFileSync(join(folder, "mounted/manifest.json"))).toEqual(Buffer.from(body.bytes));
});
