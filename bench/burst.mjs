// What a burst of look-ups costs over a slow line, beside asking one after the other: node bench/burst.mjs [look-ups] [round trip in ms]
//
// It runs the source as it is, which takes Node 22.18 or newer: node_modules/node24-x64/bin/node is one. The line is a relay in another
// thread: see line.mjs.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { listen, relay } from "./line.mjs";

const TYPE = "application/vnd.oci.image.manifest.v1+json";
const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: `sha256:${"0".repeat(64)}`, size: 2 };
const MANIFEST = JSON.stringify({ schemaVersion: 2, mediaType: TYPE, config, layers: [] });
const NOT_FOUND = JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }] });

function serve(request, response) {
  const isThere = !request.url.includes("/manifests/none");
  const body = isThere ? MANIFEST : NOT_FOUND;
  response.writeHead(isThere ? 200 : 404, {
    "content-type": isThere ? TYPE : "application/json",
    "content-length": body.length,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

if (!isMainThread) {
  const { tls, half } = workerData;
  const server = tls ? createTlsServer(tls, serve) : createServer(serve);
  // The agents' own default would end connections between two measurements.
  server.keepAliveTimeout = 60_000;
  parentPort.postMessage(await listen(relay(await listen(server), half)));
} else await main();

async function openLine(tls, half) {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { tls, half } });
  const port = await new Promise((done) => worker.once("message", done));
  return { host: `127.0.0.1:${port}`, close: () => worker.terminate() };
}

function makeCertificate() {
  const folder = mkdtempSync(join(tmpdir(), "burst-"));
  const [key, cert] = ["key", "cert"].map((name) => join(folder, name));
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
  const name = ["-subj", "/CN=burst", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", ["req", "-x509", ...kind, ...name, "-keyout", key, "-out", cert], { stdio: "ignore" });
  const made = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  rmSync(folder, { recursive: true });
  return made;
}

async function main() {
  const [count = 32, roundTrip = 50] = process.argv.slice(2).map(Number);
  const { openRegistry } = await import("../src/registry/client.ts");
  const { openHttp } = await import("../src/registry/http.ts");
  const openClient = (certificates) => {
    const trust = async () => ({ certificates, insecure: false });
    const http = openHttp({ env: {}, userAgent: "bench", trust });
    const no = () => false;
    return openRegistry(http, {
      clock: Date.now,
      mask: no,
      credentials: async () => undefined,
      pushes: no,
      insecure: no,
    });
  };
  const time = async (work) => {
    const started = performance.now();
    await work();
    return performance.now() - started;
  };
  const tags = Array.from({ length: count }, (_, index) => `t${index}`);
  console.log(
    `${count} look-ups, ${roundTrip} ms for a round trip; in round trips, and as a ratio to one look-up on an open connection`,
  );

  for (const tls of [undefined, makeCertificate()]) {
    const line = await openLine(tls, roundTrip / 2);
    const name = { registry: line.host, repository: "team/app" };
    const registry = openClient(tls ? [tls.cert] : []);
    const find = async (tag) => {
      const answer = await registry.manifest({ ...name, tag });
      if (answer.kind !== "found") throw new Error(`${answer.kind}: ${answer.words}`);
    };
    const miss = async (tag) => {
      const answer = await registry.describe({ ...name, tag: `none-${tag}` });
      if (answer.kind !== "absent") throw new Error(`${answer.kind}, and should be absent`);
    };
    const burst = (look) => Promise.all(tags.map(look));
    const first = await time(() => find("first"));
    const one = await time(() => find("one"));
    const rows = [
      ["the first look-up: a connection is opened", first],
      ["one look-up, the connection is open", one],
    ];
    const before = registry.traffic();
    rows.push([`${count} at once, one connection is open`, await time(() => burst(find))]);
    const after = registry.traffic();
    rows.push([`${count} at once, all connections are open`, await time(() => burst(find))]);
    rows.push([`${count} that are not there, at once`, await time(() => burst(miss))]);
    rows.push([
      `${count} one after the other`,
      await time(async () => {
        for (const tag of tags) await find(tag);
      }),
    ]);
    console.log(tls ? "TLS (plain http is tried before it once, as always on loopback)" : "plain http");
    for (const [what, took] of rows)
      console.log(
        `  ${what.padEnd(45)} ${took.toFixed(0).padStart(6)} ms ${(took / roundTrip).toFixed(1).padStart(6)} ${(took / one).toFixed(2).padStart(7)}`,
      );
    console.log(
      `  the burst: ${after.requests - before.requests} requests, ${after.bytes - before.bytes} bytes, ${after.waves - before.waves} wave`,
    );
    await registry.close();
    await line.close();
  }
}
