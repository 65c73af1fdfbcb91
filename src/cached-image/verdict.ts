import type { Assembled } from "../envbuilder/assemble.ts";
import type { Keyed } from "../envbuilder/keys.ts";
import type { Step } from "../envbuilder/step.ts";
import type { Place } from "../errors.ts";
import type { Difference } from "../key/difference.ts";
import type { Served } from "../oci/manifest.ts";
import type { Reference } from "../oci/reference.ts";
import type { Doubt } from "../sources/doubt.ts";
import type { RegistryError } from "../world.ts";

/** What stands in the cache repository of the image that envbuilder would have pushed. */
export type Verdict =
  /** `nameless`: the tag that it has to be given to be found again once another image was pushed. */
  | { readonly kind: "hit"; readonly served: Served; readonly nameless?: string }
  /** Every layer is there, and the image itself is not. `doubts`: why the builder may have pushed another one. */
  | {
      readonly kind: "complete";
      readonly image: Extract<Assembled, { kind: "image" }>;
      readonly bases: readonly Reference[];
      readonly doubts: Keyed["doubts"];
    }
  /** `why` is the end of a sentence. */
  | {
      readonly kind: "miss";
      readonly why: string;
      readonly at?: Place;
      readonly key: string;
      /** The step whose layer is not there at all. */
      readonly step?: Step;
      /** What has changed since the image that was pushed last, as far as that is known. */
      readonly because?: readonly Difference[];
    }
  | { readonly kind: "unknown"; readonly doubt: Doubt };

/** A registry in trouble. */
export function inDoubt(what: string, error: RegistryError): Extract<Verdict, { kind: "unknown" }> {
  return { kind: "unknown", doubt: { kind: "registry", what, error } };
}
