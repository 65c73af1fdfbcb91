import { formatReference, parseReference } from "../oci/reference.ts";
import type { Stage } from "./parse.ts";

/** By name: another image or, `undefined`, a folder. */
export type NamedContexts = ReadonlyMap<string, string | undefined>;

/** Where named contexts are told; without them there are none. */
type WithContexts = { readonly contexts?: NamedContexts };

/** What stands in the place of an image: another image, or a folder. */
export type Replacement = { readonly kind: "image"; readonly reference: string } | { readonly kind: "folder" };

/**
 * The named build context that takes the place of an image or of a stage's name; BuildKit compares both fully written out,
 * and of two spellings of one name buildx takes the later.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerui/namedcontext.go
 */
export function replacementOf({ contexts }: WithContexts, name: string): Replacement | undefined {
  const wanted = writtenOut(name);
  const found = [...(contexts ?? [])].findLast(([context]) => writtenOut(context) === wanted);
  if (!found) return undefined;
  const [, reference] = found;
  return reference === undefined ? { kind: "folder" } : { kind: "image", reference };
}

/** What takes the place of a whole stage: its instructions do not run then. */
export function stageReplacement(scope: WithContexts, { name }: Pick<Stage, "name">): Replacement | undefined {
  return name === undefined ? undefined : replacementOf(scope, name);
}

function writtenOut(name: string): string {
  const reference = parseReference(name);
  if ("wrong" in reference) return name;
  const { tag, digest } = reference;
  return formatReference(tag === undefined && digest === undefined ? { ...reference, tag: "latest" } : reference);
}
