import { matchPath } from "../dockerfile/go-match.ts";
import type { Effort } from "../world.ts";
import { type ContextFilter, listBelow } from "./context.ts";
import type { Tree } from "./tree.ts";

/** A segment of a source: a name as it is, a pattern for one, or `**`: any number of folders to `--parents`, and one to others. */
type Segment = { readonly text: string; readonly isPattern: boolean };
const ANY_DEPTH = "**";

/** A bracket that a slash certainly is not in: letters, digits, and ranges of these. */
const PLAIN_BRACKET = /\[(?:[0-9A-Za-z_]-[0-9A-Za-z_]|[0-9A-Za-z_.])+\]/g;
/** As many links as the kernel and BuildKit follow one after another. */
const MOST_LINKS = 255;

/**
 * The paths of a context that some sources of COPY, ADD or a bind mount can take with them, and no folder read that none of them enters.
 * A source that is, passes through or matches a link takes the link and what it reaches; links inside of what is copied stay links.
 * @param effort told of the work; `file` is the Dockerfile, as messages name it.
 * @param sources as instructions name them, variables replaced; `undefined` for one that may be anything.
 * @see https://github.com/tonistiigi/fsutil/blob/master/followlinks.go, copy/copy.go (ResolveWildcards)
 */
export async function pathsTaken(
  tree: Tree,
  sources: readonly (string | undefined)[],
  filter: ContextFilter,
  { effort, file }: { readonly effort: Effort; readonly file: string },
): Promise<ReadonlySet<string>> {
  const rows = [...new Set(sources)].map((source) => (source === undefined ? undefined : segmentsOf(source)));
  const spend = (amount: number): void => effort.spend(amount, { file });
  const walk: Walk = { tree, filter, taken: new Set(), seen: new Set(), spend };
  const follow = async (row: readonly Segment[] | undefined): Promise<boolean> =>
    row !== undefined && (await step(walk, "", row, 0)) === "followed";
  for (const row of rows) if (!(await follow(row))) return new Set(await listBelow(tree, "", filter));
  return walk.taken;
}

type Walk = {
  readonly tree: Tree;
  readonly filter: ContextFilter;
  readonly taken: Set<string>;
  /** Where it has been, with what was left of the source there. */
  readonly seen: Set<string>;
  /** Told of names that are held against patterns: thousands of sources can go through one folder. */
  readonly spend: (amount: number) => void;
};

/** Holding one name against a pattern, beside what their lengths take. */
const MATCH = 64;
/** So many characters of a name, each held against one of a pattern, take as long as a step. */
const CHARACTERS = 16;

/** `everything`: where that leads cannot be told apart from the whole context. */
type Followed = "followed" | "everything";

/** @returns `undefined` where the segments of the source do not line up with those of a path, for one of its patterns may match a slash. */
function segmentsOf(source: string): readonly Segment[] | undefined {
  const segments = cleanSegments(source).map((text) => ({ text, isPattern: /[*?[]/.test(text) }));
  return segments.some(({ text }) => /[[\]\\]/.test(text.replace(PLAIN_BRACKET, ""))) ? undefined : segments;
}

/** The context's root is the end of every `..`. */
function cleanSegments(path: string): string[] {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  return kept;
}

async function step(walk: Walk, folder: string, rest: readonly Segment[], links: number): Promise<Followed> {
  const [segment, ...others] = rest;
  if (segment === undefined) return folder === "" ? "everything" : takeBelow(walk, folder);
  const below = (name: string): string => (folder === "" ? name : `${folder}/${name}`);
  if (!segment.isPattern) return enter(walk, below(segment.text), others, links);
  const names = await walk.tree.list(folder);
  const characters = names.reduce((sum, name) => sum + name.length, 0);
  walk.spend(MATCH * names.length + (characters * segment.text.length) / CHARACTERS);
  const isDeep = segment.text === ANY_DEPTH;
  if (isDeep && (await step(walk, folder, others, links)) === "everything") return "everything";
  const behind = isDeep ? rest : others;
  for (const name of names)
    if (mayMatch(segment.text, name) && (await enter(walk, below(name), behind, links)) === "everything")
      return "everything";
  return "followed";
}

async function enter(walk: Walk, path: string, rest: readonly Segment[], links: number): Promise<Followed> {
  const { tree, filter, taken, seen } = walk;
  const here = JSON.stringify([path, rest]);
  walk.spend(here.length);
  if (seen.has(here)) return "followed";
  seen.add(here);
  const isLeftOut = filter.isLeftOut(path);
  if (isLeftOut && filter.canPrune(path)) return "followed";
  // A name that is not UTF-8 is taken, to be told when it is read.
  const entry = await tree.stat(path);
  if (entry === undefined && !path.includes("\uFFFD")) return "followed";
  if (entry?.kind === "directory" && rest.length > 0) return step(walk, path, rest, links);
  if (!isLeftOut && (entry?.kind === "link" || rest.length === 0)) taken.add(path);
  if (entry?.kind === "directory") return takeBelow(walk, path);
  if (entry?.kind !== "link" || isLeftOut || links > MOST_LINKS) return "followed";
  const target = await tree.readLink(path);
  if (leavesByItsName(target)) return "everything";
  const from = target.startsWith("/") ? "" : path.slice(0, Math.max(path.lastIndexOf("/"), 0));
  const behind = cleanSegments(`${from}/${target}`).map((text) => ({ text, isPattern: false }));
  return step(walk, "", [...behind, ...rest], links + 1);
}

async function takeBelow({ tree, filter, taken, spend }: Walk, folder: string): Promise<Followed> {
  const below = await listBelow(tree, folder, filter);
  spend(MATCH * below.length);
  for (const path of below) taken.add(path);
  return "followed";
}

/** `a/../b`: where `a` is a link, BuildKit's two ways to follow that lead to two places. */
function leavesByItsName(target: string): boolean {
  const segments = target.split("/").filter((segment) => segment !== "" && segment !== ".");
  return segments.some((segment, at) => segment === ".." && at > 0 && segments[at - 1] !== "..");
}

/** A name that is not UTF-8 matches wherever some bytes in the place of what was lost could. */
function mayMatch(pattern: string, name: string): boolean {
  const lost = name.indexOf("\uFFFD");
  if (lost < 0) return matchPath(pattern, name) === true;
  const start = /^[^*?[]*/.exec(pattern)?.[0] ?? "";
  const end = /[^*?\]]*$/.exec(pattern)?.[0] ?? "";
  const [before, behind] = [name.slice(0, lost), name.slice(name.lastIndexOf("\uFFFD") + 1)];
  return agree(start, before, "startsWith") && agree(end, behind, "endsWith");
}

function agree(one: string, other: string, how: "startsWith" | "endsWith"): boolean {
  return one[how](other) || other[how](one);
}
