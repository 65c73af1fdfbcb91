import { Pool, ProxyAgent, request } from "undici";
import type { Door, DoorOptions } from "./door.ts";

/** Opens the way through a proxy. undici is only read where there is one. */
export function openProxied(proxy: string, options: DoorOptions & { readonly proxyTls: DoorOptions["tls"] }): Door {
  const { connections, idle, quiet, connect, tls, proxyTls } = options;
  const dispatcher = new ProxyAgent({
    connections,
    pipelining: 1,
    keepAliveTimeout: idle,
    headersTimeout: quiet,
    bodyTimeout: quiet,
    uri: proxy,
    requestTls: { ...tls, timeout: connect },
    proxyTls: { ...proxyTls, timeout: connect },
    proxyTunnel: false,
    // The way through the proxy is asked for on connections of its own, which by themselves wait five minutes for its answer.
    clientFactory: (origin, own) => new Pool(origin, { ...own, headersTimeout: connect, bodyTimeout: connect }),
  });
  return {
    ask: async ({ url, method, headers, body, signal }) => {
      const answer = await request(url, {
        method,
        headers,
        dispatcher,
        ...(body === undefined ? {} : { body }),
        signal,
      });
      const told = Object.entries(answer.headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as const],
      );
      const drop = (): void => void answer.body.on("error", () => undefined).destroy();
      return { status: answer.statusCode, headers: Object.fromEntries(told), body: answer.body, drop };
    },
    // The way through a proxy is opened by who asks.
    open: () => undefined,
    close: () => dispatcher.destroy(),
  };
}
