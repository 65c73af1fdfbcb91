import { createHash } from "node:crypto";
import { afterEach } from "vitest";
import { openRegistry, type RegistryOptions } from "../../src/registry/client.ts";
import { openHttp } from "../../src/registry/http.ts";
import type { Registry, StoredLogin } from "../../src/world.ts";
import type { Reply } from "../fakes/registry.ts";

/** Our client on real connections, and the image that the tests of this room are about. Clients are closed with each test. */
const opened: Registry[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((registry) => registry.close()));
});

export type Client = {
  readonly login?: StoredLogin | undefined;
  /** In place of the login: how it is looked up. */
  readonly credentials?: () => Promise<StoredLogin | undefined>;
  readonly pushes?: boolean;
  readonly clock?: () => number;
  readonly mask?: (secret: string) => void;
  /** Milliseconds without a byte, after which a request is given up. */
  readonly timeout?: number;
  readonly limits?: RegistryOptions["limits"];
};

export function openClient(client: Client = {}): Registry {
  const { login, credentials, pushes = false, clock = Date.now, mask, timeout = 30_000, limits } = client;
  const trust = async () => ({ certificates: [], insecure: false });
  const http = openHttp({ env: {}, userAgent: "test", timeout, trust });
  // Waiting between attempts is not what these tests are about.
  const pause = async (): Promise<void> => undefined;
  const registry = openRegistry(
    { ...http, pause },
    {
      clock,
      mask: mask ?? (() => undefined),
      credentials: credentials ?? (async () => login),
      pushes: () => pushes,
      insecure: () => true,
      ...(limits ? { limits } : {}),
    },
  );
  opened.push(registry);
  return registry;
}

export const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const sha = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}` as const;
export const image = JSON.stringify({
  schemaVersion: 2,
  mediaType: MANIFEST,
  config: { mediaType: "x", digest: sha("{}"), size: 2 },
  layers: [],
});

/** The registry's own way of saying no. */
export const refusal = (status: number, code: string): Reply => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ errors: [{ code, message: "said the registry" }] }),
});
export const served = (body: string, type = MANIFEST): Reply => ({
  status: 200,
  headers: { "content-type": type },
  body,
});
