import { type Assembled, assembleImage } from "../envbuilder/assemble.ts";
import { hashBinary } from "../envbuilder/binary.ts";
import { withMagic } from "../envbuilder/context.ts";
import { computeKeys, type Keyed } from "../envbuilder/keys.ts";
import { ActionError } from "../errors.ts";
import type { EnvbuilderInputs } from "../inputs/envbuilder-inputs.ts";
import type { Digest } from "../oci/digest.ts";
import { readJson } from "../oci/json.ts";
import { readManifest } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { Reference, Repository } from "../oci/reference.ts";
import type { Doubt } from "../sources/doubt.ts";
import type { World } from "../world.ts";
import { openContext } from "./context.ts";
import { explainMiss, type Missed } from "./explain.ts";
import { type BaseImage, type Builder, openImages, type Unread } from "./images.ts";
import { openLayers } from "./layers.ts";
import { openLookUp } from "./look-up.ts";
import { askForLast, isToldByConfig, LAST, type LastPushed, lookUpByName, nameOf } from "./names.ts";
import { completeQuestion, type Draft, unprobeable } from "./question.ts";
import { inDoubt, type Verdict } from "./verdict.ts";
import { blobsOf, openLookAtBlobs, verifyServed } from "./whole.ts";

type Probing = {
  readonly draft: Draft | Unread;
  readonly inputs: EnvbuilderInputs;
  readonly repository: Repository;
  readonly builder: Builder;
  readonly checkout: string;
  readonly verify: "layers" | "manifests" | "none";
  /** What this run has had built. */
  readonly built?: Built | undefined;
};

/** An image that the builder has pushed, and the digest that it says, where it does. */
export type Built = { readonly digest: Digest | undefined };

type Ports = Pick<
  World,
  "registry" | "files" | "exec" | "host" | "gunzip" | "openGunzip" | "openUnzstd" | "memory" | "clock"
>;

/**
 * Answers whether the image that envbuilder would push is in the cache repository. What does not depend on one another is asked at once: the
 * builder's program, the bases, the features; then all layers; then the image itself.
 * @throws ActionError for a builder image without the builder's program, and for what envbuilder refuses.
 */
export async function probeCachedImage(probing: Probing, ports: Ports): Promise<Verdict> {
  const { draft, inputs, repository, checkout } = probing;
  if ("doubt" in draft) return unknown(draft.doubt);
  const { context, ignore } = draft.definition;
  const readImage = openImages(ports.registry);
  const platform = formatPlatform(inputs.platform);
  ports.registry.connect(repository, draft.layers);
  const last = askForLast(repository, ports.registry);
  const [checkedOut, binary, question, bases] = await Promise.all([
    openContext(context, checkout, ports),
    readBinary(probing, ports),
    completeQuestion(draft, { ...ports, readImage, checkout }),
    readBases(draft, platform, readImage),
  ]);
  if ("doubt" in question) return unknown(question.doubt);
  if ("doubt" in binary) return unknown(binary.doubt);
  if ("doubt" in bases) return unknown(bases.doubt);
  const files = withMagic(checkedOut, { binaryMd5: binary.md5, user: question.user });
  const lookUp = openLookUp({ repository, days: daysOf(inputs) }, ports);
  const { ended, ...ways } = openLayers({ images: bases, repository, lookUp }, ports);
  const images = new Map([...bases].map(([name, { image }]) => [name, image]));
  const keyed = await computeKeys(question.build, { images, context: files, ignore, platform, ...ways });
  if (keyed.kind === "unprobeable") return unknown(unprobeable(keyed).doubt);
  const told = { repository, context: files, ignore, last };
  if (keyed.kind === "interrupted") {
    const verdict = ended() ?? never("a layer was missing, and which is not known");
    return keyed.reached ? withReasons(verdict, { ...told, build: keyed.reached }, ports) : verdict;
  }
  const found = await lookUp(keyed.steps);
  if (!("layers" in found)) return withReasons(found, { ...told, build: keyed }, ports);
  const assembled = assembleImage(keyed, found.layers);
  if (!assembled) return never("all layers were found, and one is missing");
  const image = { keyed, assembled, bases: [...draft.images.values()].map(({ reference }) => reference) };
  return lookUpImage(image, last, probing, ports);
}

async function withReasons(verdict: Verdict, missed: Omit<Missed, "step">, ports: Ports): Promise<Verdict> {
  if (verdict.kind !== "miss" || !verdict.step) return verdict;
  return { ...verdict, because: await explainMiss({ ...missed, step: verdict.step }, ports) };
}

