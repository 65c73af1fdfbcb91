import type { Capabilities, Log } from "../world.ts";
import { OUTPUTS, type OutputName } from "./outputs.ts";

/** What later jobs put an image's name together from, where the name itself does not get there. */
const PARTS: readonly OutputName[] = ["registry", "repository", "tag", "digest"];

/** Warns once of outputs that hold something hidden, and of what becomes of them on this host. */
export function tellMaskedOutputs(
  outputs: Readonly<Record<OutputName, string>>,
  holdsMasked: (text: string) => boolean,
  { capabilities, log }: { readonly capabilities: Capabilities; readonly log: Pick<Log, "warning"> },
): void {
  const isHidden = (name: OutputName): boolean => holdsMasked(outputs[name]);
  const hidden = OUTPUTS.filter(isHidden);
  if (hidden.length === 0) return;
  const whole = PARTS.filter((name) => outputs[name] !== "" && !isHidden(name));
  const becomes = capabilities.dropsMaskedOutputs
    ? "GitHub leaves such an output of a job out, so later jobs get an empty one"
    : "this host keeps outputs as they are, for everybody who can read the run";
  const out =
    whole.length === 0
      ? ""
      : ` ${whole.join(", ")} hold nothing hidden: a later job can put the name together from these and from what it knows itself.`;
  log.warning(
    `The ${hidden.length === 1 ? "output" : "outputs"} ${hidden.join(", ")} hold what this run hides, like a login: ${becomes}.${out} Or give what is no secret (a user's name, a part of the repository's) as a variable and not as a secret.`,
  );
}
