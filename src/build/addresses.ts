import type { BuildFailure } from "../buildx/last-words.ts";
import { ActionError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { BoundAddress } from "../plan/addresses.ts";
import type { Registry } from "../world.ts";

/** An address, and the content that the key means. */
export type PinnedAddress = BoundAddress & { readonly digest: Digest };

/**
 * Reads what addresses serve, so that the builder can be held to the very content whose validator is in the key: it may be given another one
 * by a server that stands behind the same name, or a moment later.
 * @throws ActionError E_CHANGED where a server says by now that it is another one; E_BUILD where it cannot be read.
 */
export async function pinAddresses(
  addresses: readonly BoundAddress[],
  registry: Pick<Registry, "content">,
): Promise<readonly PinnedAddress[]> {
  return Promise.all(
    addresses.map(async (bound) => {
      const { address, validator, written, at } = bound;
      const answer = await registry.content(address);
      if (answer.kind !== "found")
        throw new ActionError("E_BUILD", {
          what: `ADD ${written} cannot be fetched: ${answer.words} (${answer.request}).`,
          fix: answer.fix ?? "Run the job again, or correct the address.",
          at,
          cause: answer,
        });
      if (answer.value.validator !== validator) throw changed(bound);
      return { ...bound, digest: answer.value.digest };
    }),
  );
}

function changed({ written, at }: BoundAddress): ActionError {
  return new ActionError("E_CHANGED", {
    what: `What ADD ${written} fetches changed between the probe and the build.`,
    fix: "Run the job again. If it stays so, its server gives each who asks something else: add --checksum=sha256:… to it.",
    at,
  });
}

/** Whether a build has failed because the builder was given something else; the Dockerfile's own checksums are the user's. */
export function changedMeanwhile({ words }: BuildFailure, pins: readonly PinnedAddress[]): ActionError | undefined {
  const pin = words.includes("digest mismatch") ? pins.find(({ digest }) => words.includes(digest)) : undefined;
  return pin && changed(pin);
}
