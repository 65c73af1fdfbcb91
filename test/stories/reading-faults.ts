import { createHash } from "node:crypto";
import { type Asked, error, type FakeRegistry, type Play, type Reply } from "../fakes/registry.ts";

// What may go wrong while the probe reads, and what has to come of it: one fault in one place a row. The image is always there and whole, so
// `miss` is right only where the registry itself has said that something is not there, and `hit` only where everything was proved.

export type Result = "hit" | "miss" | "unknown";

/** Where something goes wrong. All but `newest` and `layer at storage` are asked for in every run. */
export type PlaceName =
  | "set"
  | "newest"
  | "platform"
  | "manifest"
  | "config"
  | "layer"
  | "layer HEAD"
  | "layer at storage"
  | "attestation"
  | "token"
  | "base";

/** `storage` is another host, to which the registry redirects. */
export type Site = { readonly storage: FakeRegistry; readonly repository: string };

/** A fault is an answer, made of the right one and of what was asked. */
export type Fault = (right: Reply, asked: Asked, site: Site) => Reply;

const JSON_TYPE = { "content-type": "application/json" };
const PAGE = "<!doctype html><title>Log in</title>";
const HTML = { "content-type": "text/html; charset=utf-8" };
const bytesOf = ({ body = "" }: Reply): Buffer => Buffer.from(body);
const shaOf = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const saying = (status: number, ...codes: readonly string[]): Reply => ({
  status,
  headers: JSON_TYPE,
  body: JSON.stringify({ errors: codes.map((code) => ({ code, message: "said the registry" })) }),
});
const notFound = ({ url }: Asked): Reply =>
  error(404, url.pathname.includes("/blobs/") ? "BLOB_UNKNOWN" : "MANIFEST_UNKNOWN");
const moved = (location: string): Reply => ({ status: 307, headers: { location } });
const elsewhere = (path: string, { storage, repository }: Site): Reply =>
  moved(`http://${storage.host}/${repository}/${path}`);
const changed = (right: Reply, more: Partial<Reply>): Reply => ({
  ...right,
  ...more,
  headers: { ...right.headers, ...more.headers },
});