function never(what: string): never {
  throw new Error(what);
}

function unknown(doubt: Doubt): Verdict {
  return { kind: "unknown", doubt };
}

const DEFAULT_DAYS = 7;

/** None and nought are the builder's default. */
function daysOf({ environment }: EnvbuilderInputs): number {
  return Number(environment.options.ENVBUILDER_CACHE_TTL_DAYS ?? 0n) || DEFAULT_DAYS;
}

async function readBinary({ inputs, builder }: Probing, ports: Ports): Promise<{ readonly md5: string } | Unread> {
  const { written, reference } = inputs.builderImage;
  const image = await builder();
  if (image.kind === "doubt") return image;
  const hash = await hashBinary({ repository: reference, digest: image.digest, manifest: image.body }, ports);
  switch (hash.kind) {
    case "hash":
      return hash;
    case "absent":
      throw new ActionError("E_INPUT", {
        what: `The input builder-image is ${written}, and there is no /.envbuilder/bin/envbuilder in it.`,
        fix: "Name the image that workspaces are started with, like ghcr.io/coder/envbuilder:1.3.0.",
      });
    case "unreadable":
      return {
        kind: "doubt",
        doubt: {
          kind: "plan",
          what: `the builder image ${written} cannot be looked into: ${hash.why}`,
          fix: "Name a builder image whose layers this runner can unpack: gzip always, zstd with Node 22.15 and later.",
        },
      };
    case "registry":
      return { kind: "doubt", doubt: { kind: "registry", what: `a layer of ${written}`, error: hash.error } };
  }
}

async function readBases(
  { images }: Draft,
  platform: string,
  readImage: ReturnType<typeof openImages>,
): Promise<ReadonlyMap<string, BaseImage> | Unread> {
  const read = await Promise.all(
    [...images].map(async ([name, { reference, at }]) => ({
      name,
      reference,
      at,
      image: await readImage(reference, platform, `the base image ${name}`),
    })),
  );
  const bases = new Map<string, BaseImage>();
  for (const { name, reference, at, image } of read) {
    if (image.kind === "doubt") return { ...image, doubt: { ...image.doubt, at } };
    bases.set(name, { reference, image });
  }
  return bases;
}

type Computed = { readonly keyed: Keyed; readonly assembled: Assembled; readonly bases: readonly Reference[] };

/** The digest is never assumed: the registry has to serve it. What must be there with it is known before that, and asked for at the same time. */
async function lookUpImage(
  { keyed, assembled, bases }: Computed,
  last: LastPushed,
  probing: Probing,
  { registry }: Ports,
): Promise<Verdict> {
  const { repository, verify } = probing;
  const lookAt = openLookAtBlobs(repository, registry);
  if (assembled.kind === "image") {
    const { digest, manifest, mediaType } = assembled;
    if (verify === "layers") void lookAt(blobsOf(readManifest(readJson(manifest), mediaType)));
    const served = last.isAnswered(digest) ?? (await registry.manifest({ ...repository, digest }));
    if (served.kind === "found") return verifyServed(served.value, verify, lookAt);
    if (served.kind !== "absent") return inDoubt("the image", served);
  }
  const complete: Verdict | undefined =
    assembled.kind === "image" ? { kind: "complete", image: assembled, bases, doubts: keyed.doubts } : undefined;
  if (complete && assembled.isSure) return complete;
  const tag = nameOf(keyed);
  const digest = probing.built?.digest;
  const own = digest === undefined ? [] : [{ digest }];
  // What was pushed last may be another commit's by now: where a config does not tell the two apart, only the digest does.
  const names = [...own, { tag }, ...(isToldByConfig(keyed) ? [{ tag: LAST }] : [])];
  const named = await lookUpByName(assembled, names, repository, { blob: registry.blob, manifest: last.orAsk });
  if (named === "none") return complete ?? missedByName(assembled, tag);
  if (!("served" in named)) return named;
  const verdict = await verifyServed(named.served, verify, lookAt);
  return verdict.kind === "hit" && named.name.tag !== tag ? { ...verdict, nameless: tag } : verdict;
}

function missedByName(assembled: Assembled, key: string): Verdict {
  const why = assembled.kind === "config" ? `, and its digest cannot be told: ${assembled.why}` : "";
  return { kind: "miss", why: `every layer is there, no tag names the image that was made of them${why}`, key };
}
