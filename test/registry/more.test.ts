import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Repository } from "../../src/oci/reference.ts";
import { openRegistry } from "../../src/registry/client.ts";
import { openHttp } from "../../src/registry/http.ts";
import { mayHearLogin } from "../../src/registry/origins.ts";
import { mergeScopes } from "../../src/registry/tokens.ts";
import type { Registry, StoredLogin } from "../../src/world.ts";
import { type FakeRegistry, openFakeRegistry } from "../fakes/registry.ts";

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
let now = 0;
const opened: Registry[] = [];

beforeEach(async () => {
  fake = await openFakeRegistry();
  fake.seedManifest("team/app", "one", Buffer.from(image), MANIFEST);
  name = { registry: fake.host, repository: "team/app" };
  now = 1_000_000;
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((registry) => registry.close()));
  await fake.close();
});

function open(login?: StoredLogin, clock: () => number = () => now): Registry {
  const http = openHttp({
    env: {},
    userAgent: "test",
    timeout: 500,
    trust: async () => ({ certificates: [], insecure: false }),
  });
  const pause = async (): Promise<void> => undefined;
  const registry = openRegistry(
    { ...http, pause },
    { clock, mask: () => undefined, credentials: async () => login, pushes: () => false, insecure: () => true },
  );
  opened.push(registry);
  return registry;
}

const challenge = (realm: string) => ({
  status: 401,
  headers: { "www-authenticate": `Bearer realm="${realm}",service="fake"` },
});
const wants =
  (token: string, realm: string) => (asked: { readonly headers: { readonly authorization?: string | undefined } }) =>
    asked.headers.authorization === `Bearer ${token}`
      ? { status: 200, headers: { "content-type": MANIFEST, "docker-content-digest": sha(image) }, body: image }
      : challenge(realm);
const tokenReply = (body: object) => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const form = (): URLSearchParams =>
  new URLSearchParams(fake.asked.find(({ method }) => method === "POST")?.body.toString());

