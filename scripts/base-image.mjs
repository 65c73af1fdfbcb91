// Makes a small base image for linux/amd64 and linux/arm64 (busybox, its applets, /etc/passwd) and pushes it to the test registry. No engine is
// needed, nothing is pulled, and the same words give the same digests.
//
//   node scripts/base-image.mjs                                       base/busybox:1 on $TEST_REGISTRY
//   node scripts/base-image.mjs '{"tag":"1","version":"2"}'           the same tag, moved: another /etc/base-version
//   node scripts/base-image.mjs '{"repository":"base/node","config":{"OnBuild":["COPY . /app"],"Labels":{"devcontainer.metadata":"[]"},"User":"dev"}}'
//
// One JSON object, all of it optional: `registry` (default $TEST_REGISTRY), `busybox` (default $TEST_BUSYBOX), `repository`, `tag`, `version`,
// `platforms`, `config` (goes into the image's config), `files` (path → content), `media` ("oci", or "docker" for a manifest list of Docker's types).
// Prints one line of JSON: `{"image","digest","platforms":{"linux/amd64":"sha256:…"}}`.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const TYPES = {
  oci: {
    index: "application/vnd.oci.image.index.v1+json",
    manifest: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  },
  docker: {
    index: "application/vnd.docker.distribution.manifest.list.v2+json",
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  },
};

const wanted = {
  registry: process.env.TEST_REGISTRY,
  busybox: process.env.TEST_BUSYBOX,
  repository: "base/busybox",
  tag: "1",
  version: "1",
  platforms: ["linux/amd64", "linux/arm64"],
  config: {},
  files: {},
  media: "oci",
  ...JSON.parse(process.argv[2] ?? "{}"),
};
if (!wanted.registry || !wanted.busybox) {
  console.error(
    "base-image: TEST_REGISTRY and TEST_BUSYBOX are not set. Run this through: scripts/services.sh run -- …",
  );
  process.exit(2);
}
const types = TYPES[wanted.media];
const home = `http://${wanted.registry}/v2/${wanted.repository}`;

const sha256 = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** One tar entry (ustar): owner 0, time 0, so that nothing but its content counts. `type`: 0 file, 2 link, 5 folder. */
function entry(path, { type = "0", mode = 0o644, link = "", content = "" }) {
  const body = Buffer.from(content);
  const head = Buffer.alloc(512);
  head.write(path, 0, 100);
  const octal = (value, at, width) => head.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at, width);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(body.length, 124, 12);
  octal(0, 136, 12);
  head.write(" ".repeat(8), 148, 8);
  head.write(type, 156, 1);
  head.write(link, 157, 100);
  head.write("ustar\0" + "00", 257, 8);
  octal(
    head.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return Buffer.concat([head, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

/** The whole file system, one layer. Applets lie where Debian has them (`/usr/bin/env`), as links. */
function fileSystem(architecture) {
  const native = { x64: "amd64", arm64: "arm64" }[process.arch];
  const applets = execFileSync(`${wanted.busybox}/${native}/busybox`, ["--list-full"], { encoding: "utf8" })
    .split("\n")
    .filter((path) => path !== "" && path !== "bin/busybox");
  const folders = ["bin", "dev", "etc", "home", "proc", "root", "sbin", "sys", "tmp", "usr", "usr/bin", "usr/local"];
  folders.push("usr/local/bin", "usr/sbin", "var");
  const files = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "etc/group": "root:x:0:\n",
    "etc/base-version": `${wanted.version}\n`,
    ...wanted.files,
  };
  return Buffer.concat([
    ...folders.map((path) => entry(`${path}/`, { type: "5", mode: path === "tmp" ? 0o1777 : 0o755 })),
    entry("bin/busybox", { mode: 0o755, content: readFileSync(`${wanted.busybox}/${architecture}/busybox`) }),
    ...applets.map((path) => entry(path, { type: "2", mode: 0o777, link: "/bin/busybox" })),
    ...Object.entries(files).map(([path, content]) => entry(path, { content })),
    Buffer.alloc(1024),
  ]);
}

async function request(method, url, body, headers = {}) {
  const answer = await fetch(url, { method, body, headers, signal: AbortSignal.timeout(30_000) });
  if (!answer.ok && !(method === "HEAD" && answer.status === 404))
    throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer;
}

async function pushBlob(bytes, mediaType) {
  const digest = sha256(bytes);
  if (!(await request("HEAD", `${home}/blobs/${digest}`)).ok) {
    const upload = await request("POST", `${home}/blobs/uploads/`);
    const place = new URL(upload.headers.get("location") ?? "", home);
    place.searchParams.set("digest", digest);
    await request("PUT", place, bytes, { "content-type": "application/octet-stream" });
  }
  return { mediaType, digest, size: bytes.length };
}

async function pushManifest(document, name) {
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = sha256(bytes);
  await request("PUT", `${home}/manifests/${name ?? digest}`, bytes, { "content-type": document.mediaType });
  return { mediaType: document.mediaType, digest, size: bytes.length };
}

async function pushPlatform(platform) {
  const [os, architecture] = platform.split("/");
  const tar = fileSystem(architecture);
  const layer = await pushBlob(gzipSync(tar, { level: 1 }), types.layer);
  const config = {
    created: "1980-01-01T00:00:00Z",
    os,
    architecture,
    config: {
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      Cmd: ["/bin/sh"],
      ...wanted.config,
    },
    rootfs: { type: "layers", diff_ids: [sha256(tar)] },
    history: [{ created: "1980-01-01T00:00:00Z", created_by: "scripts/base-image.mjs" }],
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: await pushBlob(Buffer.from(JSON.stringify(config)), types.config),
    layers: [layer],
  };
  return { ...(await pushManifest(manifest)), platform: { os, architecture } };
}

const manifests = await Promise.all(wanted.platforms.map(pushPlatform));
const index = await pushManifest({ schemaVersion: 2, mediaType: types.index, manifests }, wanted.tag);
console.log(
  JSON.stringify({
    image: `${wanted.registry}/${wanted.repository}:${wanted.tag}`,
    digest: index.digest,
    platforms: Object.fromEntries(wanted.platforms.map((platform, at) => [platform, manifests[at].digest])),
  }),
);
