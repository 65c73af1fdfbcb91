import { ActionError, type Place } from "../errors.ts";

const LONGEST = 300;

/** A stranger's text in a sentence, where it may be as long as a file. */
export function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** What envbuilder's parser refuses, in its words, without a full stop. */
export function wrongLine(at: Place, what: string): ActionError {
  return new ActionError("E_DOCKERFILE", {
    what: `envbuilder refuses this line: ${cut(what)}.`,
    fix: "Correct the line; envbuilder's parser is that of BuildKit 0.16.",
    at,
  });
}
