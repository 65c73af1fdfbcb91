import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Reference, Repository } from "../../src/oci/reference.ts";
import { openRegistry } from "../../src/registry/client.ts";
import { openHttp } from "../../src/registry/http.ts";
import type { Registry, RegistryError, StoredLogin } from "../../src/world.ts";
import { type FakeRegistry, openFakeRegistry, type Reply } from "../fakes/registry.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const sha = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}` as const;
const image = JSON.stringify({
  schemaVersion: 2,
  mediaType: MANIFEST,
  config: { mediaType: "x", digest: sha("{}"), size: 2 },
  layers: [],
});

let fake: FakeRegistry;
let name: Repository;
let tagged: Reference & { readonly tag: string };
const opened: Registry[] = [];
const masked: string[] = [];

beforeEach(async () => {
  fake = await openFakeRegistry();
  name = { registry: fake.host, repository: "team/app" };
  tagged = { ...name, tag: "one" };
  masked.length = 0;
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((registry) => registry.close()));
  await fake.close();
});

function open(login?: StoredLogin, pushes = false): Registry {
  const http = openHttp({
    env: {},
    userAgent: "test",
    timeout: 300,
    trust: async () => ({ certificates: [], insecure: false }),
  });
  // Waiting between attempts is not what these tests are about.
  const registry = openRegistry(
    { ...http, pause: async () => undefined },
    {
      clock: Date.now,
      mask: (secret) => masked.push(secret),
      credentials: async () => login,
      pushes: () => pushes,
      insecure: () => true,
    },
  );
  opened.push(registry);
  return registry;
}

const seed = () => fake.seedManifest("team/app", "one", Buffer.from(image), MANIFEST);
const html: Reply = {
  status: 404,
  headers: { "content-type": "text/html" },
  body: "<html><body>Not found</body></html>",
};
const json = (status: number, code: string): Reply => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ errors: [{ code, message: "said the registry" }] }),
});
const served = (body: string, type = MANIFEST): Reply => ({ status: 200, headers: { "content-type": type }, body });

