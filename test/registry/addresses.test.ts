import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { readContent, readValidator, type Visited } from "../../src/registry/addresses.ts";
import { isInnerIp } from "../../src/registry/origins.ts";
import { limitTime } from "../../src/registry/transport.ts";
import { openFakeNetwork, type Server, type Told } from "../fakes/network.ts";

const ADDRESS = "https://files.test/tool.tgz?token=secret-91c4";
const UNSAID: Visited = { isNamed: () => false, checksCertificates: true };

function openVisit(servers: Readonly<Record<string, Server>>, visited = UNSAID) {
  const network = openFakeNetwork(servers);
  const clock = () => 0;
  return { ...network, visiting: { http: limitTime(network.http, clock), clock, visited } };
}

/** What is told of an address, and what its network saw. */
async function look(servers: Readonly<Record<string, Server>>, address = ADDRESS, visited = UNSAID) {
  const { visiting, ...network } = openVisit(servers, visited);
  return { answer: await readValidator(visiting, address), ...network };
}

const DATE = "Mon, 30 Nov 2026 12:00:00 GMT";
const OLD = "Sun, 29 Nov 2026 12:00:00 GMT";
const YOUNG = "Mon, 30 Nov 2026 11:59:30 GMT";
type Headers = NonNullable<Told["headers"]>;

test.each<[string, Headers, string]>([
  ["a strong ETag", { etag: '"a"', "last-modified": OLD, date: DATE }, 'ETag "a"'],
  [
    "a weak one beside an old Last-Modified",
    { etag: 'W/"a"', "last-modified": OLD, date: DATE },
    `Last-Modified ${OLD}`,
  ],
  ["an old Last-Modified", { "last-modified": OLD, date: DATE }, `Last-Modified ${OLD}`],
  [
    "two ETags beside an old Last-Modified",
    { etag: ['"a"', '"b"'], "last-modified": OLD, date: DATE },
    `Last-Modified ${OLD}`,
  ],
])("by one HEAD, anonymous and for nothing packed: %s", async (_, headers, value) => {
  const { answer, seen } = await look({ "https://files.test": () => ({ status: 200, headers }) });
  expect(answer).toEqual({ kind: "found", value });
  expect(seen.map(({ line }) => line)).toEqual([`HEAD ${ADDRESS}`]);
  expect(seen[0]?.request).toMatchObject({ headers: { "accept-encoding": "identity" }, visit: "anywhere" });
  expect(seen[0]?.authorization).toBeUndefined();
});

test.each<[string, Headers, string]>([
  ["nothing", {}, "no ETag and no Last-Modified"],
  ["a weak ETag", { etag: 'W/"a"' }, "weak"],
  ["an ETag without quotes", { etag: "a" }, "weak"],
  ["an empty ETag", { etag: '""' }, "weak"],
  ["a Last-Modified of this minute", { "last-modified": YOUNG, date: DATE }, "too young"],
  ["a Last-Modified without a Date", { "last-modified": OLD }, "no Date"],
  ["a Last-Modified that is a number", { "last-modified": "0", date: DATE }, "no date"],
  [
    "a Last-Modified that packers give to all files",
    { "last-modified": "Tue, 01 Jan 1980 00:00:00 GMT", date: DATE },
    "no date",
  ],
  ["a Last-Modified that is none", { "last-modified": "yesterday", date: DATE }, "no date"],
  ["something packed", { etag: '"a"', "content-encoding": "gzip" }, "packed"],
])("a server that says too little is asked by GET too, and cannot tell: %s", async (_, headers, words) => {
  const { answer, seen } = await look({ "https://files.test": () => ({ status: 200, headers, body: "content" }) });
  expect(answer).toMatchObject({ kind: "malformed", words: expect.stringContaining(words) });
  expect(seen.map(({ line, request }) => [line, request.headersOnly])).toEqual([
    [`HEAD ${ADDRESS}`, false],
    [`GET ${ADDRESS}`, true],
  ]);
  expect(JSON.stringify(answer)).not.toContain("secret-91c4");
});

