// What the dialect envbuilder costs over a slow line: node bench/envbuilder.mjs [round trip in ms]
//
// A registry in another thread, behind the relay of line.mjs, keeps a layer under every key, as after a build. A checkout of 30 instructions and one of
// 120 are looked for; the first run puts the image together, the second finds it and does not know the builder's program any more, the third does.
//
// Beside them, in turns, envbuilder's own probe in its container (ENVBUILDER_GET_CACHED_IMAGE), which has to name the same digest: that needs an engine.
// scripts/services.sh run -- node bench/envbuilder.mjs [round trip in ms]. Its image is on the machine already: nobody's pull is counted.
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { listen, relay } from "./line.mjs";

const BUDGET = 8;
const SIZES = [30, 120];
const ROUNDS = 7;
const WORKSPACE = "/workspaces/app";
const BINARY = 20 * 1024 * 1024;
const OCI = "application/vnd.oci.image.manifest.v1+json";

const sha = (content) => `sha256:${createHash("sha256").update(content).digest("hex")}`;

function openRegistry() {
  const manifests = new Map();
  const blobs = new Map();
  const keep = (content) => {
    const digest = sha(content);
    blobs.set(digest, content);
    return { digest, size: content.length };
  };
  const image = (name, config, layers) => {
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI,
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...keep(Buffer.from(JSON.stringify(config))) },
      layers: layers.map((layer) => ({ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...keep(layer) })),
    });
    for (const one of [name, sha(text)]) manifests.set(one, { content: text, type: OCI });
  };
  const base = gzipSync(tar("bin/sh", Buffer.from("sh")));
  // The layer of an instruction that makes none, as the builder packs and pushes it.
  keep(Buffer.from("28b52ffd4408000303200000cdac85f0", "hex"));
  const rootfs = { type: "layers", diff_ids: [sha("base")] };
  image("base", { architecture: "amd64", os: "linux", rootfs, config: { Env: ["PATH=/bin"] } }, [base]);
  image("builder", { architecture: "amd64", os: "linux" }, [
    gzipSync(tar(".envbuilder/bin/envbuilder", randomBytes(BINARY))),
  ]);
  const get = (path, kind, name) => {
    if (kind === "blobs")
      return blobs.has(name) ? { content: blobs.get(name), type: "application/octet-stream" } : undefined;
    const found = manifests.get(name === "1" ? path.split("/").at(-1) : name);
    return found ?? (/^[0-9a-f]{64}$/.test(name) ? layerUnder(name, keep) : undefined);
  };
  const put = (kind, name, content, type) => {
    if (kind === "blobs") return keep(content).digest;
    for (const one of [name, sha(content)]) manifests.set(one, { content, type });
    return sha(content);
  };
  const answers = {
    POST: ({ path }) => [202, { location: `/v2/${path}/blobs/uploads/one` }],
    DELETE: () => [204, {}],
    PUT: ({ kind, name, body, type }) => [201, { "docker-content-digest": put(kind, name, body, type) }],
    GET: ({ path, kind, name }) => {
      const found = kind === undefined ? { content: "", type: "text/plain" } : get(path, kind, name);
      if (!found) return [404, { "content-type": "application/json" }, UNKNOWN];
      const { content, type } = found;
      const told = { "content-type": type, "content-length": content.length, "docker-content-digest": sha(content) };
      return [200, told, content];
    },
  };
  return createServer(async (request, response) => {
    const { method, url, headers } = request;
    const [, path = "", kind, name = ""] = /^\/v2\/(.*)\/(manifests|blobs)\/([^?]*)/.exec(url) ?? [];
    const asked = { path, kind, name, body: await bodyOf(request), type: headers["content-type"] };
    const [status, told, content] = answers[method === "HEAD" ? "GET" : method](asked);
    response.writeHead(status, told).end(method === "HEAD" ? undefined : content);
  });
}

const UNKNOWN = JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "not known" }] });

/** What kaniko keeps under a key: an image of one layer. */
function layerUnder(key, keep) {
  const created = new Date().toISOString();
  const config = JSON.stringify({ created, rootfs: { type: "layers", diff_ids: [`sha256:${key}`] } });
  const type = "application/vnd.docker.distribution.manifest.v2+json";
  const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar+zstd", ...keep(Buffer.from(key)) };
  const described = { mediaType: "application/vnd.docker.container.image.v1+json", ...keep(Buffer.from(config)) };
  return { type, content: JSON.stringify({ schemaVersion: 2, mediaType: type, config: described, layers: [layer] }) };
}

