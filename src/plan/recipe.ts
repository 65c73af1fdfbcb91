import { quoteWord } from "../dockerfile/extend.ts";
import { ActionError, type Place } from "../errors.ts";
import type { ImageUsers } from "../sources/image-users.ts";
import { renumberInstruction } from "./renumber.ts";

/** The named build context that holds the features. */
export const FEATURES_CONTEXT = "dev_containers_feature_content_source";

/** One feature as it is installed: its folder in the context, and what it adds to the environment of the image. */
export type FeatureStep = {
  /** `<id>_<number>`: as the reference CLI names it. */
  readonly folder: string;
  /** How messages name the feature. */
  readonly name: string;
  /** Of the feature's `containerEnv`, in order; variables in the values are the image's. */
  readonly containerEnv: readonly (readonly [name: string, value: string])[];
  readonly at: Place;
};

export type Recipe = {
  /** Of the Dockerfile that is extended. */
  readonly escapeChar: string;
  readonly steps: readonly FeatureStep[];
  /** The configuration's own `containerEnv`, variables replaced. */
  readonly containerEnv: readonly (readonly [name: string, value: string])[];
  /** The user that the image has without all this, and keeps. */
  readonly imageUser: string;
  /** A user who gets another uid, last of all. */
  readonly renumbered: { readonly user: string; readonly uid: number } | undefined;
  readonly at: Place;
};

/** Where the features see one another's work, as under the reference CLI; gone from the image in the end. */
export const WORK = "/tmp/dev-container-features";
export const MOUNT = "/tmp/dev-container-features-source";

/**
 * The instructions that stand on top of a stage, one text each: they install features and give the remote user another uid. Everything
 * runs in the JSON form: a `SHELL` of the user's Dockerfile does not matter then.
 * @throws ActionError E_CONFIG for an environment variable that a Dockerfile cannot set, E_DOCKERFILE for such a user.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-configuration/containerFeaturesConfiguration.ts (getContainerFeaturesBaseDockerFile)
 */
export function addedInstructions({ escapeChar, steps, containerEnv, imageUser, renumbered, at }: Recipe): string[] {
  const run = (step: FeatureStep, script: string): string =>
    `RUN --mount=type=bind,from=${FEATURES_CONTEXT},source=${step.folder},target=${MOUNT} ["/bin/sh", "${MOUNT}/${script}"]`;
  const [first] = steps;
  // It would end the instruction, and begin another one that nobody has looked at.
  if (/[\r\n]/.test(imageUser))
    throw new ActionError("E_DOCKERFILE", {
      what: "The user of the image holds a line break.",
      fix: "Look for it in USER, in the build args that it uses, and in the user of the base image.",
      at,
    });
  // The image's label says who was given a uid, and no argument of a program holds every character.
  if (renumbered && /\p{Cc}/u.test(renumbered.user))
    throw new ActionError("E_DOCKERFILE", {
      what: `The remote user, ${renumbered.user}, holds a control character.`,
      fix: "Look for it in remoteUser and containerUser, in the service's user, in USER, and in the user of the base image.",
      at,
    });
  return [
    "USER root",
    ...(first ? [run(first, "prepare")] : []),
    ...steps.flatMap((step) => [
      ...step.containerEnv.map((one) => environmentInstruction(one, { escapeChar, live: true, at: step.at })),
      run(step, "install"),
    ]),
    ...(first ? [`RUN ["/bin/rm", "-rf", "${WORK}"]`] : []),
    ...(renumbered ? [renumberInstruction(renumbered)] : []),
    `USER ${quoteWord(imageUser, escapeChar, { live: false })}`,
    ...containerEnv.map((one) => environmentInstruction(one, { escapeChar, live: false, at })),
  ];
}

/**
 * One `ENV` instruction.
 * @param live variables in the value are replaced by the build; else they are text.
 * @throws ActionError E_CONFIG for what a Dockerfile cannot set.
 */
export function environmentInstruction(
  [name, value]: readonly [string, string],
  { escapeChar, live, at }: { readonly escapeChar: string; readonly live: boolean; readonly at: Place },
): string {
  // The name is a word too, or a flag, and a line break ends the instruction.
  if (/^(?!--)[^\s=$"'\\`#[\]]+$/.test(name) && !/[\r\n]/.test(value))
    return `ENV ${name}=${quoteWord(value, escapeChar, { live })}`;
  throw new ActionError("E_CONFIG", {
    what: `containerEnv sets ${JSON.stringify(name)}, and a Dockerfile cannot set ${/[\r\n]/.test(value) ? "a value of several lines" : "a variable of that name"}.`,
    fix: "Use remoteEnv, or set it in the shell's start-up files.",
    at,
  });
}

/** What lies beside a feature's own content: path in its folder → text. Nothing in it depends on the machine. */
export function featureScripts(step: FeatureStep, users: ImageUsers): Readonly<Record<string, string>> {
  return { prepare: prepareScript(users), install: installScript(step) };
}

/**
 * The homes are looked up once, before anything is installed: a feature that makes the user sees none, as under the reference CLI.
 */
function prepareScript({ containerUser, remoteUser }: ImageUsers): string {
  return `#!/bin/sh
set -e
home() {
  { getent passwd "$1" 2>/dev/null || grep -E "^$1:|^[^:]*:[^:]*:$1:" /etc/passwd || true; } | cut -d: -f6 | head -n 1
}
mkdir -p ${WORK}
{
  echo ${quoteShell(`_CONTAINER_USER=${quoteShell(containerUser)}`)}
  echo ${quoteShell(`_REMOTE_USER=${quoteShell(remoteUser)}`)}
  echo "_CONTAINER_USER_HOME=$(home ${quoteShell(containerUser)})"
  echo "_REMOTE_USER_HOME=$(home ${quoteShell(remoteUser)})"
} > ${WORK}/devcontainer-features.builtin.env
`;
}

/** The feature sees a copy of its own that it may write to, and its options as variables. */
function installScript({ folder, name }: FeatureStep): string {
  return `#!/bin/sh
set -e
failed() {
  code=$?
  [ "$code" -eq 0 ] || echo ${quoteShell(`The feature ${name} could not be installed: its install.sh ended with`)} "$code" >&2
}
trap failed EXIT
cp -a ${MOUNT}/content ${WORK}/${quoteShell(folder)}
chmod -R 0755 ${WORK}/${quoteShell(folder)}
cd ${WORK}/${quoteShell(folder)}
set -a
. ../devcontainer-features.builtin.env
. ./devcontainer-features.env
set +a
./install.sh
cd ..
rm -rf ${WORK}/${quoteShell(folder)}
`;
}

function quoteShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
