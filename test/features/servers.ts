import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { promisify } from "node:util";
import { openFakeRegistry } from "../fakes/registry.ts";
import { type Publication, publish } from "./published.ts";

export type Servers = Awaited<ReturnType<typeof openServers>>;

/**
 * What the reference CLI asks for features, in this process: a registry on plain http, and behind TLS the same registry as ghcr.io and a
 * server of tarballs. The CLI comes to ghcr.io through a proxy.
 * @param tarballs by path
 */
export async function openServers(tarballs: ReadonlyMap<string, Buffer>) {
  const registry = await openFakeRegistry();
  const folder = await mkdtemp(join(tmpdir(), "features-servers-"));
  const certificate = await makeCertificate(folder);
  const tls = createTlsServer(certificate, (asked, answer) => {
    const [address = ""] = (asked.url ?? "").split("?");
    const tarball = tarballs.get(address);
    if (tarball) return answer.end(tarball);
    const { url: path, method, headers } = asked;
    const forwarded = request(`http://${registry.host}${path}`, { method: method ?? "GET", headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(answer);
    });
    return asked.pipe(forwarded);
  });
  const tlsPort = await listen(tls);
  const proxy = createServer();
  const tunnels = new Set<Duplex>();
  proxy.on("connect", (_asked, client) => {
    const server = connect(tlsPort, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      server.pipe(client).pipe(server);
    });
    for (const end of [server, client]) {
      tunnels.add(end);
      end.on("error", () => undefined);
    }
  });
  const proxyPort = await listen(proxy);
  const port = registry.host.split(":").at(-1);
  return {
    /** The CLI speaks plain http to this name and to no other. */
    registry: `localhost:${port}`,
    tarballs: `https://localhost:${tlsPort}`,
    publish: (publication: Publication): void => {
      const { manifest, type, blobs } = publish(publication);
      for (const tag of publication.tags ?? ["1"]) registry.seedManifest(publication.path, tag, manifest, type);
      for (const blob of blobs) registry.seedBlob(publication.path, blob);
    },
    env: {
      NODE_EXTRA_CA_CERTS: join(folder, "cert.pem"),
      HTTPS_PROXY: `http://127.0.0.1:${proxyPort}`,
      NO_PROXY: "localhost",
    },
    close: async (): Promise<void> => {
      for (const socket of tunnels) socket.destroy();
      tls.closeAllConnections();
      await Promise.all([registry.close(), closed(tls), closed(proxy), rm(folder, { recursive: true })]);
    },
  };
}

async function makeCertificate(folder: string): Promise<{ readonly key: Buffer; readonly cert: Buffer }> {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,DNS:ghcr.io"];
  await promisify(execFile)("openssl", ["req", ...kind, ...names, "-keyout", key, "-out", cert]);
  return { key: await readFile(key), cert: await readFile(cert) };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address() as AddressInfo;
  return address.port;
}

function closed(server: Server): Promise<void> {
  return new Promise((done) => server.close(() => done()));
}
