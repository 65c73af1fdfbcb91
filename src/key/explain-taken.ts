import type { Difference, Known } from "./difference.ts";
import { earlierIgnoring } from "./origins.ts";

/** One path that differs: `file` as seen from the repository's root. */
export type Changed = {
  readonly path: string;
  readonly file: string;
  readonly what: string;
  readonly kind: "new" | "gone" | "changed";
};

/** A path of a context as seen from the repository's root. */
export function seenFrom(folder: string, path: string): string {
  return folder === "." ? path : `${folder}/${path}`;
}

export function tellFile({ file, what, kind }: Changed): Difference {
  return {
    part: "yours",
    ingredient: "context",
    text: `${file} ${what}`,
    ...(kind === "gone" ? {} : { at: { file } }),
  };
}

/**
 * Tells what differs in the build context, each change once: what another instruction takes, or none any more, is told by that instruction,
 * what an ignore file leaves out or no longer does by its line, and what one line of it would leave out together.
 * @param told of the Dockerfile and the configuration.
 */
export function tellTaken(changed: readonly Changed[], told: readonly Difference[], places: Known): Difference[] {
  const own = changed.filter((one) => !follows(one, told, places));
  const left = own.filter(({ path, kind }) => kind === "gone" && places.ignoring.leftOutBy(path) !== undefined);
  const earlier = earlierIgnoring(places);
  const isOther = earlier !== undefined && (earlier.hasLost || earlier.file !== places.ignoring.file);
  const back = isOther ? own.filter(({ kind }) => kind === "new") : [];
  const ignored = new Set([...left, ...back]);
  return [
    ...tellLeftOut(left, places),
    ...(back.length > 0 && earlier ? [tellBack(back, earlier, places)] : []),
    ...groupIgnorable(
      own.filter((one) => !ignored.has(one)),
      places,
    ),
  ];
}

/** What comes or goes because other instructions take other files now. */
function follows({ path, kind }: Changed, told: readonly Difference[], places: Known): boolean {
  const instructions = told.filter(({ ingredient }) => ingredient === "dockerfile");
  const takers = places.takers(path);
  if (takers === undefined || kind === "changed") return false;
  if (kind === "gone") {
    const isTold = instructions.length > 0 || told.some(({ ingredient }) => ingredient === "configuration");
    return takers.length === 0 && isTold;
  }
  const lines = new Set(instructions.map(({ at }) => at?.line));
  return takers.length > 0 && takers.every((line) => lines.has(line));
}

/** By the lines that leave them out. */
function tellLeftOut(files: readonly Changed[], { ignoring }: Known): Difference[] {
  const byLine = new Map<number, Changed[]>();
  for (const one of files) {
    const line = ignoring.leftOutBy(one.path) ?? 0;
    byLine.set(line, [...(byLine.get(line) ?? []), one]);
  }
  return [...byLine].map(([line, all]) => {
    const text = `${nameFiles(all)} no longer part of the build: ${ignoring.file}:${line} leaves ${all.length === 1 ? "it" : "them"} out`;
    return { part: "yours", ingredient: "context", text, at: { file: ignoring.file, line } };
  });
}

/** Which line of the earlier ignore file held them nobody knows any more. */
function tellBack(
  files: readonly Changed[],
  earlier: { readonly file: string },
  { ignoring: { file, lines } }: Known,
): Difference {
  const what =
    earlier.file === file ? `a line is gone from ${file}` : `the ignore file is ${file} now, before ${earlier.file}`;
  const text = `${what}, and ${nameFiles(files)} part of the build now`;
  return { part: "yours", ingredient: "context", text, ...(lines.length === 0 ? {} : { at: { file } }) };
}

const FILES_NAMED = 3;

function nameFiles(all: readonly Changed[]): string {
  const names = all.slice(0, FILES_NAMED).map(({ file }) => file);
  const rest = all.length - names.length;
  return `${[...names, ...(rest > 0 ? [`${rest} more`] : [])].join(", ")} ${all.length === 1 ? "is" : "are"}`;
}

/**
 * Files that one line of the ignore file would have left out are told together, with that line where some of them is taken: what is gone may
 * be gone because that line has just been written.
 */
function groupIgnorable(changed: readonly Changed[], { ignorable, context }: Known): Difference[] {
  const groups = new Map<string, { readonly files: Changed[]; readonly found: ReturnType<Known["ignorable"]> }>();
  for (const one of changed) {
    const found = ignorable(one.path);
    const name = found?.line ?? `/${one.path}`;
    const group = groups.get(name) ?? { files: [], found };
    group.files.push(one);
    groups.set(name, group);
  }
  // What is certainly meant stands before what a line would leave out.
  const sorted = [...groups].sort(([, a], [, b]) => Number(a.found !== undefined) - Number(b.found !== undefined));
  return sorted.map(([line, { files, found }]) => {
    const [first] = files;
    const there = files.find(({ kind }) => kind !== "gone");
    const at = found?.at ?? (there && { file: there.file });
    const note = found?.advice === undefined || !there ? "" : ` (${found.advice})`;
    const shown = seenFrom(context, line);
    const what = files.length === 1 && first ? `${first.file} ${first.what}` : `${shown}: ${files.length} files differ`;
    return { part: "yours", ingredient: "context", text: `${what}${note}`, ...(at ? { at } : {}) };
  });
}
