import { pathWithin } from "../devcontainer/paths.ts";
import { type Build, type Remark, readBuild } from "../envbuilder/build.ts";
import { argumentsByName, compileArguments, compileDockerfile } from "../envbuilder/compile.ts";
import { DIRECTIVES } from "../envbuilder/context.ts";
import { type FeatureSpecification, parseFeature, refuseFeature } from "../envbuilder/feature.ts";
import { compareBytes } from "../envbuilder/go-json.ts";
import type { ProcessEnvironment } from "../envbuilder/substitute.ts";
import type { Unprobeable } from "../envbuilder/unprobeable.ts";
import { findUser, type Users } from "../envbuilder/user.ts";
import { ActionError, type Place } from "../errors.ts";
import { readArchive, textIn } from "../features/archive.ts";
import type { EnvbuilderInputs } from "../inputs/envbuilder-inputs.ts";
import { readImageConfig } from "../oci/config.ts";
import { parseReference, type Reference } from "../oci/reference.ts";
import { type ImagePattern, imageAllowed } from "../registry/allowed.ts";
import type { Doubt } from "../sources/doubt.ts";
import type { World } from "../world.ts";
import type { Definition } from "./definition.ts";
import type { ReadImage, Unread } from "./images.ts";
import { placesOf } from "./places.ts";

/** What is known before any request: the build without its features, and what has to be asked. */
export type Draft = {
  readonly definition: Definition;
  readonly args: readonly string[];
  /** Who the image's user is, or the image that says it. */
  readonly user: { readonly kind: "user"; readonly user: string } | ({ readonly kind: "image" } & UserImage);
  /** The base images, which are asked for, and where each is named. */
  readonly images: ReadonlyMap<string, NamedImage>;
  readonly losses: readonly Remark[];
  /** How many layers will be looked up, but for those of features and of triggers. */
  readonly layers: number;
};

export type NamedImage = { readonly reference: Reference; readonly at: Place };

type UserImage = NamedImage & { readonly image: string };

/** What docker and the system put into every container's environment. */
const OF_EVERY_CONTAINER: readonly string[] = ["HOSTNAME", "HOME", "PATH", "TERM"];

/** What the program in the builder's container finds in its environment. */
function environmentOf({ environment }: EnvbuilderInputs): ProcessEnvironment {
  return { variables: environment.variables, unknown: new Set(OF_EVERY_CONTAINER) };
}

/**
 * Makes of a definition what can be made of it without a request.
 * @returns a doubt for what can never be told, whatever is in a registry.
 * @throws ActionError for what envbuilder refuses, and for an image that is not allowed.
 */
export async function draftQuestion(
  definition: Definition,
  inputs: EnvbuilderInputs,
  allowed: readonly ImagePattern[],
): Promise<Draft | Unread> {
  const { specification, dockerfile, workspaceFolder, root } = definition;
  const { args, unknown } = specification
    ? compileArguments(specification, workspaceFolder, environmentOf(inputs))
    : { args: [], unknown: [] };
  const [name] = unknown;
  if (name !== undefined)
    return doubtful(
      `a build arg reads the variable ${name}, which only the builder's container knows`,
      "Write its value, or set it in extra-env.",
    );
  const text = dockerfile.text + DIRECTIVES;
  const place = placesOf(definition, text, []);
  const build = await readBuild({ text, file: dockerfile.file, place, buildArgs: args, root });
  if (build.kind === "unprobeable") return unprobeable(build);
  const users = usersOf(definition, args);
  const user =
    users.kind === "user"
      ? users
      : { ...users, at: place(users.line), reference: referenceOf(users.image, place(users.line), allowed) };
  const images = new Map(
    [...build.images].map(([image, at]) => [image, { reference: referenceOf(image, at, allowed), at }]),
  );
  for (const reference of specification?.features.keys() ?? [])
    if (!reference.startsWith("./")) referenceOf(reference, { file: definition.file }, allowed);
  const layers = build.stages.flatMap(({ instructions }) =>
    instructions.filter(({ command: { kind } }) => /^(?:run|copy)$/.test(kind)),
  ).length;
  return { definition, args, user, images, losses: build.losses, layers };
}

/** A Dockerfile alone has no user but root. */
function usersOf({ specification, dockerfile }: Definition, args: readonly string[]): Users {
  if (!specification) return { kind: "user", user: "" };
  const { containerUser } = specification;
  if (containerUser !== "") return { kind: "user", user: containerUser };
  return findUser(dockerfile.text, argumentsByName(args), dockerfile.file);
}

function referenceOf(image: string, at: Place, allowed: readonly ImagePattern[]): Reference {
  const reference = parseReference(image);
  if ("wrong" in reference)
    throw new ActionError("E_DOCKERFILE", {
      what: `${image} is no image's name (${reference.wrong}), and envbuilder could not build on it.`,
      fix: "Correct it. Quotation marks around the value of an ARG before FROM stay part of it for envbuilder.",
      at,
    });
  if (imageAllowed(allowed, reference)) return reference;
  throw new ActionError("E_INPUT", {
    what: `The image ${image} is not among those that the input allowed-images allows.`,
    fix: `Use one that matches one of ${allowed.map(({ written }) => written).join(", ")}, or add a pattern for it.`,
    at,
  });
}

