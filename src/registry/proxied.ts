import { ProxyAgent, request } from "undici";
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
  });
  return {
    ask: async ({ url, method, headers, body, whole }) => {
      const answer = await request(url, {
        method,
        headers,
        dispatcher,
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(whole),
      });
      const told = Object.entries(answer.headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as const],
      );
      return { status: answer.statusCode, headers: Object.fromEntries(told), body: answer.body };
    },
    close: () => dispatcher.destroy(),
  };
}
