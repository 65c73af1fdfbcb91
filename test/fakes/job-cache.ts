import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Its library reads blobs in another way where they lie there. */
const AZURE = "cache.blob.core.windows.net";
const RESOLVE = `
  import dns from "node:dns";
  import { syncBuiltinESMExports } from "node:module";
  const { lookup } = dns;
  dns.lookup = (name, ...rest) => lookup(name === "${AZURE}" ? "127.0.0.1" : name, ...rest);
  syncBuiltinESMExports();`;

const TWIRP = "POST /twirp/github.actions.results.api.v1.CacheService/";

/**
 * The cache service of act's kin, the first version of GitHub's: look up, reserve, upload in pieces, finish. And GitHub's own, the second: by
 * Twirp it names addresses of Azure's blobs, to which whoever uses it finds by what `second` has Node do.
 * @see https://github.com/nektos/act/blob/v0.2.89/pkg/artifactcache/handler.go
 * @see https://github.com/actions/toolkit/blob/main/packages/cache/src/generated/results/api/v1/cache.ts
 * @see https://learn.microsoft.com/en-us/rest/api/storageservices/put-blob
 */
export async function openFakeJobCache() {
  const entries: { readonly key: string; readonly version: string; readonly pieces: Buffer[]; isWhole: boolean }[] = [];
  const requests: string[] = [];
  const server = createServer(async (request, answer) => {
    const url = new URL(request.url ?? "/", "http://any");
    const path = url.pathname.replace("/_apis/artifactcache", "");
    requests.push(`${request.method} ${path}`);
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk);
    const json = (status: number, value?: unknown): void => {
      const text = value === undefined ? "" : JSON.stringify(value);
      answer.writeHead(status, { "content-type": "application/json" }).end(text);
    };
    const line = `${request.method} ${path}`;
    if (line.startsWith(TWIRP))
      json(200, answerTwirp(line.slice(TWIRP.length), JSON.parse(Buffer.concat(body).toString())));
    else if (path.startsWith("/blobs/")) serveBlob(request, Buffer.concat(body), answer);
    else if (path === "/cache") lookUp(url.searchParams, json);
    else if (path === "/caches") reserve(Buffer.concat(body), json);
    else serve(line, Buffer.concat(body), answer);
  });

  type Json = (status: number, value?: unknown) => void;
  const lookUp = (asked: URLSearchParams, json: Json): void => {
    const keys = asked.get("keys")?.split(",") ?? [];
    const version = asked.get("version");
    const found = entries.findIndex((one) => one.isWhole && keys.includes(one.key) && one.version === version);
    const archiveLocation = `${base()}_apis/artifactcache/archives/${found + 1}`;
    if (found < 0) json(204);
    else json(200, { cacheKey: entries[found]?.key, archiveLocation });
  };
  const reserve = (body: Buffer, json: Json): void => {
    const { key, version } = JSON.parse(body.toString());
    if (entries.some((one) => one.key === key && one.version === version)) json(409, { message: "there" });
    else json(201, { cacheId: entries.push({ key, version, pieces: [], isWhole: false }) });
  };
  const serve = (line: string, body: Buffer, answer: ServerResponse): void => {
    // Ids begin with 1: the library takes 0 for none.
    const entry = entries[Number(/\/(?:caches|archives)\/(\d+)$/.exec(line)?.[1]) - 1];
    if (entry && line.startsWith("PATCH")) entry.pieces.push(body);
    if (entry && line.startsWith("POST")) entry.isWhole = true;
    const bytes = Buffer.concat(line.startsWith("GET") ? (entry?.pieces ?? []) : []);
    answer.writeHead(entry ? 200 : 404, { "content-length": bytes.length }).end(bytes);
  };
  const answerTwirp = (
    method: string,
    { key, version }: { readonly key: string; readonly version: string },
  ): object => {
    const found = entries.findIndex((one) => one.key === key && one.version === version);
    if (method === "CreateCacheEntry") {
      if (found >= 0) return { ok: false };
      return { ok: true, signed_upload_url: blobAt(entries.push({ key, version, pieces: [], isWhole: false }) - 1) };
    }
    const entry = entries[found];
    if (!entry) return { ok: false };
    if (method === "GetCacheEntryDownloadURL")
      return entry.isWhole ? { ok: true, signed_download_url: blobAt(found), matched_key: key } : { ok: false };
    entry.isWhole = true;
    return { ok: true, entry_id: "1" };
  };
  const serveBlob = ({ method, url, headers }: IncomingMessage, body: Buffer, answer: ServerResponse): void => {
    const entry = entries[Number(/^\/blobs\/(\d+)\?(?:.*&)?sig=signed\b/.exec(url ?? "")?.[1])];
    const told = { etag: '"1"', "last-modified": "Sun, 29 Nov 2026 00:00:00 GMT", "x-ms-blob-type": "BlockBlob" };
    if (entry && method === "PUT") {
      entry.pieces.push(body);
      answer.writeHead(201, told).end();
      return;
    }
    const all = Buffer.concat(entry?.pieces ?? []);
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(String(headers["x-ms-range"] ?? "")) ?? [];
    const part = from === undefined ? all : all.subarray(Number(from), Number(to) + 1);
    const range = from === undefined ? {} : { "content-range": `bytes ${from}-${to}/${all.length}` };
    answer.writeHead(!entry ? 404 : from === undefined ? 200 : 206, {
      ...told,
      ...range,
      "content-length": part.length,
    });
    answer.end(part);
  };
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const base = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const blobAt = (entry: number): string => `${base().replace("127.0.0.1", AZURE)}blobs/${entry}?sig=signed`;
  return {
    entries,
    requests,
    env: { ACTIONS_CACHE_URL: base(), ACTIONS_RUNTIME_TOKEN: "runtime" },
    second: {
      ...{ ACTIONS_RESULTS_URL: base(), ACTIONS_RUNTIME_TOKEN: "runtime", ACTIONS_CACHE_SERVICE_V2: "True" },
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(RESOLVE)}`,
    },
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
