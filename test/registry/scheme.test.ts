import { describe, expect, test } from "vitest";
import type { Server } from "../fakes/network.ts";
import { sha } from "./client.ts";
import { ask, play, served } from "./network.ts";

describe("the scheme", () => {
  const plain = (request: { readonly url: URL }) =>
    request.url.protocol === "http:"
      ? served
      : ({ kind: "failure", words: "wrong version number", why: "no-tls" } as const);
  const tls: Server = ({ url }) =>
    url.protocol === "https:" ? served : { status: 400, body: "Client sent an HTTP request to an HTTPS server.\n" };

  test.each<[string, string, boolean, Server, readonly string[]]>([
    ["TLS, whatever the server would say", "registry.test", false, plain, ["https"]],
    ["TLS alone for the inner network", "10.0.0.5:5000", false, plain, ["https"]],
    ["on loopback plain http", "localhost:5000", false, plain, ["http", "http"]],
    ["on loopback TLS, where the server says so", "127.0.0.1:5000", false, tls, ["http", "https", "https"]],
    ["named insecure: TLS first", "registry.test", true, tls, ["https", "https"]],
    ["named insecure: plain http after it", "registry.test", true, plain, ["https", "http", "http"]],
  ])("%s", async (_, host, insecure, server, schemes) => {
    const servers = { [`http://${host}`]: server, [`https://${host}`]: server };
    const { registry, seen } = play({ servers, options: { insecure: () => insecure } });
    await ask(registry, `${host}/t/a`);
    if (schemes.length > 1) await ask(registry, `${host}/t/a`, "two");
    // Found out once, and the second question goes straight to it.
    expect(seen.map(({ line }) => /GET (\w+):/.exec(line)?.[1])).toEqual(schemes);
  });

  test("a certificate that does not hold is said, also where plain http was tried first", async () => {
    const server: Server = ({ url }) =>
      url.protocol === "https:"
        ? { kind: "failure", words: "self-signed certificate", why: "certificate" }
        : { status: 400, body: "Client sent an HTTP request to an HTTPS server.\n" };
    const { registry, seen } = play({ servers: { "http://localhost:5000": server, "https://localhost:5000": server } });
    expect(await ask(registry, "localhost:5000/t/a")).toMatchObject({
      kind: "unavailable",
      words: "self-signed certificate",
      fix: expect.stringContaining("ssl-cert-base64"),
    });
    expect(seen).toHaveLength(2);
  });
});

describe("the scheme, where it is hard to tell", () => {
  const host = "localhost:5000";
  const name = { registry: host, repository: "t/a" };
  const on = (server: Server) => play({ servers: { [`http://${host}`]: server, [`https://${host}`]: server } });

  test("a HEAD to a TLS server is answered with 400 and no word", async () => {
    const { registry, lines } = on(({ url, method }) => {
      if (url.protocol === "http:") return { status: 400, body: "Client sent an HTTP request to an HTTPS server.\n" };
      return method === "HEAD" ? { ...served, headers: { ...served.headers, "content-length": "2" } } : served;
    });
    expect(await registry.hasBlob(name, { mediaType: "x", digest: sha("{}"), size: 2 })).toMatchObject({
      kind: "found",
    });
    expect(lines().map((line) => line.split("/")[0])).toEqual(["HEAD http:", "HEAD https:"]);
  });

  test("a server that hangs up on plain http, and whose certificate does not hold", async () => {
    const { registry } = on(({ url }) =>
      url.protocol === "http:"
        ? { kind: "failure", words: "other side closed", why: "hung-up" }
        : { kind: "failure", words: "self-signed certificate", why: "certificate" },
    );
    expect(await ask(registry, `${host}/t/a`)).toMatchObject({ words: "self-signed certificate" });
  });

  test("one that just hangs up is asked again as it was, and that it hung up is told", async () => {
    const { registry, lines } = on(({ url }) =>
      url.protocol === "http:"
        ? { kind: "failure", words: "other side closed", why: "hung-up" }
        : { kind: "failure", words: "wrong version number", why: "no-tls" },
    );
    expect(await ask(registry, `${host}/t/a`)).toMatchObject({ words: "other side closed" });
    expect(lines().filter((line) => line.includes("https:"))).toHaveLength(1);
  });

  test("once it has answered, the question is not asked again", async () => {
    let answers = 0;
    const { registry, lines } = on(() =>
      answers++ === 0 ? served : { kind: "failure", words: "other side closed", why: "hung-up" },
    );
    await ask(registry, `${host}/t/a`);
    await ask(registry, `${host}/t/a`, "two");
    expect(lines().filter((line) => line.includes("https:"))).toEqual([]);
  });
});
