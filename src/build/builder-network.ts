import type { BuilderNetwork, KnownRegistry } from "../buildx/buildkitd.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Repository } from "../oci/reference.ts";
import { isInsecure } from "../registry/trust.ts";
import type { World } from "../world.ts";

const PROXIES = /^(https?|no|all)_proxy$/i;

/**
 * The network as our own client knows it, for builders that are made here.
 * @param names everything that the build reads or pushes.
 */
export async function builderNetwork(
  inputs: Inputs,
  names: readonly Repository[],
  { host, trust }: Pick<World, "host" | "trust">,
): Promise<BuilderNetwork> {
  const { mirrors, insecure, certificate } = inputs;
  const hosts = new Set([...names.map(({ registry }) => registry), ...mirrors.map(({ registry }) => registry)]);
  const registries = [...hosts].map(async (registry): Promise<KnownRegistry> => {
    const { certificates, client } = await trust(registry);
    return {
      host: registry,
      mirrors: mirrors
        .filter((mirror) => mirror.of === registry)
        .map((mirror) => (mirror.prefix === "" ? mirror.registry : `${mirror.registry}/${mirror.prefix}`)),
      certificates,
      ...(client ? { client } : {}),
      insecure: isInsecure(insecure, registry),
    };
  });
  const said = [
    ["ssl-cert-base64", certificate !== undefined],
    ["insecure", insecure.kind !== "none"],
    ["registry-mirrors", mirrors.length > 0],
  ] as const;
  return {
    registries: await Promise.all(registries),
    proxies: Object.fromEntries(Object.entries(host.env).filter(([name, value]) => PROXIES.test(name) && value !== "")),
    inputs: said.flatMap(([name, isSet]) => (isSet ? [name] : [])),
  };
}
