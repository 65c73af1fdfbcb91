// What checkouts cost that strangers made to keep a runner busy, beside harmless ones of the same size: node bench/hostile.mjs [part of a name]
//
// Each row is the whole action as a step, from its start to its last line, against a registry on loopback that has every base and no image.
// Time is the processor's, memory the most that the process ever had. The checkouts are those of test/hostile; build first.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";
import { listen } from "./line.mjs";

/** Seconds of the processor, and megabytes. */
const BUDGET = { seconds: 20, megabytes: 1100 };
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const LAYER = "application/vnd.devcontainers.layer.v1+tar";
const MANY = 200;
const LARGE = 16;

/** Has a process tell at its end what it took: what Linux knows of its memory is its own, other than what is told of children. */
const TELL = `data:text/javascript,import{readFileSync}from"node:fs";process.on("exit",()=>{
const{userCPUTime:u,systemCPUTime:s}=process.resourceUsage();
const[,k]=/VmHWM:\\s*(\\d+)/.exec(readFileSync("/proc/self/status","utf8"));
process.stderr.write("\\nCOST "+(u+s)/1e6+" "+k/1024+"\\n")})`.replaceAll("\n", "");

const sha = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const blob = (bytes, mediaType) => ({ mediaType, digest: sha(bytes), size: bytes.length });
const BASE = JSON.stringify({
  schemaVersion: 2,
  mediaType: INDEX,
  manifests: [{ ...blob("base", MANIFEST), platform: { os: "linux", architecture: "amd64" } }],
});

function tarOf(files) {
  const members = Object.entries(files).map(([name, content]) => {
    const header = Buffer.alloc(512);
    header.write(name);
    header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("0", 156);
    header.write("        ", 148);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return Buffer.concat([header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)]);
  });
  return Buffer.concat([...members, Buffer.alloc(1024)]);
}

/** Archives by their digest; those of all large features are the same. */
const archive = (size) =>
  gzipSync(tarOf({ "devcontainer-feature.json": '{"id": "f", "version": "1"}', large: Buffer.alloc(size) }));
let archives;

/** `web3` depends on all others of its kind, with options of its own; `row3` on the one before it; what is large or small shows nothing. */
function featureManifest(name, host) {
  const [, kind, digits] = /^([a-z]+)(\d+)$/.exec(name) ?? [];
  const number = Number(digits);
  const dependsOn =
    kind === "web"
      ? Object.fromEntries(Array.from({ length: MANY }, (_, at) => [`${host}/bench/web${at}:1`, { from: name }]))
      : kind === "row" && number > 0
        ? { [`${host}/bench/row${number - 1}:1`]: {} }
        : {};
  const isHidden = kind === "large" || kind === "small";
  archives ??= { large: archive(126 * 1024 * 1024), small: archive(1000) };
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: blob("{}", "application/vnd.devcontainers"),
    layers: [blob(isHidden ? archives[kind] : name, LAYER)],
    annotations: isHidden ? {} : { "dev.containers.metadata": JSON.stringify({ id: name, version: "1", dependsOn }) },
  });
}

function answerTo(url, host) {
  if (/^\/v2\/hub\/.*\/manifests\//.test(url)) return { type: INDEX, body: BASE };
  const [, feature] = /^\/v2\/bench\/([a-z]+\d+)\/manifests\//.exec(url) ?? [];
  if (feature) return { type: MANIFEST, body: featureManifest(feature, host) };
  const [, digest] = /\/blobs\/(sha256:.*)$/.exec(url) ?? [];
  const bytes = Object.values(archives ?? {}).find((one) => sha(one) === digest);
  return bytes && { type: "application/octet-stream", body: bytes };
}

function serve(request, response) {
  const { type = "application/json", body } = answerTo(request.url, request.headers.host) ?? {};
  const content = body ?? JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }] });
  response.writeHead(body ? 200 : 404, { "content-type": type, "content-length": content.length });
  response.end(request.method === "HEAD" ? undefined : content);
}

