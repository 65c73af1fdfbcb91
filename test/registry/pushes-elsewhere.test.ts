import { expect, test } from "vitest";
import { refusal, type Server, type Told } from "../fakes/network.ts";
import { image, MANIFEST, sha } from "./client.ts";
import { grants, me, play, wants } from "./network.ts";

const name = { registry: "registry.test", repository: "t/a" };

test("a mount asks for the right to read its source, the target first", async () => {
  const serve: Server = (request) =>
    request.url.pathname === "/token"
      ? grants(request)
      : wants("https://registry.test/token", ',service="s"', { status: 201 })(request);
  const { registry, lines } = play({ servers: { "https://registry.test": serve }, login: me });
  const blob = { mediaType: "x", digest: sha("{}"), size: 2 };
  expect((await registry.mountBlob(name, { ...name, repository: "t/from" }, blob)).kind).toBe("found");
  expect(lines()[1]).toBe(
    "GET https://registry.test/token?service=s&scope=repository%3At%2Fa%3Apull%2Cpush&scope=repository%3At%2Ffrom%3Apull",
  );
});

test("from another registry nothing is mounted: it is fetched there and sent here", async () => {
  const here: Server = ({ method }) =>
    method === "HEAD"
      ? refusal(404, "BLOB_UNKNOWN")
      : method === "POST"
        ? { status: 202, headers: { location: "u" } }
        : { status: 201 };
  const there: Server = () => ({ status: 200, body: "{}" });
  const { registry, lines } = play({ servers: { "https://registry.test": here, "https://other.test": there } });
  const blob = { mediaType: "x", digest: sha("{}"), size: 2 };
  expect((await registry.mountBlob(name, { registry: "other.test", repository: "t/x" }, blob)).kind).toBe("found");
  expect(lines().filter((line) => line.includes("mount="))).toEqual([]);
});

test.each<[string, Told, string, RegExp]>([
  [
    "a tag that is immutable",
    refusal(
      400,
      "TAG_INVALID: The image tag 'x' already exists and cannot be overwritten because the tag is immutable",
    ),
    "denied",
    /immutable/,
  ],
  [
    "a manifest that names a blob that is not there",
    refusal(400, "MANIFEST_BLOB_UNKNOWN"),
    "malformed",
    /BLOB_UNKNOWN/,
  ],
  ["one that is too large", refusal(413, "MANIFEST_INVALID"), "malformed", /MANIFEST_INVALID/],
  [
    "another content than was sent",
    { status: 201, headers: { "docker-content-digest": sha("x") } },
    "malformed",
    /another/,
  ],
])("%s", async (_, told, kind, words) => {
  const { registry } = play({ servers: { "https://registry.test": () => told } });
  const answer = await registry.putManifest(name, Buffer.from(image), MANIFEST, "one");
  expect(answer).toMatchObject({ kind, words: expect.stringMatching(words) });
});

test("a manifest that no registry takes is not sent", async () => {
  const { registry, seen } = play({ servers: {} });
  const answer = await registry.putManifest(name, new Uint8Array(4 * 1024 * 1024 + 1), MANIFEST, "one");
  expect(answer.kind).toBe("malformed");
  expect(seen).toEqual([]);
});

test("a repository that has to be made first is said", async () => {
  const { registry } = play({ servers: { "https://registry.test": () => refusal(404, "NAME_UNKNOWN") } });
  expect(await registry.acceptsPush(name)).toMatchObject({
    kind: "absent",
    fix: expect.stringContaining("Create registry.test/t/a first"),
  });
});
