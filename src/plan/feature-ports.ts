import type { FeaturePorts } from "../features/found.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { formatReference, parseReference, type Repository } from "../oci/reference.ts";
import { imageAllowed } from "../registry/allowed.ts";
import type { Answer, World } from "../world.ts";

/**
 * What finding features may ask of the world. What `allowed-images` does not allow is not asked for: it counts as not there, so that a
 * feature that only wants to come after it is installed all the same.
 */
export function openFeaturePorts(
  { registry, files, gunzip }: Pick<World, "registry" | "files" | "gunzip">,
  patterns: Inputs["allowedImages"],
): FeaturePorts {
  const forbidden = (name: Repository | undefined, request: string): Answer<never> | undefined =>
    name !== undefined && imageAllowed(patterns, name)
      ? undefined
      : { kind: "absent", request, words: "not asked, because the input allowed-images does not allow it" };
  return {
    files,
    gunzip,
    registry: {
      blob: registry.blob,
      manifest: async (reference) =>
        forbidden(reference, `GET ${reference.registry}/${reference.repository}`) ?? registry.manifest(reference),
    },
    download: async (url, limit) =>
      (patterns.length === 0 ? undefined : forbidden(nameOfAddress(url), `GET ${url}`)) ??
      registry.download(url, limit),
  };
}

/** What was asked for by a tag, and the digest of what it named; `""` where there was nothing of that name. */
export type Answered = Readonly<Record<string, string>>;

/**
 * The same ports, and a note of every answer that may be another one tomorrow: which features are installed, and in which order, follows from
 * these, and from content that has a digest.
 * @returns `answered` is `undefined` once something was asked for that cannot be compared without fetching all of it.
 */
export function noteAnswers(ports: FeaturePorts): {
  readonly ports: FeaturePorts;
  readonly answered: () => Answered | undefined;
} {
  const answers = new Map<string, string>();
  let isComparable = true;
  const manifest: FeaturePorts["registry"]["manifest"] = async (reference) => {
    const answer = await ports.registry.manifest(reference);
    const name = formatReference(reference);
    const digest = answer.kind === "found" ? answer.value.descriptor.digest : "";
    isComparable &&= answer.kind === "found" || answer.kind === "absent";
    isComparable &&= (answers.get(name) ?? digest) === digest;
    if (reference.digest === undefined) answers.set(name, digest);
    return answer;
  };
  const download: FeaturePorts["download"] = (url, limit) => {
    isComparable = false;
    return ports.download(url, limit);
  };
  return {
    ports: { ...ports, registry: { ...ports.registry, manifest }, download },
    answered: () => (isComparable ? Object.fromEntries(answers) : undefined),
  };
}

/** An address as patterns see it: host and path. */
export function nameOfAddress(url: string): Repository | undefined {
  const { host, pathname } = new URL(url);
  const name = parseReference(`${host}${pathname}`);
  return "wrong" in name ? undefined : name;
}
