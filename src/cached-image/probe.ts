import { type Assembled, assembleImage } from "../envbuilder/assemble.ts";
import type { ServedImage } from "../envbuilder/base-image.ts";
import { hashBinary } from "../envbuilder/binary.ts";
import { type CachedLayer, readCacheEntry } from "../envbuilder/cached-layer.ts";
import { withMagic } from "../envbuilder/context.ts";
import { computeKeys, type Keyed, type Step } from "../envbuilder/keys.ts";
import { ActionError, type Place } from "../errors.ts";
import type { EnvbuilderInputs } from "../inputs/envbuilder-inputs.ts";
import { textOf } from "../oci/json.ts";
import type { Served } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import { formatRepository, type Reference, type Repository } from "../oci/reference.ts";
import type { Doubt } from "../sources/doubt.ts";
import type { RegistryError, World } from "../world.ts";
import { openContext } from "./context.ts";
import { openImages, type Unread } from "./images.ts";
import { completeQuestion, type Draft, unprobeable } from "./question.ts";

/** What stands in the cache repository of the image that envbuilder would have pushed. */
export type Verdict =
  | { readonly kind: "hit"; readonly served: Served }
  /** Every layer is there, and the image itself is not. `doubts`: why the builder may have pushed another one. */
  | {
      readonly kind: "complete";
      readonly image: Extract<Assembled, { kind: "image" }>;
      readonly bases: readonly Reference[];
      readonly doubts: Keyed["doubts"];
    }
  /** `why` is the end of a sentence. */
  | { readonly kind: "miss"; readonly why: string; readonly at: Place; readonly key: string }
  | { readonly kind: "unknown"; readonly doubt: Doubt };

type Probing = {
  readonly draft: Draft | Unread;
  readonly inputs: EnvbuilderInputs;
  readonly repository: Repository;
  readonly checkout: string;
  readonly verify: "layers" | "manifests" | "none";
};

type Ports = Pick<World, "registry" | "files" | "exec" | "host" | "gunzip" | "openGunzip" | "memory" | "clock">;

/**
 * Answers whether the image that envbuilder would push is in the cache repository. What does not depend on one another is asked at once: the
 * builder's program, the bases, the features; then all layers; then the image itself.
 * @throws ActionError for a builder image without the builder's program, and for what envbuilder refuses.
 */
export async function probeCachedImage(probing: Probing, ports: Ports): Promise<Verdict> {
  const { draft, inputs, repository, checkout } = probing;
  if ("doubt" in draft) return unknown(draft.doubt);
  const readImage = openImages(ports.registry);
  const platform = formatPlatform(inputs.platform);
  const [binary, question, bases] = await Promise.all([
    readBinary(inputs, { ...ports, readImage }),
    completeQuestion(draft, { ...ports, readImage }),
    readBases(draft, platform, readImage),
  ]);
  if ("doubt" in question) return unknown(question.doubt);
  if ("doubt" in binary) return unknown(binary.doubt);
  if ("doubt" in bases) return unknown(bases.doubt);
  const { context, ignore } = draft.definition;
  const files = withMagic(await openContext(context, checkout, ports), { binaryMd5: binary.md5, user: question.user });
  const keyed = await computeKeys(question.build, { images: bases, context: files, ignore, platform });
  if (keyed.kind === "unprobeable") return unknown(unprobeable(keyed).doubt);
  const found = await lookUpLayers(keyed, { repository, days: daysOf(inputs) }, ports);
  if (!("layers" in found)) return found;
  const assembled = assembleImage(keyed, found.layers);
  if (!assembled) throw new Error("all layers were found, and one is missing");
  const image = { keyed, assembled, bases: [...draft.images.values()] };
  return lookUpImage(image, probing, ports);
}

function unknown(doubt: Doubt): Verdict {
  return { kind: "unknown", doubt };
}

const DEFAULT_DAYS = 7;

/** None and nought are the builder's default. */
function daysOf({ environment }: EnvbuilderInputs): number {
  return Number(environment.options.ENVBUILDER_CACHE_TTL_DAYS ?? 0n) || DEFAULT_DAYS;
}

async function readBinary(
  { builderImage, platform }: EnvbuilderInputs,
  { readImage, ...ports }: Ports & { readonly readImage: ReturnType<typeof openImages> },
): Promise<{ readonly md5: string } | Unread> {
  const { written, reference } = builderImage;
  const image = await readImage(reference, formatPlatform(platform), `the builder image ${written}`);
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
          fix: "Name a builder image whose layers are packed with gzip.",
        },
      };
    case "registry":
      return { kind: "doubt", doubt: { kind: "registry", what: `a layer of ${written}`, error: hash.error } };
  }
}

async function readBases(
  { images, definition }: Draft,
  platform: string,
  readImage: ReturnType<typeof openImages>,
): Promise<ReadonlyMap<string, ServedImage> | Unread> {
  const read = await Promise.all(
    [...images].map(async ([name, reference]) => ({
      name,
      image: await readImage(reference, platform, `the base image ${name}`),
    })),
  );
  const bases = new Map<string, ServedImage>();
  for (const { name, image } of read) {
    if (image.kind === "doubt")
      return { ...image, doubt: { ...image.doubt, at: { file: definition.dockerfile.file } } };
    bases.set(name, image);
  }
  return bases;
}

type Looking = { readonly repository: Repository; readonly days: number };