const toGet =
  (head: Told, get: Told): Server =>
  ({ method }) =>
    method === "HEAD" ? head : get;

test.each([400, 403, 404, 405, 500, 501])("a server that takes no HEAD (%i) is asked by GET", async (status) => {
  const { answer, pauses } = await look({
    "https://files.test": toGet({ status }, { status: 200, headers: { etag: '"a"' } }),
  });
  expect(answer).toEqual({ kind: "found", value: 'ETag "a"' });
  expect(pauses).toEqual([]);
});

test.each<[number, string]>([
  [404, "absent"],
  [410, "absent"],
  [401, "denied"],
  [403, "denied"],
  [429, "limited"],
  [500, "unavailable"],
  [204, "malformed"],
])("what GET says counts: %i is %s", async (status, kind) => {
  const { answer } = await look({ "https://files.test": () => ({ status }) });
  expect(answer.kind).toBe(kind);
});

const sendTo =
  (location: string): Server =>
  () => ({ status: 302, headers: { location } });
const serves =
  (etag = '"a"'): Server =>
  () => ({ status: 200, headers: { etag } });

test("behind a redirect it counts which address has answered, and not who may read it until when", async () => {
  const at = async (path: string) => {
    const servers = { "https://files.test": sendTo(`https://store.test${path}`), "https://store.test": serves() };
    const { answer } = await look(servers);
    return answer.kind === "found" ? answer.value : expect.unreachable(JSON.stringify(answer));
  };
  const first = await at("/v1?se=2026-11-30&sig=abc&X-Amz-Date=1&id=7");
  expect(first).toBe('ETag "a" of https://store.test/v1?id=7');
  expect(await at("/v1?se=2026-12-01&sig=def&X-Amz-Date=2&id=7")).toBe(first);
  expect(await at("/v2?se=2026-11-30&sig=abc&id=7")).not.toBe(first);
  expect(await at("/v1?se=2026-11-30&sig=abc&id=8")).not.toBe(first);
});

test.each<[string, string]>([
  ["this machine", "http://127.0.0.1/x"],
  ["this machine by its name", "https://localhost/x"],
  ["this machine by a number", "http://0x7f.1/x"],
  ["a cloud's metadata", "http://169.254.169.254/latest/meta-data/"],
  ["a cloud's metadata in IPv6", "http://[fd00:ec2::254]/latest/"],
  ["a private network", "https://10.1.2.3/x"],
  ["a private network inside of IPv6", "https://[::ffff:10.1.2.3]/x"],
  ["no network at all", "http://0.0.0.0/x"],
  ["a login", "https://user:pass@other.test/x"],
  ["a file", "file:///etc/passwd"],
])("is not asked, neither by a commit nor by a redirect: %s", async (_, address) => {
  const { origin } = new URL(address);
  const direct = await look({ [origin]: serves() }, address);
  expect([direct.answer.kind, direct.lines()]).toEqual(["malformed", []]);
  const redirected = await look({ "https://files.test": sendTo(address), [origin]: serves() });
  expect(redirected.answer.kind).toBe("malformed");
  expect(new Set(redirected.seen.map((one) => one.origin))).toEqual(new Set(["https://files.test"]));
  expect(JSON.stringify([direct.answer, redirected.answer])).not.toContain("user:pass");
});

test("a name that looks like a private address is none", async () => {
  const { answer } = await look({ "https://10.example.test": serves() }, "https://10.example.test/x");
  expect(answer.kind).toBe("found");
});

