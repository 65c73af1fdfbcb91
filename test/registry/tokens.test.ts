import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Repository } from "../../src/oci/reference.ts";
import { mergeScopes } from "../../src/registry/tokens.ts";
import type { StoredLogin } from "../../src/world.ts";
import { type FakeRegistry, openFakeRegistry } from "../fakes/registry.ts";
import { image, MANIFEST, openClient, sha } from "./client.ts";

let fake: FakeRegistry;
let name: Repository;
let now = 0;

beforeEach(async () => {
  fake = await openFakeRegistry();
  name = { registry: fake.host, repository: "team/app" };
  fake.seedManifest("team/app", "one", Buffer.from(image), MANIFEST);
  now = 1_000_000;
});
afterEach(() => fake.close());

const open = (login?: StoredLogin) => openClient({ login, clock: () => now });

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
});

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