/** All of them at once; the first that is missing, in the order in which they are built, is the answer. */
async function lookUpLayers(
  { steps }: Keyed,
  looking: Looking,
  ports: Ports,
): Promise<{ readonly layers: ReadonlyMap<string, CachedLayer> } | Verdict> {
  const keys = [...new Map(steps.filter(({ isLookedUp }) => isLookedUp).map((step) => [step.key, step])).values()];
  const answers = await Promise.all(
    keys.map(async (step) => ({ step, answer: await lookUpLayer(step, looking, ports) })),
  );
  const doubt = answers.find(({ answer }) => answer.kind === "unknown");
  // What is not there for certain is a miss, whatever else could not be asked.
  const missing = answers.find(({ answer }) => answer.kind === "miss") ?? doubt;
  if (missing && missing.answer.kind !== "layer") return missing.answer;
  const layers = answers.flatMap(({ step, answer }) => (answer.kind === "layer" ? [[step.key, answer] as const] : []));
  return { layers: new Map(layers) };
}

type Entry = CachedLayer | Extract<Verdict, { kind: "miss" | "unknown" }>;

async function lookUpLayer(step: Step, { repository, days }: Looking, { registry, clock }: Ports): Promise<Entry> {
  const what = `the layer of ${step.text}`;
  const manifest = await registry.manifest({ ...repository, tag: step.key });
  if (manifest.kind === "absent") return missed(step, `the layer of ${shown(step.text)} is not there`);
  if (manifest.kind !== "found") return doubt(what, manifest);
  const { body, bytes } = manifest.value;
  if (body.kind !== "manifest") return doubt(what, malformedAt(repository, step.key, "it is an index"));
  const config = await registry.blob(repository, body.config);
  if (config.kind === "absent") return missed(step, `the layer of ${shown(step.text)} has lost its config`);
  if (config.kind !== "found") return doubt(what, config);
  const entry = readCacheEntry({ manifest: textOf(bytes), config: textOf(config.value) }, { now: clock(), days });
  if (entry.kind === "layer") return entry;
  if (entry.kind === "malformed") return doubt(what, malformedAt(repository, step.key, entry.what));
  return missed(
    step,
    `the layer of ${shown(step.text)} was made on ${entry.created.slice(0, 10)}, and layers count for ${days} days`,
  );
}

function doubt(what: string, error: RegistryError): Extract<Verdict, { kind: "unknown" }> {
  return { kind: "unknown", doubt: { kind: "registry", what, error } };
}

function malformedAt(repository: Repository, tag: string, words: string): RegistryError {
  return { kind: "malformed", request: `GET ${formatRepository(repository)}:${tag}`, words };
}

function missed({ at, key }: Step, why: string): Extract<Verdict, { kind: "miss" }> {
  return { kind: "miss", why, at, key };
}

const LONGEST_SHOWN = 200;

/** An instruction may be thousands of letters long. */
function shown(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

type Computed = { readonly keyed: Keyed; readonly assembled: Assembled; readonly bases: readonly Reference[] };

/** The digest is never assumed: the registry has to serve it. */
async function lookUpImage({ keyed, assembled, bases }: Computed, probing: Probing, ports: Ports): Promise<Verdict> {
  const { repository } = probing;
  const { registry } = ports;
  if (assembled.kind === "config") return lookUpByConfig(assembled, probing, ports);
  const served = await registry.manifest({ ...repository, digest: assembled.digest });
  if (served.kind === "absent") return { kind: "complete", image: assembled, bases, doubts: keyed.doubts };
  if (served.kind !== "found") return doubt("the image", served);
  return verified(served.value, probing, ports);
}

/** Only Go could pack the layers anew; the image that the builder pushed last tells by its config whether it is this one. */
async function lookUpByConfig(
  { configDigest, why }: Extract<Assembled, { kind: "config" }>,
  probing: Probing,
  ports: Ports,
): Promise<Verdict> {
  const served = await ports.registry.manifest({ ...probing.repository, tag: "latest" });
  if (served.kind !== "found" && served.kind !== "absent") return doubt("the image that was pushed last", served);
  const { body } = served.kind === "found" ? served.value : {};
  if (served.kind === "found" && body?.kind === "manifest" && body.config.digest === configDigest)
    return verified(served.value, probing, ports);
  return unknown({
    kind: "plan",
    what: `every layer is there, and which digest the image has cannot be told: ${why}, and the tag latest does not name it`,
    fix: "Build on an image with OCI media types, or let the builder push it once more (on-unknown: build).",
  });
}

async function verified(served: Served, { repository, verify }: Probing, { registry }: Ports): Promise<Verdict> {
  const { body } = served;
  if (verify !== "layers" || body.kind !== "manifest") return { kind: "hit", served };
  const blobs = [...new Map([body.config, ...body.layers].map((blob) => [blob.digest, blob])).values()];
  const looks = await Promise.all(
    blobs.map(async (blob) => ({ blob, answer: await registry.hasBlob(repository, blob) })),
  );
  const bad = looks.find(({ answer }) => answer.kind !== "found");
  if (!bad || bad.answer.kind === "found") return { kind: "hit", served };
  if (bad.answer.kind !== "absent") return doubt(`the blob ${bad.blob.digest} of the image`, bad.answer);
  const why = `the image is there and its blob ${bad.blob.digest} is gone from the registry`;
  return { kind: "miss", why, at: { file: "image" }, key: served.descriptor.digest };
}
