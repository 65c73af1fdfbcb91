import { TARGET } from "../dockerfile/extend.ts";
import type { Place } from "../errors.ts";
import { FEATURES_CONTEXT, type FeatureStep, MOUNT, WORK } from "./recipe.ts";

/** Where the feature is asked for that a step installs, of whose name `nameGenerated` has made one. */
export function placeOfStep(step: string, steps: readonly Pick<FeatureStep, "name" | "at">[]): Place | undefined {
  const name = /^(?:\[[^\]]*\] )?feature (.*)$/s.exec(step)?.[1];
  return steps.find((one) => one.name === name)?.at;
}

/** The stage that is added has no name, so that BuildKit calls it by its number. */
const POSITION = "(?:\\[(?:[\\w./-]{1,40} )?stage-\\d+ (\\d+/\\d+)\\] )?";
const INSTALLATION = new RegExp(
  `${POSITION}RUN --mount=type=bind,from=${FEATURES_CONTEXT},source=([\\w.-]+),target=${MOUNT} (?:\\["/bin/sh", "|/bin/sh )${MOUNT}/(\\w+)(?:"\\])?`,
  "g",
);
const REMOVAL = new RegExp(`${POSITION}RUN (?:\\["/bin/rm", "-rf", "${WORK}"\\]|/bin/rm -rf ${WORK}(?!\\S))`, "g");
/** The script stands in the instruction, which is the last of its line. */
const RENUMBERING = new RegExp(`${POSITION}RUN (?:\\["/bin/sh","-c","|/bin/sh -c )# remote-user-uid: .*`, "gs");
const OWN_TARGET = new RegExp(`(?<=\\[|\\[[\\w./-]{1,40} )${TARGET} (?=\\d+/\\d+\\] )`, "g");

/**
 * What BuildKit says, with a feature or an input for the instruction that is made of it, and a step of the user's target as it would be
 * called if nothing stood on it: only for that has a target without a name one.
 */
export function nameGenerated(text: string, steps: readonly Pick<FeatureStep, "folder" | "name">[]): string {
  const at = (position: string | undefined): string => (position === undefined ? "" : `[${position}] `);
  return text
    .replace(INSTALLATION, (_, position: string | undefined, folder: string, script: string) => {
      const name = steps.find((step) => step.folder === folder)?.name ?? folder;
      return `${at(position)}${script === "prepare" ? "prepare the features" : `feature ${name}`}`;
    })
    .replace(REMOVAL, (_, position: string | undefined) => `${at(position)}clear up after the features`)
    .replace(RENUMBERING, (_, position: string | undefined) => `${at(position)}remote-user-uid`)
    .replaceAll(`[context ${FEATURES_CONTEXT}]`, "[features]")
    .replace(OWN_TARGET, "")
    .replaceAll(TARGET, "the target");
}
