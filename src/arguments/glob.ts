import type { Files } from "../world.ts";

/** What one character, or any number of them, must be. */
type Step = { readonly kind: "many" } | { readonly kind: "one"; readonly test: (char: string) => boolean };

/** Tells whether a text holds a character that stands for others. */
export function isGlob(text: string): boolean {
  return /[*?[]/.test(text);
}

/**
 * Compiles a pattern for one name: `*`, `?`, `[abc]`, `[a-z]`, `[!a]`. A bracket that is never closed stands for itself.
 * @returns whether a name fits as a whole. The time is at worst the product of both lengths.
 */
export function compileGlob(pattern: string): (name: string) => boolean {
  const steps = readSteps([...pattern]);
  return (name) => matches(steps, [...name]);
}

function readSteps(chars: readonly string[]): readonly Step[] {
  const steps: Step[] = [];
  const lastClose = chars.lastIndexOf("]");
  for (let at = 0; at < chars.length; ) {
    const char = chars[at] ?? "";
    // Behind the last closing bracket none is looked for any more.
    const end = char === "[" && at < lastClose ? endOfBracket(chars, at) : undefined;
    if (end !== undefined) steps.push({ kind: "one", test: readBracket(chars.slice(at + 1, end)) });
    else if (char === "*") steps.push({ kind: "many" });
    else steps.push({ kind: "one", test: (other) => char === "?" || other === char });
    at = (end ?? at) + 1;
  }
  return steps;
}

/** A closing bracket right behind the opening one, or behind its `!`, is a member. */
function endOfBracket(chars: readonly string[], from: number): number | undefined {
  const first = isNegation(chars[from + 1]) ? from + 2 : from + 1;
  const end = chars.indexOf("]", first + 1);
  return end < 0 ? undefined : end;
}

function isNegation(char: string | undefined): boolean {
  return char === "!" || char === "^";
}

function readBracket(inside: readonly string[]): (char: string) => boolean {
  const isNegated = isNegation(inside[0]);
  const members = isNegated ? inside.slice(1) : inside;
  const ranges: { readonly low: string; readonly high: string }[] = [];
  for (let at = 0; at < members.length; ) {
    const low = members[at] ?? "";
    const isRange = members[at + 1] === "-" && at + 2 < members.length;
    ranges.push({ low, high: isRange ? (members[at + 2] ?? "") : low });
    at += isRange ? 3 : 1;
  }
  return (char) => ranges.some(({ low, high }) => low <= char && char <= high) !== isNegated;
}

/** Only the last `*` ever needs another try: what the ones before it took fits in any case. */
function matches(steps: readonly Step[], chars: readonly string[]): boolean {
  let [step, char] = [0, 0];
  let retry: { readonly step: number; readonly char: number } | undefined;
  while (char < chars.length) {
    const current = steps[step];
    if (current?.kind === "many") {
      retry = { step: ++step, char };
    } else if (current?.test(chars[char] ?? "")) {
      step++;
      char++;
    } else if (retry) {
      retry = { step: retry.step, char: retry.char + 1 };
      [step, char] = [retry.step, retry.char];
    } else return false;
  }
  return steps.slice(step).every(({ kind }) => kind === "many");
}

type Folders = Pick<Files, "list" | "stat" | "realPath">;

/**
 * The paths that are there and fit a pattern, sorted by code unit. `*`, `?` and `[…]` stand for characters of one name, `**` for any
 * number of folders. A name that starts with a dot has to be written with it, and `**` goes through no links.
 * @param segments the pattern from the root on, without `.` and `..`.
 */
export async function findPaths(files: Folders, segments: readonly string[]): Promise<readonly string[]> {
  const single = segments.filter((segment, at) => segment !== "**" || segments[at - 1] !== "**");
  const found = await descend({ files, seen: new Set() }, "", single.at(-1) === "**" ? [...single, "*"] : single);
  return [...new Set(found)].sort();
}

type Search = {
  readonly files: Folders;
  /** Where it has been, with how much was left of the pattern: several `**` lead to one folder in many ways. */
  readonly seen: Set<string>;
};

async function descend(search: Search, folder: string, segments: readonly string[]): Promise<readonly string[]> {
  const { files, seen } = search;
  const here = `${segments.length} ${folder}`;
  if (seen.has(here)) return [];
  seen.add(here);
  const [first, ...rest] = segments;
  if (first === undefined) return (await files.realPath(folder)) === undefined ? [] : [folder];
  if (!isGlob(first)) return descend(search, `${folder}/${first}`, rest);
  const paths = await pathsIn(files, folder, first);
  if (first !== "**") return (await Promise.all(paths.map((path) => descend(search, path, rest)))).flat();
  const kinds = await Promise.all(paths.map(async (path) => (await files.stat(path))?.kind));
  const folders = paths.filter((_, at) => kinds[at] === "directory");
  const deeper = await Promise.all(folders.map((path) => descend(search, path, segments)));
  return [...(await descend(search, folder, rest)), ...deeper.flat()];
}

async function pathsIn(files: Folders, folder: string, pattern: string): Promise<readonly string[]> {
  const fits = compileGlob(pattern);
  const names = (await files.list(folder === "" ? "/" : folder)) ?? [];
  return names
    .filter((name) => fits(name) && (pattern.startsWith(".") || !name.startsWith(".")))
    .map((name) => `${folder}/${name}`);
}
