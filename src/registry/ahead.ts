import type { Agent as HttpAgent } from "node:http";
import type { AgentOptions } from "node:https";
import { isIP, Socket } from "node:net";

/** Connections that are on their way before anybody asks over them. */
export type Ahead = {
  /** Opens so many to a host: whoever would open one takes one of them. */
  readonly open: (url: URL, count: number) => void;
  /** Ends those that nobody took. */
  readonly close: () => void;
};

/**
 * Lets an agent have connections before there are requests for them: then a burst of requests waits for no handshake, which is one round trip
 * and with TLS two. One that breaks meanwhile is passed over.
 * @param connecting milliseconds that a connection may take.
 * @see https://nodejs.org/docs/latest-v20.x/api/http.html#agentcreateconnectionoptions-callback
 */
export function openAhead(agent: HttpAgent, options: AgentOptions, connecting: number): Ahead {
  const opened = new Map<string, Set<Socket>>();
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (asked, done) => {
    const waiting = opened.get(`${asked.host}:${asked.port}`);
    const [first] = waiting ?? [];
    if (!first) return connect(asked, done);
    waiting?.delete(first);
    return first.ref();
  };
  const openOne = (to: AgentOptions, event: "secureConnect" | "connect"): void => {
    const socket = connect({ ...options, ...to });
    if (!(socket instanceof Socket)) return;
    const key = `${to.host}:${to.port}`;
    const waiting = opened.get(key) ?? new Set<Socket>();
    opened.set(key, waiting.add(socket));
    const late = setTimeout(() => socket.destroy(), connecting).unref();
    socket.unref();
    // Why it broke, whoever asks for one will hear.
    socket.on("error", () => undefined);
    socket.on("close", () => void waiting.delete(socket));
    for (const one of [event, "close"]) socket.once(one, () => clearTimeout(late));
  };
  return {
    open: ({ hostname, protocol, port }, count) => {
      const isSecure = protocol === "https:";
      const host = hostname.replace(/^\[(.*)\]$/, "$1");
      // An address is no name that a certificate is asked for by.
      const named = isIP(host) === 0 ? { servername: host } : {};
      const to = { host, port: Number(port) || (isSecure ? 443 : 80), ...named };
      for (let left = count; left > 0; left--) openOne(to, isSecure ? "secureConnect" : "connect");
    },
    close: () => {
      for (const socket of [...opened.values()].flatMap((waiting) => [...waiting])) socket.destroy();
    },
  };
}
