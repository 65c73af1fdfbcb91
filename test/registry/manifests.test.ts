import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Reference, Repository } from "../../src/oci/reference.ts";
import type { RegistryError } from "../../src/world.ts";
import { type FakeRegistry, openFakeRegistry, type Reply } from "../fakes/registry.ts";
import { image, MANIFEST, openClient, refusal, served, sha } from "./client.ts";

let fake: FakeRegistry;
let name: Repository;
let tagged: Reference & { readonly tag: string };

beforeEach(async () => {
  fake = await openFakeRegistry();
  name = { registry: fake.host, repository: "team/app" };
  tagged = { ...name, tag: "one" };
});
afterEach(() => fake.close());

const seed = () => fake.seedManifest("team/app", "one", Buffer.from(image), MANIFEST);
const html: Reply = {
  status: 404,
  headers: { "content-type": "text/html" },
  body: "<html><body>Not found</body></html>",
};

describe("a manifest", () => {
  test("is served with the digest of its bytes, by tag and by digest", async () => {
    const digest = seed();
    const registry = openClient();
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
    ["the registry's own not found", refusal(404, "MANIFEST_UNKNOWN"), "absent"],
    ["an unknown repository", refusal(404, "NAME_UNKNOWN"), "absent"],
    ["404 without a body", { status: 404 }, "malformed"],
    [
      "404 of a proxy that knows no such route",
      { status: 404, headers: { "content-type": "text/plain" }, body: "404 page not found" },
      "malformed",
    ],
    ["404 in JSON of another kind", { status: 404, body: '{"message":"Not Found"}' }, "malformed"],
    ["404 in a list of errors that is no registry's", refusal(404, "route_unknown_here"), "malformed"],
    ["404 of a gateway that lists its errors too", refusal(404, "404"), "malformed"],
    ["404 with a code that says nothing", refusal(404, "UNSUPPORTED"), "malformed"],
    ["404 that is a refusal", refusal(404, "DENIED"), "denied"],
    ["404 that is a limit", refusal(404, "TOOMANYREQUESTS"), "limited"],
    ["404 of a web page", html, "malformed"],
    ["401 without a challenge", refusal(401, "UNAUTHORIZED"), "denied"],
    ["403", refusal(403, "DENIED"), "denied"],
    ["429", refusal(429, "TOOMANYREQUESTS"), "limited"],
    ["500", refusal(500, "UNKNOWN"), "unavailable"],
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
    ["400", refusal(400, "TAG_INVALID"), "malformed"],
  ];
  test.each(rows)("%s", async (_, reply, kind) => {
    seed();
    fake.override((line) => line.includes("/manifests/one"), reply);
    const answer = await openClient().manifest(tagged);
    expect(answer).toMatchObject({ kind, request: `GET http://${fake.host}/v2/team/app/manifests/one` });
    if (answer.kind !== "found") expect(answer.words).not.toBe("");
  });

  test.each(rows)("described: %s", async (_, reply, kind) => {
    seed();
    fake.override((line) => line.includes("/manifests/one"), reply);
    expect((await openClient().describe(tagged)).kind).toBe(kind);
  });

  test.each<[string, Reply, string]>([
    ["its list of errors", refusal(429, "TOOMANYREQUESTS"), "TOOMANYREQUESTS: said the registry"],
    [
      "plain text",
      { status: 429, headers: { "content-type": "text/plain" }, body: "enough\n::now\n" },
      "status 429: enough ::now",
    ],
    ["JSON of its own", { status: 403, body: '{"details":"not yours"}' }, "not yours"],
    ["a page, which is not shown", { ...html, status: 502 }, "status 502"],
    ["nothing", { status: 503 }, "status 503"],
    ["too much", { status: 403, body: JSON.stringify({ message: "x".repeat(5000) }) }, `${"x".repeat(300)}…`],
  ])("the registry's own words, in one line: %s", async (_, reply, words) => {
    fake.override(() => true, reply);
    expect(await openClient().manifest(tagged)).toMatchObject({ words });
  });

  test("another content than the digest asked for", async () => {
    fake.override((line) => line.includes(sha("other")), served(image));
    expect(await openClient().manifest({ ...name, digest: sha("other") })).toMatchObject({ kind: "malformed" });
  });

  test("nobody listens", async () => {
    const { host } = fake;
    await fake.close();
    const answer = await openClient().manifest({ registry: host, repository: "team/app", tag: "one" });
    expect(answer).toMatchObject({ kind: "unavailable", words: expect.stringContaining("ECONNREFUSED") });
    fake = await openFakeRegistry();
  });

  test("what passes is tried again, and told when it does not pass", async () => {
    const digest = seed();
    let failures = 2;
    fake.override((line) => line.includes("/manifests/one") && failures-- > 0, refusal(503, "UNAVAILABLE"));
    expect(await openClient().manifest(tagged)).toMatchObject({ kind: "found", value: { descriptor: { digest } } });
    expect(fake.requests).toHaveLength(3);
  });

  test("a rate limit that asks for an hour is not waited for", async () => {
    fake.override(() => true, {
      ...refusal(429, "TOOMANYREQUESTS"),
      headers: { "retry-after": "3600", "ratelimit-remaining": "0", "ratelimit-limit": "100;w=21600" },
    });
    const answer = await openClient().manifest(tagged);
    expect(answer).toMatchObject({ kind: "limited", fix: expect.stringContaining("0 of 100") });
    expect(fake.requests).toHaveLength(1);
  });

  test("those who ask the same at the same time share one request", async () => {
    seed();
    const registry = openClient();
    await Promise.all([registry.manifest(tagged), registry.manifest(tagged), registry.manifest(tagged)]);
    expect(fake.requests).toHaveLength(1);
    expect(registry.traffic()).toEqual({ requests: 1, bytes: image.length, waves: 1 });
  });

  test("waves are requests that had to wait for another", async () => {
    seed();
    const registry = openClient();
    await Promise.all([registry.manifest(tagged), registry.manifest({ ...name, digest: sha(image) })]);
    await registry.hasBlob(name, { mediaType: "x", digest: sha("gone"), size: 4 });
    // That something is not there is asked twice, by HEAD and by GET.
    expect(registry.traffic()).toMatchObject({ requests: 4, waves: 3 });
  });
});

test("whatever a registry serves as a manifest is an answer and no exception, and never absence", async () => {
  const registry = openClient();
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
