import type { NamePattern } from "./argument.ts";
import { compileGlob } from "./glob.ts";

const OCI = "org.opencontainers.image.";

/**
 * Labels that say which run made an image, of which commit and where, and nothing of what is in it. docker/metadata-action makes most of
 * them anew in every run, and an image that was found is as good whatever its run was called. What somebody decides (`title`,
 * `description`, `licenses`, …) is none of them.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys
 */
const VOLATILE: ReadonlySet<string> = new Set(
  ["created", "revision", "version", "ref.name", "source", "url"].map((name) => `${OCI}${name}`),
);

/**
 * Reads one item of the input ignore-labels: a name, or a pattern with `*`, `?` and `[…]`.
 * @returns the pattern, or a sentence that says what is wrong.
 */
export function parseLabelPattern(written: string): NamePattern | { readonly wrong: string } {
  if (/[\s"'=,]/.test(written))
    return { wrong: "it is neither the name of a label nor a pattern like com.example.build-*" };
  return { written, matches: compileGlob(written) };
}

/** Whether a label is set on the image and left out of the key. */
export function isVolatileLabel(name: string, ignored: readonly NamePattern[]): boolean {
  return VOLATILE.has(name) || ignored.some(({ matches }) => matches(name));
}

/** The name of the label or the annotation that an option of buildx sets; `undefined` for another option. */
export function labelOf({
  name,
  value = "",
}: {
  readonly name: string;
  readonly value: string | undefined;
}): string | undefined {
  const [key = ""] = value.split("=", 1);
  if (name === "label") return key;
  // Levels and platforms may stand in front: `manifest[linux/amd64],index:key`.
  return name === "annotation" ? key.slice(key.lastIndexOf(":") + 1) : undefined;
}
