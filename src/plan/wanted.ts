import type { FeatureRequest } from "../features/resolve.ts";
import type { PlatformPlan } from "../key/ingredients.ts";
import type { Digest } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";
import type { Repository } from "../oci/reference.ts";
import type { Attestation } from "../sbom/attestations.ts";
import type { Doubt } from "../sources/doubt.ts";
import type { AddressSource } from "./addresses.ts";
import type { ImageSource } from "./upstream.ts";

/** What the probe has to know of the sources; nothing of it needed a request. */
export type Wanted = {
  readonly repository: Repository;
  readonly platforms: readonly {
    readonly platform: Platform;
    readonly plan: Omit<PlatformPlan, "upstream">;
    readonly images: readonly ImageSource[];
    readonly addresses: readonly AddressSource[];
  }[];
  readonly sourceKey: Digest;
  /** Without what only the configs of bases say. */
  readonly ownKey: Digest;
  /** Build args that the Dockerfile does not declare, and that a base may. */
  readonly undeclared: Readonly<Record<string, string>>;
  /** What makes the plan undecidable before any request, like an ADD of a git repository without a checksum. */
  readonly doubt: Doubt | undefined;
  /** Nothing where no feature is asked for. */
  readonly features: FeatureRequest | undefined;
  readonly verify: "layers" | "manifests" | "none";
  /** Without these an image does not count as there. */
  readonly required: readonly Attestation[];
  /** The platform whose image later jobs run here: its config is read where another's is only looked for. */
  readonly handOver: Platform;
};