describe("tokens", () => {
  const realm = () => `http://${fake.host}/token`;

  test("an identity token is exchanged by POST", async () => {
    fake.override((line) => line.includes("/manifests/"), wants("fresh", realm()));
    fake.override((line) => line === "POST /token", tokenReply({ access_token: "fresh" }));
    expect((await open({ identityToken: "idt" }).manifest({ ...name, tag: "one" })).kind).toBe("found");
    expect(Object.fromEntries(form())).toMatchObject({
      grant_type: "refresh_token",
      refresh_token: "idt",
      service: "fake",
      scope: "repository:team/app:pull",
    });
  });

  test("a token server without POST is asked by GET, without the identity token", async () => {
    fake.override((line) => line.includes("/manifests/"), wants("public", realm()));
    fake.override((line) => line === "POST /token", { status: 404 });
    fake.override((line) => line === "GET /token", tokenReply({ token: "public" }));
    expect((await open({ identityToken: "idt" }).manifest({ ...name, tag: "one" })).kind).toBe("found");
    expect(fake.asked.filter(({ method, url }) => method === "GET" && url.href.includes("idt"))).toEqual([]);
  });

  test("a registry token is used as it is", async () => {
    fake.override((line) => line.includes("/manifests/"), wants("given", realm()));
    expect((await open({ registryToken: "given" }).manifest({ ...name, tag: "one" })).kind).toBe("found");
    expect(fake.requests.filter((line) => line.includes("/token"))).toEqual([]);
  });

  test.each<[string, object, string]>([
    ["access_token before token", { access_token: "a", token: "b" }, "a"],
    ["token alone", { token: "b" }, "b"],
    ["an empty access_token", { access_token: "", token: "b" }, "b"],
  ])("%s", async (_, body, token) => {
    fake.override((line) => line.includes("/manifests/"), wants(token, realm()));
    fake.override((line) => line === "GET /token", tokenReply(body));
    expect((await open().manifest({ ...name, tag: "one" })).kind).toBe("found");
  });

  test("a token is used until shortly before its end, then another one is asked for", async () => {
    fake.override((line) => line.includes("/manifests/"), wants("t", realm()));
    fake.override((line) => line === "GET /token", tokenReply({ token: "t", expires_in: 300 }));
    const registry = open();
    const ask = () => registry.manifest({ ...name, tag: "one" });
    const exchanges = () => fake.requests.filter((line) => line === "GET /token").length;
    await ask();
    now += 290_000;
    await ask();
    expect(exchanges()).toBe(1);
    now += 6_000;
    expect((await ask()).kind).toBe("found");
    expect(exchanges()).toBe(2);
  });

  test("a token that the registry no longer takes is asked for anew, once", async () => {
    let good = "first";
    fake.override(
      (line) => line.includes("/manifests/"),
      (asked) => wants(good, realm())(asked),
    );
    fake.override(
      (line) => line === "GET /token",
      () => tokenReply({ token: good }),
    );
    const registry = open();
    await registry.manifest({ ...name, tag: "one" });
    good = "second";
    expect((await registry.manifest({ ...name, tag: "one" })).kind).toBe("found");
    fake.override((line) => line === "GET /token", tokenReply({ token: "bad" }));
    good = "third";
    const before = fake.requests.length;
    expect((await registry.manifest({ ...name, tag: "one" })).kind).toBe("denied");
    expect(fake.requests.length - before).toBe(3);
  });

  test("what a registry once asked for is foreseen for its other repositories", async () => {
    fake.seedManifest("team/other", "one", Buffer.from(image), MANIFEST);
    fake.requireBearer({ user: "me", password: "pass" });
    const registry = open({ username: "me", password: "pass" });
    await registry.manifest({ ...name, tag: "one" });
    const before = fake.requests.length;
    expect((await registry.manifest({ ...name, repository: "team/other", tag: "one" })).kind).toBe("found");
    expect(fake.requests.slice(before)).toEqual(["GET /token", "GET /v2/team/other/manifests/one"]);
  });

  test.each<[string, object, string]>([
    ["no token in it", { status: 200, body: "{}" }, "malformed"],
    ["no JSON", { status: 200, body: "<html>" }, "malformed"],
    ["longer than any token", { status: 200, body: JSON.stringify({ token: "x".repeat(70_000) }) }, "malformed"],
    ["a refusal", { status: 403, body: "{}" }, "denied"],
    ["404", { status: 404, body: "{}" }, "denied"],
    ["a rate limit", { status: 429 }, "limited"],
    ["broken", { status: 500 }, "unavailable"],
  ])("the token server's answer: %s", async (_, reply, kind) => {
    fake.override((line) => line.includes("/manifests/"), challenge(realm()));
    fake.override((line) => line === "GET /token", { status: 500, ...reply });
    expect(await open({ username: "me", password: "p" }).manifest({ ...name, tag: "one" })).toMatchObject({ kind });
  });

  test("a challenge from behind a redirect is not answered", async () => {
    const foreign = await openFakeRegistry();
    foreign.override(() => true, challenge(`http://${foreign.host}/token`));
    fake.override((line) => line.includes("/manifests/"), {
      status: 307,
      headers: { location: `http://${foreign.host}/v2/x/manifests/one` },
    });
    expect(await open({ username: "me", password: "p" }).manifest({ ...name, tag: "one" })).toMatchObject({
      kind: "denied",
    });
    expect(foreign.requests).toEqual(["GET /v2/x/manifests/one"]);
    expect(foreign.asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    await foreign.close();
  });
});

test("time that is limited: what comes too late is unavailable, and nothing more is asked", async () => {
  const registry = open(undefined, Date.now);
  registry.limitTime(150);
  fake.override(() => true, { status: 503 });
  expect(await registry.manifest({ ...name, tag: "one" })).toMatchObject({ kind: "unavailable" });
  await new Promise((done) => setTimeout(done, 200));
  const before = fake.requests.length;
  expect(await registry.manifest({ ...name, tag: "two" })).toMatchObject({
    kind: "unavailable",
    words: expect.stringContaining("longer than they may"),
  });
  expect(fake.requests.length).toBe(before);
  registry.limitTime(undefined);
  await registry.manifest({ ...name, tag: "three" });
  expect(fake.requests.length).toBeGreaterThan(before);
});

describe("tags", () => {
  const page = (tags: readonly string[] | null, link?: string) => ({
    status: 200,
    headers: link === undefined ? {} : { link },
    body: JSON.stringify({ name: "team/app", tags }),
  });

  test("pages are followed", async () => {
    fake.override(
      (line) => line.includes("/tags/list"),
      ({ url }) =>
        url.searchParams.get("last") === "b"
          ? page(["c"])
          : page(["a", "b"], '</v2/team/app/tags/list?last=b&n=2>; rel="next"'),
    );
    expect(await open().tags(name)).toEqual({ kind: "found", value: ["a", "b", "c"] });
  });

  test.each<[string, object, string]>([
    ["none", page(null), "found"],
    ["an unknown repository", { status: 404, body: '{"errors":[{"code":"NAME_UNKNOWN"}]}' }, "absent"],
    ["a list that goes on elsewhere", page(["a"], '<http://evil.test/x>; rel="next"'), "malformed"],
    ["a page that points to itself", page(["a"], '</v2/team/app/tags/list?n=1>; rel="next"'), "found"],
    ["no list", { status: 200, body: '{"tags":"a"}' }, "malformed"],
  ])("%s", async (_, reply, kind) => {
    fake.override((line) => line.includes("/tags/list"), { status: 500, ...reply });
    expect(await open().tags(name)).toMatchObject({ kind });
  });
});

describe("mounts and deletes", () => {
  const blob = { mediaType: "x", digest: sha("{}"), size: 2 };
  const from = (): Repository => ({ ...name, repository: "team/from" });

  test("a mount that the registry makes sends nothing", async () => {
    fake.override((line) => line.startsWith("POST"), { status: 201 });
    expect(await open().mountBlob(name, from(), blob)).toEqual({ kind: "found", value: blob });
    expect(fake.requests).toEqual(["POST /v2/team/app/blobs/uploads/"]);
    expect(fake.asked[0]?.url.searchParams.get("from")).toBe("team/from");
  });

  test.each([
    ["202", 202],
    ["an error", 500],
  ])("a mount that is answered with %s: fetched and uploaded, no upload left open", async (_, status) => {
    fake.seedBlob("team/from", Buffer.from("{}"));
    const mounts = (asked: { readonly url: URL }) => asked.url.searchParams.has("mount");
    fake.override(
      (line) => line.startsWith("POST"),
      (asked) => ({ status: mounts(asked) ? status : 202, headers: { location: "/v2/team/app/blobs/uploads/u" } }),
    );
    fake.override((line) => line.startsWith("PUT"), { status: 201 });
    expect(await open().mountBlob(name, from(), blob)).toMatchObject({ kind: "found" });
    expect(fake.asked.find(({ method }) => method === "PUT")?.body.toString()).toBe("{}");
    const deletes = fake.requests.filter((line) => line.startsWith("DELETE"));
    expect(deletes).toHaveLength(status === 202 ? 1 : 0);
  });

  test.each<[number, string, string]>([
    [202, "", "found"],
    [404, "MANIFEST_UNKNOWN", "absent"],
    [405, "UNSUPPORTED", "denied"],
    [403, "DENIED", "denied"],
    [404, "UNSUPPORTED", "malformed"],
  ])("a delete that is answered with %s %s is %s", async (status, code, kind) => {
    fake.override((line) => line.startsWith("DELETE"), { status, body: JSON.stringify({ errors: [{ code }] }) });
    expect(await open().deleteManifest({ ...name, digest: sha("x") })).toMatchObject({ kind });
  });
});

test("whatever a registry serves as a manifest is an answer and no exception, and never absence", async () => {
  const registry = open();
  let body = "";
  fake.override(
    (line) => line.includes("/manifests/"),
    () => ({ status: 200, headers: { "content-type": MANIFEST }, body }),
  );
  const part = fc.constantFrom(
    '"config"',
    '"layers"',
    '"digest"',
    sha("x"),
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    "1",
    "-1",
    "null",
    '"mediaType"',
    MANIFEST,
  );
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.json(),
        fc.array(part, { maxLength: 30 }).map((parts) => parts.join("")),
      ),
      async (text) => {
        body = text;
        expect(["malformed", "found"]).toContain((await registry.manifest({ ...name, tag: "fuzz" })).kind);
      },
    ),
    { numRuns: 150 },
  );
});

