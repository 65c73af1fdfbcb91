import { ActionError, type Warning } from "../errors.ts";
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

/** In a longer word two of a name's letters may be wrong. */
const MOST_WRONG = 2;

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
  // No fewer letters are wrong than there are too many or too few: what is far longer is not looked at letter by letter.
  const similar = INPUTS.filter((name) => Math.abs(letters(name).length - written.length) <= MOST_WRONG);
  const ranked = similar.map((name) => ({ name, far: distance(written, letters(name)) })).sort((a, b) => a.far - b.far);
  const [first] = ranked;
  if (first && first.far <= Math.min(MOST_WRONG, Math.floor(letters(first.name).length / 3)))
    return { name: first.name, isNear: true };
  const holding = INPUTS.filter((name) => written.length > 3 && letters(name).includes(written));
  // A login that is not called git's is far more often the registry's.
  const ofGit = (one: string): number => (one.startsWith("git-") ? 1 : 0);
  const [name] = [...holding].sort((a, b) => ofGit(a) - ofGit(b) || a.length - b.length);
  return name === undefined ? undefined : { name, isNear: false };
}

/** `cacheRepo`, `cache_repo` and `cache-repo` are one name to whoever writes them. */
function letters(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** How many letters are put in, left out, exchanged, or change places with the next (optimal string alignment). */
function distance(one: string, other: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let line = 0; line < one.length; line++) {
    const next = [line + 1];
    for (let at = 0; at < other.length; at++) {
      const cost = one[line] === other[at] ? 0 : 1;
      const isTurned = line > 0 && at > 0 && one[line] === other[at - 1] && one[line - 1] === other[at];
      const ways = [(next[at] ?? 0) + 1, (row[at + 1] ?? 0) + 1, (row[at] ?? 0) + cost];
      next.push(Math.min(...ways, ...(isTurned ? [(before[at - 1] ?? 0) + 1] : [])));
    }
    [before, row] = [row, next];
  }
  return row.at(-1) ?? 0;
}
