import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, expect, test, vi } from "vitest";
import { type Http, openHttp } from "../../src/registry/http.ts";

// How an address that a commit names is asked, over real sockets.

const servers: Server[] = [];
const opened: Http[] = [];
afterAll(async () => {
  await Promise.all(opened.map((http) => http.close()));
  for (const server of servers) server.close();
});

/** A server that begins an answer and never ends it, and what it has seen. */
async function serveEndlessly() {
  const asked: string[] = [];
  let hungUp = (): void => undefined;
  const left = new Promise<void>((done) => {
    hungUp = done;
  });
  const server = createServer((request, answer) => {
    asked.push(`${request.method} ${request.url}`);
    answer.writeHead(200, { etag: '"a"' });
    answer.flushHeaders();
    request.socket.on("close", hungUp);
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { port: (server.address() as AddressInfo).port, asked, left };
}

function open(env: Readonly<Record<string, string>> = {}): Http {
  const http = openHttp({ env, userAgent: "test", trust: async () => ({ certificates: [], insecure: false }) });
  opened.push(http);
  return http;
}

const REQUEST = { method: "GET", headers: {}, limit: 0, headersOnly: true } as const;

test("an answer is left before its body, which need not come", async () => {
  const { port, left } = await serveEndlessly();
  const answer = await open().send({ ...REQUEST, url: new URL(`http://127.0.0.1:${port}/x`), visit: "anywhere" });
  expect(answer).toMatchObject({ kind: "response", status: 200, headers: { etag: '"a"' } });
  await left;
});

test("so it is behind a proxy", async () => {
  const { port, asked, left } = await serveEndlessly();
  const http = open({ http_proxy: `http://127.0.0.1:${port}` });
  const answer = await http.send({ ...REQUEST, url: new URL("http://files.test/x"), visit: "public" });
  expect(answer).toMatchObject({ kind: "response", status: 200, headers: { etag: '"a"' } });
  expect(asked).toEqual(["GET http://files.test/x"]);
  await left;
});

// What resolvers say of names is a stand-in's; connections are real.
vi.mock("node:dns", async (original) => ({
  ...(await original<typeof import("node:dns")>()),
  lookup: (_name: string, { all }: { all?: boolean }, done: (...told: unknown[]) => void) =>
    all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4),
}));

test("a name that stands for this machine is not connected to", async () => {
  const { port, asked } = await serveEndlessly();
  const answer = await open().send({ ...REQUEST, url: new URL(`http://inner.test:${port}/x`), visit: "public" });
  // The answer would be the same one each time, and who wants it asked has to be told how.
  const words = expect.stringMatching(/this machine or an inner network.*input insecure/);
  expect(answer).toMatchObject({ kind: "failure", why: "inner", words });
  expect(asked).toEqual([]);
});
