import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { openRegistry } from "../../src/registry/client.ts";
import { openDeadline } from "../../src/registry/deadline.ts";
import { type Http, type HttpFailure, type HttpRequest, openHttp } from "../../src/registry/http.ts";
import { openPatience } from "../../src/registry/patience.ts";
import type { Answer, Registry } from "../../src/world.ts";
import { image, MANIFEST, sha } from "./client.ts";

// Who says nothing has an end, whatever is waited for; who goes on sending is waited for.

const servers: Server[] = [];
const opened: Http[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((http) => http.close()));
  for (const server of servers.splice(0)) server.close();
});

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

function open(options: Partial<Parameters<typeof openHttp>[0]>): Http {
  const trust = async () => ({ certificates: [], insecure: false });
  const http = openHttp({ env: {}, userAgent: "test", trust, ...options });
  opened.push(http);
  return http;
}

const drip = (first: string) => (socket: Socket) => {
  socket.write(first);
  const timer = setInterval(() => socket.write("x"), 20);
  socket.on("close", () => clearInterval(timer));
};

const PROXIES: readonly (readonly [string, (socket: Socket) => void])[] = [
  ["accepts and says nothing", () => undefined],
  ["hears the question and says nothing", (socket) => socket.on("data", () => undefined)],
  [
    "says a byte of its headers now and then",
    (socket) => socket.once("data", () => drip("HTTP/1.1 200 OK\r\nx-y: ")(socket)),
  ],
  [
    "opens the way, and nobody is behind it",
    (socket) => socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\n\r\n")),
  ],
];
/** A proxy with TLS is silent as soon as it says nothing of that. */
const WAYS = [
  ["https", "http", PROXIES],
  ["http", "http", PROXIES],
  ["https", "https", PROXIES.slice(0, 2)],
] as const;

test.each(WAYS.flatMap(([to, by, proxies]) => proxies.map(([what, talk]) => [what, to, by, talk] as const)))(
  "a proxy that %s: the one limit holds on the way to %s by %s",
  async (_, to, by, talk) => {
    const proxy = `${by}://${await listen(talk)}`;
    const http = open({ env: { http_proxy: proxy, https_proxy: proxy }, whole: 300 });
    const url = new URL(`${to}://registry.test/v2/`);
    const answer = await http.send({ method: "GET", url, headers: {}, limit: 10 });
    expect(answer).toMatchObject({ kind: "failure", words: "no whole answer in time", why: "time" });
  },
);

const head = (length: number): string => `HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n`;

test("who goes on sending is waited for, as long as it takes", async () => {
  const size = 10 * 64 * 1024;
  const host = await listen((socket) =>
    socket.once("data", async () => {
      socket.write(head(size));
      for (let sent = 0; sent < size; sent += 64 * 1024) {
        socket.write("x".repeat(64 * 1024));
        await new Promise((done) => setTimeout(done, 150));
      }
    }),
  );
  // Long enough for a busy machine to begin, and not for all of it.
  const http = open({ whole: 1200 });
  const answer = await http.send({ method: "GET", url: new URL(`http://${host}/`), headers: {}, limit: size });
  expect(answer).toMatchObject({ kind: "response", truncated: false });
});

test("who sends a byte now and then is not, and a look-up's own limit holds for both", async () => {
  const dripping = await listen((socket) => socket.once("data", () => drip(head(10_000))(socket)));
  const url = new URL(`http://${dripping}/`);
  expect(await open({ whole: 300 }).send({ method: "GET", url, headers: {}, limit: 10_000 })).toMatchObject({
    kind: "failure",
    why: "time",
  });
  const pouring = await listen((socket) =>
    socket.once("data", () => {
      socket.write(head(1e9));
      const timer = setInterval(() => socket.write("x".repeat(100_000)), 10);
      socket.on("close", () => clearInterval(timer));
    }),
  );
  const poured = { method: "GET", url: new URL(`http://${pouring}/`), headers: {}, limit: 1e9, timeout: 300 } as const;
  expect(await open({}).send(poured)).toMatchObject({ kind: "failure", why: "time" });
});

test("what is sent has its time before anything is waited for", async () => {
  const deadline = openDeadline(100, Number.POSITIVE_INFINITY);
  deadline.heard(60 * 64 * 1024);
  await new Promise((done) => setTimeout(done, 300));
  expect(deadline.signal.aborted).toBe(false);
  deadline.close();
});

test("waiting counts while somebody waits, and only then; what came through was no waiting", () => {
  let now = 0;
  const patience = openPatience(60_000, () => now);
  patience.begin();
  now += 10_000;
  patience.begin();
  now += 10_000;
  expect(patience.left()).toBe(40_000);
  patience.end();
  patience.end();
  now += 3_600_000;
  expect(patience.left()).toBe(40_000);
  patience.begin();
  now += 5_000;
  patience.heard(10 * 64 * 1024);
  expect(Math.round(patience.left())).toBe(45_000);
  patience.heard(1e9);
  expect(patience.left()).toBe(60_000);
  now += 7_000;
  patience.end();
  expect(patience.left()).toBe(53_000);
  patience.renew();
  expect(patience.left()).toBe(60_000);
});

