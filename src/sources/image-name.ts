import { ActionError, type Place } from "../errors.ts";
import { formatReference, parseReference, type Reference } from "../oci/reference.ts";

/** The reference as BuildKit normalises it: fully written out, `latest` added. */
export function nameForBuildKit(reference: Reference): string {
  return formatReference(withTag(reference));
}

export function withTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: "latest" } : reference;
}

/**
 * Reads a reference that an instruction names.
 * @param hint what may have been meant, as a sentence, where it is none.
 * @throws ActionError E_DOCKERFILE naming the place.
 */
export function readImageName(
  written: string,
  reference: string,
  at: Place,
  hint?: () => string | undefined,
): Reference {
  const parsed = parseReference(reference);
  if (!("wrong" in parsed)) {
    refuseOtherHost(written, reference, parsed, at);
    return parsed;
  }
  const isReplaced = written !== reference;
  throw new ActionError("E_DOCKERFILE", {
    what: isReplaced
      ? `"${written}" is "${reference}" once its variables are replaced, and that names no image: ${parsed.wrong}.`
      : `"${written}" does not name an image: ${parsed.wrong}.`,
    fix: isReplaced
      ? "Give each variable a value: a build arg, or the default of its ARG before the first FROM."
      : (hint?.() ?? "Write it as [registry/]repository[:tag][@sha256:…], all lower-case."),
    at,
  });
}

/**
 * BuildKit knows an image by the host as it is written, but for Docker Hub's own `index.docker.io`. A host that it writes otherwise than
 * we do, with capital letters, would slip through the policy that binds images to digests.
 * @see https://github.com/distribution/reference/blob/v0.6.0/normalize.go (splitDockerDomain)
 */
function refuseOtherHost(written: string, reference: string, { registry }: Reference, at: Place): void {
  const [host = ""] = reference.split("/", 1);
  const isHost = reference.includes("/") && (host === "localhost" || /[.:]/.test(host));
  if (!isHost || host === registry || host === "index.docker.io") return;
  throw new ActionError("E_DOCKERFILE", {
    what: `"${written}" names its registry as ${host}, which BuildKit takes for another one than ${registry}.`,
    fix: `Write ${registry} instead.`,
    at,
  });
}
