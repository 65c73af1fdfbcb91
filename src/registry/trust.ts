import { ActionError } from "../errors.ts";
import type { Files } from "../world.ts";
import { isLoopback } from "./origins.ts";

/**
 * How one host is trusted: certificates beside those that Node knows, whether a certificate is looked at at all, and what we show of
 * ourselves to a registry that wants to see a certificate.
 */
export type Trust = {
  readonly certificates: readonly string[];
  readonly insecure: boolean;
  readonly client?: { readonly certificate: string; readonly key: string };
};

export type TrustOptions = {
  readonly files: Files;
  readonly env: Readonly<Record<string, string>>;
  /** The input ssl-cert-base64 as PEM. */
  readonly certificate: string | undefined;
  readonly insecure: Insecure;
  /** Told of files that hold nothing that can be used, by name and never by content. */
  readonly warn: (line: string) => void;
};

/** The input insecure: registries by `host[:port]`, or all of them. */
export type Insecure =
  | { readonly kind: "none" }
  | { readonly kind: "all" }
  | { readonly kind: "hosts"; readonly hosts: readonly string[] };

/** Whether a registry may be spoken to without a certificate that holds, and over plain http. Loopback always may, as with docker. */
export function isInsecure(insecure: Insecure, host: string): boolean {
  return isLoopback(new URL(`http://${host}`)) || isNamed(insecure, host);
}

function isNamed(insecure: Insecure, host: string): boolean {
  return insecure.kind === "all" || (insecure.kind === "hosts" && insecure.hosts.includes(host));
}

/**
 * Opens what is known about certificates: the input's, those that Node itself was started with, and those that the machine's engine
 * trusts for one registry (`/etc/docker/certs.d/<host>/*.crt`, and a client's `*.cert` with its `*.key`). Each host is looked up once.
 * @see https://docs.docker.com/engine/security/certificates/
 */
export function openTrust(options: TrustOptions): (host: string) => Promise<Trust> {
  const known = new Map<string, Promise<Trust>>();
  const warned = new Set<string>();
  const warn = (line: string): void => {
    if (!warned.has(line)) options.warn(line);
    warned.add(line);
  };
  return (host) => {
    const trust = known.get(host) ?? readTrust(host, { ...options, warn });
    known.set(host, trust);
    return trust;
  };
}

async function readTrust(host: string, { files, env, certificate, insecure, warn }: TrustOptions): Promise<Trust> {
  const folder = `/etc/docker/certs.d/${host}`;
  const names = (await files.list(folder)) ?? [];
  const read = (path: string): Promise<string | undefined> => readPem(path, files, warn);
  const own = await Promise.all(names.filter((name) => name.endsWith(".crt")).map((name) => read(`${folder}/${name}`)));
  // Node forgets its extra certificates as soon as it is given any others.
  const given = [certificate, ...own].filter((pem) => pem !== undefined);
  const extra = given.length > 0 && env.NODE_EXTRA_CA_CERTS ? await read(env.NODE_EXTRA_CA_CERTS) : undefined;
  const pair = names.find((name) => name.endsWith(".cert") && names.includes(name.replace(/cert$/, "key")));
  const [shown, key] = pair
    ? await Promise.all([read(`${folder}/${pair}`), read(`${folder}/${pair.replace(/cert$/, "key")}`)])
    : [];
  return {
    certificates: extra === undefined ? given : [...given, extra],
    insecure: isNamed(insecure, host),
    ...(shown !== undefined && key !== undefined ? { client: { certificate: shown, key } } : {}),
  };
}

/** OpenSSL passes over what it cannot read, and the user is left with a certificate that is not trusted and no word of why. */
async function readPem(path: string, files: Files, warn: (line: string) => void): Promise<string | undefined> {
  const text = await files.readText(path).catch(() => undefined);
  if (text !== undefined && isPem(text)) return text;
  warn(`${path} holds no certificate or key in PEM that can be read: it is not used.`);
  return undefined;
}

/** Whether every block of a text is base64 of a DER sequence, and there is at least one. */
function isPem(text: string): boolean {
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z ]+)-----([^-]*)-----END \1-----/g)];
  return (
    blocks.length > 0 &&
    blocks.every(([, , body = ""]) => /^M[A-Za-z0-9+/\s]+={0,2}\s*$/.test(body.replace(/^(?:\s|[\w-]+:.*\n)+/, "")))
  );
}

/**
 * Reads the input ssl-cert-base64.
 * @throws ActionError E_INPUT when it is no PEM in base64.
 */
export function decodeCertificate(base64: string): string {
  let pem = "";
  try {
    pem = atob(base64.replace(/\s+/g, ""));
  } catch {
    // What is no base64 is no PEM either, and is told as that.
  }
  if (pem.includes("-----BEGIN CERTIFICATE-----") && isPem(pem)) return pem;
  throw new ActionError("E_INPUT", {
    what: "The input ssl-cert-base64 is not the base64 form of certificates in PEM.",
    fix: "Make it with: base64 -w0 < ca.crt",
  });
}
