import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Reference, Repository } from "../../src/oci/reference.ts";
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

describe("pushes", () => {
  test("a blob and a manifest, read back as they were", async () => {
    const registry = openClient();
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

  test("what comes later has its upload opened meanwhile, and where nothing comes it is cancelled", async () => {
    const methods = () => fake.requests.map((line) => line.split(" ")[0]);
    let come = (_: Uint8Array): void => undefined;
    const later = new Promise<Uint8Array>((done) => {
      come = done;
    });
    const pushing = openClient().putBlob(name, later, "x");
    await expect.poll(methods).toEqual(["POST"]);
    come(Buffer.from("{}"));
    expect(await pushing).toMatchObject({ kind: "found", value: { digest: sha("{}") } });
    expect(methods()).toEqual(["POST", "PUT"]);
    const nothing = new Error("nothing comes");
    await expect(openClient().putBlob(name, Promise.reject(nothing), "x")).rejects.toBe(nothing);
    await expect.poll(() => fake.openUploads()).toBe(0);
    expect(methods()).toEqual(["POST", "PUT", "POST", "DELETE"]);
  });

  test("what is larger than registries take at once goes by PATCH, and what breaks off then starts anew", async () => {
    const bytes = Buffer.alloc(4 * 1024 * 1024 + 1, "x");
    const methods = () => fake.requests.map((line) => line.split(" ")[0]);
    expect(await openClient().putBlob(name, bytes.subarray(1), "x")).toMatchObject({ kind: "found" });
    expect(methods()).toEqual(["POST", "PUT"]);
    fake.requests.length = 0;
    let failures = 1;
    fake.override((line) => line.startsWith("PATCH") && failures-- > 0, refusal(404, "BLOB_UPLOAD_UNKNOWN"));
    const pushed = await openClient().putBlob(name, bytes, "x");
    expect(pushed).toMatchObject({ kind: "found", value: { size: bytes.length } });
    expect(methods()).toEqual(["POST", "PATCH", "POST", "PATCH", "PUT"]);
    if (pushed.kind === "found") expect(fake.blob("team/app", pushed.value.digest)?.equals(bytes)).toBe(true);
  });

  test("whether a push is taken is found out without leaving an upload open", async () => {
    expect(await openClient().acceptsPush(name)).toEqual({ kind: "found", value: true });
    await expect.poll(() => fake.openUploads()).toBe(0);
    expect(fake.requests.map((line) => line.split(" ")[0])).toEqual(["POST", "DELETE"]);
  });

  test("nobody waits until the trial upload is cancelled", async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((done) => {
      release = done;
    });
    fake.hold(
      (line) => line.startsWith("DELETE"),
      () => released,
    );
    expect(await openClient().acceptsPush(name)).toEqual({ kind: "found", value: true });
    expect(fake.openUploads()).toBe(1);
    release();
    await expect.poll(() => fake.openUploads()).toBe(0);
  });

  test("tags, a mount and a delete, as docker-registry does them", async () => {
    const registry = openClient();
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
    expect(await openClient().mountBlob(name, from, { mediaType: "x", digest: sha("{}"), size: 2 })).toMatchObject({
      kind: "absent",
    });
    expect(fake.openUploads()).toBe(0);
  });

  test("refused and failed pushes say so", async () => {
    fake.override((line) => line.startsWith("PUT"), refusal(400, "MANIFEST_INVALID"));
    expect(await openClient().putManifest(name, Buffer.from(image), MANIFEST, "two")).toMatchObject({
      kind: "malformed",
      words: "MANIFEST_INVALID: said the registry",
    });
    fake.override((line) => line.startsWith("POST"), refusal(403, "DENIED"));
    expect(await openClient().acceptsPush(name)).toMatchObject({ kind: "denied", words: "DENIED: said the registry" });
  });
});

describe("mounts and deletes", () => {
  const blob = { mediaType: "x", digest: sha("{}"), size: 2 };
  const from = (): Repository => ({ ...name, repository: "team/from" });

  test("a mount that the registry makes sends nothing", async () => {
    fake.override((line) => line.startsWith("POST"), { status: 201 });
    expect(await openClient().mountBlob(name, from(), blob)).toEqual({ kind: "found", value: blob });
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
    expect(await openClient().mountBlob(name, from(), blob)).toMatchObject({ kind: "found" });
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
    expect(await openClient().deleteManifest({ ...name, digest: sha("x") })).toMatchObject({ kind });
  });
});

describe("blobs", () => {
  const blob = { mediaType: "x", digest: sha("{}"), size: 2 };

  test.each<[string, Reply, string]>([
    ["another content", served("[]"), "malformed"],
    ["longer than it should be", served("{}  "), "malformed"],
    ["shorter than it should be", served("{"), "malformed"],
    ["gone", refusal(404, "BLOB_UNKNOWN"), "absent"],
  ])("%s", async (_, reply, kind) => {
    fake.override((line) => line.includes("/blobs/"), reply);
    expect(await openClient().blob(name, blob)).toMatchObject({ kind });
  });

  test("longer than is asked for", async () => {
    fake.seedBlob("team/app", Buffer.from("{}"));
    expect(await openClient().blob(name, blob, 1)).toMatchObject({ kind: "malformed" });
  });

  test("a blob of another size is not the blob", async () => {
    fake.seedBlob("team/app", Buffer.from("{}"));
    expect(await openClient().hasBlob(name, { ...blob, size: 3 })).toMatchObject({ kind: "malformed" });
  });

  test("a registry that refuses HEAD on blobs is asked for one byte", async () => {
    fake.seedBlob("team/app", Buffer.from("{}"));
    fake.override((line) => line.startsWith("HEAD"), { status: 405 });
    expect(await openClient().hasBlob(name, blob)).toEqual({ kind: "found", value: true });
  });
});
