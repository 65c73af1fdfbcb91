import type { Digest } from "../oci/digest.ts";

/** An image as BuildKit names it, and the index digest that the probe saw. */
export type ImageBinding = { readonly reference: string; readonly digest: Digest };

/** What an address has to serve, for the instructions that say no checksum themselves. */
export type AddressPin = { readonly address: string; readonly digest: Digest };

/**
 * A BuildKit source policy that binds every image to the index that the probe saw, whatever its tag names by now: in FROM (also of a
 * stage that is named like its base), COPY --from, RUN --mount and the frontend. The user's Dockerfile stays as it is, and so do the
 * line numbers of every message. What an address serves is held to its checksum. The index and not the platform's manifest: a stage for `$BUILDPLATFORM` would else run emulated.
 * @returns the policy's JSON; references that carry a digest need no rule.
 * @see https://github.com/moby/buildkit/blob/v0.26.3/sourcepolicy/pb/policy.proto
 */
export function sourcePolicy(bindings: readonly ImageBinding[], pins: readonly AddressPin[]): string {
  const images = bindings
    .filter(({ reference }) => !reference.includes("@"))
    .map(({ reference, digest }) => ({
      action: "CONVERT",
      selector: { identifier: `docker-image://${reference}` },
      updates: { identifier: `docker-image://${reference}@${digest}` },
    }));
  const addresses = pins.map(({ address, digest }) => ({
    action: "CONVERT",
    selector: {
      identifier: address,
      match_type: "EXACT",
      constraints: [{ key: CHECKSUM, value: "", condition: "EQUAL" }],
    },
    updates: { identifier: address, attrs: { [CHECKSUM]: digest } },
  }));
  return JSON.stringify({ version: 1, rules: [...images, ...addresses] });
}

/** https://github.com/moby/buildkit/blob/v0.34.2/solver/pb/attr.go */
const CHECKSUM = "http.checksum";

/** The variable through which buildx hands the policy's file to BuildKit. */
export const POLICY_VARIABLE = "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY";
