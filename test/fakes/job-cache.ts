import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * The cache service of act's kin, the first version of GitHub's: look up, reserve, upload in pieces, finish.
 * @see https://github.com/nektos/act/blob/v0.2.89/pkg/artifactcache/handler.go
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
    if (path === "/cache") lookUp(url.searchParams, json);
    else if (path === "/caches") reserve(Buffer.concat(body), json);
    else serve(`${request.method} ${path}`, Buffer.concat(body), answer);
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
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const base = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    entries,
    requests,
    env: { ACTIONS_CACHE_URL: base(), ACTIONS_RUNTIME_TOKEN: "runtime" },
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