test("whatever a challenge says, there is an answer and no exception", async () => {
  const word = fc.constantFrom(
    "Bearer ",
    "Basic ",
    "realm=",
    '"',
    ",",
    "service=x",
    "http://",
    "evil.test",
    "/token",
    " ",
    "scope=",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 20 }), async (words) => {
      fake.override(() => true, { status: 401, headers: { "www-authenticate": words.join("") || "x" } });
      const answer = await open({ username: "me", password: "p" }).manifest({ ...name, tag: "one" });
      expect(["denied", "malformed", "unavailable"]).toContain(answer.kind);
    }),
    { numRuns: 60 },
  );
}, 30_000);

test.each<[string, readonly string[], readonly string[]]>([
  ["one", ["repository:a:pull"], ["repository:a:pull"]],
  ["the wider of two", ["repository:a:pull", "repository:a:pull,push"], ["repository:a:pull,push"]],
  [
    "another resource stays first",
    ["registry:catalog:*", "repository:a:pull"],
    ["registry:catalog:*", "repository:a:pull"],
  ],
  ["Gitea's star", ["*", "repository:a:pull"], ["repository:a:pull"]],
  ["a name with a port-like colon", ["repository:a/b:c:pull"], ["repository:a/b:c:pull"]],
])("scopes: %s", (_, scopes, expected) => {
  expect(mergeScopes(scopes)).toEqual(expected);
});

test.each<[string, string, boolean]>([
  ["https://auth.example/token", "https://registry.example", true],
  ["https://registry.example/token", "https://registry.example", true],
  ["http://auth.example/token", "https://registry.example", false],
  ["http://registry.example/token", "http://registry.example", true],
  ["http://registry.example:81/token", "http://registry.example", false],
  ["https://10.0.0.1/token", "https://registry.example", false],
  ["https://192.168.7.1/token", "https://192.168.7.1", true],
  ["https://[fd00::1]/token", "https://registry.example", false],
  ["https://172.32.0.1/token", "https://registry.example", true],
  ["http://127.0.0.1:5001/token", "http://127.0.0.1:5000", true],
  ["http://localhost:5000/token", "http://127.0.0.1:5000", true],
  ["https://127.0.0.1/token", "https://registry.example", false],
  ["http://127.0.0.1/token", "https://registry.example", false],
  ["http://169.254.169.254/token", "https://registry.example", false],
  ["http://auth.example/token", "http://127.0.0.1:5000", false],
  ["https://user:pass@auth.example/token", "https://registry.example", false],
  ["ftp://auth.example/token", "https://registry.example", false],
])("a login may go to %s for %s: %s", (realm, origin, expected) => {
  expect(mayHearLogin(new URL(realm), new URL(origin))).toBe(expected);
});
