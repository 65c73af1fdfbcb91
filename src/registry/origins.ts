import type { Repository } from "../oci/reference.ts";

/** What a registry is called in addresses: Docker Hub's API has a host of its own. */
export function hostOf({ registry }: Pick<Repository, "registry">): string {
  return registry === "docker.io" ? "registry-1.docker.io" : registry;
}

/** Whether an address is this machine itself. */
export function isLoopback({ hostname }: Pick<URL, "hostname">): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  );
}

/**
 * Whether a realm may be told a login: the registry's own origin, an https host that is not somebody's inner network, or for a registry
 * on loopback anything on loopback. A challenge must not make this client call inside a network for others.
 */
export function mayHearLogin(realm: URL, origin: URL): boolean {
  if (realm.username !== "" || realm.password !== "") return false;
  if (realm.origin === origin.origin) return true;
  if (isLoopback(origin) && isLoopback(realm)) return realm.protocol === "http:" || realm.protocol === "https:";
  return realm.protocol === "https:" && !isLoopback(realm) && !isInnerAddress(realm);
}

/** A literal address of a private or link-local network. Names are not resolved: their certificate has to hold instead. */
export function isInnerAddress({ hostname }: Pick<URL, "hostname">): boolean {
  const isIPv4 = /^\d+\.\d+\.\d+\.\d+$/.test(hostname);
  return isIPv4 ? INNER_IPV4.test(hostname) : /^\[(?:f[cd]|fe[89a-f]|::)/.test(hostname);
}

/** The last one looks public, and is what tells Azure's machines who they are. */
const INNER_IPV4 =
  /^(?:(?:0|10|169\.254|192\.168|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.|168\.63\.129\.16$)/;

/** Whether an IP address, as a resolver tells it, is this machine or in a private or link-local network. */
export function isInnerIp(address: string): boolean {
  const hostname = address.includes(":") ? `[${address.toLowerCase()}]` : address;
  return isLoopback({ hostname }) || isInnerAddress({ hostname });
}

/**
 * How far an address may be followed that a commit names: `public` to names alone that stand for no inner network. Where a certificate
 * holds, a name is who it says it is, wherever that stands.
 */
export type Visit = "anywhere" | "public";

export type Scheme = "http" | "https";

/**
 * The schemes that may be tried for a registry, in this order. On loopback plain http comes first, for nobody listens in there and most
 * registries there speak it. One that is named insecure elsewhere is asked with TLS first, as docker does: behind port 80 there is often
 * only a redirect. Where the server's own address is plain http, that is what it speaks. All others speak TLS or nothing.
 */
export function schemesFor(
  name: Repository,
  isInsecure: (registry: string) => boolean,
  isPlain: (registry: string) => boolean = () => false,
): readonly [Scheme, ...Scheme[]] {
  if (isLoopback(new URL(`https://${hostOf(name)}`))) return ["http", "https"];
  if (!isInsecure(name.registry)) return ["https"];
  return isPlain(name.registry) ? ["http", "https"] : ["https", "http"];
}
