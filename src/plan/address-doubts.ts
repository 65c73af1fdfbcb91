import type { Doubt } from "../sources/doubt.ts";
import type { Registry, RegistryError } from "../world.ts";
import { type AddressSource, type BoundAddress, doubtOf } from "./addresses.ts";

/** What is in doubt where a server does not tell what it serves; what it does not have is a mistake. */
export function doubtOfAddress({ written, at }: AddressSource, { kind, words, request, fix }: RegistryError): Doubt {
  if (kind !== "absent") {
    const doubt = doubtOf(written, at, `, and what it is now cannot be told: ${words} (${request})`);
    return fix === undefined ? doubt : { ...doubt, fix: `${doubt.fix} ${fix}` };
  }
  return {
    kind: "plan",
    isMistake: true,
    what: `ADD ${written} would fail: its server has nothing there (${words}; ${request})`,
    fix: "Correct the address, or take the instruction out.",
    at,
  };
}

/**
 * Looks once more at addresses. A server that says something else each time, though nothing tells that it has changed, would have every image
 * pushed for nobody, or refused behind its build. By GET, as the content is read: one that tells HEAD something else would refuse each build.
 */
export async function findUnsteady(
  addresses: readonly BoundAddress[],
  registry: Pick<Registry, "validator">,
): Promise<Doubt | undefined> {
  const looks = await Promise.all(addresses.map(({ address }) => registry.validator(address, "GET")));
  for (const [index, bound] of addresses.entries()) {
    const look = looks[index];
    if (look?.kind === "malformed") return doubtOfAddress(bound, look);
    if (look?.kind === "found" && look.value !== bound.validator)
      return doubtOf(bound.written, bound.at, ", and its server says each time that it is something else");
  }
  return undefined;
}
