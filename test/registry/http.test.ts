import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { openRegistry } from "../../src/registry/client.ts";
import { openDirect } from "../../src/registry/direct.ts";
import { type Http, openHttp } from "../../src/registry/http.ts";

// What a network does to an answer, byte by byte: nothing of it may throw, hang, or look like "not there".

const servers: Server[] = [];
const opened: Http[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((http) => http.close()));
  for (const server of servers.splice(0)) server.close();
});

/** A server that talks so on each of its connections; its host and port. */
async function listen(talk: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    talk(socket);
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
}

/** A server that says these bytes to whoever has asked something. */
function serve(say: (socket: Socket) => void): Promise<string> {
  return listen((socket) => socket.once("data", () => say(socket)));
}

function open(timeout = 30_000): Http {
  const trust = async () => ({ certificates: [], insecure: false });
  const http = openHttp({ env: {}, userAgent: "test", timeout, trust });
  opened.push(http);
  return http;
}

const head = (length: number | string, type = "application/json"): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n`;
const drip = (bytes: string) => (socket: Socket) => {
  socket.write(head(10_000));
  const timer = setInterval(() => socket.write(bytes), 20);
  socket.on("close", () => clearInterval(timer));
};

const ROWS: readonly (readonly [string, (socket: Socket) => void])[] = [
  ["it hangs up without a word", (socket) => socket.destroy()],
  ["it ends without a word", (socket) => socket.end()],
  ["it says nothing at all", () => undefined],
  ["it stops in the middle of the headers", (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-ty")],
  ["it stops in the middle of the body", (socket) => socket.end(`${head(100)}{"schemaVersion":2`)],
  ["it stops in the middle of the body and stays", (socket) => socket.write(`${head(100)}{"schemaVersion":2`)],
  ["a byte now and then", drip(" ")],
  ["a chunk that is cut off", (socket) => socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{}")],
  ["a chunk without a length", (socket) => socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}")],
  ["no HTTP", (socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n")],
  ["TLS", (socket) => socket.end(Buffer.from([0x15, 3, 1, 0, 2, 2, 22]))],
  ["headers without end", (socket) => socket.end(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(200_000)}\r\n\r\n`)],
  ["a length that is no number", (socket) => socket.end(head("many"))],
  ["two lengths", (socket) => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}`)],
  ["another protocol", (socket) => socket.end("HTTP/1.1 101 Hm\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n")],
  ["a status that is none", (socket) => socket.end("HTTP/1.1 999999 Hm\r\n\r\n")],
];

test.each(ROWS)("%s: a failure and no exception", async (_, say) => {
  const url = new URL(`http://${await serve(say)}/v2/`);
  const answer = await open(200).send({ method: "GET", url, headers: {}, limit: 1000, timeout: 400 });
  expect(answer).toMatchObject({ kind: "failure", words: expect.stringMatching(/\S/) });
});

test.each(ROWS)("%s: the registry is unavailable, and neither absent nor found", async (_, say) => {
  const registry = openRegistry(
    { ...open(200), pause: async () => undefined },
    {
      clock: Date.now,
      mask: () => undefined,
      credentials: async () => undefined,
      pushes: () => false,
      insecure: () => false,
    },
  );
  const name = { registry: await serve(say), repository: "team/app" };
  registry.limitTime(700);
  const answers = await Promise.all([
    registry.manifest({ ...name, tag: "one" }),
    registry.describe({ ...name, tag: "two" }),
    registry.acceptsPush(name),
    registry.tags(name),
  ]);
  expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(["unavailable"]));
  // To HEAD, the first line and the headers are all there is to an answer, and some of these are whole.
  const blob = { mediaType: "x", digest: `sha256:${"0".repeat(64)}`, size: 5 } as const;
  expect((await registry.hasBlob(name, blob)).kind).not.toBe("absent");
});

test.each([
  ["HTTPS_PROXY", false],
  ["HTTP_PROXY", true],
])(
  "a proxy that wants another login is no network that may come back, and its variable is named: %s",
  async (variable, isPlain) => {
    let asked = 0;
    const proxy = await serve((socket) => {
      asked++;
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
    });
    const http = openHttp({
      env: { [variable]: `http://bob:wrong@${proxy}` },
      userAgent: "test",
      trust: async () => ({ certificates: [], insecure: false }),
    });
    opened.push(http);
    const registry = openRegistry(
      { ...http, pause: async () => undefined },
      {
        clock: Date.now,
        mask: () => undefined,
        credentials: async () => undefined,
        pushes: () => false,
        insecure: () => isPlain,
        plain: () => isPlain,
      },
    );
    const answer = await registry.manifest({ registry: "registry.test", repository: "team/app", tag: "one" });
    expect(answer).toMatchObject({ kind: "unavailable", fix: expect.stringMatching(new RegExp(`login.*${variable}`)) });
    expect(JSON.stringify(answer)).not.toContain("wrong");
    expect(asked).toBe(1);
  },
);

