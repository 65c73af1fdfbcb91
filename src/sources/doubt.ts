import type { Place } from "../errors.ts";
import type { RegistryError } from "../world.ts";

/** Why an answer could not be had. */
export type Doubt =
  | {
      readonly kind: "registry";
      readonly what: string;
      readonly error: RegistryError;
      readonly at?: Place;
      /** What may be wrong with the name, as a sentence. */
      readonly hint?: string;
    }
  | {
      readonly kind: "plan";
      readonly what: string;
      readonly fix: string;
      readonly at?: Place;
      /** Every build could only fail at it. */
      readonly isMistake?: true;
    };
