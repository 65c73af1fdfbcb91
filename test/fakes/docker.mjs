#!/usr/bin/env node
// The part of the stand-in for docker that takes Node: "builds" by pushing an image whose one layer holds what it was told, so that what would have been built
// can be looked at; "pulls" by asking the registry; hangs.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const args = process.argv.slice(2);
appendFileSync(process.env.FAKE_DOCKER_RECORD, `${JSON.stringify(args)}\n`);

const option = (name) => args[args.indexOf(name) + 1];
const sha = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

// Hangs as a program with one of its own would, deaf to SIGTERM where a story wants that.
if (process.env.FAKE_DOCKER_HANGS?.split(";").some((text) => args.join(" ").includes(text))) {
  if (process.env.FAKE_DOCKER_DEAF) process.on("SIGTERM", () => {});
  const child = spawn("/bin/sleep", ["120"]);
  appendFileSync(`${process.env.FAKE_DOCKER_RECORD}.hanging`, `${process.pid}\n${child.pid}\n`);
  process.stderr.write("#1 [internal] hanging\n");
  await new Promise(() => setInterval(() => {}, 1000));
}

if (args[1] === "build") await build();
else if (args[0] === "pull") await pull(args.at(-1));
else {
  // Where another call is to hang: what this one says, the stand-in itself knows.
  const { FAKE_DOCKER_HANGS: _, ...env } = process.env;
  const again = { ...env, FAKE_DOCKER_RECORD: "/dev/null" };
  process.exit(spawnSync(process.argv[1].replace(/\.mjs$/, ""), args, { env: again, stdio: "inherit" }).status ?? 1);
}

// Only what the registry serves to the login of the configuration can be pulled.
async function pull(image) {
  const { DOCKER_CONFIG: folder = join(process.env.HOME, ".docker") } = process.env;
  const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
  const [, host, repository, digest] = /^([^/]+)\/(.+)@(sha256:.+)$/.exec(image);
  const accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";
  const headers = { authorization: authorization(config, host), accept };
  const answer = await fetch(`http://${host}/v2/${repository}/manifests/${digest}`, { headers });
  if (answer.ok) return;
  process.stderr.write(`Error response from daemon: ${image}: ${answer.status}\n`);
  process.exit(1);
}

function splitAt(text) {
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
}

async function build() {
  const [os, architecture] = option("--platform").split("/");
  const told = {
    args,
    dockerfile: readFileSync(option("--file"), "utf8"),
    context: readdirSync(args.at(-1), { recursive: true }).sort(),
    // What buildx would act on.
    environment: { SOURCE_DATE_EPOCH: process.env.SOURCE_DATE_EPOCH, BUILDX_GIT_LABELS: process.env.BUILDX_GIT_LABELS },
    policy: JSON.parse(readFileSync(process.env.EXPERIMENTAL_BUILDKIT_SOURCE_POLICY, "utf8")),
    dockerConfig: JSON.parse(readFileSync(join(process.env.DOCKER_CONFIG, "config.json"), "utf8")),
  };
  appendFileSync(`${process.env.FAKE_DOCKER_RECORD}.builds`, `${JSON.stringify(told)}\n`);
  process.stderr.write("#1 [internal] load build definition from Dockerfile\n");
  const { FAKE_DOCKER_CACHE: unwritten, FAKE_DOCKER_UNREAD: unread } = process.env;
  if (unwritten) tellStep("exporting cache to registry", unwritten);
  if (unread) tellStep(`importing cache manifest from ${option("--cache-from").replace(/.*ref=/, "")}`, unread);
  if (process.env.FAKE_DOCKER_SBOM === "too large" && args.includes("--attest")) {
    process.stderr.write("ERROR: failed to solve: sbom.spdx.json exceeds 41943040 bytes\n");
    process.exit(1);
  }
  if (args.includes("--load")) return;
  const [, name] = /name=([^,]+)/.exec(option("--output"));
  // Without a tag only by digest, as BuildKit: a tag of its own accord would be `latest`.
  const [, host, repository, tag] = /^([^/]+)\/([^:]+)(?::(.+))?$/.exec(name);
  if ((tag === undefined) !== option("--output").includes("push-by-digest=true")) throw new Error(`pushed as ${name}`);
  const base = `http://${host}/v2/${repository}`;
  const headers = { authorization: authorization(told.dockerConfig, host) };
  const put = async (bytes, path, type) => {
    const answer = await fetch(path, { method: "PUT", body: bytes, headers: { ...headers, "content-type": type } });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  };
  const blob = async (bytes, mediaType) => {
    const opened = await fetch(`${base}/blobs/uploads/`, { method: "POST", headers });
    const location = new URL(opened.headers.get("location"), base);
    location.searchParams.set("digest", sha(bytes));
    await put(bytes, location, "application/octet-stream");
    return { mediaType, digest: sha(bytes), size: bytes.length };
  };
  const manifest = async (value, reference, mediaType) => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...value }));
    await put(bytes, `${base}/manifests/${reference ?? sha(bytes)}`, mediaType);
    return { mediaType, digest: sha(bytes), size: bytes.length };
  };
  const layer = await blob(
    Buffer.from(JSON.stringify({ ...told, architecture })),
    "application/vnd.oci.image.layer.v1.tar",
  );
  const written = {
    ...{ os, architecture, created: "2026-01-01T00:00:00Z", history: [{ created_by: "COPY" }] },
    config: configOf(process.env.FAKE_DOCKER_IMAGE),
    rootfs: { type: "layers", diff_ids: [layer.digest] },
  };
  const config = await blob(Buffer.from(JSON.stringify(written)), "application/vnd.oci.image.config.v1+json");
  const image = await manifest({ config, layers: [layer] }, undefined, "application/vnd.oci.image.manifest.v1+json");
  const attested = await attest(image, told.policy, blob, manifest);
  const index = await manifest(
    { manifests: [{ ...image, platform: { os, architecture } }, attested] },
    tag,
    "application/vnd.oci.image.index.v1+json",
  );
  // In BuildKit's words, before it looks whether its layer cache is there.
  if (process.env.FAKE_DOCKER_EXPORTS) {
    const times = { started: "2026-01-01T00:00:00Z", completed: "2026-01-01T00:00:01Z" };
    const statuses = [{ id: `pushing manifest for ${name}@${index.digest}`, vertex: sha(name), ...times }];
    process.stderr.write(`${JSON.stringify({ statuses })}\n`);
    await fetch(`${base}/manifests/exported`, { method: "HEAD", headers });
  }
  writeFileSync(option("--metadata-file"), JSON.stringify({ "containerimage.digest": index.digest }));
}