/** A network on a clock of its own: what a host answers, after how many milliseconds, or how long it would hang. */
function openTimed(answerOf: (request: HttpRequest) => { readonly after: number; readonly status?: number }) {
  let now = 1_000_000;
  const asked: string[] = [];
  const advance = (milliseconds: number): void => {
    now += milliseconds;
  };
  const http: Http = {
    send: async (request) => {
      asked.push(`${request.method} ${request.url.host}`);
      const { after, status } = answerOf(request);
      // The door's own limits: half a minute without a byte, and what the request is given.
      const patience = Math.min(30_000, request.patience ?? 60_000, request.timeout ?? 60_000);
      now += Math.min(after, patience);
      const quiet: HttpFailure = {
        kind: "failure",
        words: "nothing was heard",
        why: patience < 30_000 ? "time" : "passing",
      };
      if (after > patience || status === undefined) return quiet;
      const body = Buffer.from(status === 200 ? image : "");
      return { kind: "response", status, headers: { "content-type": MANIFEST }, body, truncated: false };
    },
    connect: () => undefined,
    pause: async (milliseconds) => advance(milliseconds),
    traffic: () => ({ requests: asked.length, bytes: 0, waves: 0 }),
    close: async () => undefined,
  };
  const registry = openRegistry(http, {
    clock: () => now,
    mask: () => undefined,
    credentials: async () => undefined,
    pushes: () => true,
    insecure: () => false,
  });
  return { registry, asked, clock: () => now, wait: advance };
}

const name = { registry: "registry.test", repository: "team/app" };
const blob = { mediaType: "x", digest: sha("{}"), size: 2 };
const NEVER = Number.POSITIVE_INFINITY;

/** What a run asks behind the probe, one after the other. */
const STEPS: readonly ((registry: Registry) => Promise<Answer<unknown>>)[] = [
  (registry) => registry.acceptsPush(name),
  (registry) => registry.blob(name, blob),
  (registry) => registry.putBlob(name, Buffer.from("{}"), "x"),
  (registry) => registry.putManifest(name, Buffer.from("{}"), MANIFEST, "one"),
  (registry) => registry.manifest({ ...name, tag: "one" }),
  (registry) => registry.hasBlob(name, blob),
  (registry) => registry.tags(name),
];

test.each(STEPS.map((step, number) => [number, step] as const))(
  "a registry that falls silent behind the probe has one limit, whichever step %d comes first",
  async (number, step) => {
    const { registry, clock, wait } = openTimed(() => ({ after: NEVER }));
    const began = clock();
    expect((await step(registry)).kind).toBe("unavailable");
    expect(clock() - began).toBeLessThanOrEqual(62_000);
    // Also after an hour's build nobody waits anew for it.
    wait(3_600_000);
    const again = clock();
    for (const other of STEPS.filter((_, at) => at !== number)) {
      const answer = await other(registry);
      expect(answer).toMatchObject({
        kind: "unavailable",
        words: expect.stringContaining("nothing that counts for 60 s"),
      });
    }
    expect(clock() - again).toBeLessThanOrEqual(1000);
  },
);

test("one that answers in the end has its time anew, and another host its own", async () => {
  const { registry, asked } = openTimed(({ url }) =>
    url.host === "slow.test" ? { after: 25_000, status: 200 } : { after: NEVER },
  );
  for (let round = 0; round < 10; round++)
    expect((await registry.manifest({ registry: "slow.test", repository: "a/b", tag: `${round}` })).kind).toBe("found");
  expect((await registry.manifest({ ...name, tag: "one" })).kind).toBe("unavailable");
  expect((await registry.manifest({ registry: "slow.test", repository: "a/b", tag: "last" })).kind).toBe("found");
  expect(asked.filter((line) => line.endsWith("slow.test"))).toHaveLength(11);
});

test("a gateway that answers late for a silent registry has said nothing", async () => {
  const { registry, clock } = openTimed(() => ({ after: 29_000, status: 504 }));
  const began = clock();
  for (const step of STEPS) expect((await step(registry)).kind).toBe("unavailable");
  expect(clock() - began).toBeLessThanOrEqual(62_000);
});

test("all hosts together have an end too", async () => {
  const { registry, clock } = openTimed(() => ({ after: NEVER }));
  const began = clock();
  for (let host = 0; host < 100; host++)
    await registry.manifest({ registry: `host${host}.test`, repository: "a/b", tag: "c" });
  expect(clock() - began).toBeLessThanOrEqual(602_000);
});