function tar(name, content) {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000755\x000000000\x000000000\x00", 100);
  header.write(`${content.length.toString(8).padStart(11, "0")}\x0000000000000\x00`, 124);
  header.write("ustar\x0000", 257);
  header.write("0", 156);
  header.write(" ".repeat(8), 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\x00 `, 148);
  return Buffer.concat([header, content, Buffer.alloc(((512 - (content.length % 512)) % 512) + 1024)]);
}

const bodyOf = (request) =>
  new Promise((done) => {
    const pieces = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", () => done(Buffer.concat(pieces)));
  });

/** Half of the instructions make layers, and half of those copy files. */
function dockerfileOf(host, size) {
  const lines = Array.from({ length: size }, (_, at) => {
    if (at % 4 === 0) return `RUN echo ${at}`;
    if (at % 4 === 1) return `ENV A${at}=${at}`;
    return at % 4 === 2 ? `COPY files/${at % 8} /there/` : `LABEL l${at}=${at}`;
  });
  return [`FROM ${host}/bench/base:1`, ...lines, ""].join("\n");
}

if (!isMainThread) {
  const server = openRegistry();
  server.keepAliveTimeout = 60_000;
  parentPort.postMessage(await listen(relay(await listen(server), workerData.half)));
} else await main();

async function main() {
  const roundTrip = Number(process.argv[2] ?? 50);
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { half: roundTrip / 2 } });
  const port = await new Promise((done) => worker.once("message", done));
  const host = `localhost:${port}`;
  try {
    for (const size of SIZES) await measure(host, size);
    if (process.env.TEST_REGISTRY) await measureBeside(host, process.env.TEST_REGISTRY, SIZES[0]);
  } finally {
    await worker.terminate();
  }
}

function makeCheckout(host, size) {
  const folder = mkdtempSync(join(tmpdir(), "bench-envbuilder-"));
  mkdirSync(join(folder, ".devcontainer/files"), { recursive: true });
  for (const name of [0, 2, 4, 6]) writeFileSync(join(folder, `.devcontainer/files/${name}`), `${name}`);
  writeFileSync(join(folder, ".devcontainer/devcontainer.json"), '{ "build": { "dockerfile": "Dockerfile" } }');
  writeFileSync(join(folder, ".devcontainer/Dockerfile"), dockerfileOf(host, size));
  return folder;
}

/** The whole of either, one after the other in each round: what the machine has to do besides falls on both. */
async function measureBeside(host, registry, size) {
  const folder = makeCheckout(host, size);
  const builder = `${registry}/bench/builder:v1.3.0`;
  try {
    execFileSync("bash", ["scripts/envbuilder.sh", builder], { stdio: "inherit" });
    execFileSync("docker", ["pull", "--quiet", builder], { stdio: "ignore" });
    const more = {
      RUNNER_TOOL_CACHE: folder,
      "INPUT_BUILDER-IMAGE": builder,
      "INPUT_WORKSPACE-FOLDER": WORKSPACE,
    };
    await run(folder, host, more);
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) {
      const ours = await run(folder, host, more);
      const begun = performance.now();
      const { stdout, stderr } = spawnSync("docker", ownProbe(folder, host, builder), { encoding: "utf8" });
      const took = performance.now() - begun;
      if (ours.result !== "hit" || !stdout.includes(`ENVBUILDER_CACHED_IMAGE=${host}/bench/cache@${ours.digest}`))
        throw new Error(`${ours.result} ${ours.digest}: ${stdout}${stderr}`);
      rounds.push({ ours: ours.took, own: took, ratio: took / ours.took, load: loadavg()[0] });
    }
    const all = (name) => rounds.map((one) => one[name]).sort((one, other) => one - other);
    const told = (name, digits) => {
      const sorted = all(name).map((value) => value.toFixed(digits));
      return `${sorted[(ROUNDS - 1) / 2]} (${sorted[0]} to ${sorted.at(-1)})`;
    };
    console.log(
      `${size} instructions, ${ROUNDS} rounds: our process ${told("ours", 0)} ms, the container ${told("own", 0)} ms, ratio ${told("ratio", 1)}, the machine's load ${told("load", 1)}`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function ownProbe(folder, host, builder) {
  const variables = {
    ENVBUILDER_CACHE_REPO: `${host}/bench/cache`,
    ENVBUILDER_WORKSPACE_FOLDER: WORKSPACE,
    ENVBUILDER_GET_CACHED_IMAGE: "true",
  };
  const env = Object.entries(variables).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  return ["run", "--rm", "--network", "host", "--volume", `${folder}:${WORKSPACE}`, ...env, builder];
}

async function measure(host, size) {
  const folder = makeCheckout(host, size);
  try {
    const first = await run(folder, host, {});
    const anew = await run(folder, host, {});
    const again = await run(folder, host, { RUNNER_TOOL_CACHE: folder });
    const known = await run(folder, host, { RUNNER_TOOL_CACHE: folder });
    for (const [name, one] of Object.entries({
      "put together": first,
      "found, the program read": anew,
      "and kept": again,
      "found, the program known": known,
    }))
      console.log(
        `${size} instructions, ${name}: ${one.result}, ${one.took.toFixed(0)} ms, ${one.requests} requests, ${one.bytes} bytes, ${one.waves} waves`,
      );
    const waves = Math.max(anew.waves, known.waves);
    console.log(`${size} instructions: ${waves} waves at most (budget ${BUDGET})`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(folder, host, more) {
  const output = join(folder, "..", `${folder.split("/").at(-1)}-output`);
  const event = `${output}.json`;
  writeFileSync(output, "");
  writeFileSync(event, '{ "repository": { "default_branch": "main" } }');
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    INPUT_DIALECT: "envbuilder",
    "INPUT_CACHE-REPO": `${host}/bench/cache`,
    "INPUT_BUILDER-IMAGE": `${host}/bench/builder:1`,
    "INPUT_ON-MISS": "continue",
    GITHUB_ACTIONS: "true",
    GITHUB_WORKSPACE: folder,
    GITHUB_OUTPUT: output,
    GITHUB_EVENT_NAME: "push",
    GITHUB_EVENT_PATH: event,
    GITHUB_REF: "refs/heads/main",
    ...more,
  };
  const begun = performance.now();
  const log = await new Promise((done, fail) => {
    execFile(process.execPath, [resolve("dist/index.js")], { cwd: folder, env }, (error, stdout, stderr) =>
      error ? fail(new Error(stdout + stderr)) : done(stdout),
    );
  });
  const took = performance.now() - begun;
  const outputs = readFileSync(output, "utf8");
  for (const file of [output, event]) rmSync(file);
  const told = (name) => new RegExp(`^${name}<<\\S+\\n(.*)\\n`, "m").exec(outputs)?.[1] ?? "";
  if (process.env.VERBOSE) console.log(log);
  return { took, result: told("result"), digest: told("digest"), ...JSON.parse(told("timings")) };
}
