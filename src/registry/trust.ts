import { ActionError } from "../errors.ts";
import type { Files } from "../world.ts";
import { isLoopback } from "./tokens.ts";

/** How one host is trusted: certificates beside those that Node knows, and whether a certificate is looked at at all. */
export type Trust = { readonly certificates: readonly string[]; readonly insecure: boolean };

export type TrustOptions = {
  readonly files: Files;
  readonly env: Readonly<Record<string, string>>;
  /** The input ssl-cert-base64 as PEM. */
  readonly certificate: string | undefined;
  readonly insecure: Insecure;
};

/** The input insecure: registries by `host[:port]`, or all of them. */
export type Insecure =
  | { readonly kind: "none" }
  | { readonly kind: "all" }
  | { readonly kind: "hosts"; readonly hosts: readonly string[] };

/** Whether a registry may be spoken to without a certificate that holds, and over plain http. Loopback always may, as with docker. */
export function isInsecure(insecure: Insecure, host: string): boolean {
  if (isLoopback(new URL(`http://${host}`))) return true;
  return insecure.kind === "all" || (insecure.kind === "hosts" && insecure.hosts.includes(host));
}

/**
 * Opens what is known about certificates: the input's, those that Node itself was started with, and those that the machine's engine
 * trusts for one registry (`/etc/docker/certs.d/<host>/*.crt`). Each host is looked up once.
 */
export function openTrust({ files, env, certificate, insecure }: TrustOptions): (host: string) => Promise<Trust> {
  const known = new Map<string, Promise<Trust>>();
  const look = async (host: string): Promise<Trust> => {
    const extra = env.NODE_EXTRA_CA_CERTS ? await files.readText(env.NODE_EXTRA_CA_CERTS) : undefined;
    const folder = `/etc/docker/certs.d/${host}`;
    const names = ((await files.list(folder)) ?? []).filter((name) => name.endsWith(".crt"));
    const own = await Promise.all(names.map((name) => files.readText(`${folder}/${name}`)));
    const certificates = [certificate, extra, ...own].filter((pem) => pem !== undefined);
    const named = insecure.kind === "all" || (insecure.kind === "hosts" && insecure.hosts.includes(host));
    return { certificates, insecure: named };
  };
  return (host) => {
    const trust = known.get(host) ?? look(host);
    known.set(host, trust);
    return trust;
  };
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
  if (/-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/.test(pem)) return pem;
  throw new ActionError("E_INPUT", {
    what: "The input ssl-cert-base64 is not the base64 form of certificates in PEM.",
    fix: "Make it with: base64 -w0 < ca.crt",
  });
}
