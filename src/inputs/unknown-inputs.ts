import { ActionError, type Warning } from "../errors.ts";
import { letters, nearestName } from "../nearest.ts";
import { DECIDING, INPUTS } from "./names.ts";

/**
 * What a step gives under `with:` and nobody reads: a mistyped name leaves the input at its default, and only GitHub says so.
 * @param given names as the runner writes them, `ON-MIS`.
 * @returns a warning for each that action.yml does not know, with the name that was probably meant.
 * @throws ActionError E_INPUT where that pushes or decides what happens.
 */
export function noticeUnknownInputs(given: readonly string[]): readonly Warning[] {
  const known = new Set(INPUTS.map(asVariable));
  const unknown = given.filter((name) => !known.has(name)).map((name) => ({ name, meant: nearest(name) }));
  for (const { name, meant } of unknown) {
    if (meant === undefined || !meant.isNear || !DECIDING.has(meant.name)) continue;
    throw new ActionError("E_INPUT", {
      what: `There is no input ${shown(name)}; ${meant.name} is one, and that decides what happens.`,
      fix: `Write ${meant.name}. If ${shown(name)} is an input of an action around this one, give it another name: some runners hand those on.`,
    });
  }
  return unknown.map(({ name, meant }) => ({
    text: `There is no input ${shown(name)}: it does nothing.${meant === undefined ? "" : ` Was ${meant.name} meant?`}`,
  }));
}

/** `Input name` is `INPUT_INPUT_NAME`; hyphens stay. */
function asVariable(name: string): string {
  return name.replaceAll(" ", "_").toUpperCase();
}

function shown(variable: string): string {
  return variable.toLowerCase();
}

type Meant = { readonly name: string; readonly isNear: boolean };

/** What is called otherwise in the actions that people come from, by its letters: devcontainers/ci, docker/build-push-action, devcontainers' CLI. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ["imagename", "cache-repo"],
  ["imagetag", "tags"],
  ["subfolder", "workspace-folder"],
  ["configfile", "devcontainer-json-path"],
  ["config", "devcontainer-json-path"],
  ["file", "dockerfile-path"],
  ["context", "build-context-path"],
  ["secrets", "build-secrets"],
  ["secretfiles", "build-secrets"],
  ["secretenvs", "build-secrets"],
  ["submodules", "git-submodules"],
  ["lfs", "git-lfs"],
]);

/** The input with the fewest letters to change, and none where that would be another word; else the shortest one that holds the name whole. */
function nearest(variable: string): Meant | undefined {
  const written = letters(variable);
  const elsewhere = ELSEWHERE.get(written);
  if (elsewhere !== undefined) return { name: elsewhere, isNear: false };
  const near = nearestName(variable, INPUTS);
  if (near !== undefined) return { name: near, isNear: true };
  const holding = INPUTS.filter((name) => written.length > 3 && letters(name).includes(written));
  // A login that is not called git's is far more often the registry's.
  const ofGit = (one: string): number => (one.startsWith("git-") ? 1 : 0);
  const [name] = [...holding].sort((a, b) => ofGit(a) - ofGit(b) || a.length - b.length);
  return name === undefined ? undefined : { name, isNear: false };
}
