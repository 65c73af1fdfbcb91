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

/** In an ignore file these would mean something else, or nothing. */
const NOT_LITERAL = /[*?[\]\\#!]|^\s|\s$/;

/**
 * Finds the line of an ignore file that would have left a path out. Only clear cases: a path that an image seldom needs, which nothing
 * takes but an instruction that takes everything. Whether this image needs it nobody can tell.
 */
export function openIgnorable(gathered: Gathered, platforms: readonly Platform[]): Places["ignorable"] {
  let known: readonly ContextRead[] | undefined;
  const links = [...(gathered.context?.entries.values() ?? [])].flat().filter(({ kind }) => kind === "link");
  return (path) => {
    const { file, ignoreFile } = gathered;
    const line = seldomNeeded(path, gathered);
    if (line === undefined || file === undefined || NOT_LITERAL.test(line)) return undefined;
    known ??= platforms.flatMap((platform) => readsOf(gathered, platform));
    const whole = known.find(takesAll);
    const mayTake = (read: ContextRead): boolean =>
      canReach(read, line) || links.some((link) => canReach(read, link.path));
    if (!whole || known.some((read) => !takesAll(read) && mayTake(read))) return undefined;
    return { line, file: ignoreFile, by: `${whole.by} at ${tellPlace({ file, line: whole.line })}` };
  };
}

function readsOf(gathered: Gathered, platform: Platform): readonly ContextRead[] {
  const { dockerfile, triggers } = gathered;
  const stages = stagesOf(gathered, platform);
  return [
    ...contextReads(dockerfile, stages, scopeOf(gathered, platform)),
    ...onbuildReads(triggers.get(formatPlatform(platform)) ?? []),
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