export const FAULTS = {
  // Said by the registry itself.
  "not found": (_, asked) => notFound(asked),
  "404 NAME_UNKNOWN": () => saying(404, "NAME_UNKNOWN"),
  "404 MANIFEST_UNKNOWN": () => saying(404, "MANIFEST_UNKNOWN"),
  "404 BLOB_UNKNOWN": () => saying(404, "BLOB_UNKNOWN"),
  "404 MANIFEST_BLOB_UNKNOWN": () => saying(404, "MANIFEST_BLOB_UNKNOWN"),
  "404 NOT_FOUND": () => saying(404, "NOT_FOUND"),
  // Not said, or not by the registry.
  "404 SERVICE_UNKNOWN": () => saying(404, "SERVICE_UNKNOWN"),
  "404 UNKNOWN": () => saying(404, "UNKNOWN"),
  "404 UPSTREAM_UNKNOWN": () => saying(404, "UPSTREAM_UNKNOWN"),
  "404 with another code beside it": () => saying(404, "MANIFEST_UNKNOWN", "UNAVAILABLE"),
  "404 with an error without a code beside it": () => ({
    ...saying(404),
    body: '{"errors":[{"code":"MANIFEST_UNKNOWN"},{"message":"upstream timed out"}]}',
  }),
  "404 in lower case": () => saying(404, "manifest_unknown"),
  "404 with an empty list": () => saying(404),
  "404 that is there in another type": () => ({
    ...saying(404),
    body: '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"OCI index found, but accept header does not support OCI indexes"}]}',
  }),
  "404 page": () => ({ status: 404, headers: HTML, body: PAGE }),
  "404 without a word": () => ({ status: 404 }),
  "404 in plain text": () => ({ status: 404, headers: { "content-type": "text/plain" }, body: "404 page not found" }),
  "404 with a byte order mark": (_, asked) => ({ ...notFound(asked), body: `\ufeff${notFound(asked).body}` }),
  "404 that is cut": (_, asked) => ({ ...notFound(asked), cut: 20 }),
  "404 of another host": (_, asked, site) => elsewhere(`gone${asked.url.pathname}`, site),
  "404 page of another host": (_, __, site) => elsewhere("page404", site),
  "410": () => saying(410, "MANIFEST_UNKNOWN"),
  "400 MANIFEST_UNKNOWN": () => saying(400, "MANIFEST_UNKNOWN"),
  "200 with the words for not found": () => saying(200, "MANIFEST_UNKNOWN"),
  "401": () => saying(401, "UNAUTHORIZED"),
  "403": () => saying(403, "DENIED"),
  "403 MANIFEST_UNKNOWN": () => saying(403, "MANIFEST_UNKNOWN"),
  "405": () => saying(405, "UNSUPPORTED"),
  "407": () => ({ status: 407, headers: HTML, body: PAGE }),
  "429": () => ({ ...saying(429, "TOOMANYREQUESTS"), headers: { "retry-after": "100" } }),
  "500": () => saying(500, "MANIFEST_UNKNOWN"),
  "503": () => ({ status: 503, headers: HTML, body: PAGE }),
  "no answer": () => ({ status: 0 }),
  // A success that is none.
  "200 page": () => ({ status: 200, headers: HTML, body: PAGE }),
  "200 page that comes in chunks": () => ({ status: 200, headers: HTML, body: PAGE, unmeasured: true }),
  "200 without a word": () => ({ status: 200 }),
  "204": () => ({ status: 204 }),
  "302 to a login page of another host": (_, __, site) => elsewhere("login", site),
  "redirect to itself": (_, { url }) => moved(url.pathname),
  "redirect to nowhere": () => moved("http://"),
  "redirect without an address": () => ({ status: 307 }),
  "other bytes": (right) => changed(right, { body: `${bytesOf(right).toString().slice(0, -1)} }` }),
  "bytes with another digest in the header": (right) =>
    changed(right, { headers: { "docker-content-digest": shaOf("another") } }),
  "bytes with a digest in the header that is none": (right) =>
    changed(right, { headers: { "docker-content-digest": "sha256:x" } }),
  "bytes without a digest in the header": (right) => ({
    ...right,
    headers: { "content-type": right.headers?.["content-type"] ?? "" },
  }),
  "a byte order mark": (right) => ({
    ...right,
    headers: { "content-type": right.headers?.["content-type"] ?? "" },
    body: Buffer.concat([Buffer.from("\ufeff"), bytesOf(right)]),
  }),
  "bytes that are cut": (right) => changed(right, { cut: 10 }),
  "bytes that end early": (right) => changed(right, { body: bytesOf(right).subarray(0, -1) }),
  "bytes and more": (right) => changed(right, { body: `${bytesOf(right).toString()} ` }),
  "a type that is no image's": (right) => changed(right, { headers: JSON_TYPE }),
  "another type than the bytes say": (right) =>
    changed(right, { headers: { "content-type": "application/vnd.docker.distribution.manifest.v2+json" } }),
  "schema 1": () => ({
    status: 200,
    headers: { "content-type": "application/vnd.docker.distribution.manifest.v1+prettyjws" },
    body: '{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[]}',
  }),
  // Of a layer, which is only looked at.
  "no length": (right) => ({ ...right, unmeasured: true }),
  "a length of nothing": (right, { method }) => (method === "HEAD" ? { ...right, body: "" } : right),
  "no length and no range": (right, { headers }) => ({
    ...right,
    unmeasured: true,
    ...(headers.range ? { status: 200, headers: {} } : {}),
  }),
  "another length": (right) => changed(right, { body: `${bytesOf(right).toString()} ` }),
  "the right length of a page": (right, { method }) =>
    method === "HEAD" ? changed(right, { headers: HTML }) : saying(403),
  "one byte of another blob": (right, { method }) =>
    method === "HEAD" ? { status: 404 } : changed(right, { headers: { "content-range": "bytes 0-0/7" } }),
  "one byte of nobody knows what": (_, { method }) =>
    method === "HEAD" ? { status: 404 } : { status: 206, body: "{" },
  "no byte at all": (right, { method }) => (method === "HEAD" ? { status: 404 } : changed(right, { body: "" })),
  "another byte range": (right, { method }) =>
    method === "HEAD" ? { status: 404 } : changed(right, { headers: { "content-range": "bytes 5-5/10" } }),
  "all of it, of the right length": (right, { method, headers }) =>
    method === "HEAD" || !headers.range ? { ...right, unmeasured: true } : right,
  "what is right": (right) => right,
  // Of a server of tokens.
  "no token in it": () => ({ status: 200, headers: JSON_TYPE, body: '{"expires_in":300}' }),
  "a token with a line break": () => ({ status: 200, headers: JSON_TYPE, body: '{"token":"a\\nb"}' }),
} as const satisfies Readonly<Record<string, Fault>>;

export type Row = readonly [PlaceName, keyof typeof FAULTS, Result];

