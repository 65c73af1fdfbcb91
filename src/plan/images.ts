import {
  type CountedImage,
  countImage,
  type ImageNames,
  imageNames,
  NO_NAMES,
  readName,
} from "../dockerfile/image-names.ts";
import type { Stage } from "../dockerfile/parse.ts";
import { type ImageUse, imageUses } from "../dockerfile/stages.ts";
import { isForeignFrontend } from "../dockerfile/undeclared.ts";
import { ActionError, type Place, tellPlace } from "../errors.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { nearestName } from "../nearest.ts";
import type { Platform } from "../oci/platform.ts";
import type { Reference } from "../oci/reference.ts";
import { imageAllowed } from "../registry/allowed.ts";
import type { Doubt } from "../sources/doubt.ts";
import { nameForBuildKit, readImageName } from "../sources/image-name.ts";
import { scopeOf, stagesOf } from "../sources/scopes.ts";
import type { Gathered } from "../sources/sources.ts";
import type { ImageSource } from "./upstream.ts";

/** The images that a platform's build reads, or why that cannot be told. */
export type ReadImages = { readonly images: readonly ImageSource[]; readonly doubt?: Doubt };

/**
 * Every image that the stages name which the target may need, and the frontend.
 * @throws ActionError E_DOCKERFILE for a name that is none.
 */
export function readImages(gathered: Gathered, platform: Platform): ReadImages {
  const { source } = gathered.definition;
  const file = gathered.file ?? gathered.relative;
  const images: ImageSource[] = [];
  const names = namesOf(gathered, platform);
  for (const use of imageUses(gathered.dockerfile, stagesOf(gathered, platform), scopeOf(gathered, platform))) {
    const at = source.kind === "image" ? source.image.at : { file, line: use.line };
    const of = whichManifest(use, platform);
    if (use.reference === undefined || of === undefined) return { images: [], doubt: undecidable(use, at) };
    const hint = (): string | undefined => meantStage(use, gathered);
    const reference = readImageName(use.written, use.reference, at, hint);
    const counted = countedAs(countImage(use.written, names), reference);
    images.push({ by: "base", isBuiltOn: use.by === "FROM", written: use.written, reference, counted, at, of, hint });
  }
  const frontend = frontendOf(gathered, file);
  return { images: frontend ? [...images, frontend] : images };
}

/** Who mistypes a stage names an image, and none that anybody has. */
function meantStage(use: ImageUse, { dockerfile: { stages } }: Gathered): string | undefined {
  const { by, written, line } = use;
  // What a named context stands for is no slip.
  if (use.reference !== written || !STAGE_NAME.test(written)) return undefined;
  const names = (those: readonly Stage[]): string[] => those.flatMap(({ name }) => name ?? []);
  // Only a FROM does not see the stages below it.
  const seen = by === "FROM" ? stages.filter(({ from }) => from.line < line) : stages;
  const near = nearestName(written, names(seen));
  if (near === written.toLowerCase()) return `The stage is called ${near}, and a FROM has to write it so.`;
  if (near !== undefined) return `No stage is called ${written}: was ${near} meant?`;
  const isBelow = names(stages.filter(({ from }) => from.line > line)).includes(written.toLowerCase());
  return isBelow ? `The stage ${written} begins further down, and a FROM can only stand on one above it.` : undefined;
}

/** Nothing that says where an image lies. */
const STAGE_NAME = /^[a-z][a-z0-9_.-]*$/i;

function whichManifest(use: ImageUse, platform: Platform): ImageSource["of"] | undefined {
  if (use.platform.kind === "build") return { kind: "index" };
  if (use.platform.kind === "fixed") return { kind: "platform", platform: use.platform.platform };
  return use.platform.kind === "target" ? { kind: "platform", platform } : undefined;
}

function undecidable(use: ImageUse, at: Place): Doubt {
  if (use.reference !== undefined && use.platform.kind === "unknown" && use.platform.names.length === 0)
    return {
      kind: "plan",
      what: `${tellPlace(at)}: the --platform of ${use.by} ${use.written} is none that is known here`,
      fix: "Correct it, like --platform=linux/amd64, or leave it out.",
      at,
    };
  return {
    kind: "plan",
    what: `${tellPlace(at)}: which image ${use.by} ${use.written} means cannot be told before the build`,
    fix: "Give every variable in it a value: an ARG with a default before the first FROM, or a build arg.",
    at,
  };
}

/** How a platform's build names the images that it reads. */
export function namesOf(gathered: Gathered, platform: Platform): ImageNames {
  const { source } = gathered.definition;
  // What a variable stands for is hidden as a whole.
  if (source.kind === "image" && source.image.fromEnvironment) return NO_NAMES;
  return imageNames(gathered.dockerfile, stagesOf(gathered, platform), scopeOf(gathered, platform));
}

function countedAs({ name, pin }: CountedImage, reference: Reference): ImageSource["counted"] {
  const { digest: _, ...withoutDigest } = reference;
  return { name, reference: nameForBuildKit(pin === undefined ? reference : withoutDigest) };
}

/** The frontend that the Dockerfile names, as it counts. */
export function frontendNamed({ dockerfile, arguments: { args } }: Gathered): CountedImage {
  const written = dockerfile.syntax?.reference ?? "";
  if (args.BUILDKIT_SYNTAX !== undefined || isForeignFrontend(dockerfile, undefined)) return { name: written };
  const { name, digest } = readName(written);
  return digest === undefined ? { name } : { name, pin: digest };
}

function frontendOf(gathered: Gathered, file: string): ImageSource | undefined {
  const {
    dockerfile,
    arguments: { args },
  } = gathered;
  const argument = args.BUILDKIT_SYNTAX;
  const written = argument ?? dockerfile.syntax?.reference;
  if (written === undefined) return undefined;
  const at = { file, line: dockerfile.syntax?.line ?? 1 };
  // The frontend runs on the builder, whose platform nobody knows beforehand.
  const reference = readImageName(written, written, at);
  const counted = countedAs(argument === undefined ? frontendNamed(gathered) : { name: argument }, reference);
  return { by: "frontend", isBuiltOn: false, written, reference, counted, at, of: { kind: "index" } };
}

/**
 * Refused before any request: who sets patterns wants no other registry to hear of the run.
 * @throws ActionError E_INPUT naming the image and its line.
 */
export function refuseForeignImages(images: readonly ImageSource[], patterns: Inputs["allowedImages"]): void {
  const foreign = images.find(({ reference }) => !imageAllowed(patterns, reference));
  if (!foreign) return;
  throw new ActionError("E_INPUT", {
    what: `The ${foreign.by} image ${foreign.written} is not among the images that the input allowed-images allows.`,
    fix: `Use an image that matches one of ${patterns.map(({ written }) => written).join(", ")}, or add a pattern for it.`,
    at: foreign.at,
  });
}