test("more than is wanted is not read: the connection is cut", async () => {
  let sent = 0;
  const host = await serve((socket) => {
    socket.write(head(100_000_000));
    const timer = setInterval(() => {
      for (let part = 0; part < 10 && !socket.destroyed; part++) sent += socket.write("x".repeat(10_000)) ? 10_000 : 0;
    }, 1);
    socket.on("close", () => clearInterval(timer));
  });
  const http = open();
  const answer = await http.send({ method: "GET", url: new URL(`http://${host}/`), headers: {}, limit: 5000 });
  expect(answer).toMatchObject({ kind: "response", truncated: true });
  if (answer.kind === "response") expect(answer.body.length).toBe(5000);
  expect(http.traffic().bytes).toBe(5000);
  expect(sent).toBeLessThan(50_000_000);
});

test("what a header may not hold is a failure of that request, and its value is not told", async () => {
  const url = new URL(`http://${await serve((socket) => socket.end(head(0)))}/`);
  const answer = await open().send({ method: "GET", url, headers: { authorization: "Bearer can\nary" }, limit: 10 });
  expect(answer.kind).toBe("failure");
  expect(JSON.stringify(answer)).not.toContain("ary");
});

test("a connection is used again by who asks next, there are thirty-two at most, and the waves are counted", async () => {
  let connections = 0;
  const host = await listen((socket) => {
    connections++;
    socket.on("data", (data) => {
      for (const _ of data.toString().match(/GET /g) ?? []) setTimeout(() => socket.write(`${head(2)}{}`), 5);
    });
  });
  const http = open();
  const url = new URL(`http://${host}/`);
  const ask = () => http.send({ method: "GET", url, headers: {}, limit: 10 });
  await ask();
  await ask();
  expect(connections).toBe(1);
  const answers = await Promise.all(Array.from({ length: 100 }, ask));
  expect(answers.every((answer) => answer.kind === "response" && answer.status === 200)).toBe(true);
  expect(connections).toBe(32);
  expect(http.traffic()).toEqual({ requests: 102, bytes: 204, waves: 3 });
  await ask();
  expect(connections).toBe(32);
  expect(http.traffic()).toMatchObject({ requests: 103, waves: 4 });
});

/** A server that gives its number to every connection, and closes the first one when it is asked for the second time. */
async function serveOnceEach(): Promise<URL> {
  let connections = 0;
  const host = await listen((socket) => {
    const number = ++connections;
    let asked = 0;
    socket.on("data", () => (++asked > 1 && number === 1 ? socket.destroy() : socket.write(`${head(1)}${number}`)));
  });
  return new URL(`http://${host}/`);
}

test.each(["GET", "HEAD"] as const)(
  "%s on a connection that is closed in that moment is asked anew",
  async (method) => {
    const url = await serveOnceEach();
    const http = open();
    await http.send({ method: "GET", url, headers: {}, limit: 10 });
    const again = await http.send({ method, url, headers: {}, limit: 10 });
    expect(again).toMatchObject({ kind: "response", status: 200 });
    if (again.kind === "response" && method === "GET") expect(new TextDecoder().decode(again.body)).toBe("2");
  },
);

test("what changes something is not asked anew by itself", async () => {
  const url = await serveOnceEach();
  const http = open();
  await http.send({ method: "GET", url, headers: {}, limit: 10 });
  const put = await http.send({ method: "PUT", url, headers: {}, body: "x", limit: 10 });
  expect(put).toMatchObject({ kind: "failure", why: "hung-up" });
});

test("headers may have any name", async () => {
  const lines = ["constructor: 1", "__proto__: 2", "__proto__: 3", "content-length: 0"];
  const host = await serve((socket) => socket.end(`HTTP/1.1 200 OK\r\n${lines.join("\r\n")}\r\n\r\n`));
  const answer = await open().send({ method: "GET", url: new URL(`http://${host}/`), headers: {}, limit: 10 });
  expect(answer).toMatchObject({ kind: "response", status: 200 });
  expect(answer.kind === "response" && Object.entries(answer.headers).slice(0, 2)).toEqual([
    ["constructor", "1"],
    ["__proto__", ["2", "3"]],
  ]);
});

