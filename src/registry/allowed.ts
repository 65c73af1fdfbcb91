import { formatReference, parseReference, type Reference } from "../oci/reference.ts";

/** One pattern of the input allowed-images: `*` stands for anything within a segment, `**` also across them. */
export type ImagePattern = { readonly written: string; readonly matches: RegExp };

/**
 * Reads one pattern: `debian`, `ghcr.io/team/*`, `registry.example/**`, with or without a tag. Without one every tag is allowed.
 * @returns the pattern, or a sentence that says what is wrong.
 */
export function parseImagePattern(written: string): ImagePattern | { readonly wrong: string } {
  // Letters in place of the stars have the name read and normalised as any other: `debian*` is `docker.io/library/debian*`.
  const [many, one] = ["zzmanyzz", "zzonezz"];
  const parsed = parseReference(written.replaceAll("**", many).replaceAll("*", one));
  if ("wrong" in parsed)
    return {
      wrong: written.includes(",")
        ? "several patterns stand on one line: write one a line, without commas"
        : parsed.wrong.replaceAll(many, "**").replaceAll(one, "*"),
    };
  const name = formatReference(parsed);
  const source = name
    .replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")
    .replaceAll(many, ".*")
    .replaceAll(one, "[^/:@]*");
  const tail = parsed.tag === undefined && parsed.digest === undefined ? "(?:[:@].*)?" : "(?:@.*)?";
  return { written, matches: new RegExp(`^${source}${tail}$`) };
}

/** Whether an image may be used. Without a pattern every image may. */
export function imageAllowed(patterns: readonly ImagePattern[], reference: Reference): boolean {
  return patterns.length === 0 || patterns.some(({ matches }) => matches.test(formatReference(reference)));
}
