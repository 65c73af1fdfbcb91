import { afterEach, beforeEach, expect, test } from "vitest";
import type { Reference, Repository } from "../../src/oci/reference.ts";
import type { StoredLogin } from "../../src/world.ts";
import { type FakeRegistry, openFakeRegistry } from "../fakes/registry.ts";
import { image, MANIFEST, openClient, sha } from "./client.ts";

let fake: FakeRegistry;
let name: Repository;
let tagged: Reference & { readonly tag: string };
const masked: string[] = [];
const mask = (secret: string): void => void masked.push(secret);

beforeEach(async () => {
  fake = await openFakeRegistry();
  name = { registry: fake.host, repository: "team/app" };
  tagged = { ...name, tag: "one" };
  masked.length = 0;
});
afterEach(() => fake.close());

const seed = () => fake.seedManifest("team/app", "one", Buffer.from(image), MANIFEST);

const login = { username: "me", password: "pass:wörd" };
const wanted = { user: "me", password: "pass:wörd" };

test("Bearer: one exchange for a repository, the token is masked and used again", async () => {
  seed();
  fake.requireBearer(wanted);
  const registry = openClient({ login, mask });
  expect((await registry.manifest(tagged)).kind).toBe("found");
  expect((await registry.describe(tagged)).kind).toBe("found");
  expect(fake.requests.filter((line) => line === "GET /token")).toHaveLength(1);
  expect(masked).toContain("token-for-pull");
});

test("a burst of look-ups costs one exchange", async () => {
  seed();
  fake.requireBearer(wanted);
  const registry = openClient({ login, mask });
  await Promise.all(["one", "two", "three", "four"].map((tag) => registry.describe({ ...name, tag })));
  expect(fake.requests.filter((line) => line === "GET /token")).toHaveLength(1);
});

test("a run that may push asks for that at once", async () => {
  fake.requireBearer(wanted);
  const registry = openClient({ login, pushes: true, mask });
  await registry.describe(tagged);
  expect((await registry.acceptsPush(name)).kind).toBe("found");
  expect(fake.requests.filter((line) => line === "GET /token")).toHaveLength(1);
});

test("anonymous reading with a token", async () => {
  seed();
  fake.requireBearer({ ...wanted, anonymousMayPull: true });
  expect((await openClient().manifest(tagged)).kind).toBe("found");
});

test("a stale login does not hide what everyone may read", async () => {
  seed();
  fake.requireBearer({ ...wanted, anonymousMayPull: true });
  expect((await openClient({ login: { username: "me", password: "old" } }).manifest(tagged)).kind).toBe("found");
});

test.each<[string, StoredLogin | undefined]>([
  ["no login", undefined],
  ["a wrong password", { username: "me", password: "wrong" }],
])("%s is denied and never absent", async (_, given) => {
  fake.requireBearer(wanted);
  expect(await openClient({ login: given }).manifest(tagged)).toMatchObject({ kind: "denied" });
  expect(await openClient({ login: given }).acceptsPush(name)).toMatchObject({ kind: "denied" });
});

test("Basic", async () => {
  seed();
  fake.requireBasic(wanted);
  expect((await openClient({ login, mask }).manifest(tagged)).kind).toBe("found");
  expect(await openClient().manifest(tagged)).toMatchObject({ kind: "denied" });
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
  const registry = openClient({ login, mask });
  await registry.manifest(tagged);
  expect(await registry.blob(name, { mediaType: "x", digest: sha("{}"), size: 2 })).toMatchObject({ kind: "found" });
  expect(storage.asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  fake.override((line) => line.includes("/manifests/"), {
    status: 401,
    headers: { "www-authenticate": 'Bearer realm="http://evil.test/token"' },
  });
  expect(await openClient({ login, mask }).manifest(tagged)).toMatchObject({
    kind: "malformed",
    words: expect.stringContaining("evil.test"),
  });
  await storage.close();
});
