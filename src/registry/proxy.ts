import { isLoopback } from "./origins.ts";

type Environment = Readonly<Record<string, string>>;

/**
 * The proxy that an address is reached through, by `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` as docker and every other Go program read
 * them: our probe and the builder's push then go the same way. Small letters count first; nothing on loopback goes through a proxy.
 * @returns the proxy's address, or `undefined` for the direct way.
 * @see https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
 */
export function proxyFor(url: URL, env: Environment): string | undefined {
  const { value = "" } = chosen(url.protocol === "https:" ? "https_proxy" : "http_proxy", env) ?? {};
  if (value === "" || isLoopback(url) || isExcepted(url, chosen("no_proxy", env)?.value ?? "")) return undefined;
  return addressOf(value);
}

/** Tells which of the proxy's variables name a proxy that cannot be gone through: all that they are for then goes the direct way. */
export function unusedProxies(env: Environment): readonly string[] {
  return ["https_proxy", "http_proxy"].flatMap((variable) => {
    const { name, value = "" } = chosen(variable, env) ?? {};
    if (name === undefined || addressOf(value) !== undefined) return [];
    const scheme = /^socks\w*(?=:\/\/)/i.exec(value)?.[0];
    const what =
      scheme === undefined ? "is no address of a proxy" : `names a proxy of ${scheme}://, and there is none here`;
    return [
      `The variable ${name} ${what}: what this action asks itself goes the direct way. Write it as http://host:port, or https:// where the proxy itself speaks TLS.`,
    ];
  });
}

/** Small letters count first, and an empty one is none. */
function chosen(variable: string, env: Environment): { readonly name: string; readonly value: string } | undefined {
  const name = [variable, variable.toUpperCase()].find((one) => env[one]);
  return name === undefined ? undefined : { name, value: env[name] ?? "" };
}

function addressOf(written: string): string | undefined {
  const proxy = /^[a-z][a-z0-9+.-]*:\/\//i.test(written) ? written : `http://${written}`;
  return URL.canParse(proxy) && /^https?:$/.test(new URL(proxy).protocol) ? proxy : undefined;
}

function isExcepted(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => entry === "*" || matches(entry, host, port));
}

/** `host`, `.host`, `*.host`, an address or a network, each with an optional port. */
function matches(entry: string, host: string, port: string): boolean {
  if (entry.includes("/")) return inNetwork(host, entry);
  const [, bracketed, plain = "", only] = /^(?:\[([0-9a-f:]+)\]|([^:]*|[0-9a-f:]{2,}))(?::(\d+))?$/.exec(entry) ?? [];
  const name = bracketed ?? plain;
  if (name === "" || (only !== undefined && only !== port)) return false;
  if (name.startsWith("*.") || name.startsWith(".")) return host.endsWith(name.replace(/^\*/, ""));
  return host === name || host.endsWith(`.${name}`);
}

/** IPv4 only: what IPv6 networks there are in such lists is loopback. */
function inNetwork(host: string, network: string): boolean {
  const [base = "", length = ""] = network.split("/");
  const [address, start, bits] = [asNumber(host), asNumber(base), Number(length)];
  if (address === undefined || start === undefined || !/^\d{1,2}$/.test(length) || bits > 32) return false;
  const size = 2 ** (32 - bits);
  return Math.floor(address / size) === Math.floor(start / size);
}

function asNumber(address: string): number | undefined {
  const parts = address.split(".").map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : Number.NaN));
  if (parts.length !== 4 || !parts.every((part) => part <= 255)) return undefined;
  return parts.reduce((number, part) => number * 256 + part, 0);
}
