import { lookup } from "node:dns";
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { LookupFunction, Socket } from "node:net";
import { openAhead } from "./ahead.ts";
import { type Answered, type Asked, type Door, type DoorOptions, INNER } from "./door.ts";
import { isInnerIp } from "./origins.ts";

/**
 * Opens the way to hosts that are reached without a proxy, on Node's own client: it is part of every Node, where undici has to be read
 * and compiled first, and a burst of look-ups costs it a third of the time.
 */
export function openDirect({ connections, idle, quiet, connect, tls }: DoorOptions): Door {
  const shared = { keepAlive: true, maxSockets: connections, timeout: idle };
  const agents = { plain: new HttpAgent(shared), secure: new HttpsAgent({ ...shared, ...tls }) };
  const guarded = {
    plain: new HttpAgent({ ...shared, lookup: lookupPublic }),
    secure: new HttpsAgent({ ...shared, ...tls, lookup: lookupPublic }),
  };
  const ahead = {
    plain: openAhead(agents.plain, { noDelay: true }, connect),
    secure: openAhead(agents.secure, agents.secure.options, connect),
  };

  let isOpen = true;

  const askOnce = (asked: Asked): Promise<Answered> =>
    new Promise((resolve, reject) => {
      const { method, headers, body, signal, visit } = asked;
      const url = withoutLogin(asked.url);
      const { plain, secure } = visit === "public" ? guarded : agents;
      const isSecure = url.protocol === "https:";
      const request = isSecure
        ? requestHttps(url, { method, headers, agent: secure })
        : requestHttp(url, { method, headers, agent: plain });
      let answer: IncomingMessage | undefined;
      let isAskedAnew = false;
      const giveUp = (why: Error): void => void (answer ?? request).destroy(why);
      const stop = (): void => giveUp(signal.reason);
      signal.addEventListener("abort", stop, { once: true });
      request.setTimeout(quiet, () => giveUp(new Error(`nothing was heard for ${quiet / 1000} s`)));
      request.on("close", () => {
        signal.removeEventListener("abort", stop);
        // Some ways to end (a switch to another protocol) are neither an answer nor an error to Node.
        if (!isAskedAnew) reject(new Error("the other side hung up"));
      });
      request.on("socket", (socket) => limitConnecting(socket, isSecure, connect, giveUp));
      request.on("error", (error) => {
        isAskedAnew = isOpen && !answer && isStale(request, error, asked);
        if (isAskedAnew) askOnce(asked).then(resolve, reject);
        else reject(error);
      });
      request.on("response", (message) => {
        answer = message;
        const drop = (): void => void message.destroy();
        resolve({ status: message.statusCode ?? 0, headers: headersOf(message), body: message, drop });
      });
      request.end(body);
    });

  return {
    ask: askOnce,
    open: (url, count) => ahead[url.protocol === "https:" ? "secure" : "plain"].open(url, Math.min(count, connections)),
    close: async () => {
      isOpen = false;
      ahead.plain.close();
      ahead.secure.close();
      for (const { plain, secure } of [agents, guarded]) {
        plain.destroy();
        secure.destroy();
      }
    },
  };
}

/** Looked at where the connection is made: whoever answers for a name may answer otherwise the next time. */
const lookupPublic: LookupFunction = (hostname, options, done) =>
  lookup(hostname, options, (error, address, family) => {
    const all = typeof address === "string" ? [{ address }] : (address ?? []);
    const isInner = error === null && all.some((one) => isInnerIp(one.address));
    const why = "for it stands for this machine or an inner network, and the input insecure does not name it";
    const refusal = Object.assign(new Error(`${hostname} is not asked, ${why}`), { code: INNER });
    done(isInner ? refusal : error, address, family);
  });

/** Node would send a login that stands in an address: nobody but the credentials decides about that. */
function withoutLogin(url: URL): URL {
  if (url.username === "" && url.password === "") return url;
  return Object.assign(new URL(url), { username: "", password: "" });
}

function limitConnecting(socket: Socket, isSecure: boolean, limit: number, giveUp: (why: Error) => void): void {
  if (!socket.connecting) return;
  const late = setTimeout(() => giveUp(new Error(`no connection within ${limit / 1000} s`)), limit);
  for (const event of [isSecure ? "secureConnect" : "connect", "close"]) socket.once(event, () => clearTimeout(late));
}

/** A server may close a connection that is not in use in the very moment in which it is used again; what only looks is asked anew. */
function isStale(request: ClientRequest, error: Error, { method }: Asked): boolean {
  const isReset = "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
  return isReset && request.reusedSocket && (method === "GET" || method === "HEAD");
}

/** Node joins headers of one name, or keeps the first: what stands in them twice has to be seen. */
function headersOf({ rawHeaders }: IncomingMessage): Record<string, string | readonly string[]> {
  const headers: Record<string, string | readonly string[]> = Object.create(null);
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name, value] = [(rawHeaders[at] ?? "").toLowerCase(), rawHeaders[at + 1] ?? ""];
    const before = headers[name];
    headers[name] = before === undefined ? value : [...(typeof before === "string" ? [before] : before), value];
  }
  return headers;
}
