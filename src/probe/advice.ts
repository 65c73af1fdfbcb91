import type { RegistryError } from "../world.ts";

/**
 * What the person should do about an answer: what is known of this one, else what helps against its kind. A login and a name are only to
 * blame where the registry itself has refused: who asks says what to do then.
 * @param ofRefusal what to do where the registry refuses, or says that there is no such thing.
 */
export function adviseOn({ kind, fix }: RegistryError, ofRefusal: string): string {
  if (fix !== undefined) return fix;
  return kind === "denied" || kind === "absent" ? ofRefusal : AGAINST[kind];
}

const AGAINST = {
  limited: "Log in to that registry, or wait and run the job again.",
  unavailable: "Check that the registry is up and can be reached from this machine, then run the job again.",
  malformed:
    "Check that the name is a registry's and not a web page's, and whether a proxy answers in its place; on Gitea and Forgejo, that the user or organization that the name begins with is there.",
} as const;
