import type { Descriptor } from "../oci/manifest.ts";
import { formatRepository, type Reference, type Repository } from "../oci/reference.ts";
import type { Clock, Registry, StoredLogin } from "../world.ts";
import type { Visited } from "./addresses.ts";
import { openAuthorizer } from "./authorize.ts";
import { acceptsPush, BLOB_LIMIT, hasBlob, mountBlob, putBlob, readBlob, readThrough } from "./blobs.ts";
import type { Challenge } from "./challenge.ts";
import { download } from "./download.ts";
import type { Http } from "./http.ts";
import { deleteManifest, describeManifest, listTags, nameOf, putManifest, readServed } from "./manifests.ts";
import { hostOf, schemesFor } from "./origins.ts";
import { openSender } from "./sender.ts";
import { limitTime, type TimeLimits } from "./transport.ts";

export type RegistryOptions = {
  readonly clock: Clock;
  readonly mask: (secret: string) => void;
  /** The login for a repository, asked for when its registry wants one. */
  readonly credentials: (name: Repository) => Promise<StoredLogin | undefined>;
  /** Whether the run may push there: then the first token is already one for that. */
  readonly pushes: (name: Repository) => boolean;
  /** Whether a registry may be spoken to over plain http; on loopback it always may. */
  readonly insecure: (registry: string) => boolean;
  /** Whether one that may is known to speak it. */
  readonly plain?: (registry: string) => boolean;
  /** What a registry is known to ask for, which saves the refusal. */
  readonly expects?: (registry: string) => Challenge | undefined;
  /** What kind of login it takes, as a sentence for who was refused. */
  readonly takes?: (registry: string) => string | undefined;
  readonly limits?: TimeLimits;
  /** What the workflow says of hosts that a commit sends this run to; nothing where it says nothing. */
  readonly visited?: Visited;
};

/**
 * Opens the registries of a run: reads and small pushes, with answers in three values. A look-up that is under way is shared by all who
 * ask the same.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 */
export function openRegistry(door: Http, options: RegistryOptions): Registry {
  const http = limitTime(door, options.clock, options.limits);
  const authorizer = openAuthorizer({ http, ...options });
  const send = openSender({ http, authorizer, ...options });
  const nameIt = (reference: Reference): string => `${formatRepository(reference)} ${nameOf(reference)}`;
  const nameBlob = (name: Repository, { digest, size }: Descriptor, limit = 0): string =>
    [formatRepository(name), digest, size, limit].join(" ");
  const visiting = { http, clock: options.clock, visited: options.visited ?? UNSAID };
  const manifest = shared(nameIt, (reference: Reference) => readServed(send, reference));
  return {
    describe: shared(nameIt, (reference) => describeManifest(send, reference, manifest)),
    manifest,
    hasBlob: shared(nameBlob, (name, blob) => hasBlob(send, name, blob)),
    blob: shared(nameBlob, (name, blob, limit = BLOB_LIMIT) => readBlob(send, name, blob, limit)),
    readThrough: (name, blob, open) => readThrough(send, name, blob, open),
    tags: shared(formatRepository, (name) => listTags(send, name)),
    acceptsPush: (name) => acceptsPush(send, name),
    putBlob: (name, bytes, mediaType) => putBlob(send, name, bytes, mediaType),
    putManifest: (name, bytes, mediaType, tag, isWanted) =>
      putManifest(send, name, { bytes, mediaType, tag, isWanted }),
    mountBlob: (name, from, blob) => mountBlob(send, name, from, blob),
    deleteManifest: (reference) => deleteManifest(send, reference),
    download: (url, limit) => download(http, options.clock, url, limit),
    validator: shared(
      (url, by) => `${by} ${url}`,
      async (url, by) => (await loadAddresses()).readValidator(visiting, url, by),
    ),
    content: shared(String, async (url) => (await loadAddresses()).readContent(visiting, url)),
    connect: (name, count) => {
      const [scheme, other] = schemesFor(name, options.insecure, options.plain);
      // Where it may speak no TLS, a handshake would only be refused.
      if (scheme === "http" || !other) http.connect(new URL(`${scheme}://${hostOf(name)}`), count);
    },
    limitTime: http.limit,
    traffic: http.traffic,
    close: http.close,
  };
}

/** Few Dockerfiles name one. */
const loadAddresses = () => import("./addresses.ts");

const UNSAID: Visited = { isNamed: () => false, checksCertificates: true };

/** Only what is under way is shared: what has been answered may have changed since. */
function shared<A extends readonly unknown[], T>(
  keyOf: (...asked: A) => string,
  work: (...asked: A) => Promise<T>,
): (...asked: A) => Promise<T> {
  const flights = new Map<string, Promise<T>>();
  return (...asked) => {
    const key = keyOf(...asked);
    const flight = flights.get(key) ?? work(...asked).finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  };
}