describe("a manifest", () => {
  test("is served with the digest of its bytes, by tag and by digest", async () => {
    const digest = seed();
    const registry = open();
    expect(await registry.manifest(tagged)).toMatchObject({
      kind: "found",
      value: { descriptor: { digest, size: image.length, mediaType: MANIFEST } },
    });
    expect(await registry.manifest({ ...name, digest: sha(image) })).toMatchObject({ kind: "found" });
    expect(await registry.describe(tagged)).toEqual({
      kind: "found",
      value: { mediaType: MANIFEST, digest, size: image.length },
    });
  });

  const rows: readonly [string, Reply, RegistryError["kind"]][] = [
    ["the registry's own not found", json(404, "MANIFEST_UNKNOWN"), "absent"],
    ["an unknown repository", json(404, "NAME_UNKNOWN"), "absent"],
    ["404 without a body", { status: 404 }, "malformed"],
    [
      "404 of a proxy that knows no such route",
      { status: 404, headers: { "content-type": "text/plain" }, body: "404 page not found" },
      "malformed",
    ],
    ["404 in JSON of another kind", { status: 404, body: '{"message":"Not Found"}' }, "malformed"],
    ["404 in a list of errors that is no registry's", json(404, "route_unknown_here"), "malformed"],
    ["404 of a gateway that lists its errors too", json(404, "404"), "malformed"],
    ["404 with a code that says nothing", json(404, "UNSUPPORTED"), "malformed"],
    ["404 that is a refusal", json(404, "DENIED"), "denied"],
    ["404 that is a limit", json(404, "TOOMANYREQUESTS"), "limited"],
    ["404 of a web page", html, "malformed"],
    ["401 without a challenge", json(401, "UNAUTHORIZED"), "denied"],
    ["403", json(403, "DENIED"), "denied"],
    ["429", json(429, "TOOMANYREQUESTS"), "limited"],
    ["500", json(500, "UNKNOWN"), "unavailable"],
    ["502 of a proxy", { ...html, status: 502 }, "unavailable"],
    ["503", { status: 503 }, "unavailable"],
    ["a web page with status 200", { ...html, status: 200 }, "malformed"],
    ["truncated JSON", served(image.slice(0, -5)), "malformed"],
    ["no JSON object", served("[]"), "malformed"],
    [
      "a schema 1 manifest",
      served('{"schemaVersion":1}', "application/vnd.docker.distribution.manifest.v1+prettyjws"),
      "malformed",
    ],
    ["another type inside than outside", served(image, "application/vnd.oci.image.index.v1+json"), "malformed"],
    [
      "a layer without a digest",
      served(JSON.stringify({ ...JSON.parse(image), layers: [{ mediaType: "x", size: 1 }] })),
      "malformed",
    ],
    ["a redirect to nowhere", { status: 307, headers: { location: "http://" } }, "malformed"],
    ["a redirect without end", { status: 307, headers: { location: "/v2/team/app/manifests/one" } }, "malformed"],
    ["400", json(400, "TAG_INVALID"), "malformed"],
  ];
  test.each(rows)("%s", async (_, reply, kind) => {
    seed();
    fake.override((line) => line.includes("/manifests/one"), reply);
    const answer = await open().manifest(tagged);
    expect(answer).toMatchObject({ kind, request: `GET http://${fake.host}/v2/team/app/manifests/one` });
    if (answer.kind !== "found") expect(answer.words).not.toBe("");
  });

  test.each(rows)("described: %s", async (_, reply, kind) => {
    seed();
    fake.override((line) => line.includes("/manifests/one"), reply);
    expect((await open().describe(tagged)).kind).toBe(kind);
  });

  test("another content than the digest asked for", async () => {
    fake.override((line) => line.includes(sha("other")), served(image));
    expect(await open().manifest({ ...name, digest: sha("other") })).toMatchObject({ kind: "malformed" });
  });

  test("nobody listens", async () => {
    const { host } = fake;
    await fake.close();
    const answer = await open().manifest({ registry: host, repository: "team/app", tag: "one" });
    expect(answer).toMatchObject({ kind: "unavailable", words: expect.stringContaining("ECONNREFUSED") });
    fake = await openFakeRegistry();
  });

  test("what passes is tried again, and told when it does not pass", async () => {
    const digest = seed();
    let failures = 2;
    fake.override((line) => line.includes("/manifests/one") && failures-- > 0, json(503, "UNAVAILABLE"));
    expect(await open().manifest(tagged)).toMatchObject({ kind: "found", value: { descriptor: { digest } } });
    expect(fake.requests).toHaveLength(3);
  });

  test("a rate limit that asks for an hour is not waited for", async () => {
    fake.override(() => true, {
      ...json(429, "TOOMANYREQUESTS"),
      headers: { "retry-after": "3600", "ratelimit-remaining": "0", "ratelimit-limit": "100;w=21600" },
    });
    const answer = await open().manifest(tagged);
    expect(answer).toMatchObject({ kind: "limited", fix: expect.stringContaining("0 of 100") });
    expect(fake.requests).toHaveLength(1);
  });

  test("those who ask the same at the same time share one request", async () => {
    seed();
    const registry = open();
    await Promise.all([registry.manifest(tagged), registry.manifest(tagged), registry.manifest(tagged)]);
    expect(fake.requests).toHaveLength(1);
    expect(registry.traffic()).toEqual({ requests: 1, bytes: image.length, waves: 1 });
  });

  test("waves are requests that had to wait for another", async () => {
    seed();
    const registry = open();
    await Promise.all([registry.manifest(tagged), registry.manifest({ ...name, digest: sha(image) })]);
    await registry.hasBlob(name, { mediaType: "x", digest: sha("gone"), size: 4 });
    // That something is not there is asked twice, by HEAD and by GET.
    expect(registry.traffic()).toMatchObject({ requests: 4, waves: 3 });
  });
});

