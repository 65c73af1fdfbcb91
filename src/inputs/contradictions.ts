import { ActionError } from "../errors.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import { imageAllowed } from "../registry/allowed.ts";
import type { Defaults, Inputs } from "./inputs.ts";

type Contradiction = { readonly is: boolean; readonly what: string; readonly fix: string };

/**
 * Refuses inputs that are right each on its own and ask for what cannot be together.
 * @throws ActionError E_INPUT naming them.
 */
export function refuseContradictions(inputs: Inputs, defaults: Defaults): void {
  refuseForeignInputs(inputs);
  refuseAttestationContradictions(inputs);
  const found = [
    // The Terraform resource takes all of them together: a Dockerfile goes before a configuration.
    ...(inputs.envbuilder ? [] : contradictionsOfSources(inputs)),
    ...contradictionsOfPush(inputs, defaults),
    ...contradictionsOfMisses(inputs),
    ...contradictionsOfPrevious(inputs),
  ].find(({ is }) => is);
  if (found) throw new ActionError("E_INPUT", { what: found.what, fix: found.fix });
}

function contradictionsOfSources(inputs: Inputs): readonly Contradiction[] {
  const { dockerfilePath, buildContextPath, devcontainerDir, devcontainerJsonPath } = inputs;
  const other = devcontainerJsonPath === undefined ? "devcontainer-dir" : "devcontainer-json-path";
  return [
    {
      is: buildContextPath !== undefined && dockerfilePath === undefined,
      what: "The input build-context-path is set and dockerfile-path is not: it is the context of that Dockerfile.",
      fix: "Set both, or write the context into devcontainer.json (build.context).",
    },
    {
      is: dockerfilePath !== undefined && (devcontainerDir ?? devcontainerJsonPath) !== undefined,
      what: `The inputs dockerfile-path and ${other} are both set: only one of them can say what is built.`,
      fix: "Leave one of the two out. With dockerfile-path no devcontainer.json is read.",
    },
  ];
}

function contradictionsOfPush(inputs: Inputs, { isFork, whyFork }: Defaults): readonly Contradiction[] {
  const because = `which never causes a push${whyFork === undefined ? "" : `: ${whyFork}`}`;
  const { push, alias, release, onMiss } = inputs;
  return [
    {
      is: push === "true" && isFork,
      what: `The input push is true, and this run counts as a fork's, ${because}.`,
      fix: "Set push to auto: the image is then built and loaded into the local engine only.",
    },
    {
      is: alias === "true" && push === "false",
      what: "The input alias is true and push is false: a branch's alias is a tag, and a tag is pushed.",
      fix: "Leave one of the two out.",
    },
    {
      is: push === "true" && onMiss !== "build",
      what: `The input push is true and on-miss is ${onMiss}: without a build there is nothing to push.`,
      fix: "Leave push out, or set on-miss to build.",
    },
    {
      is: release !== undefined && push === "false",
      what: "The input release is set and push is false: a release is a tag, and a tag is pushed.",
      fix: "Leave one of the two out.",
    },
    {
      is: release?.kind === "named" && isFork,
      what: `The input release is set, and this run counts as a fork's, ${because}.`,
      fix: "Leave release out for pull requests, or set it to auto: then only a commit with a git tag is released.",
    },
  ];
}

function contradictionsOfMisses(inputs: Inputs): readonly Contradiction[] {
  const { force, onMiss, exitOnBuildFailure, fallbackImage, envbuilder } = inputs;
  return [
    {
      is: force && onMiss !== "build",
      what: `The input force is true and on-miss is ${onMiss}: force builds the image, on-miss says not to.`,
      fix: "Leave force out, or set on-miss to build.",
    },
    {
      is: !exitOnBuildFailure && fallbackImage === undefined && !envbuilder,
      what: "The input exit-on-build-failure is false and fallback-image is not set: after a failed build there would be no image to go on with.",
      fix: "Set fallback-image to the image that later jobs use then.",
    },
  ];
}

/** While the earlier image is there, nobody looks what this commit would be. */
function contradictionsOfPrevious({ previousImage, force, release }: Inputs): readonly Contradiction[] {
  return [
    {
      is: previousImage !== undefined && force,
      what: "The input previous-image is set and force is true: one takes the image that is there, the other builds over it.",
      fix: "Leave one of the two out.",
    },
    {
      is: previousImage !== undefined && release !== undefined,
      what: "The inputs previous-image and release are both set: what is released has to be this commit's image, and nobody looks whether an earlier one is.",
      fix: "Leave one of the two out.",
    },
  ];
}

/**
 * What an input names is fetched too, and the patterns are one list of what may be.
 * @throws ActionError E_INPUT naming both.
 */
function refuseForeignInputs({ attestations, build, fallbackImage, envbuilder, allowedImages }: Inputs): void {
  const named: readonly (readonly [input: string, written: string | undefined])[] = [
    ["sbom", attestations.generator && formatReference(attestations.generator)],
    ["buildkit-image", build.buildkitImage],
    ["fallback-image", fallbackImage],
    ["builder-image", envbuilder?.builderImage.written],
    ...build.contexts.map(({ kind, value }) => ["build-contexts", kind === "image" ? value : undefined] as const),
    ...(build.cacheFrom ?? []).map(({ attributes }) => ["cache-from", attributes.get("ref")] as const),
  ];
  for (const [input, written] of allowedImages.length === 0 ? [] : named) {
    const reference = written === undefined ? undefined : parseReference(written);
    if (reference === undefined || (!("wrong" in reference) && imageAllowed(allowedImages, reference))) continue;
    throw new ActionError("E_INPUT", {
      what: `The input ${input} asks for ${written}, which is not among allowed-images.`,
      fix: "Add a pattern for it to allowed-images, or name another one.",
    });
  }
}

type Others = Pick<Inputs, "attestations" | "onMiss" | "onDrift" | "onUnknown">;

/**
 * Refuses what the inputs about attestations and others say together and cannot be.
 * @throws ActionError E_INPUT naming both.
 */
function refuseAttestationContradictions(inputs: Others): void {
  const { generator, required } = inputs.attestations;
  const builds = (["onMiss", "onDrift", "onUnknown"] as const).find((name) => inputs[name] === "build");
  if (generator || builds === undefined || !required.includes("sbom")) return;
  const input = { onMiss: "on-miss", onDrift: "on-drift", onUnknown: "on-unknown" }[builds];
  throw new ActionError("E_INPUT", {
    what: `The input require names sbom, ${input} is build and sbom is false: what is built would have no SBOM.`,
    fix: `Set sbom to true or to the image of a generator, or ${input} to another value.`,
  });
}
