import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export type Reply = {
  /** 0: the connection is closed without a word. */
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** No length is told, and the body comes in chunks. */
  readonly unmeasured?: boolean;
  /** The connection is closed after so many bytes of the body. */
  readonly cut?: number;
};

type Login = { readonly user: string; readonly password: string; readonly anonymousMayPull?: boolean };
export type Asked = {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
};

/** An answer to what was asked, which may be made of the `right` one. */
export type Play = (asked: Asked, right: () => Reply) => Reply;

export type FakeRegistry = Awaited<ReturnType<typeof openFakeRegistry>>;

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** The registry's own way of saying no. */
export const error = (status: number, code: string): Reply => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll("_", " ") }] }),
});

/**
 * A registry in memory over real HTTP, for pulls, small pushes, mounts, tags and deletes, in the way of docker-registry 2.8: an upload is
 * a session that ends, a type is served to those who ask for it, a tag cannot be deleted. Unlike it, a manifest may name what is not there,
 * unless `refuseIncomplete` was called. `requests` grows by a line for each request, `METHOD /path`; `override` makes chosen requests be answered otherwise; the
 * latest override counts. `hold` makes them wait.
 */
export async function openFakeRegistry() {
  const requests: string[] = [];
  const asked: Asked[] = [];
  const manifests = new Map<string, { readonly bytes: Buffer; readonly type: string }>();
  const blobs = new Map<string, Buffer>();
  const uploads = new Map<string, Buffer>();
  const overrides: {
    readonly matches: (line: string, asked: Asked) => boolean;
    readonly reply: Reply | Play;
  }[] = [];
  const holds: { readonly matches: (line: string) => boolean; readonly until: () => Promise<unknown> }[] = [];
  let isStrict = false;
  let login: Login | undefined;
  let scheme: "none" | "basic" | "bearer" = "none";

  const putManifest = (repository: string, reference: string, bytes: Uint8Array, type: string): string => {
    const digest = digestOf(bytes);
    for (const name of [digest, reference]) manifests.set(`${repository}@${name}`, { bytes: Buffer.from(bytes), type });
    return digest;
  };

  const isComplete = (repository: string, body: Buffer): boolean => {
    type Named = { readonly digest: string };
    const named: { manifests?: Named[]; config?: Named; layers?: Named[] } = JSON.parse(body.toString());
    const parts = [...(named.config ? [named.config] : []), ...(named.layers ?? [])];
    return (
      (named.manifests ?? []).every(({ digest }) => manifests.has(`${repository}@${digest}`)) &&
      parts.every(({ digest }) => blobs.has(`${repository}@${digest}`))
    );
  };

  const deleteManifest = (repository: string, reference: string): Reply => {
    if (!reference.startsWith("sha256:")) return error(400, "DIGEST_INVALID");
    const gone = manifests.get(`${repository}@${reference}`)?.bytes;
    const names = [...manifests].filter(
      ([name, { bytes }]) => name.startsWith(`${repository}@`) && gone?.equals(bytes),
    );
    for (const [name] of names) manifests.delete(name);
    return gone ? { status: 202 } : error(404, "MANIFEST_UNKNOWN");
  };

  const serveManifest = ({ method, headers, body }: Asked, repository: string, reference: string): Reply => {
    if (method === "DELETE") return deleteManifest(repository, reference);
    if (method === "PUT") {
      if (reference.startsWith("sha256:") && reference !== digestOf(body)) return error(400, "DIGEST_INVALID");
      if (isStrict && !isComplete(repository, body)) return error(400, "MANIFEST_BLOB_UNKNOWN");
      const digest = putManifest(repository, reference, body, headers["content-type"] ?? "");
      return { status: 201, headers: { "docker-content-digest": digest } };
    }
    const found = manifests.get(`${repository}@${reference}`);
    // docker-registry serves an OCI type only to those who ask for it.
    if (!found || !headers.accept?.includes(found.type)) return error(404, "MANIFEST_UNKNOWN");
    return {
      status: 200,
      headers: { "content-type": found.type, "docker-content-digest": digestOf(found.bytes) },
      body: found.bytes,
    };
  };

  const openUpload = ({ url }: Asked, repository: string): Reply => {
    const mounted = blobs.get(`${url.searchParams.get("from")}@${url.searchParams.get("mount")}`);
    if (mounted) {
      blobs.set(`${repository}@${digestOf(mounted)}`, mounted);
      return { status: 201, headers: { "docker-content-digest": digestOf(mounted) } };
    }
    const id = randomUUID();
    uploads.set(id, Buffer.alloc(0));
    return { status: 202, headers: { location: `/v2/${repository}/blobs/uploads/${id}?_state=${id}` } };
  };

  const serveUpload = (request: Asked, repository: string, id: string): Reply => {
    const { method, url, body } = request;
    if (method === "POST") return openUpload(request, repository);
    const before = uploads.get(id);
    if (!before || url.searchParams.get("_state") !== id) return error(404, "BLOB_UPLOAD_UNKNOWN");
    const bytes = Buffer.concat([before, body]);
    uploads.set(id, bytes);
    if (method === "PATCH") return { status: 202, headers: { location: `${url.pathname}${url.search}` } };
    uploads.delete(id);
    if (method === "DELETE") return { status: 204 };
    const digest = url.searchParams.get("digest") ?? "";
    if (digest !== digestOf(bytes)) return error(400, "DIGEST_INVALID");
    blobs.set(`${repository}@${digest}`, bytes);
    return { status: 201, headers: { "docker-content-digest": digest } };
  };

  const serveBlob = ({ headers: { range } }: Asked, repository: string, digest: string): Reply => {
    const bytes = blobs.get(`${repository}@${digest}`);
    if (!bytes) return error(404, "BLOB_UNKNOWN");
    const headers = { "content-type": "application/octet-stream" };
    if (range !== "bytes=0-0") return { status: 200, headers, body: bytes };
    return {
      status: 206,
      headers: { ...headers, "content-range": `bytes 0-0/${bytes.length}` },
      body: bytes.subarray(0, 1),
    };
  };

  const tags = (repository: string): string[] =>
    [...manifests.keys()]
      .flatMap((key) => (key.startsWith(`${repository}@`) ? [key.slice(repository.length + 1)] : []))
      .filter((name) => !name.startsWith("sha256:"))
      .sort();

  const serveTags = (repository: string): Reply => {
    const isKnown = [...manifests.keys()].some((key) => key.startsWith(`${repository}@`));
    if (!isKnown) return error(404, "NAME_UNKNOWN");
    const headers = { "content-type": "application/json" };
    return { status: 200, headers, body: JSON.stringify({ name: repository, tags: tags(repository) }) };
  };

  const serveToken = ({ url, headers }: Asked): Reply => {
    const isKnown = login !== undefined && headers.authorization === basicOf(login);
    const actions = url.searchParams.getAll("scope").some((scope) => scope.includes("push")) ? "push" : "pull";
    if (headers.authorization !== undefined && !isKnown) return error(401, "UNAUTHORIZED");
    const granted = isKnown ? actions : login?.anonymousMayPull ? "pull" : "nothing";
    return { status: 200, body: JSON.stringify({ token: `token-for-${granted}`, expires_in: 300 }) };
  };

  const refuse = ({ method, url, headers }: Asked, host: string): Reply | undefined => {
    const reads = method === "GET" || method === "HEAD";
    if (scheme === "none" || !login) return undefined;
    if (scheme === "basic")
      return headers.authorization === basicOf(login)
        ? undefined
        : { ...error(401, "UNAUTHORIZED"), headers: { "www-authenticate": 'Basic realm="registry"' } };
    const allowed = reads ? ["Bearer token-for-pull", "Bearer token-for-push"] : ["Bearer token-for-push"];
    if (allowed.includes(headers.authorization ?? "")) return undefined;
    const repository = /^\/v2\/(.+)\/(?:manifests|blobs|tags)\//.exec(url.pathname)?.[1] ?? "";
    const scope = repository === "" ? "" : `,scope="repository:${repository}:${reads ? "pull" : "pull,push"}"`;
    const challenge = `Bearer realm="http://${host}/token",service="fake"${scope}`;
    return {
      ...error(401, "UNAUTHORIZED"),
      headers: { "www-authenticate": challenge, "content-type": "application/json" },
    };
  };

  const serve = (request: Asked, host: string): Reply => {
    if (request.url.pathname === "/token") return serveToken(request);
    const refused = refuse(request, host);
    if (refused) return refused;
    if (request.url.pathname === "/v2/") return { status: 200, body: "{}" };
    const [, repository = "", kind, reference = ""] =
      /^\/v2\/(.+?)\/(manifests|blobs\/uploads|blobs|tags)\/(.*)$/.exec(request.url.pathname) ?? [];
    if (kind === "manifests") return serveManifest(request, repository, reference);
    if (kind === "blobs/uploads") return serveUpload(request, repository, reference);
    if (kind === "tags") return serveTags(repository);
    return kind === "blobs" ? serveBlob(request, repository, reference) : error(404, "NOT_FOUND");
  };

  const answer = async (response: ServerResponse, request: Asked, host: string): Promise<void> => {
    const line = `${request.method} ${request.url.pathname}`;
    requests.push(line);
    asked.push(request);
    await holds.find(({ matches }) => matches(line))?.until();
    const override = overrides.findLast(({ matches }) => matches(line, request))?.reply;
    const right = (): Reply => serve(request, host);
    const reply =
      override === undefined ? right() : typeof override === "function" ? override(request, right) : override;
    if (reply.status === 0) return void response.destroy();
    const body = Buffer.from(reply.body ?? "");
    const length = reply.unmeasured ? {} : { "content-length": body.length };
    response.writeHead(reply.status, { ...length, ...reply.headers });
    if (reply.cut === undefined) return void response.end(request.method === "HEAD" ? undefined : body);
    response.write(body.subarray(0, reply.cut), () => response.destroy());
  };

  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const host = incoming.headers.host ?? "";
      const url = new URL(incoming.url ?? "", `http://${host}`);
      void answer(
        response,
        { method: incoming.method ?? "", url, headers: incoming.headers, body: Buffer.concat(chunks) },
        host,
      );
    });
  });
  let connections = 0;
  server.on("connection", () => {
    connections++;
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  return {
    host: `127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    requests,
    /** The same requests with headers and bodies. */
    asked,
    seedManifest: putManifest,
    seedBlob: (repository: string, bytes: Uint8Array): string => {
      blobs.set(`${repository}@${digestOf(bytes)}`, Buffer.from(bytes));
      return digestOf(bytes);
    },
    /** Puts everything that a repository holds into another one. */
    copy: (from: string, to: string): void => {
      const renamed = (name: string): string => name.replace(`${from}@`, `${to}@`);
      for (const [name, bytes] of [...blobs]) if (name.startsWith(`${from}@`)) blobs.set(renamed(name), bytes);
      for (const [name, one] of [...manifests]) if (name.startsWith(`${from}@`)) manifests.set(renamed(name), one);
    },
    tags,
    /** How many uploads were opened and neither finished nor cancelled. */
    openUploads: (): number => uploads.size,
    blob: (repository: string, digest: string): Buffer | undefined => blobs.get(`${repository}@${digest}`),
    digest: (repository: string, reference: string): string | undefined => {
      const found = manifests.get(`${repository}@${reference}`);
      return found && digestOf(found.bytes);
    },
    manifest: (repository: string, reference: string): Buffer | undefined =>
      manifests.get(`${repository}@${reference}`)?.bytes,
    override: (matches: (line: string, asked: Asked) => boolean, reply: Reply | Play): void => {
      overrides.push({ matches, reply });
    },
    /** Answers in its own way again. */
    recover: (): void => {
      overrides.splice(0);
    },
    /** As docker-registry does, from now on: what names something that is not there is not taken. */
    refuseIncomplete: (): void => {
      isStrict = true;
    },
    /** Takes a manifest away with every name that it has, as a clean-up does. */
    sweep: (repository: string, digest: string): void => void deleteManifest(repository, digest),
    /** Takes a blob away, as a clean-up or a lost disk does. */
    sweepBlob: (repository: string, digest: string): void => void blobs.delete(`${repository}@${digest}`),
    /** Takes a tag away, and leaves what it names. */
    untag: (repository: string, tag: string): void => void manifests.delete(`${repository}@${tag}`),
    /** Requests that match are seen at once, and answered when the promise is kept. */
    hold: (matches: (line: string) => boolean, until: () => Promise<unknown>): void => {
      holds.push({ matches, until });
    },
    /** None of the requests of a kind is answered before all of them were seen: they are one wave, or the run waits for ever. */
    together: (kind: RegExp, count: number): void => {
      let all: () => void = () => undefined;
      const complete = new Promise<void>((done) => {
        all = done;
      });
      let seen = 0;
      const matches = (line: string): boolean => {
        if (!kind.test(line)) return false;
        seen++;
        if (seen === count) all();
        return true;
      };
      holds.push({ matches, until: () => complete });
    },
    requireBasic: (wanted: Login): void => {
      [scheme, login] = ["basic", wanted];
    },
    connections: () => connections,
    /** The token server is `/token` of the registry itself. */
    requireBearer: (wanted: Login): void => {
      [scheme, login] = ["bearer", wanted];
    },
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise<void>((closed) => server.close(() => closed()));
    },
  };
}

function basicOf({ user, password }: Login): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}
