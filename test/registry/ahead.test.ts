import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createSecure } from "node:https";
import { createServer as createPlain } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type Http, openHttp } from "../../src/registry/http.ts";
import type { Trust } from "../../src/registry/trust.ts";
import { makeCheckout } from "../checkout.ts";

// Connections that are opened before anybody asks.

const servers: Server[] = [];
let http: Http | undefined;
afterEach(async () => {
  await http?.close();
  for (const server of servers.splice(0)) server.close();
});

async function serve(tls?: { readonly key: string; readonly cert: string }) {
  let connections = 0;
  const answer: Parameters<typeof createServer>[1] = (_, response) => void response.end("hello");
  const server = tls ? createSecure(tls, answer) : createServer(answer);
  server.on("connection", () => {
    connections++;
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const url = new URL(tls ? `https://localhost:${port}/v2/` : `http://127.0.0.1:${port}/v2/`);
  return { url, connections: () => connections };
}

function open(trust: Trust = { certificates: [], insecure: false }): Http {
  http = openHttp({ env: {}, userAgent: "test", trust: async () => trust });
  return http;
}

async function until(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end && !holds(); )
    await new Promise((done) => setTimeout(done, 5));
  expect(holds()).toBe(true);
}

const look = { method: "GET", headers: {}, limit: 100 } as const;

test("what was opened is used, and what is asked besides opens its own", async () => {
  const { url, connections } = await serve();
  const { connect, send } = open();
  connect(url, 3);
  await until(() => connections() === 3);
  const answers = await Promise.all(Array.from({ length: 4 }, () => send({ ...look, url })));
  expect(answers.map((answer) => answer.kind)).toEqual(Array.from({ length: 4 }, () => "response"));
  expect(connections()).toBe(4);
});

test("with TLS too, and with the certificate that is trusted", async () => {
  const folder = makeCheckout({});
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const to = ["-keyout", `${folder}/key.pem`, "-out", `${folder}/cert.pem`];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", ...subject, ...to],
    { stdio: "ignore" },
  );
  const cert = readFileSync(`${folder}/cert.pem`, "utf8");
  const { url, connections } = await serve({ key: readFileSync(`${folder}/key.pem`, "utf8"), cert });
  const trusting = open({ certificates: [cert], insecure: false });
  trusting.connect(url, 2);
  await until(() => connections() === 2);
  expect(await trusting.send({ ...look, url })).toMatchObject({ kind: "response", status: 200 });
  expect(connections()).toBe(2);
  await trusting.close();
  rmSync(folder, { recursive: true });
  const wary = open();
  wary.connect(url, 1);
  await until(() => connections() === 3);
  expect(await wary.send({ ...look, url })).toMatchObject({ kind: "failure", why: "certificate" });
});

test("one that breaks meanwhile is passed over", async () => {
  const { url, connections } = await serve();
  const [server] = servers;
  const { connect, send } = open();
  connect(url, 2);
  await until(() => connections() === 2);
  const gone = new Promise<void>((done) => server?.once("connection", () => done()));
  server?.closeAllConnections();
  await new Promise((done) => setTimeout(done, 50));
  expect(await send({ ...look, url })).toMatchObject({ kind: "response", status: 200 });
  await gone;
});

test("a host that refuses is told to who asks it, and to nobody before", async () => {
  const taken = createPlain();
  await new Promise<void>((done) => taken.listen(0, "127.0.0.1", done));
  const address = taken.address();
  const url = new URL(`http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/v2/`);
  await new Promise((done) => taken.close(done));
  const { connect, send } = open();
  connect(url, 2);
  await new Promise((done) => setTimeout(done, 50));
  expect(await send({ ...look, url })).toMatchObject({
    kind: "failure",
    words: expect.stringContaining("ECONNREFUSED"),
  });
});

test("those that nobody took end with the run", async () => {
  const { url, connections } = await serve();
  const [server] = servers;
  const { connect, close } = open();
  connect(url, 2);
  await until(() => connections() === 2);
  await close();
  await new Promise((done) => server?.close(done));
});
