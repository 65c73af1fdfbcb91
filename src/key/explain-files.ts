import { canonicalJson, type Json } from "./canonical.ts";
import {
  type Difference,
  inBrackets,
  type Known,
  memberOf,
  placeOf,
  privateValue,
  type Source,
  tellSource,
  tellVariables,
} from "./difference.ts";
import { changedMembers } from "./explain-configuration.ts";
import { type Changed, seenFrom, tellFile, tellTaken } from "./explain-taken.ts";
import type { PlatformPlan, Yours } from "./ingredients.ts";
import { folderIn, pathIn, tellGone } from "./origins.ts";
import type { StoredPlan } from "./stored.ts";

const FILES_TOLD = 10;

/** The entries of all contexts, before and now. */
export type Trees = { readonly before: StoredPlan["trees"]; readonly now: StoredPlan["trees"] };

/**
 * What differs in what the build takes from its context, and from contexts with a name of their own.
 * @param elsewhere what is told already: a file that has its own line there is not told again.
 */
export function compareFiles(
  before: PlatformPlan,
  now: PlatformPlan,
  { trees, elsewhere }: { readonly trees: Trees; readonly elsewhere: readonly Difference[] },
  places: Known,
): Difference[] {
  const named = compareNamed(before.yours.contexts ?? {}, now.yours.contexts ?? {}, trees, places);
  const folder = pathIn(places.origins, "context");
  if (folder !== undefined && folder !== places.context && before.yours.context?.tree !== now.yours.context?.tree)
    return [tellFolder("the build context is", { folder, now: places.context }, places.asked.context), ...named];
  const known = new Set(elsewhere.flatMap(({ at }) => at?.file ?? []));
  const [was, is] = [before.yours.context?.tree, now.yours.context?.tree];
  const files = was === undefined || is === undefined ? [] : compareTrees({ was, is }, trees, places.context);
  const fresh = files.filter(({ file }) => !known.has(file));
  return [...tellFiles(tellTaken(fresh, elsewhere, places), "of the build context"), ...named];
}

/** Of another folder no file is told: each of them is another one. */
function tellFolder(
  name: string,
  { folder, now }: { readonly folder: string; readonly now: string },
  source: Source | undefined,
): Difference {
  const note = inBrackets([inputOf(source)]);
  const text = `${name} ${now} now, before ${folder}${note}`;
  return { part: "yours", ingredient: "context", text, ...placeOf(source) };
}

type Entry = readonly Json[];

function compareTrees(
  { was, is }: { readonly was: string; readonly is: string },
  trees: Trees,
  folder: string,
): readonly Changed[] {
  if (was === is) return [];
  const [old, current] = [byPath(memberOf(trees.before, was)), byPath(memberOf(trees.now, is))];
  const shown = (path: string): string => seenFrom(folder, path);
  const tell = (path: string, what: string, kind: Changed["kind"]): Changed => ({
    path,
    file: shown(path),
    what,
    kind,
  });
  const [added, gone] = [without(current, old), without(old, current)];
  const renamed = pairRenamed(gone, added);
  const left = new Set(renamed.values());
  return withoutFolders([
    ...[...current].flatMap(([path, entry]) => {
      const before = old.get(path);
      const from = renamed.get(path);
      if (from !== undefined) return [tell(path, `was ${shown(from)} before`, "changed")];
      if (before === undefined) return [tell(path, "is part of the build now", "new")];
      return canonicalJson(before) === canonicalJson(entry) ? [] : [tell(path, whatChanged(before, entry), "changed")];
    }),
    ...[...gone.keys()].flatMap((path) =>
      left.has(path) ? [] : [tell(path, "is no longer part of the build", "gone")],
    ),
  ]);
}

function without(entries: ReadonlyMap<string, Entry>, others: ReadonlyMap<string, Entry>): Map<string, Entry> {
  return new Map([...entries].filter(([path]) => !others.has(path)));
}

