import type { SecureContext } from "node:tls";
import type { Visit } from "./origins.ts";

/** One request as a door takes it. Whatever it waits for, `signal` ends it with its reason. */
export type Asked = {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string | undefined;
  readonly signal: AbortSignal;
  /** Set where a commit names the address: no certificate of ours is shown there, and `public` keeps out of inner networks. */
  readonly visit?: Visit | undefined;
};

/** The code of the error where `visit` does not go as far as the network that a name stands for. */
export const INNER = "ERR_INNER_NETWORK";

/** Header names are in lower case; one that stands there twice is a list. */
export type Answered = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** Hangs up: nothing of the body is wanted. */
  readonly drop: () => void;
};

/** Connections to the hosts that are trusted and reached alike. */
export type Door = {
  /** @throws what the network said. */
  readonly ask: (asked: Asked) => Promise<Answered>;
  /** Opens so many connections to a host before anybody asks, where that can be done. */
  readonly open: (url: URL, count: number) => void;
  /** Ends what is still on its way. */
  readonly close: () => Promise<void>;
};

/** At most so many connections to a host; milliseconds to keep one that is not in use, to hear nothing, and to connect. */
export type DoorOptions = {
  readonly connections: number;
  readonly idle: number;
  readonly quiet: number;
  readonly connect: number;
  readonly tls: TlsOptions;
};

export type TlsOptions = {
  readonly rejectUnauthorized?: boolean;
  readonly secureContext?: SecureContext;
  readonly cert?: string;
  readonly key?: string;
};