export const ROWS: readonly Row[] = [
  // The tag of the set, with nothing else of the same sources there.
  ["set", "what is right", "hit"],
  ["set", "not found", "miss"],
  ["set", "404 NAME_UNKNOWN", "miss"],
  ["set", "404 MANIFEST_UNKNOWN", "miss"],
  ["set", "404 BLOB_UNKNOWN", "miss"],
  ["set", "404 MANIFEST_BLOB_UNKNOWN", "miss"],
  ["set", "404 NOT_FOUND", "miss"],
  ["set", "404 SERVICE_UNKNOWN", "unknown"],
  ["set", "404 UNKNOWN", "unknown"],
  ["set", "404 UPSTREAM_UNKNOWN", "unknown"],
  ["set", "404 with another code beside it", "unknown"],
  ["set", "404 with an error without a code beside it", "unknown"],
  ["set", "404 in lower case", "unknown"],
  ["set", "404 with an empty list", "unknown"],
  ["set", "404 that is there in another type", "unknown"],
  ["set", "404 page", "unknown"],
  ["set", "404 without a word", "unknown"],
  ["set", "404 in plain text", "unknown"],
  ["set", "404 with a byte order mark", "unknown"],
  ["set", "404 that is cut", "unknown"],
  ["set", "404 of another host", "unknown"],
  ["set", "404 page of another host", "unknown"],
  ["set", "410", "unknown"],
  ["set", "400 MANIFEST_UNKNOWN", "unknown"],
  ["set", "200 with the words for not found", "unknown"],
  ["set", "401", "unknown"],
  ["set", "403", "unknown"],
  ["set", "403 MANIFEST_UNKNOWN", "unknown"],
  ["set", "405", "unknown"],
  ["set", "407", "unknown"],
  ["set", "429", "unknown"],
  ["set", "500", "unknown"],
  ["set", "503", "unknown"],
  ["set", "no answer", "unknown"],
  ["set", "200 page", "unknown"],
  ["set", "200 page that comes in chunks", "unknown"],
  ["set", "200 without a word", "unknown"],
  ["set", "204", "unknown"],
  ["set", "302 to a login page of another host", "unknown"],
  ["set", "redirect to itself", "unknown"],
  ["set", "redirect to nowhere", "unknown"],
  ["set", "redirect without an address", "unknown"],
  ["set", "bytes with another digest in the header", "unknown"],
  ["set", "bytes with a digest in the header that is none", "unknown"],
  ["set", "bytes without a digest in the header", "hit"],
  ["set", "a byte order mark", "unknown"],
  ["set", "bytes that are cut", "unknown"],
  ["set", "bytes that end early", "unknown"],
  ["set", "a type that is no image's", "unknown"],
  ["set", "another type than the bytes say", "unknown"],
  ["set", "schema 1", "unknown"],
  // The newest set of the same sources: a hit does not depend on it.
  ["newest", "404 of another host", "hit"],
  ["newest", "503", "hit"],
  ["newest", "200 page", "hit"],
  ["newest", "bytes with another digest in the header", "hit"],
  // A platform's own tag, where no set is there.
  ["platform", "not found", "miss"],
  ["platform", "404 NOT_FOUND", "miss"],
  ["platform", "404 SERVICE_UNKNOWN", "unknown"],
  ["platform", "404 of another host", "unknown"],
  ["platform", "404 page", "unknown"],
  ["platform", "403", "unknown"],
  ["platform", "500", "unknown"],
  ["platform", "bytes with another digest in the header", "unknown"],
  ["platform", "a byte order mark", "unknown"],
  // The image's manifest, by its digest.
  ["manifest", "not found", "miss"],
  ["manifest", "404 NAME_UNKNOWN", "miss"],
  ["manifest", "404 SERVICE_UNKNOWN", "unknown"],
  ["manifest", "404 of another host", "unknown"],
  ["manifest", "404 page", "unknown"],
  ["manifest", "404 without a word", "unknown"],
  ["manifest", "401", "unknown"],
  ["manifest", "403", "unknown"],
  ["manifest", "429", "unknown"],
  ["manifest", "503", "unknown"],
  ["manifest", "200 page", "unknown"],
  ["manifest", "other bytes", "unknown"],
  ["manifest", "bytes with another digest in the header", "unknown"],
  ["manifest", "a byte order mark", "unknown"],
  ["manifest", "bytes that end early", "unknown"],
  ["manifest", "bytes and more", "unknown"],
  ["manifest", "302 to a login page of another host", "unknown"],
  // The config, which is read for whoever runs the image.
  ["config", "not found", "miss"],
  ["config", "404 NOT_FOUND", "miss"],
  ["config", "404 SERVICE_UNKNOWN", "unknown"],
  ["config", "404 of another host", "unknown"],
  ["config", "404 page", "unknown"],
  ["config", "403", "unknown"],
  ["config", "500", "unknown"],
  ["config", "other bytes", "unknown"],
  ["config", "bytes with another digest in the header", "unknown"],
  ["config", "bytes that end early", "unknown"],
  ["config", "bytes that are cut", "unknown"],
  ["config", "200 page", "unknown"],
  ["config", "302 to a login page of another host", "unknown"],
  // A layer, which is only looked at: both HEAD and GET answer so.
  ["layer", "what is right", "hit"],
  ["layer", "not found", "miss"],
  ["layer", "404 NOT_FOUND", "miss"],
  ["layer", "404 SERVICE_UNKNOWN", "unknown"],
  ["layer", "404 of another host", "unknown"],
  ["layer", "404 page of another host", "unknown"],
  ["layer", "404 page", "unknown"],
  ["layer", "404 without a word", "unknown"],
  ["layer", "401", "unknown"],
  ["layer", "403", "unknown"],
  ["layer", "405", "unknown"],
  ["layer", "429", "unknown"],
  ["layer", "503", "unknown"],
  ["layer", "no answer", "unknown"],
  ["layer", "204", "unknown"],
  ["layer", "200 page", "unknown"],
  ["layer", "200 page that comes in chunks", "unknown"],
  ["layer", "200 without a word", "unknown"],
  ["layer", "302 to a login page of another host", "unknown"],
  ["layer", "no length", "hit"],
  ["layer", "no length and no range", "unknown"],
  ["layer", "a length of nothing", "hit"],
  ["layer", "another length", "unknown"],
  ["layer", "bytes with another digest in the header", "unknown"],
  ["layer", "the right length of a page", "unknown"],
  ["layer", "one byte of another blob", "unknown"],
  ["layer", "one byte of nobody knows what", "unknown"],
  ["layer", "no byte at all", "unknown"],
  ["layer", "another byte range", "unknown"],
  ["layer", "all of it, of the right length", "hit"],
  // Only HEAD answers so: GET is right.
  ["layer HEAD", "401", "hit"],
  ["layer HEAD", "404 page", "hit"],
  ["layer HEAD", "not found", "hit"],
  ["layer HEAD", "405", "hit"],
  ["layer HEAD", "200 page that comes in chunks", "hit"],
  ["layer HEAD", "302 to a login page of another host", "hit"],
  ["layer HEAD", "404 of another host", "hit"],
  // A layer that another host serves.
  ["layer at storage", "what is right", "hit"],
  ["layer at storage", "not found", "unknown"],
  ["layer at storage", "200 page that comes in chunks", "unknown"],
  ["layer at storage", "no length", "hit"],
  ["layer at storage", "403", "unknown"],
  ["layer at storage", "503", "unknown"],
  // What lists the attestations that `require` wants.
  ["attestation", "what is right", "hit"],
  ["attestation", "not found", "miss"],
  ["attestation", "404 SERVICE_UNKNOWN", "unknown"],
  ["attestation", "404 of another host", "unknown"],
  ["attestation", "403", "unknown"],
  ["attestation", "other bytes", "unknown"],
  ["attestation", "a byte order mark", "unknown"],
  // The token, without which the registry serves nothing.
  ["token", "what is right", "hit"],
  ["token", "not found", "unknown"],
  ["token", "401", "unknown"],
  ["token", "403", "unknown"],
  ["token", "429", "unknown"],
  ["token", "503", "unknown"],
  ["token", "200 page", "unknown"],
  ["token", "no token in it", "unknown"],
  ["token", "a token with a line break", "unknown"],
  ["token", "404 page of another host", "unknown"],
  ["token", "a byte order mark", "unknown"],
  // The base, which decides the key: that it is not there says nothing of our image.
  ["base", "not found", "unknown"],
  ["base", "404 page", "unknown"],
  ["base", "404 of another host", "unknown"],
  ["base", "403", "unknown"],
  ["base", "503", "unknown"],
  ["base", "200 page", "unknown"],
  ["base", "bytes with another digest in the header", "unknown"],
  ["base", "a byte order mark", "unknown"],
  ["base", "schema 1", "unknown"],
];

/** How a fault is played by a stand-in registry. */
export function playFault(fault: Fault, site: Site): Play {
  return (asked, right) => fault(right(), asked, site);
}

/** What the other host says: it has its own words for what is not there, and pages for everything else. */
export function openElsewhere(storage: FakeRegistry): void {
  storage.override(
    (line) => /\/gone\//.test(line),
    (asked) => notFound(asked),
  );
  storage.override((line) => /\/page404$/.test(line), { status: 404, headers: HTML, body: PAGE });
  storage.override((line) => /\/login$/.test(line), { status: 200, headers: HTML, body: PAGE, unmeasured: true });
}
