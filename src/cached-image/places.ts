import { DIRECTIVES } from "../envbuilder/context.ts";
import type { Place } from "../errors.ts";
import type { Definition } from "./definition.ts";

/** As a feature's lines begin. */
const OF_FEATURE = /^WORKDIR \/\.envbuilder\/features\//;

const OWN_TAIL = DIRECTIVES.trim().split("\n").length;

/**
 * Where the lines of a compiled Dockerfile come from: the user's own from the Dockerfile, or from the image in devcontainer.json; a feature's
 * from where the feature is asked for; and envbuilder's from no line at all.
 * @param references of the features, in the order in which they are compiled.
 */
export function placesOf(
  { dockerfile, file, written, specification }: Definition,
  text: string,
  references: readonly string[],
): (line: number) => Place {
  const lines = text.trimEnd().split("\n");
  const own = dockerfile.text.split("\n").length;
  const isLast = (lines[lines.length - OWN_TAIL - 1] ?? "").startsWith("USER ") && references.length > 0;
  const tail = lines.length - OWN_TAIL - (isLast ? 1 : 0);
  const at = (line: number | undefined): Place => (line === undefined ? { file } : { file, line });
  return (line) => {
    if (line <= own)
      return dockerfile.file === file && specification
        ? at(lineOf(specification.image, written))
        : { file: dockerfile.file, line };
    const begun = lines.slice(own, line).filter((one) => OF_FEATURE.test(one)).length;
    return line > tail || begun === 0 ? { file } : at(lineOf(references[begun - 1], written));
  };
}

/** The first line of a JSON text that has a word as a text of its own. */
function lineOf(word: string | undefined, written: string | undefined): number | undefined {
  if (!word || written === undefined) return undefined;
  const index = written.split("\n").findIndex((line) => line.includes(JSON.stringify(word)));
  return index < 0 ? undefined : index + 1;
}
