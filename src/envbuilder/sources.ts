import { matchPath } from "../dockerfile/go-match.ts";
import { cleanPath, joinPath } from "../dockerfile/go-path.ts";
import type { Place } from "../errors.ts";
import type { Transfer } from "./command.ts";
import type { ImageFiles } from "./image-files.ts";
import type { Tree } from "./tree.ts";
import { refuse } from "./unprobeable.ts";
import { type Expand, expandPath } from "./words.ts";

const WILDCARD = /[*?[]/;

/** Whether a source finds files by a pattern. */
export function isPattern(source: string): boolean {
  return WILDCARD.test(source);
}

/** Paths held against patterns, for one instruction. */
const MOST_MATCHES = 5_000_000;

/**
 * What a COPY or an ADD takes out of the context, as paths relative to it, in the order in which they come into the key.
 * @throws ActionError E_UNKNOWN where the builder stops, or may.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/util/command_util.go (ResolveEnvAndWildcards, IsSrcsValid)
 */
export async function resolveSources(
  copy: Transfer,
  expand: Expand,
  tree: Tree,
  at: Place,
): Promise<readonly string[]> {
  const sources = copy.sources.map((source) => expandPath(source, expand, at));
  const target = expandPath(copy.target, expand, at);
  const isFolder = isFolderName(target);
  const resolved = sources.some(isPattern) ? await matchAll(sources, tree, at) : sources;
  const paths = resolved.map((source) => within(source, at));
  if (!copy.sources.some(isPattern)) {
    const taken = copy.sources.filter((source) => !tree.isIgnored(cleanPath(source)));
    if (taken.length > 1 && !isFolder) tooMany(target, at);
  }
  const [only, ...more] = paths;
  if (only !== undefined && more.length === 0) {
    const entry = await tree.stat(only, at);
    if (!entry) refuse(at, `There is no ${only} in the build context.`);
    if (entry?.kind === "directory") return paths;
  }
  const count = await countFiles(paths, tree, at);
  if (count === 0)
    refuse(
      at,
      "It takes nothing: the files are not there, or ignored. envbuilder's own want !.envbuilder.tmp in .dockerignore.",
    );
  if (count > 1 && !isFolder) tooMany(target, at);
  return paths;
}

/** What a COPY --from takes: a path, clean and without a slash in front, or all that a pattern finds, which are at or below `path`. */
export type ImageSource = { readonly path: string; readonly pattern?: string };

/**
 * What a COPY --from takes out of an image. As soon as one source has a wildcard, all are patterns.
 * @throws ActionError E_UNKNOWN where the whole image would have to be gone through.
 */
export function imageSources(copy: Transfer, expand: Expand, at: Place): readonly ImageSource[] {
  const sources = copy.sources.map((source) => expandPath(source, expand, at));
  const arePatterns = sources.some(isPattern);
  const target = expandPath(copy.target, expand, at);
  if (!arePatterns && sources.length > 1 && !isFolderName(target)) tooMany(target, at);
  return sources.map((written) => {
    const [before = ""] = written.split(WILDCARD);
    // Up to the folder in front of the first wildcard.
    const literal = before === written ? written : before.slice(0, before.lastIndexOf("/") + 1);
    const path = within(literal, at);
    if (path === "." || literal.includes("\\"))
      return refuse(at, "It takes a whole image, or a pattern through all of one.");
    return arePatterns ? { path, pattern: cleanPath(written) } : { path };
  });
}

/**
 * The paths that the sources are, once the image's files are known, in the order in which they come into the key.
 * @throws ActionError E_UNKNOWN where the builder stops.
 */
export function takenPaths(
  sources: readonly ImageSource[],
  files: ImageFiles,
  { target, at }: { readonly target: string; readonly at: Place },
): readonly string[] {
  const paths = sources.flatMap(({ path, pattern }) => {
    if (pattern === undefined) return [path];
    return files.walk(path).flatMap((entry) => (matchesImagePath(pattern, entry.path, at) ? [entry.path] : []));
  });
  if (paths.length === 0) refuse(at, "It takes nothing: no file of what it copies from has such a name.");
  if (paths.length > 1 && !isFolderName(target)) tooMany(target, at);
  return paths;
}

/** In the image that is built it may be a folder without saying so; that is not known here. */
function isFolderName(target: string): boolean {
  return target.endsWith("/") || target === ".";
}

function tooMany(target: string, at: Place): never {
  refuse(at, `${target} takes several files and does not end in a slash.`);
}

function matchesImagePath(pattern: string, path: string, at: Place): boolean {
  const name = pattern.startsWith("/") ? `/${path}` : path;
  const matches = matchPath(pattern, name);
  return matches ?? refuse(at, `The builder stops at the pattern ${pattern}.`);
}

/** A path that leaves the context would reach what only the builder has. */
function within(source: string, at: Place): string {
  const path = joinPath(".", source);
  return path === ".." || path.startsWith("../") ? refuse(at, `${source} lies outside of the build context.`) : path;
}

/** No more than two are of interest. */
async function countFiles(paths: readonly string[], tree: Tree, at: Place): Promise<number> {
  let count = 0;
  for (const path of paths) {
    if (!(await tree.stat(path, at))) refuse(at, `There is no ${path} in the build context.`);
    for await (const file of tree.walk(path, at)) {
      if (!tree.isIgnored(file)) count++;
      if (count > 1) return count;
    }
  }
  return count;
}

/** As soon as one source has a wildcard, all are patterns; the context's own folder is among what they are held against. */
async function matchAll(sources: readonly string[], tree: Tree, at: Place): Promise<readonly string[]> {
  const patterns = sources.map(cleanPath);
  // A bracket may match a slash, a star does not.
  const depth = patterns.some((pattern) => pattern.includes("["))
    ? Number.POSITIVE_INFINITY
    : Math.max(...patterns.map((pattern) => pattern.replace(/^\//, "").split("/").length));
  const files: string[] = [];
  for await (const file of tree.walk(".", at, depth)) files.push(file);
  if (files.length * patterns.length > MOST_MATCHES)
    refuse(at, "There are more files and patterns than are compared here.");
  return patterns.flatMap((pattern) => {
    const isAbsolute = pattern.startsWith("/");
    return files.flatMap((file) => {
      const name = isAbsolute ? joinPath("/", file) : file;
      const matches = matchPath(pattern, name);
      if (matches === undefined) return refuse(at, `The builder stops at the pattern ${pattern}.`);
      return matches || pattern === name ? [name] : [];
    });
  });
}
