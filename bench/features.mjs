// What finding ten features over a slow line costs, beside the reference CLI: node bench/features.mjs [round trip in ms]
//
// Both ask the same registry, a server in another thread behind the relay of line.mjs. Ours is the whole action as a step (start-up, two platforms, the look for
// the image included); the CLI only resolves the order (`features resolve-dependencies`). Nothing is built: the image is not there.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { listen, relay } from "./line.mjs";

const BUDGET = { waves: 3, ratio: 5 };
const RUNS = 5;
const COUNT = 10;
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";

const sha = (text) => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const blob = (text, mediaType) => ({ mediaType, digest: sha(text), size: text.length });

/** Every second feature depends on one that nobody asked for, and every one comes after the first. */
function featureManifest(name, port) {
  const number = Number(/\d+$/.exec(name)?.[0] ?? 0);
  const metadata = {
    id: name,
    version: "1.0.0",
    name,
    ...(number % 2 === 0 && number > 0 ? { dependsOn: { [`localhost:${port}/bench/common:1`]: {} } } : {}),
    ...(number > 1 ? { installsAfter: [`localhost:${port}/bench/f1`] } : {}),
  };
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: blob("{}", "application/vnd.devcontainers"),
    layers: [blob(name, "application/vnd.devcontainers.layer.v1+tar")],
    annotations: { "dev.containers.metadata": JSON.stringify(metadata) },
  });
}

const BASE = JSON.stringify({
  schemaVersion: 2,
  mediaType: INDEX,
  manifests: ["amd64", "arm64"].map((architecture) => ({
    ...blob(architecture, MANIFEST),
    platform: { os: "linux", architecture },
  })),
});

function serve(request, response) {
  const [, name] = /^\/v2\/bench\/([^/]+)\/manifests\//.exec(request.url) ?? [];
  const port = /:(\d+)$/.exec(request.headers.host)?.[1];
  const body = name === "base" ? BASE : name && name !== "cache" ? featureManifest(name, port) : undefined;
  const text = body ?? JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }] });
  const type = body === BASE ? INDEX : body ? MANIFEST : "application/json";
  response.writeHead(body ? 200 : 404, { "content-type": type, "content-length": text.length });
  response.end(request.method === "HEAD" ? undefined : text);
}

if (!isMainThread) {
  const server = createServer(serve);
  server.keepAliveTimeout = 60_000;
  parentPort.postMessage(await listen(relay(await listen(server), workerData.half)));
} else await main();

async function main() {
  const roundTrip = Number(process.argv[2] ?? 50);
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { half: roundTrip / 2 } });
  const port = await new Promise((done) => worker.once("message", done));
  const folder = mkdtempSync(join(tmpdir(), "bench-features-"));
  try {
    const host = `localhost:${port}`;
    const names = Array.from({ length: COUNT }, (_, at) => [`${host}/bench/f${at + 1}:1`, {}]);
    mkdirSync(join(folder, ".devcontainer"));
    writeFileSync(
      join(folder, ".devcontainer/devcontainer.json"),
      JSON.stringify({ image: `${host}/bench/base:1`, features: Object.fromEntries(names) }),
    );
    const ours = [];
    const theirs = [];
    let timings = {};
    for (let run = 0; run < RUNS; run++) {
      const [own, outputs] = await timed(() => probe(folder, host));
      timings = JSON.parse(/timings<<\S+\n(.*)\n/.exec(outputs)[1]);
      ours.push(own);
      const [cli] = await timed(() =>
        start("node_modules/@devcontainers/cli/devcontainer.js", folder, {}, [
          "features",
          "resolve-dependencies",
          "--workspace-folder",
          folder,
        ]),
      );
      theirs.push(cli);
    }
    const [own, cli] = [median(ours), median(theirs)];
    console.log(
      `${COUNT} features, 2 platforms, ${roundTrip} ms: ${timings.requests} requests, ${timings.waves} waves with the look for the image (features: budget ${BUDGET.waves})`,
    );
    console.log(
      `this action ${own.toFixed(0)} ms, reference CLI ${cli.toFixed(0)} ms, ratio ${(cli / own).toFixed(1)} (budget ≥ ${BUDGET.ratio})`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await worker.terminate();
  }
}

async function probe(folder, host) {
  const output = join(folder, "output");
  writeFileSync(output, "");
  const env = {
    "INPUT_CACHE-REPO": `${host}/bench/cache`,
    INPUT_PLATFORMS: "linux/amd64,linux/arm64",
    "INPUT_ON-MISS": "continue",
    GITHUB_WORKSPACE: folder,
    GITHUB_OUTPUT: output,
  };
  await start("dist/index.js", folder, env, []);
  return readFileSync(output, "utf8");
}

function start(program, cwd, env, args) {
  return new Promise((done, fail) => {
    const options = { cwd, env: { PATH: process.env.PATH, HOME: cwd, ...env } };
    execFile(process.execPath, [resolve(program), ...args], options, (error, stdout, stderr) => {
      if (error) fail(new Error(`${program}: ${stdout}${stderr}`));
      else done(stdout);
    });
  });
}

async function timed(work) {
  const begun = performance.now();
  const result = await work();
  return [performance.now() - begun, result];
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
