import { expect, test } from "vitest";
import type { Server, Told } from "../fakes/network.ts";
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

test.each<[string, Told, "found" | "malformed"]>([
  ["one byte of the right length", { status: 206, headers: { "content-range": "bytes 0-0/2" }, body: "{" }, "found"],
  ["all of it", { status: 200, headers: { "content-length": "2" }, body: "{}" }, "found"],
  ["one byte of another blob", { status: 206, headers: { "content-range": "bytes 0-0/7" }, body: "{" }, "malformed"],
  ["a page", { status: 404, headers: { "content-type": "text/html" }, body: "<html>" }, "malformed"],
])("HEAD of a blob says 404, and GET gives %s", async (_, told, kind) => {
  const { registry } = play({
    servers: { "https://registry.test": ({ method }) => (method === "HEAD" ? { status: 404 } : told) },
  });
  expect((await registry.hasBlob(name, { mediaType: "x", digest: sha("{}"), size: 2 })).kind).toBe(kind);
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