test("what the path of an address or of a redirect holds is told to nobody: build args may stand there, or a token", async () => {
  const secret = "https://files.test/secret-91c4/tool";
  const there = "https://store.test/secret-91c4/tool";
  const looks = [
    await look({ "https://files.test": () => ({ status: 403 }) }, secret),
    await look({ "https://files.test": () => ({ status: 200 }) }, secret),
    await look({ "https://files.test": sendTo("http://files.test/secret-91c4") }, secret),
    await look({ "https://files.test": sendTo(there), "https://store.test": () => ({ status: 404 }) }),
    await look({}, secret),
  ];
  const { visiting } = openVisit({ "https://files.test": () => ({ status: 403 }) });
  const answers = [...looks.map(({ answer }) => answer), await readContent(visiting, secret)];
  for (const answer of answers) {
    expect(answer).toMatchObject({ request: expect.stringMatching(/^(?:GET|HEAD) https:\/\/(?:files|store)\.test$/) });
    expect(JSON.stringify(answer)).not.toContain("secret-91c4");
  }
});

test("TLS is not left, and nothing is followed without end", async () => {
  const down = await look({ "https://files.test": sendTo("http://files.test/x"), "http://files.test": serves() });
  expect(down.answer.kind).toBe("malformed");
  const endless = await look({ "https://files.test": sendTo(ADDRESS) });
  expect(endless.answer.kind).toBe("malformed");
  expect(endless.seen.length).toBeLessThan(20);
});

test.each<[string, string, Partial<Visited>, string | undefined]>([
  ["a name with a certificate that is looked at", "https://files.test/x", {}, "anywhere"],
  ["a name without", "http://files.test/x", {}, "public"],
  ["a name with one that nobody looks at", "https://files.test/x", { checksCertificates: false }, "public"],
  [
    "a host that the workflow names",
    "http://10.1.2.3:8080/x",
    { isNamed: (host) => host === "10.1.2.3:8080" },
    "anywhere",
  ],
])("how far an address is followed: %s", async (_, address, said, visit) => {
  const { seen } = await look({ [new URL(address).origin]: serves() }, address, { ...UNSAID, ...said });
  expect(seen[0]?.request.visit).toBe(visit);
});

test.each<[string, boolean]>([
  ["127.0.0.1", true],
  ["10.0.0.1", true],
  ["172.31.0.1", true],
  ["172.32.0.1", false],
  ["169.254.169.254", true],
  ["::1", true],
  ["::ffff:7f00:1", true],
  ["FE80::1", true],
  ["fec0::1", true],
  ["168.63.129.16", true],
  ["fd12::1", true],
  ["2606:4700::1", false],
  ["93.184.216.34", false],
])("%s is an inner address: %s", (address, expected) => {
  expect(isInnerIp(address)).toBe(expected);
});

test("the content is hashed as it comes, beside the validator of the same answer", async () => {
  const network = openVisit({ "https://files.test": () => ({ status: 200, headers: { etag: '"a"' } }) });
  const chunks = ["con", "tent"];
  const send: typeof network.http.send = async (request) => {
    const reader = request.into?.();
    for (const chunk of chunks) await reader?.(Buffer.from(chunk));
    return network.http.send(request);
  };
  const visiting = { ...network.visiting, http: limitTime({ ...network.http, send }, () => 0) };
  const digest = `sha256:${createHash("sha256").update("content").digest("hex")}`;
  expect(await readContent(visiting, ADDRESS)).toEqual({ kind: "found", value: { validator: 'ETag "a"', digest } });
});

test("content that does not end is left", async () => {
  const network = openVisit({ "https://files.test": () => ({ status: 200, headers: { etag: '"a"' } }) });
  // It only says how long it is, so that nothing has to be hashed.
  const chunk = Object.defineProperty(new Uint8Array(), "length", { value: 1024 ** 3 });
  let sent = 0;
  const send: typeof network.http.send = async (request) => {
    const reader = request.into?.();
    while (sent < 100 && (await reader?.(chunk)) === "more") sent++;
    const response = await network.http.send(request);
    return response.kind === "response" ? { ...response, truncated: sent < 100 } : response;
  };
  const visiting = { ...network.visiting, http: limitTime({ ...network.http, send }, () => 0) };
  expect(await readContent(visiting, ADDRESS)).toMatchObject({
    kind: "malformed",
    words: "it sends more than 4 GiB",
    fix: expect.stringContaining("--checksum"),
  });
  expect(sent).toBeLessThan(10);
});