export function unprobeable({ reason, at }: Unprobeable): Unread {
  return {
    kind: "doubt",
    doubt: {
      kind: "plan",
      what: reason.replace(/\.$/, ""),
      fix: "Write it in another way, or let every workspace build by itself (on-unknown: continue).",
      at,
    },
  };
}

function doubtful(what: string, fix: string): Unread {
  return { kind: "doubt", doubt: { kind: "plan", what, fix } };
}

/** The whole build, and who works in its container. */
export type Question = { readonly build: Build; readonly user: string };

type Ports = Pick<World, "registry" | "files" | "gunzip"> & {
  readonly readImage: ReadImage;
  readonly checkout: string;
};

/**
 * Asks what the Dockerfile needs to be whole: who the image's user is, and what its features say of themselves.
 * @throws ActionError E_FEATURE for a feature that envbuilder cannot install.
 */
export async function completeQuestion(draft: Draft, ports: Ports): Promise<Question | Unread> {
  const { definition, args } = draft;
  const { specification, dockerfile, root } = definition;
  const [user, features] = await Promise.all([readUser(draft, ports), readFeatures(definition, ports)]);
  if (typeof user !== "string") return user;
  if ("doubt" in features) return features;
  const text = specification
    ? compileDockerfile(dockerfile.text, specification, { user, features })
    : dockerfile.text + DIRECTIVES;
  const references = [...(specification?.features.keys() ?? [])].sort(compareBytes);
  const place = placesOf(definition, text, references);
  const build = await readBuild({ text, file: dockerfile.file, place, buildArgs: args, root });
  return build.kind === "unprobeable" ? unprobeable(build) : { build, user };
}

/** Envbuilder asks for the image of linux/amd64, whatever it builds for. */
async function readUser({ user }: Draft, { readImage }: Ports): Promise<string | Unread> {
  if (user.kind === "user") return user.user;
  const image = await readImage(user.reference, "linux/amd64", `the image ${user.image}`);
  if (image.kind === "doubt") return { ...image, doubt: { ...image.doubt, at: user.at } };
  return readImageConfig(image.config).user;
}

async function readFeatures(
  { specification, folder, file }: Definition,
  ports: Ports,
): Promise<ReadonlyMap<string, FeatureSpecification> | Unread> {
  const references = [...(specification?.features.keys() ?? [])];
  const read = await Promise.all(
    references.map(async (reference) => {
      const text = reference.startsWith("./")
        ? await readLocal(reference, folder, ports)
        : await readPublished(reference, file, ports);
      return typeof text === "string" ? ([reference, parseFeature(text, reference)] as const) : text;
    }),
  );
  const features = new Map<string, FeatureSpecification>();
  for (const one of read) {
    if ("doubt" in one) return one;
    features.set(...one);
  }
  return features;
}

const METADATA = "devcontainer-feature.json";

async function readLocal(reference: string, folder: string, { files, checkout }: Ports): Promise<string> {
  const real = await files.realPath(`${folder}/${reference}/${METADATA}`);
  // The builder's clone has nothing there, and a stranger's commit names no file of this machine.
  if (real !== undefined && pathWithin(checkout, real) === undefined)
    throw refuseFeature(reference, "leaves the checkout");
  const text = real === undefined ? undefined : await files.readText(real);
  if (text === undefined) throw refuseFeature(reference, `has no ${METADATA}`);
  if ((await files.stat(`${folder}/${reference}/install.sh`)) === undefined)
    throw refuseFeature(reference, "has no install.sh");
  return text;
}

const FEATURE_LAYER = "application/vnd.devcontainers.layer.v1+tar";
const LARGEST_FEATURE = 128 * 1024 * 1024;
const LARGEST_METADATA = 1024 * 1024;

async function readPublished(reference: string, file: string, { registry, gunzip }: Ports): Promise<string | Unread> {
  const image = referenceOf(reference, { file }, []);
  const named = (image.tag ?? image.digest) ? image : { ...image, tag: "latest" };
  const manifest = await registry.manifest(named);
  if (manifest.kind !== "found") return registryDoubt(`the feature ${reference}`, manifest);
  const { body } = manifest.value;
  const layer = body.kind === "manifest" ? body.layers.find(({ mediaType }) => mediaType === FEATURE_LAYER) : undefined;
  if (!layer) throw refuseFeature(reference, "is no feature");
  const blob = await registry.blob(image, layer, LARGEST_FEATURE);
  if (blob.kind !== "found") return registryDoubt(`the feature ${reference}`, blob);
  const { entries } = await readArchive(blob.value, {
    gunzip,
    refuse: (why) => refuseFeature(reference, `has an archive that ${why}`),
  });
  const text = textIn(entries, METADATA, LARGEST_METADATA);
  if (text === undefined) throw refuseFeature(reference, `has no ${METADATA}`);
  if (!entries.some(({ path }) => path === "install.sh")) throw refuseFeature(reference, "has no install.sh");
  return text;
}

function registryDoubt(what: string, error: Extract<Doubt, { kind: "registry" }>["error"]): Unread {
  return { kind: "doubt", doubt: { kind: "registry", what, error } };
}