/** The old path of each file that is at another one now: nothing else that came or went has the same content. */
function pairRenamed(gone: ReadonlyMap<string, Entry>, added: ReadonlyMap<string, Entry>): ReadonlyMap<string, string> {
  const old = uniqueContents(gone);
  const pairs = [...uniqueContents(added)].flatMap(([content, path]): (readonly [string, string])[] => {
    const before = old.get(content);
    return path === undefined || before === undefined ? [] : [[path, before]];
  });
  return new Map(pairs);
}

function uniqueContents(entries: ReadonlyMap<string, Entry>): ReadonlyMap<string, string | undefined> {
  const paths = new Map<string, string | undefined>();
  for (const [path, [, mode, content]] of entries) {
    if (content === undefined || mode === "link") continue;
    const name = canonicalJson([mode ?? null, content]);
    paths.set(name, paths.has(name) ? undefined : path);
  }
  return paths;
}

/** A folder that came or went with what is in it is told by that. */
function withoutFolders(changed: readonly Changed[]): readonly Changed[] {
  const folders = new Set<string>();
  for (const { path } of changed)
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const folder = path.slice(0, slash);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  return changed.filter(({ path }) => !folders.has(path));
}

function byPath(tree: readonly (readonly Json[])[] | undefined): Map<string, readonly Json[]> {
  return new Map((tree ?? []).map((entry) => [textOf(entry[0]), entry]));
}

/** A stored plan may hold anything. */
function textOf(written: Json | undefined): string {
  return typeof written === "string" ? written : "";
}

function whatChanged(before: readonly Json[], now: readonly Json[]): string {
  if (before[1] === "link" && now[1] === "link") return `points to ${textOf(now[2])} now`;
  if (before[2] !== now[2]) return "changed";
  return `has mode ${textOf(now[1])} now, before ${textOf(before[1])}`;
}

function compareNamed(
  before: NonNullable<Yours["contexts"]>,
  now: NonNullable<Yours["contexts"]>,
  trees: Trees,
  places: Known,
): Difference[] {
  return changedMembers(before, now).flatMap((name): Difference[] => {
    const [was, is] = [memberOf(before, name), memberOf(now, name)].map(treeOf);
    const isPrivate = name.startsWith("salted:");
    const own = isPrivate ? privateValue(name, Object.keys(places.contexts), places.salt) : name;
    const about = `build context ${isPrivate ? "that holds a value of the environment" : name}`;
    const { source, folder } = memberOf(places.contexts, own ?? "") ?? {};
    const earlier = folderIn(places.origins, name);
    if (earlier !== undefined && folder !== undefined && earlier !== folder)
      return [tellFolder(`${about} is`, { folder: earlier, now: folder }, source)];
    if (!Object.hasOwn(now, name)) {
      const { note, ...at } = tellGone(places.origins, `build context ${name}`, places);
      return [{ part: "yours", ingredient: "context", text: `${about} is gone${note}`, ...at }];
    }
    const files =
      was !== undefined && is !== undefined && folder !== undefined ? compareTrees({ was, is }, trees, folder) : [];
    if (files.length > 0) return tellFiles(files.map(tellFile), `of the ${about}`);
    const notes = inBrackets([inputOf(source), tellVariables(places, `build.contexts.${own}`)]);
    const text = `${about} ${Object.hasOwn(before, name) ? "changed" : "is new"}${notes}`;
    return [{ part: "yours", ingredient: "context", text, ...placeOf(source) }];
  });
}

/** An input is told in the text, for it is no file that anybody could open. */
function inputOf(source: Source | undefined): string | undefined {
  return source && "input" in source ? tellSource(source) : undefined;
}

function treeOf(context: unknown): string | undefined {
  const isFolder = typeof context === "object" && context !== null && "tree" in context;
  return isFolder && typeof context.tree === "string" ? context.tree : undefined;
}

function tellFiles(all: readonly Difference[], where: string): Difference[] {
  const rest = all.length - FILES_TOLD;
  if (rest <= 0) return [...all];
  return [
    ...all.slice(0, FILES_TOLD),
    { part: "yours", ingredient: "context", text: `and ${rest} more files ${where}` },
  ];
}
