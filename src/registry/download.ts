import type { Answer, Clock, RegistryError } from "../world.ts";
import { malformed } from "./errors.ts";
import { follow, persist, type TimedHttp } from "./transport.ts";

/**
 * Fetches what an https address serves: anonymously, redirects followed as long as they stay with TLS.
 * @param limit the most that is taken, in bytes.
 * @returns `absent` only where the server says 404 or 410; `malformed` past the limit and for an address that is not https.
 */
export async function download(
  http: TimedHttp,
  clock: Clock,
  address: string,
  limit: number,
): Promise<Answer<Uint8Array>> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== "https:") return malformed(`GET ${address}`, "it is no https address");
  const ask = () => follow(http, { method: "GET", url, headers: {}, limit, authorization: undefined });
  const reply = await persist(http, clock, ask);
  if (reply.kind === "failed") return reply.error;
  const { status, body, truncated } = reply.response;
  if (status !== 200) return { kind: kindOf(status), request: reply.name, status, words: `status ${status}` };
  return truncated ? malformed(reply.name, `is larger than ${limit} bytes`, status) : { kind: "found", value: body };
}

/** What another status than 200 says of a file. */
export function kindOf(status: number): RegistryError["kind"] {
  if (status === 404 || status === 410) return "absent";
  if (status === 401 || status === 403) return "denied";
  if (status === 429) return "limited";
  return status === 408 || status >= 500 ? "unavailable" : "malformed";
}