// With what a story says that the build leaves: `{"User":"dev"}`.
function configOf(said) {
  const labels = args.flatMap((arg, at) => (args[at - 1] === "--label" ? [splitAt(arg)] : []));
  const config = { User: "", Env: ["PATH=/bin"], Labels: Object.fromEntries(labels) };
  return said === undefined ? config : { ...config, ...JSON.parse(said) };
}

function tellStep(name, error) {
  const times = { started: "2026-01-01T00:00:00Z", completed: "2026-01-01T00:00:01Z" };
  process.stderr.write(`${JSON.stringify({ vertexes: [{ digest: sha(name), name, ...times, error }] })}\n`);
}

// Attestations as BuildKit attaches them: an SBOM where one was asked for, and provenance, in which the images that were used are those of
// the policy, or another one where a story wants that.
async function attest(image, policy, blob, manifest) {
  const bound = policy.rules.map(({ updates }) => updates.identifier.split("@sha256:")[1]);
  const used = process.env.FAKE_DOCKER_USES ? [process.env.FAKE_DOCKER_USES] : bound;
  const materials = used.map((sha256) => ({ uri: "pkg:docker/base@1", digest: { sha256 } }));
  const finished = Date.now() + Number(process.env.FAKE_DOCKER_LATER ?? 0);
  const [buildStartedOn, buildFinishedOn] = [finished - 1500, finished].map((time) => new Date(time).toISOString());
  const metadata = { buildStartedOn, buildFinishedOn };
  const statement = async (type, predicate) => {
    const subject = [{ name: "x", digest: { sha256: image.digest.slice("sha256:".length) } }];
    const said = { _type: "https://in-toto.io/Statement/v1", subject, predicateType: type, predicate };
    const layer = await blob(Buffer.from(JSON.stringify(said)), "application/vnd.in-toto+json");
    return { ...layer, annotations: { "in-toto.io/predicate-type": type } };
  };
  const packages = args.includes("--attest") ? (process.env.FAKE_DOCKER_SBOM ?? "libc6=2.36") : "nothing";
  const layers = [
    ...(packages === "nothing" ? [] : [await statement("https://spdx.dev/Document", spdxDocument(packages))]),
    await statement("https://slsa.dev/provenance/v0.2", { materials, metadata }),
  ];
  const config = await blob(Buffer.from("{}"), "application/vnd.oci.image.config.v1+json");
  const attestation = await manifest({ config, layers }, undefined, "application/vnd.oci.image.manifest.v1+json");
  return {
    ...attestation,
    annotations: { "vnd.docker.reference.digest": image.digest, "vnd.docker.reference.type": "attestation-manifest" },
    platform: { os: "unknown", architecture: "unknown" },
  };
}

// Of Debian packages, `libc6=2.36,bash=5.2`.
function spdxDocument(packages) {
  const listed = packages.split(",").map((one) => {
    const [name, version] = one.split("=");
    const externalRefs = [{ referenceType: "purl", referenceLocator: `pkg:deb/debian/${name}@${version}` }];
    return { SPDXID: `SPDXRef-${name}`, name, versionInfo: version, externalRefs };
  });
  return { spdxVersion: "SPDX-2.3", SPDXID: "SPDXRef-DOCUMENT", name: "sbom", packages: listed };
}

function authorization(config, host) {
  const auth = config.auths?.[host]?.auth;
  return auth ? `Basic ${auth}` : "";
}
