import { type ContextRead, canReach, contextReads, onbuildReads } from "../dockerfile/reads.ts";
import { tellPlace } from "../errors.ts";
import type { Places } from "../key/difference.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { scopeOf, stagesOf } from "../sources/scopes.ts";
import type { Gathered } from "../sources/sources.ts";

/** What tools keep for themselves beside the sources, and what people read. */
const FOLDERS: ReadonlySet<string> = new Set([
  ...[".git", ".github", ".gitlab", ".gitea", ".forgejo", ".circleci"],
  ...[".idea", ".vscode", "node_modules"],
]);
const FILES =
  /^(?:(?:README|CHANGELOG|CONTRIBUTING|CODE_OF_CONDUCT|SECURITY)(?:\.[\w.-]+)?|\.DS_Store|\.git(?:attributes|ignore)|.+\.log)$/i;

/** Nobody can open these in the commit. */
const UNCOMMITTED = /(?:^|\/)(?:\.git|node_modules)$/;

/** In an ignore file these would mean something else, or nothing. */
const NOT_LITERAL = /[*?[\]\\#!]|^\s|\s$/;

/** Holding sources against paths takes time by the product of both: advice is not worth more of them than that. */
const MOST_COMPARED = 1_000_000;

/**
 * Finds the line of an ignore file that would have left a path out. Only clear cases: a path that an image seldom needs, which nothing
 * takes but an instruction that takes everything. Whether this image needs it nobody can tell.
 */
export function openIgnorable(gathered: Gathered, platforms: readonly Platform[]): Places["ignorable"] {
  const { file, ignoreFile } = gathered;
  if (file === undefined) return () => undefined;
  let takers: Takers | undefined;
  let left = MOST_COMPARED;
  return (path) => {
    const line = seldomNeeded(path, gathered);
    if (line === undefined || NOT_LITERAL.test(line)) return undefined;
    takers ??= takersOf(gathered, platforms);
    const { whole, others } = takers;
    left -= others.length;
    const isClear = whole !== undefined && left >= 0 && !others.some((read) => canReach(read, line));
    if (!isClear) return { line, advice: undefined, at: undefined };
    const at = UNCOMMITTED.test(line) ? { file, line: whole.line } : undefined;
    return { line, advice: advise(whole, { file, line, ignoreFile }), at };
  };
}

/** Where it cannot be told what an instruction takes, all of the context counts because of it. */
function advise(
  { by, line: at, source }: ContextRead,
  { file, line, ignoreFile }: { readonly file: string; readonly line: string; readonly ignoreFile: string },
): string {
  const where = `${by} at ${tellPlace({ file, line: at })}`;
  const why =
    source === undefined
      ? `what ${where} takes cannot be told before the build, so that all of the context counts: write out there what it takes, or,`
      : `${where} takes it with everything else;`;
  return `${why} if the image needs none of it, a line ${line} in ${ignoreFile} leaves it out`;
}

/** Tells which lines of the Dockerfile can take a path of the context; nothing where links or numbers make that unclear. */
export function openTakers(gathered: Gathered, platforms: readonly Platform[]): Places["takers"] {
  const { file, context } = gathered;
  let known: { readonly all: readonly ContextRead[]; readonly hasLinks: boolean } | undefined;
  let left = MOST_COMPARED;
  return (path) => {
    if (file === undefined) return undefined;
    known ??= {
      all: platforms.flatMap((platform) => readsOf(gathered, platform)),
      hasLinks: [...(context?.entries.values() ?? [])].flat().some(({ kind }) => kind === "link"),
    };
    left -= known.all.length;
    return left < 0 || known.hasLinks
      ? undefined
      : known.all.filter((read) => canReach(read, path)).map(({ line }) => line);
  };
}

/** The first instruction that takes everything, where it is clear what the others take: no link leads them elsewhere. */
type Takers = { readonly whole: ContextRead | undefined; readonly others: readonly ContextRead[] };

function takersOf(gathered: Gathered, platforms: readonly Platform[]): Takers {
  const all = platforms.flatMap((platform) => readsOf(gathered, platform));
  const plain = all.find(takesAll);
  // Beside one that takes everything, one of which nobody knows what it takes may well mean this very path.
  const others = all.filter((read) => !takesAll(read) && (plain !== undefined || read.source !== undefined));
  const entries = [...(gathered.context?.entries.values() ?? [])].flat();
  const links = entries.filter(({ kind }) => kind === "link");
  const isClear =
    links.length * others.length <= MOST_COMPARED &&
    !others.some((read) => links.some(({ path }) => canReach(read, path)));
  return { whole: isClear ? (plain ?? all.find(({ source }) => source === undefined)) : undefined, others };
}

function readsOf(gathered: Gathered, platform: Platform): readonly ContextRead[] {
  const { dockerfile, triggers } = gathered;
  const stages = stagesOf(gathered, platform);
  return [
    ...contextReads(dockerfile, stages, scopeOf(gathered, platform)),
    // Where a trigger runs, a FROM stands.
    ...onbuildReads(triggers.get(formatPlatform(platform)) ?? []).map((read) => {
      return { ...read, line: stages[0]?.from.line ?? read.line };
    }),
  ];
}

function takesAll({ source }: ContextRead): boolean {
  return source?.split("/").every((segment) => segment === "" || segment === ".") ?? false;
}

function seldomNeeded(path: string, { contextFolder, file, relative }: Gathered): string | undefined {
  const segments = path.split("/");
  const folder = segments.findIndex((segment) => FOLDERS.has(segment));
  if (folder >= 0) return segments.slice(0, folder + 1).join("/");
  const seen = contextFolder === "." ? path : `${contextFolder}/${path}`;
  const isOwn = [file, relative].includes(seen) || path === ".dockerignore";
  return isOwn || FILES.test(segments.at(-1) ?? "") ? path : undefined;
}