describe("logins", () => {
  const login = { username: "me", password: "pass:wörd" };
  const wanted = { user: "me", password: "pass:wörd" };

  test("Bearer: one exchange for a repository, the token is masked and used again", async () => {
    seed();
    fake.requireBearer(wanted);
    const registry = open(login);
    expect((await registry.manifest(tagged)).kind).toBe("found");
    expect((await registry.describe(tagged)).kind).toBe("found");
    expect(fake.requests.filter((line) => line === "GET /token")).toHaveLength(1);
    expect(masked).toContain("token-for-pull");
  });

  test("a burst of look-ups costs one exchange", async () => {
    seed();
    fake.requireBearer(wanted);
    const registry = open(login);
    await Promise.all(["one", "two", "three", "four"].map((tag) => registry.describe({ ...name, tag })));
    expect(fake.requests.filter((line) => line === "GET /token")).toHaveLength(1);
  });

  test("a run that may push asks for that at once", async () => {
    fake.requireBearer(wanted);
    const registry = open(login, true);
    await registry.describe(tagged);
    expect((await registry.acceptsPush(name)).kind).toBe("found");
    expect(fake.requests.filter((line) => line === "GET /token")).toHaveLength(1);
  });

  test("anonymous reading with a token", async () => {
    seed();
    fake.requireBearer({ ...wanted, anonymousMayPull: true });
    expect((await open().manifest(tagged)).kind).toBe("found");
  });

  test("a stale login does not hide what everyone may read", async () => {
    seed();
    fake.requireBearer({ ...wanted, anonymousMayPull: true });
    expect((await open({ username: "me", password: "old" }).manifest(tagged)).kind).toBe("found");
  });

  test.each<[string, StoredLogin | undefined]>([
    ["no login", undefined],
    ["a wrong password", { username: "me", password: "wrong" }],
  ])("%s is denied and never absent", async (_, given) => {
    fake.requireBearer(wanted);
    expect(await open(given).manifest(tagged)).toMatchObject({ kind: "denied" });
    expect(await open(given).acceptsPush(name)).toMatchObject({ kind: "denied" });
  });

  test("Basic", async () => {
    seed();
    fake.requireBasic(wanted);
    expect((await open(login).manifest(tagged)).kind).toBe("found");
    expect(await open().manifest(tagged)).toMatchObject({ kind: "denied" });
  });

  test("credentials do not follow a redirect to another origin, nor go to a realm that is not the registry's", async () => {
    seed();
    fake.requireBearer(wanted);
    const storage = await openFakeRegistry();
    storage.override(() => true, { status: 200, body: "{}" });
    fake.override((line) => line.includes("/blobs/"), {
      status: 307,
      headers: { location: `http://${storage.host}/bucket/blob?signature=x` },
    });
    const registry = open(login);
    await registry.manifest(tagged);
    expect(await registry.blob(name, { mediaType: "x", digest: sha("{}"), size: 2 })).toMatchObject({ kind: "found" });
    expect(storage.asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    fake.override((line) => line.includes("/manifests/"), {
      status: 401,
      headers: { "www-authenticate": 'Bearer realm="http://evil.test/token"' },
    });
    expect(await open(login).manifest(tagged)).toMatchObject({
      kind: "malformed",
      words: expect.stringContaining("evil.test"),
    });
    await storage.close();
  });
});

describe("pushes", () => {
  test("a blob and a manifest, read back as they were", async () => {
    const registry = open();
    const bytes = Buffer.from("{}");
    expect(await registry.putBlob(name, bytes, "x")).toEqual({
      kind: "found",
      value: { mediaType: "x", digest: sha("{}"), size: 2 },
    });
    expect(fake.blob("team/app", sha("{}"))).toEqual(bytes);
    expect(await registry.putManifest(name, Buffer.from(image), MANIFEST, "two")).toMatchObject({ kind: "found" });
    expect(await registry.putManifest(name, Buffer.from(image), MANIFEST, undefined)).toMatchObject({ kind: "found" });
    expect(fake.tags("team/app")).toEqual(["two"]);
  });

  test("a blob that is there is not sent", async () => {
    fake.seedBlob("team/app", Buffer.from("{}"));
    await open().putBlob(name, Buffer.from("{}"), "x");
    expect(fake.requests).toEqual([`HEAD /v2/team/app/blobs/${sha("{}")}`]);
  });

  test("whether a push is taken is found out without leaving an upload open", async () => {
    expect(await open().acceptsPush(name)).toEqual({ kind: "found", value: true });
    expect(fake.requests.map((line) => line.split(" ")[0])).toEqual(["POST", "DELETE"]);
    expect(fake.openUploads()).toBe(0);
  });

  test("tags, a mount and a delete, as docker-registry does them", async () => {
    const registry = open();
    const other = { ...name, repository: "team/other" };
    const blob = { mediaType: "x", digest: sha("{}"), size: 2 };
    expect(await registry.tags(name)).toMatchObject({ kind: "absent" });
    fake.seedBlob("team/app", Buffer.from("{}"));
    seed();
    expect(await registry.mountBlob(other, name, blob)).toEqual({ kind: "found", value: blob });
    expect(fake.blob("team/other", sha("{}"))?.toString()).toBe("{}");
    expect(await registry.tags(name)).toEqual({ kind: "found", value: ["one"] });
    expect(await registry.deleteManifest(tagged)).toMatchObject({
      kind: "denied",
      words: expect.stringContaining("DIGEST_INVALID"),
    });
    expect(await registry.deleteManifest({ ...name, digest: sha(image) })).toEqual({ kind: "found", value: true });
    expect(await registry.manifest(tagged)).toMatchObject({ kind: "absent" });
    expect(fake.openUploads()).toBe(0);
  });

  test("a mount of what is not there to be mounted leaves nothing open", async () => {
    const from = { ...name, repository: "team/from" };
    expect(await open().mountBlob(name, from, { mediaType: "x", digest: sha("{}"), size: 2 })).toMatchObject({
      kind: "absent",
    });
    expect(fake.openUploads()).toBe(0);
  });

  test("refused and failed pushes say so", async () => {
    fake.override((line) => line.startsWith("PUT"), json(400, "MANIFEST_INVALID"));
    expect(await open().putManifest(name, Buffer.from(image), MANIFEST, "two")).toMatchObject({
      kind: "malformed",
      words: "MANIFEST_INVALID: said the registry",
    });
    fake.override((line) => line.startsWith("POST"), json(403, "DENIED"));
    expect(await open().acceptsPush(name)).toMatchObject({ kind: "denied", words: "DENIED: said the registry" });
  });
});

describe("blobs", () => {
  const blob = { mediaType: "x", digest: sha("{}"), size: 2 };

  test.each<[string, Reply, string]>([
    ["another content", served("[]"), "malformed"],
    ["longer than it should be", served("{}  "), "malformed"],
    ["shorter than it should be", served("{"), "malformed"],
    ["gone", json(404, "BLOB_UNKNOWN"), "absent"],
  ])("%s", async (_, reply, kind) => {
    fake.override((line) => line.includes("/blobs/"), reply);
    expect(await open().blob(name, blob)).toMatchObject({ kind });
  });

  test("longer than is asked for", async () => {
    fake.seedBlob("team/app", Buffer.from("{}"));
    expect(await open().blob(name, blob, 1)).toMatchObject({ kind: "malformed" });
  });

  test("a blob of another size is not the blob", async () => {
    fake.seedBlob("team/app", Buffer.from("{}"));
    expect(await open().hasBlob(name, { ...blob, size: 3 })).toMatchObject({ kind: "malformed" });
  });

  test("a registry that refuses HEAD on blobs is asked for one byte", async () => {
    fake.seedBlob("team/app", Buffer.from("{}"));
    fake.override((line) => line.startsWith("HEAD"), { status: 405 });
    expect(await open().hasBlob(name, blob)).toEqual({ kind: "found", value: true });
  });
});
