import { type Difference, hashPrivate, type Known, tellSource } from "./difference.ts";
import type { PlatformPlan } from "./ingredients.ts";

/** A difference of an address: `about` is what all platforms call it, and its text begins with. */
export type AddressDifference = Difference & { readonly about: string };

/**
 * What moved of what ADD fetches. Both plans are hidden with the same salt, and so are the addresses that stand in the sources now. One that
 * is new or gone is told with the instruction that names it.
 */
export function compareAddresses(before: PlatformPlan, now: PlatformPlan, places: Known): AddressDifference[] {
  const was = new Map(before.upstream.remote.map(({ address, validator }) => [address, validator]));
  const known = new Map(
    Object.entries(places.addresses).map(([address, place]) => [hashPrivate(address, places.salt), place]),
  );
  return now.upstream.remote.flatMap(({ address, validator }) => {
    const earlier = was.get(address);
    if (earlier === undefined || earlier === validator) return [];
    const place = known.get(address);
    const about = place ? `${tellSource(place.at)} ADD ${place.written}` : "what an ADD fetches";
    const text = `${about} serves something else now`;
    return [{ part: "upstream", ingredient: "address", text, about, ...(place ? { at: place.at } : {}) }];
  });
}
