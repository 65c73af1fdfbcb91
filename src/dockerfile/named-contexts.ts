import { formatReference, parseReference } from "../oci/reference.ts";
import type { Stage } from "./parse.ts";

/** By the name that they take the place of, fully written out. */
export type NamedContexts = ReadonlyMap<string, Replacement>;

/** Where named contexts are told; without them there are none. */
type WithContexts = { readonly contexts?: NamedContexts };

/** What stands in the place of an image: another image, or a folder. */
export type Replacement = { readonly kind: "image"; readonly reference: string } | { readonly kind: "folder" };

/**
 * Named build contexts as a Dockerfile sees them: BuildKit compares names fully written out, and of two spellings of one name buildx
 * takes the later.
 * @param written each with its image or, `undefined`, a folder.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerui/namedcontext.go
 */
export function nameContexts(written: Iterable<readonly [name: string, reference: string | undefined]>): NamedContexts {
  return new Map(
    [...written].map(([name, reference]) => [
      writtenOut(name),
      reference === undefined ? { kind: "folder" } : { kind: "image", reference },
    ]),
  );
}

/** The named build context that takes the place of an image or of a stage's name. */
export function replacementOf({ contexts }: WithContexts, name: string): Replacement | undefined {
  return contexts === undefined || contexts.size === 0 ? undefined : contexts.get(writtenOut(name));
}

/** What takes the place of a whole stage: its instructions do not run then. */
export function stageReplacement(scope: WithContexts, { name }: Pick<Stage, "name">): Replacement | undefined {
  return name === undefined ? undefined : replacementOf(scope, name);
}

/** A name as BuildKit compares it with others: fully written out. */
export function writtenOut(name: string): string {
  const reference = parseReference(name);
  if ("wrong" in reference) return name;
  const { tag, digest } = reference;
  return formatReference(tag === undefined && digest === undefined ? { ...reference, tag: "latest" } : reference);
}
