import { ActionError } from "../errors.ts";
import { formatRepository, isTag, type Pinned, parseReference, type Repository } from "../oci/reference.ts";
import { faultOfImage } from "./image-input.ts";
import { type ReadInput, separated, text, wrong } from "./read-input.ts";
import { hintOf, isSwitch } from "./slips.ts";

/** What is released: a tag by name, or the git tag at HEAD. */
export type Release = { readonly kind: "named"; readonly tag: string } | { readonly kind: "auto" };

/** The tags that this action makes, in this and in other versions of its design. */
const OWN_TAG = /^(?:[cky]\d+|branch|layers)-/;

/** Says what is wrong with a tag that the user names, if anything is. */
export function faultOfTag(tag: string): string | undefined {
  if (!isTag(tag)) return "it is no tag: letters, digits, _ . and -, at most 128, the first neither . nor -";
  return OWN_TAG.test(tag) ? "tags that begin so belong to this action" : undefined;
}

/** The input `tags`, with commas or one a line, none twice. @throws ActionError E_INPUT for one that cannot be used. */
export function readTags(read: ReadInput): readonly string[] {
  const tags = [...new Set(separated(read, "tags"))];
  for (const tag of tags) refuseFault("tags", tag);
  return tags;
}

/** The input `release`, a tag or `auto`. @throws ActionError E_INPUT for a tag that cannot be used. */
export function readRelease(read: ReadInput): Release | undefined {
  const value = text(read, "release");
  if (value === undefined) return undefined;
  if (value === "auto") return { kind: "auto" };
  refuseFault("release", value);
  return { kind: "named", tag: value };
}

function refuseFault(input: string, tag: string): void {
  const fault = isSwitch(tag) ? "it is the word of a switch" : faultOfTag(tag);
  if (fault === undefined) return;
  throw new ActionError("E_INPUT", {
    what: `The input ${input} holds "${tag}": ${fault}.`,
    fix: `${hintOf(tag)}Write tags alone, without repository, like v1.2.3 or latest. For none leave it empty: \${{ condition && 'latest' || '' }}.`,
  });
}

/**
 * The input `previous-image`: an image by its digest, as the output `image` names one.
 * @throws ActionError E_INPUT for one that is named in another way, or that lies elsewhere: nothing is handed out of there.
 */
export function readPreviousImage(read: ReadInput, cacheRepository: Repository): Pinned | undefined {
  const value = text(read, "previous-image");
  if (value === undefined) return undefined;
  const image = parseReference(value);
  const fault = faultOfImage(value);
  if ("wrong" in image || fault !== undefined) throw wrong("previous-image", value, HANDED_OUT, fault);
  const { digest, ...name } = image;
  if (digest === undefined) throw wrong("previous-image", value, `It names no digest. ${HANDED_OUT}`);
  if (formatRepository(name) === formatRepository(cacheRepository)) return { ...cacheRepository, digest };
  throw new ActionError("E_INPUT", {
    what: `The input previous-image is "${value}", which lies outside the cache repository, ${formatRepository(cacheRepository)}.`,
    fix: `${HANDED_OUT} Set cache-repo as it was then.`,
  });
}

const HANDED_OUT =
  "Hand over the output image of an earlier run, like ghcr.io/team/app/devcontainer@sha256:…, where its output exists is true, and nothing else.";
