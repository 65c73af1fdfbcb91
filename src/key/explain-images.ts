import { shortDigest } from "../oci/digest.ts";
import { type Difference, memberOf, type Places, placeOf, told } from "./difference.ts";
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

/** One name may stand for several digests: an index where the builder's own platform decides, a manifest for each platform that is named. */
function compareBases(before: readonly UpstreamImage[], now: readonly UpstreamImage[], places: Places): Compared[] {
  const [old, current] = [byName(before), byName(now)];
  return [...new Set([...current.keys(), ...old.keys()])].flatMap((written) => {
    const { name, source } = memberOf(places.bases, written) ?? {};
    const about: About = { ingredient: "base", shown: name ?? told(written) };
    const [was, is] = [old.get(written) ?? [], current.get(written) ?? []];
    return compareImage(about, was, is).map((one) => ({ ...one, ...placeOf(source) }));
  });
}

function byName(images: readonly UpstreamImage[]): ReadonlyMap<string, readonly UpstreamImage[]> {
  const named = new Map<string, UpstreamImage[]>();
  for (const image of images) {
    const all = named.get(image.written) ?? [];
    all.push(image);
    named.set(image.written, all);
  }
  return named;
}

function compareFrontends(
  before: UpstreamImage | undefined,
  now: UpstreamImage | undefined,
  places: Places,
): Compared[] {
  const at = placeOf(places.frontend);
  const image = now ?? before;
  if (!image) return [];
  const about: About = { ingredient: "frontend", shown: told(image.written) };
  const compared = compareImage(about, before ? [before] : [], now ? [now] : []);
  return compared.map((one) => ({ ...one, ...at }));
}

type About = { readonly ingredient: "base" | "frontend"; readonly shown: string };

/** What is told of one name: the images of the target's platforms where one of them moved, else the index. */
function compareImage(about: About, before: readonly UpstreamImage[], now: readonly UpstreamImage[]): Compared[] {
  const [gone, added] = [without(before, now), without(now, before)];
  if (gone.length + added.length === 0) return [];
  if (before.length === 0) return [tell(about, "is new", true)];
  if (now.length === 0) return [tell(about, "is no longer used", true)];
  const moved = (["platform", "index"] as const)
    .map((kind) => [gone, added].map((images) => images.filter(({ of }) => of === kind)))
    .find(([was = [], is = []]) => was.length > 0 && is.length > 0);
  const [was = [], is = []] = moved ?? [];
  const hasOtherName = is.some(({ reference }) => was.every((one) => one.reference !== reference));
  const [old, current] = [was, is].map(digestsOf);
  if (moved && old !== current) return [tell(about, `${old} → ${current}`, hasOtherName)];
  return [tell(about, moved ? "has another name now" : "counts for other platforms now", true)];
}

function without(images: readonly UpstreamImage[], others: readonly UpstreamImage[]): readonly UpstreamImage[] {
  const isSame = (one: UpstreamImage, other: UpstreamImage): boolean =>
    one.reference === other.reference &&
    one.written === other.written &&
    one.digest === other.digest &&
    one.of === other.of;
  return images.filter((image) => !others.some((other) => isSame(image, other)));
}

function digestsOf(images: readonly UpstreamImage[]): string {
  return [...new Set(images.map(({ digest }) => `${shortDigest(digest)}…`))].join(", ");
}

function tell({ ingredient, shown }: About, what: string, isOther: boolean): Compared {
  const about = `${ingredient} ${shown}`;
  return { part: "upstream", ingredient, text: `${about} ${what}`, about, isOther };
}