if (!isMainThread) {
  const server = createServer(serve);
  server.keepAliveTimeout = 60_000;
  parentPort.postMessage(await listen(server));
} else await main();

async function main() {
  const worker = new Worker(fileURLToPath(import.meta.url));
  const port = await new Promise((done) => worker.once("message", done));
  const rows = [...featureRows(`localhost:${port}`), ...(await checkoutRows())];
  let isOver = false;
  try {
    for (const { name, hostile, harmless } of rows.filter(({ name }) => name.includes(process.argv[2] ?? ""))) {
      const [bad, good] = [await cost(hostile, port), await cost(harmless, port)];
      isOver ||= bad.seconds > BUDGET.seconds || bad.megabytes > BUDGET.megabytes;
      const seconds = `${bad.seconds.toFixed(2)} s (${(bad.seconds / good.seconds).toFixed(1)} times)`;
      const megabytes = `${bad.megabytes.toFixed(0)} MB (${(bad.megabytes / good.megabytes).toFixed(1)} times)`;
      console.log(`${name}: ${seconds}, ${megabytes}, ${bad.code ?? "read"}`);
    }
  } finally {
    await worker.terminate();
  }
  console.log(`budget ${BUDGET.seconds} s, ${BUDGET.megabytes} MB: ${isOver ? "exceeded" : "kept"}`);
  process.exitCode = isOver ? 1 : 0;
}

/** The table is in TypeScript, which the oldest Node that we run on cannot read by itself. */
async function checkoutRows() {
  const folder = mkdtempSync(join(tmpdir(), "bench-rows-"));
  const outfile = join(folder, "rows.mjs");
  buildSync({ entryPoints: ["test/hostile/checkouts.ts"], bundle: true, platform: "node", format: "esm", outfile });
  const { ROWS } = await import(pathToFileURL(outfile));
  rmSync(folder, { recursive: true });
  return ROWS;
}

function featureRows(host) {
  const asking = (...names) => ({
    ".devcontainer/devcontainer.json": JSON.stringify({
      image: "a",
      features: Object.fromEntries(names.map((name) => [`${host}/bench/${name}:1`, {}])),
    }),
  });
  const numbered = (kind, count) => Array.from({ length: count }, (_, at) => `${kind}${at}`);
  return [
    {
      name: `${MANY} published features that all depend on one another, with options`,
      hostile: asking("web0"),
      harmless: asking(`row${MANY - 1}`),
    },
    {
      name: `${LARGE} features that unpack to 126 MB each`,
      hostile: asking(...numbered("large", LARGE)),
      harmless: asking(...numbered("small", LARGE)),
    },
  ];
}

/** The whole action on one checkout. */
async function cost(files, port) {
  const folder = mkdtempSync(join(tmpdir(), "bench-hostile-"));
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    const output = join(folder, "output");
    writeFileSync(output, "");
    return await start(folder, {
      "INPUT_CACHE-REPO": `localhost:${port}/bench/cache`,
      "INPUT_REGISTRY-MIRRORS": `docker.io=localhost:${port}/hub`,
      INPUT_PLATFORMS: "linux/amd64",
      "INPUT_ON-MISS": "continue",
      "INPUT_ON-UNKNOWN": "continue",
      GITHUB_WORKSPACE: folder,
      GITHUB_OUTPUT: output,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(cwd, env) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, ["--import", TELL, resolve("dist/index.js")], {
      cwd,
      env: { PATH: process.env.PATH, HOME: cwd, ...env },
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
    child.on("error", fail);
    child.on("close", () => {
      const [, seconds, megabytes] = /\nCOST (\S+) (\S+)\n/.exec(text) ?? [];
      if (seconds === undefined) fail(new Error(`it did not come to its end: ${text.slice(-2000)}`));
      else done({ seconds: Number(seconds), megabytes: Number(megabytes), code: /\bE_[A-Z]+\b/.exec(text)?.[0] });
    });
  });
}
