import { ActionError, type Place } from "../errors.ts";
import { cut } from "./wrong-line.ts";

/** Why it cannot be told which image envbuilder would have pushed: decided from what is written, never from what a registry says. */
export type Unprobeable = { readonly kind: "unprobeable"; readonly reason: string; readonly at: Place };

/** Ends the walk. */
export function refuse(at: Place, reason: string): never {
  throw new ActionError("E_UNKNOWN", { what: cut(reason), at });
}

/** What a part of the walk finds, or why it had to end. @throws ActionError for everything else. */
export async function orUnprobeable<T>(walk: () => T | Promise<T>): Promise<T | Unprobeable> {
  try {
    return await walk();
  } catch (thrown) {
    if (thrown instanceof ActionError && thrown.code === "E_UNKNOWN" && thrown.at)
      return { kind: "unprobeable", reason: thrown.message, at: thrown.at };
    throw thrown;
  }
}
