import { openRegistry, type RegistryOptions } from "../../src/registry/client.ts";
import type { Registry, StoredLogin } from "../../src/world.ts";
import { openFakeNetwork, refusal, type Server, type Told } from "../fakes/network.ts";
import { image, MANIFEST } from "./client.ts";

/** Our client on a network in which registries have their real names. A token server that grants everything gives `t`. */
export const served: Told = { status: 200, headers: { "content-type": MANIFEST }, body: image };
export const me: StoredLogin = { username: "me", password: "pass" };
export const BASIC = `Basic ${Buffer.from("me:pass").toString("base64")}`;
export const grants: Server = () => ({ status: 200, body: '{"token":"t"}' });

/** A registry that wants a token from a realm, and then serves. */
export const wants =
  (realm: string, more = "", then: Told = served): Server =>
  ({ headers }) =>
    headers.authorization === "Bearer t"
      ? then
      : refusal(401, "UNAUTHORIZED", { "www-authenticate": `Bearer realm="${realm}"${more}` });

type Play = {
  readonly servers: Readonly<Record<string, Server>>;
  readonly login?: StoredLogin | undefined;
  readonly options?: Partial<RegistryOptions>;
};

export function play({ servers, login, options }: Play) {
  const network = openFakeNetwork(servers);
  const registry = openRegistry(network.http, {
    clock: () => 1_000_000,
    mask: () => undefined,
    credentials: async () => login,
    pushes: () => false,
    insecure: () => false,
    ...options,
  });
  return { ...network, registry };
}

export const ask = (registry: Registry, name: string, tag = "one") => {
  const slash = name.indexOf("/");
  return registry.manifest({ registry: name.slice(0, slash), repository: name.slice(slash + 1), tag });
};
