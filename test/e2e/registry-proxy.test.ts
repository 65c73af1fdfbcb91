import { readFileSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { type AddressInfo, connect, type Server } from "node:net";
import { join } from "node:path";
import { createServer as createTls } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Registry } from "../../src/world.ts";
import { folder, LOGIN, makeCertificate, makePasswordFile, openClient, start, startRegistry } from "./registries.ts";
import { runScript } from "./script.ts";

// A real forward proxy, tinyproxy with a password of its own, and behind it names that nobody else can resolve: what reaches a registry
// went through it.

const servers: Server[] = [];
let pem: string;
let proxy: string;
let secureProxy: string;

beforeAll(async () => {
  const made = makeCertificate("DNS:registry.test,DNS:proxy.test,IP:127.0.0.1");
  pem = made.pem;
  const tls = `, tls: { certificate: ${made.certificate}, key: ${made.key} } }`;
  const secure = await startRegistry(
    "secure",
    `${tls}\nauth: { htpasswd: { realm: test, path: ${makePasswordFile()} } }`,
  );
  const plain = await startRegistry("plain");
  const resolver = await openResolver({ "registry.test:443": secure, "plain.test:80": plain });
  const [program = ""] = await runScript("scripts/programs.sh", "tinyproxy");
  const { port } = await start(program, (own) => {
    const config = [
      `Port ${own}`,
      "Listen 127.0.0.1",
      "Allow 127.0.0.1",
      "BasicAuth me secret",
      `LogFile "${join(folder, "proxy.log")}"`,
      "LogLevel Connect",
      `Upstream http 127.0.0.1:${resolver}`,
    ];
    writeFileSync(join(folder, "proxy.conf"), `${config.join("\n")}\n`);
    return ["-d", "-c", "proxy.conf"];
  });
  proxy = `http://me:secret@127.0.0.1:${port}`;
  // tinyproxy speaks no TLS itself: this does it for it, as stunnel does where people need that.
  const front = createTls({ cert: readFileSync(made.certificate), key: readFileSync(made.key) }, (socket) => {
    const behind = connect(port, "127.0.0.1");
    socket.pipe(behind).pipe(socket);
    for (const end of [socket, behind]) end.on("error", () => undefined);
  });
  secureProxy = `https://me:secret@127.0.0.1:${await listen(front)}`;
});
afterAll(() => {
  for (const server of servers) server.close();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

/** The proxy behind the proxy: the only place where the test's names lead anywhere. */
async function openResolver(names: Readonly<Record<string, string>>): Promise<number> {
  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? "", "http://none.test");
    const [host, port] = (names[`${url.hostname}:${url.port || 80}`] ?? "127.0.0.1:1").split(":");
    const options = {
      host,
      port,
      method: incoming.method,
      path: `${url.pathname}${url.search}`,
      headers: incoming.headers,
    };
    const onward = request(options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.writeHead(502).end());
    incoming.pipe(onward);
  });
  server.on("connect", (incoming, socket, head) => {
    // As squid does it: a tunnel is for TLS.
    const place = incoming.url?.endsWith(":443") ? names[incoming.url] : undefined;
    const [host = "", port] = (place ?? "127.0.0.1:1").split(":");
    const onward = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [socket, onward]) end.on("error", () => end.destroy());
  });
  return listen(server);
}

const usesOfProxy = (): number =>
  readFileSync(join(folder, "proxy.log"), "utf8").match(/CONNECT registry\.test:443/g)?.length ?? 0;

async function pushAndRead(registry: Registry, host: string): Promise<void> {
  const name = { registry: host, repository: "team/app" };
  expect(await registry.manifest({ ...name, tag: "none" })).toMatchObject({ kind: "absent" });
  const pushed = await registry.putBlob(name, Buffer.from("{}"), "x");
  if (pushed.kind !== "found") throw new Error(`${pushed.kind}: ${pushed.words}`);
  expect(await registry.blob(name, pushed.value)).toEqual({ kind: "found", value: Buffer.from("{}") });
}

test.each([
  ["the proxy over plain http", () => proxy],
  ["the proxy over TLS, with the same certificate authority", () => secureProxy],
])("a TLS registry behind %s", async (_, address) => {
  const before = usesOfProxy();
  const env = { HTTPS_PROXY: address(), NO_PROXY: "" };
  await pushAndRead(openClient({ login: LOGIN, certificate: pem, env }), "registry.test");
  expect(usesOfProxy()).toBeGreaterThan(before);
});

test("a registry without TLS that is named insecure, behind the proxy", async () => {
  const client = openClient({ env: { HTTP_PROXY: proxy }, insecure: ["plain.test"] });
  await pushAndRead(client, "plain.test");
});

test("a burst goes through it side by side", async () => {
  const client = openClient({ login: LOGIN, certificate: pem, env: { https_proxy: proxy } });
  const tags = Array.from({ length: 30 }, (_, index) => `t${index}`);
  const name = { registry: "registry.test", repository: "team/app" };
  const answers = await Promise.all(tags.map((tag) => client.manifest({ ...name, tag })));
  expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(["absent"]));
});

test.each<[string, Readonly<Record<string, string>>, RegExp]>([
  ["the proxy's password is wrong", { HTTPS_PROXY: "wrong" }, /40[17]|Proxy/],
  ["NO_PROXY excepts the registry, whose name then leads nowhere", { NO_PROXY: ".test" }, /ENOTFOUND|EAI_AGAIN/],
  ["there is no proxy", { HTTPS_PROXY: "" }, /ENOTFOUND|EAI_AGAIN/],
  ["nobody listens at the proxy's address", { HTTPS_PROXY: "http://127.0.0.1:1" }, /ECONNREFUSED/],
])("%s: unavailable, and neither denied nor absent", async (_, changed, words) => {
  const wrong = changed.HTTPS_PROXY === "wrong" ? { HTTPS_PROXY: proxy.replace("secret", "guess") } : changed;
  const client = openClient({ login: LOGIN, certificate: pem, env: { HTTPS_PROXY: proxy, ...wrong } });
  client.limitTime(3000);
  const answer = await client.manifest({ registry: "registry.test", repository: "team/app", tag: "one" });
  expect(answer).toMatchObject({ kind: "unavailable", words: expect.stringMatching(words) });
});

test("without the certificate authority the registry is not believed, proxy or not", async () => {
  const client = openClient({ login: LOGIN, env: { HTTPS_PROXY: proxy } });
  const answer = await client.manifest({ registry: "registry.test", repository: "team/app", tag: "one" });
  expect(answer).toMatchObject({ kind: "unavailable", fix: expect.stringContaining("ssl-cert-base64") });
});
