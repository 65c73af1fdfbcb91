import { expect, test } from "vitest";
import { refusal, type Server, type Told } from "../fakes/network.ts";
import { image, MANIFEST, sha } from "./client.ts";
import { grants, play, served } from "./network.ts";

const name = { registry: "registry.test", repository: "t/a", tag: "one" };
const digest = sha(image);

test.each<[string, Told]>([
  [
    "a web page",
    {
      status: 200,
      headers: { "content-type": "text/html", "docker-content-digest": sha("x"), "content-length": "9" },
    },
  ],
  ["no length", { status: 200, headers: { "content-type": MANIFEST, "docker-content-digest": sha("x") } }],
  ["no digest", { status: 200, headers: { "content-type": MANIFEST, "content-length": "9" } }],
  [
    "a digest that is none",
    {
      status: 200,
      headers: { "content-type": MANIFEST, "docker-content-digest": "sha256:x", "content-length": "9" },
    },
  ],
  ["404", { status: 404 }],
  ["405", { status: 405 }],
  ["400", { status: 400 }],
])("where pulls are counted, and HEAD says %s: GET decides", async (_, told) => {
  const serve: Server = (request) =>
    request.url.pathname === "/token" ? grants(request) : request.method === "HEAD" ? told : served;
  const { registry, lines } = play({
    servers: { "https://auth.docker.io": serve, "https://registry-1.docker.io": serve },
  });
  expect(await registry.describe({ ...name, registry: "docker.io" })).toMatchObject({
    kind: "found",
    value: { digest, size: image.length },
  });
  expect(lines().map((line) => line.split(" ")[0])).toEqual(["GET", "HEAD", "GET"]);
});

test.each<[string, string, readonly string[]]>([
  ["Docker Hub, which counts pulls", "docker.io", ["HEAD"]],
  ["where nobody counts", "registry.test", ["GET"]],
])("a tag is looked at on %s by one request", async (_, registry, methods) => {
  const headers = { ...served.headers, "docker-content-digest": digest, "content-length": String(image.length) };
  const network = play({
    servers: {
      "https://auth.docker.io": grants,
      "https://registry-1.docker.io": () => ({ ...served, headers }),
      "https://registry.test": () => served,
    },
  });
  expect(await network.registry.describe({ ...name, registry })).toEqual({
    kind: "found",
    value: { mediaType: MANIFEST, digest, size: image.length },
  });
  expect(network.seen.filter(({ origin }) => !origin.includes("auth")).map(({ request }) => request.method)).toEqual(
    methods,
  );
});

test("a tag that is looked at while it is read is asked for once", async () => {
  const { registry, seen } = play({ servers: { "https://registry.test": () => served } });
  await Promise.all([registry.manifest(name), registry.describe(name)]);
  expect(seen).toHaveLength(1);
});

const HTML = { "content-type": "text/html" };
const one = (range: string, more: Told["headers"] = {}): Told => ({
  status: 206,
  headers: { "content-range": range, ...more },
  body: "{",
});

test.each<[string, Told, "found" | "malformed" | "absent"]>([
  ["one byte of the right length", one("bytes 0-0/2"), "found"],
  ["all of it", { status: 200, headers: { "content-length": "2" }, body: "{}" }, "found"],
  ["all of it, without a length", { status: 200, body: "{}" }, "found"],
  ["all of something else of its length", { status: 200, headers: { "content-length": "2" }, body: "[]" }, "malformed"],
  ["one byte of another blob", one("bytes 0-0/7"), "malformed"],
  ["one byte of an unknown length", one("bytes 0-0/*"), "malformed"],
  ["one byte without a word of what it is part of", { status: 206, body: "{" }, "malformed"],
  ["two parts at once", { status: 206, headers: { "content-type": "multipart/byteranges" }, body: "{" }, "malformed"],
  ["another byte than the first", one("bytes 1-1/2"), "malformed"],
  ["no byte", { ...one("bytes 0-0/2"), body: "" }, "malformed"],
  ["more than was asked for", { ...one("bytes 0-0/2"), body: "{}" }, "malformed"],
  ["a byte of a page", one("bytes 0-0/2", HTML), "malformed"],
  ["a byte that is said to be another blob's", one("bytes 0-0/2", { "docker-content-digest": sha("[]") }), "malformed"],
  ["a page", { status: 404, headers: HTML, body: "<html>" }, "malformed"],
  ["a page in place of it", { status: 200, headers: HTML, body: "<html>" }, "malformed"],
  ["its own word for that it is gone", refusal(404, "BLOB_UNKNOWN"), "absent"],
  ["a service's word", refusal(404, "SERVICE_UNKNOWN"), "malformed"],
])("HEAD of a blob says 404, and GET gives %s", async (_, told, kind) => {
  const { registry } = play({
    servers: { "https://registry.test": ({ method }) => (method === "HEAD" ? { status: 404 } : told) },
  });
  expect((await registry.hasBlob(name, { mediaType: "x", digest: sha("{}"), size: 2 })).kind).toBe(kind);
});

