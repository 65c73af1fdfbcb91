import { expect, test } from "vitest";
import { download } from "../../src/registry/download.ts";
import { limitTime } from "../../src/registry/transport.ts";
import { openFakeNetwork, type Server, type Told } from "../fakes/network.ts";

const ADDRESS = "https://files.test/f/devcontainer-feature-tool.tgz?token=a";

/** What one download of the usual address says, and what the network saw. */
async function fetchFrom(servers: Readonly<Record<string, Server>>, address = ADDRESS, limit = 100) {
  const network = openFakeNetwork(servers);
  const clock = () => 0;
  const answer = await download(limitTime(network.http, clock), clock, address, limit);
  return { answer, ...network };
}
const always =
  (told: Told): Server =>
  () =>
    told;

test("what is served, byte for byte, asked for once and without any login", async () => {
  const { answer, seen } = await fetchFrom({ "https://files.test": always({ status: 200, body: "content" }) });
  expect(answer.kind === "found" && Buffer.from(answer.value).toString()).toBe("content");
  expect(seen.map(({ line, authorization }) => [line, authorization])).toEqual([[`GET ${ADDRESS}`, undefined]]);
});

test("redirects are followed as long as they stay with TLS", async () => {
  const { answer, lines } = await fetchFrom({
    "https://files.test": always({ status: 302, headers: { location: "https://storage.test/x" } }),
    "https://storage.test": always({ status: 200, body: "content" }),
  });
  expect(answer.kind).toBe("found");
  expect(lines()).toEqual([`GET ${ADDRESS}`, "GET https://storage.test/x"]);
});

test.each<[string, Told, string]>([
  ["a redirect to plain http", { status: 302, headers: { location: "http://files.test/x" } }, "malformed"],
  ["a redirect to nothing", { status: 302, headers: { location: "http://" } }, "malformed"],
  ["a redirect to a file", { status: 302, headers: { location: "file:///etc/passwd" } }, "malformed"],
  ["a redirect without an address", { status: 302 }, "malformed"],
  ["a redirect to itself", { status: 302, headers: { location: ADDRESS } }, "malformed"],
  ["not found", { status: 404 }, "absent"],
  ["gone", { status: 410 }, "absent"],
  ["a login wanted", { status: 401 }, "denied"],
  ["forbidden", { status: 403 }, "denied"],
  ["too often", { status: 429 }, "limited"],
  ["a server that fails", { status: 500 }, "unavailable"],
  ["a time-out", { status: 408 }, "unavailable"],
  ["no content", { status: 204 }, "malformed"],
  ["a part", { status: 206, body: "con" }, "malformed"],
  ["an answer of no kind", { status: 418 }, "malformed"],
  ["more than is taken", { status: 200, body: "x".repeat(101) }, "malformed"],
])("no file: %s", async (_, told, kind) => {
  const { answer } = await fetchFrom({ "https://files.test": always(told) });
  expect(answer.kind).toBe(kind);
  // A query may hold a token.
  expect(JSON.stringify(answer)).not.toContain("token=a");
});

test("exactly as much as is taken", async () => {
  const { answer } = await fetchFrom({ "https://files.test": always({ status: 200, body: "x".repeat(100) }) });
  expect(answer.kind).toBe("found");
});

test("what may pass is tried again", async () => {
  let asked = 0;
  const { answer, pauses } = await fetchFrom({
    "https://files.test": () => (asked++ < 2 ? { status: 503 } : { status: 200, body: "content" }),
  });
  expect(answer.kind).toBe("found");
  expect(pauses).toHaveLength(2);
});

test("a host that is not there is not reached, which says nothing about the file", async () => {
  expect((await fetchFrom({})).answer).toMatchObject({ kind: "unavailable" });
});

test.each(["http://files.test/x", "file:///etc/passwd", "data:,x", "ftp://files.test/x", "no address", ""])(
  "nothing is asked for what is no https address: %s",
  async (address) => {
    const { answer, seen } = await fetchFrom({ "https://files.test": always({ status: 200 }) }, address);
    expect(answer.kind).toBe("malformed");
    expect(seen).toEqual([]);
  },
);
