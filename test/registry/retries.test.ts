import { expect, test } from "vitest";
import { refusal, type Server } from "../fakes/network.ts";
import { ask, grants, play, served, wants } from "./network.ts";

test.each<[string, Server, number, string]>([
  ["500", () => ({ status: 500 }), 4, "unavailable"],
  ["502", () => ({ status: 502 }), 4, "unavailable"],
  ["503", () => ({ status: 503 }), 4, "unavailable"],
  ["408", () => ({ status: 408 }), 4, "unavailable"],
  ["429", () => ({ status: 429 }), 4, "limited"],
  ["400", () => ({ status: 400 }), 1, "malformed"],
  ["403", () => refusal(403, "DENIED"), 1, "denied"],
  ["404", () => refusal(404, "MANIFEST_UNKNOWN"), 1, "absent"],
  ["501", () => ({ status: 501 }), 1, "unavailable"],
  [
    "a connection that is cut",
    () => ({ kind: "failure", words: "other side closed", why: "hung-up" }),
    4,
    "unavailable",
  ],
  ["nobody listens", () => ({ kind: "failure", words: "ECONNREFUSED", why: "passing" }), 4, "unavailable"],
  ["a bad certificate", () => ({ kind: "failure", words: "expired", why: "certificate" }), 1, "unavailable"],
  ["no such host", () => ({ kind: "failure", words: "ENOTFOUND", why: "no-host" }), 1, "unavailable"],
  ["no answer in a minute", () => ({ kind: "failure", words: "time", why: "time" }), 1, "unavailable"],
])("what may pass is tried again, and nothing else: %s", async (_, server, attempts, kind) => {
  const { registry, seen } = play({ servers: { "https://registry.test": server } });
  expect((await ask(registry, "registry.test/t/a")).kind).toBe(kind);
  expect(seen).toHaveLength(attempts);
});

test.each<[string, string, readonly number[]]>([
  ["not told: longer each time", "", [300, 900, 2700]],
  ["in seconds", "7", [7000, 7000, 7000]],
  ["by a date", new Date(1_000_000 + 9000).toUTCString(), [9000, 9000, 9000]],
  ["by a date that is gone", new Date(0).toUTCString(), [0, 0, 0]],
  ["longer than anyone waits", "61", []],
  ["nonsense", "soon", [300, 900, 2700]],
])("when to, %s", async (_, after, pauses) => {
  const headers: Record<string, string> = after === "" ? {} : { "retry-after": after };
  const network = play({ servers: { "https://registry.test": () => ({ status: 503, headers }) } });
  await ask(network.registry, "registry.test/t/a");
  expect(network.pauses).toEqual(pauses);
});

test("nobody sleeps past the end of the time, and the last answer is told", async () => {
  const network = play({ servers: { "https://registry.test": () => refusal(503, "UNAVAILABLE") } });
  network.registry.limitTime(1000);
  expect(await ask(network.registry, "registry.test/t/a")).toMatchObject({ words: /^UNAVAILABLE/ });
  expect(network.pauses).toEqual([300, 900]);
});

test("the time that is left goes along with every request, a token's too", async () => {
  const serve: Server = (request) =>
    request.url.pathname === "/token" ? grants(request) : wants("https://registry.test/token")(request);
  const network = play({ servers: { "https://registry.test": serve } });
  network.registry.limitTime(5000);
  await ask(network.registry, "registry.test/t/a");
  expect(network.seen.map(({ request }) => request.timeout)).toEqual([5000, 5000, 5000]);
});

test("an upload that breaks off starts anew as a whole", async () => {
  let puts = 0;
  const serve: Server = ({ method, url }) => {
    if (method === "HEAD") return refusal(404, "BLOB_UNKNOWN");
    if (method === "POST") return { status: 202, headers: { location: `${url.pathname}${puts}` } };
    puts++;
    return puts < 3 ? ([{ status: 502 }, refusal(404, "BLOB_UPLOAD_UNKNOWN")][puts - 1] ?? served) : { status: 201 };
  };
  const { registry, lines } = play({ servers: { "https://registry.test": serve } });
  const name = { registry: "registry.test", repository: "t/a" };
  expect((await registry.putBlob(name, Buffer.from("{}"), "x")).kind).toBe("found");
  expect(lines().map((line) => line.replace(/\?.*/, "").replace("https://registry.test/v2/t/a/blobs/", ""))).toEqual([
    "POST uploads/",
    "PUT uploads/0",
    "POST uploads/",
    "PUT uploads/1",
    "POST uploads/",
    "PUT uploads/2",
  ]);
});

test("an upload that never ends well is unavailable and never absent", async () => {
  const serve: Server = ({ method }) =>
    method === "POST" ? { status: 202, headers: { location: "u" } } : refusal(404, "BLOB_UPLOAD_UNKNOWN");
  const { registry, lines } = play({ servers: { "https://registry.test": serve } });
  const name = { registry: "registry.test", repository: "t/a" };
  expect(await registry.putBlob(name, Buffer.from("{}"), "x")).toMatchObject({ kind: "unavailable" });
  expect(lines().filter((line) => line.startsWith("PUT"))).toHaveLength(3);
});

test.each<[string, readonly boolean[], number]>([
  ["wanted all the time", [true, true, true], 4],
  ["not wanted any more", [true, false], 2],
])("a tag whose push fails in passing and that is %s", async (_, wanted, attempts) => {
  const { registry, seen } = play({ servers: { "https://registry.test": () => ({ status: 503 }) } });
  let asked = 0;
  const push = registry.putManifest(
    { registry: "registry.test", repository: "t/a" },
    new TextEncoder().encode("{}"),
    "application/vnd.oci.image.index.v1+json",
    "one",
    async () => wanted[asked++] ?? false,
  );
  expect((await push).kind).toBe("unavailable");
  expect(seen).toHaveLength(attempts);
  expect(asked).toBe(wanted.length);
});