const LARGE = { mediaType: "x", digest: sha("large"), size: 100_000 } as const;
const large = (size: number) => "x".repeat(size);

test.each<[string, Told, "found" | "malformed"]>([
  ["of its length", { status: 200, headers: { "content-length": "100000" }, body: large(100_000) }, "found"],
  ["without a length", { status: 200, body: large(100_000) }, "malformed"],
  ["of another length", { status: 200, headers: { "content-length": "100001" }, body: large(100_001) }, "malformed"],
  [
    "that is a page",
    { status: 200, headers: { "content-length": "100000", ...HTML }, body: large(100_000) },
    "malformed",
  ],
])(
  "a server that knows no ranges gives a large blob %s, of which no more than an error is read",
  async (_, told, kind) => {
    const { registry, seen } = play({
      servers: { "https://registry.test": ({ method }) => (method === "HEAD" ? { status: 405 } : told) },
    });
    expect((await registry.hasBlob(name, LARGE)).kind).toBe(kind);
    expect(seen.at(-1)?.request.limit).toBe(64 * 1024);
  },
);

test.each<[string, Told, readonly string[]]>([
  ["its length", { status: 200, headers: { "content-length": "2" } }, ["HEAD"]],
  ["no length", { status: 200 }, ["HEAD", "GET"]],
  ["a length of nothing, as some gateways do", { status: 200, headers: { "content-length": "0" } }, ["HEAD", "GET"]],
  ["a page of its length", { status: 200, headers: { "content-length": "2", ...HTML } }, ["HEAD", "GET"]],
])("HEAD of a blob tells %s: GET is asked only where that proves nothing", async (_, told, methods) => {
  const { registry, seen } = play({
    servers: { "https://registry.test": ({ method }) => (method === "HEAD" ? told : one("bytes 0-0/2")) },
  });
  expect((await registry.hasBlob(name, { mediaType: "x", digest: sha("{}"), size: 2 })).kind).toBe("found");
  expect(seen.map(({ request }) => request.method)).toEqual(methods);
});

test.each<[string, string, "absent" | "malformed"]>([
  ["another host", "https://storage.test/x", "malformed"],
  ["another port", "https://registry.test:8443/x", "malformed"],
  ["itself, by another path", "https://registry.test/elsewhere", "absent"],
])("the registry sends on to %s, which says that it is not there", async (_, location, kind) => {
  const gone = refusal(404, "MANIFEST_UNKNOWN");
  const { registry } = play({
    servers: {
      "https://registry.test": ({ url }) =>
        url.pathname.startsWith("/v2/") ? { status: 307, headers: { location } } : gone,
      "https://registry.test:8443": () => gone,
      "https://storage.test": () => gone,
    },
  });
  const answer = await registry.manifest(name);
  expect(answer.kind).toBe(kind);
  if (kind === "malformed")
    expect(answer).toMatchObject({ words: expect.stringContaining("another host that says so") });
});

test("a push that is answered with 303 is not taken for one that worked", async () => {
  const page: Server = ({ url }) =>
    url.pathname === "/login" ? { status: 200 } : { status: 303, headers: { location: "/login" } };
  const { registry } = play({ servers: { "https://registry.test": page } });
  expect(await registry.putManifest(name, Buffer.from(image), MANIFEST, "one")).toMatchObject({
    kind: "malformed",
    status: 303,
  });
});

test("a manifest of Azure's that is there and was not asked for in its type is not absent", async () => {
  const body =
    '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"OCI index found, but accept header does not support OCI indexes"}]}';
  const { registry } = play({ servers: { "https://registry.test": () => ({ status: 404, body }) } });
  expect((await registry.manifest(name)).kind).toBe("malformed");
});