test("nothing is asked after the end", async () => {
  let connections = 0;
  const url = new URL(`http://${await serve(() => connections++)}/`);
  const http = open();
  const asked = http.send({ method: "GET", url, headers: {}, limit: 10 });
  await expect.poll(() => connections).toBe(1);
  await http.close();
  expect(await asked).toMatchObject({ kind: "failure" });
  expect(await http.send({ method: "GET", url, headers: {}, limit: 10 })).toMatchObject({ words: "the run is over" });
  expect(connections).toBe(1);
});

test("a login that stands in an address is not sent, even one that cannot be read", async () => {
  let asked = "";
  const host = await listen((socket) =>
    socket.on("data", (data) => {
      asked += data.toString();
      socket.end(head(0));
    }),
  );
  const url = new URL(`http://me:sec%zzret@${host}/x`);
  expect(await open().send({ method: "GET", url, headers: {}, limit: 10 })).toMatchObject({ status: 200 });
  expect(asked).toMatch(/^GET \/x HTTP/);
  expect(asked).not.toMatch(/authorization/i);
});

test("headers: names in lower case, and one that stands there twice is a list", async () => {
  const lines = ["WWW-Authenticate: Basic a", "www-authenticate: Bearer b", "X-One: 1", "content-length: 0"];
  const host = await serve((socket) => socket.end(`HTTP/1.1 401 No\r\n${lines.join("\r\n")}\r\n\r\n`));
  expect(await open().send({ method: "GET", url: new URL(`http://${host}/`), headers: {}, limit: 10 })).toMatchObject({
    status: 401,
    headers: { "www-authenticate": ["Basic a", "Bearer b"], "x-one": "1" },
  });
});

test.each(["http", "https"])("%s: a server that says nothing is given up", async (scheme) => {
  const host = await serve(() => undefined);
  // Only one of the two limits is short: on a busy machine even loopback takes its time to connect.
  const [quiet, connect] = scheme === "http" ? [50, 60_000] : [60_000, 50];
  const door = openDirect({ connections: 1, idle: 1000, quiet, connect, tls: {} });
  const asked = { method: "GET", url: new URL(`${scheme}://${host}/`), headers: {}, body: undefined } as const;
  const words = scheme === "http" ? "nothing was heard for 0.05 s" : "no connection within 0.05 s";
  await expect(door.ask({ ...asked, signal: AbortSignal.timeout(60_000) })).rejects.toThrow(words);
  await door.close();
});

test.each([
  ["beside certificates to trust", ["-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"]],
  ["alone", []],
])(
  "a key of ours that is none, %s, fails the requests of its host, says so, and keeps nobody from ending",
  async (_, certificates) => {
    const pem = (kind: string) => `-----BEGIN ${kind}-----\nMIIB\n-----END ${kind}-----\n`;
    const client = { certificate: pem("CERTIFICATE"), key: pem("PRIVATE KEY") };
    const trust = async () => ({ certificates, insecure: false, client });
    const http = openHttp({ env: {}, userAgent: "test", trust });
    const url = new URL(`https://${await serve((socket) => socket.end(head(0)))}/`);
    for (const _ of [1, 2])
      expect(await http.send({ method: "GET", url, headers: {}, limit: 10 })).toMatchObject({
        kind: "failure",
        why: "certificate",
      });
    await http.close();
  },
);

test.each([
  [0, 1000],
  [0.5, 1100],
  [0.999, 1199],
])("a pause is at least as long as it has to be, and up to a fifth longer by chance: %s", async (chance, length) => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(chance);
  let isOver = false;
  const pause = open().pause(1000);
  void pause.then(() => {
    isOver = true;
  });
  await vi.advanceTimersByTimeAsync(length - 1);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(isOver).toBe(true);
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test.each([
  ["directly", false],
  ["through a proxy", true],
])("closing ends what is on its way %s, and what waits to be asked again", async (_, isProxied) => {
  let heard = (): void => undefined;
  const isHeard = new Promise<void>((done) => {
    heard = done;
  });
  const host = await serve(() => heard());
  const env: Readonly<Record<string, string>> = isProxied ? { http_proxy: `http://${host}` } : {};
  const trust = async () => ({ certificates: [], insecure: false });
  const http = openHttp({ env, userAgent: "test", timeout: 60_000, trust });
  const url = new URL(isProxied ? "http://registry.test/v2/" : `http://${host}/v2/`);
  const sent = http.send({ method: "PUT", url, headers: {}, body: "x", limit: 10 });
  const pause = http.pause(60_000);
  await isHeard;
  await http.close();
  expect(await sent).toMatchObject({ kind: "failure" });
  await pause;
  await http.pause(60_000);
  expect(await http.send({ method: "GET", url, headers: {}, limit: 10 })).toMatchObject({ words: "the run is over" });
});
