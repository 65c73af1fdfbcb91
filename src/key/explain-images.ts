import { shortDigest } from "../oci/digest.ts";
import { type Difference, memberOf, type Places, told } from "./difference.ts";
import type { PlatformPlan, UpstreamImage } from "./ingredients.ts";

/** A difference of an image: `about` is what all platforms call it, and its text begins with. */
export type ImageDifference = Difference & { readonly about: string };

/**
 * What moved of what the build reads: bases and the frontend.
 * @param own what differs in what the commit and the inputs say. An image that is new, gone or another one for that reason is told there.
 */
export function compareImages(
  before: PlatformPlan,
  now: PlatformPlan,
  own: readonly Difference[],
  places: Places,
): ImageDifference[] {
  const images = [
    ...compareBases(before.upstream.bases, now.upstream.bases, places),
    ...compareFrontends(before.upstream.frontend, now.upstream.frontend, places),
  ];
  const follows = own.some(({ ingredient }) => DECIDES.has(ingredient));
  return images.flatMap(({ isOther, ...difference }) => (isOther && follows ? [] : [difference]));
}

/** What names images. */
const DECIDES: ReadonlySet<Difference["ingredient"]> = new Set([
  "configuration",
  "dockerfile",
  "argument",
  "context",
  "option",
]);

/** `isOther`: not the same name with another digest. */
type Compared = ImageDifference & { readonly isOther: boolean };

function compareBases(before: readonly UpstreamImage[], now: readonly UpstreamImage[], places: Places): Compared[] {
  const old = new Map(before.map((image) => [image.written, image]));
  const current = new Map(now.map((image) => [image.written, image]));
  const gone = [...old.values()].filter(({ written }) => !current.has(written));
  return [
    ...now.flatMap((image) => {
      const { name, ...at } = memberOf(places.bases, image.written) ?? {};
      const shown = name ?? told(image.written);
      return compareImage({ ingredient: "base", shown }, old.get(image.written), image).map((one) => {
        return "file" in at ? { ...one, at } : one;
      });
    }),
    ...gone.map((image) => tell({ ingredient: "base", shown: told(image.written) }, "is no longer used", true)),
  ];
}

function compareFrontends(
  before: UpstreamImage | undefined,
  now: UpstreamImage | undefined,
  places: Places,
): Compared[] {
  const at = places.dockerfile === undefined ? {} : { at: { file: places.dockerfile, line: 1 } };
  const about = (image: UpstreamImage) => ({ ingredient: "frontend", shown: told(image.written) }) as const;
  const compared = now
    ? compareImage(about(now), before, now)
    : before
      ? [tell(about(before), "is no longer used", true)]
      : [];
  return compared.map((one) => ({ ...one, ...at }));
}

type About = { readonly ingredient: "base" | "frontend"; readonly shown: string };

function compareImage(about: About, before: UpstreamImage | undefined, now: UpstreamImage): Compared[] {
  if (before === undefined) return [tell(about, "is new", true)];
  const isOther = before.reference !== now.reference || before.written !== now.written;
  if (before.digest !== now.digest)
    return [tell(about, `${shortDigest(before.digest)}… → ${shortDigest(now.digest)}…`, isOther)];
  if (isOther) return [tell(about, "has another name now", true)];
  return before.of === now.of ? [] : [tell(about, "counts for other platforms now", true)];
}

function tell({ ingredient, shown }: About, what: string, isOther: boolean): Compared {
  const about = `${ingredient} ${shown}`;
  return { part: "upstream", ingredient, text: `${about} ${what}`, about, isOther };
}
