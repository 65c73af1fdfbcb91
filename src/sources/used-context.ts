import { pathWithin, resolvePath } from "../devcontainer/paths.ts";
import { parseIgnoreFile } from "../dockerfile/ignore.ts";
import type { Dockerfile } from "../dockerfile/parse.ts";
import { type ContextRead, canReach, contextReads, requiredFiles } from "../dockerfile/reads.ts";
import { ActionError, type Place } from "../errors.ts";
import { readInside } from "../features/workspace.ts";
import type { ContextEntry } from "../key/ingredients.ts";
import type { Files } from "../world.ts";
import { type ContextFilter, readContext } from "./context.ts";

/** What a build takes from its context. */
export type UsedContext = {
  readonly entries: readonly ContextEntry[];
  readonly leftOut: readonly string[];
  readonly warnings: readonly { readonly text: string; readonly at?: Place }[];
};

/** The folder, and the Dockerfile whose instructions take from it. */
export type ContextUser = {
  readonly root: string;
  readonly checkout: string;
  /** Absolute; nothing for a Dockerfile that is no file. */
  readonly dockerfilePath: string | undefined;
  readonly dockerfile: Dockerfile;
  readonly target: string | undefined;
  readonly args: Readonly<Record<string, string>>;
};

/**
 * Reads the context as the ignore file leaves it. `.git` counts, and is sent, only where the source of a COPY, ADD or bind mount can
 * reach it: it is another one in every clone, so an image that copies it is never found again.
 */
export async function readUsedContext(
  files: Files,
  { root, checkout, dockerfilePath, dockerfile, target, args }: ContextUser,
): Promise<UsedContext> {
  const own = dockerfilePath === undefined ? undefined : `${dockerfilePath}.dockerignore`;
  const ignoreText =
    (own === undefined ? undefined : await readIgnoreFile(files, checkout, own)) ??
    (await readIgnoreFile(files, checkout, `${root}/.dockerignore`));
  const rules = parseIgnoreFile(ignoreText ?? "");
  const reads = contextReads(dockerfile, { args: new Map(Object.entries(args)), platform: undefined });
  const reached = new Map<string, ContextRead | undefined>();
  const reachedBy = (path: string): ContextRead | undefined => {
    if (!reached.has(path))
      reached.set(
        path,
        reads.find((read) => canReach(read, path)),
      );
    return reached.get(path);
  };
  const leftOut = new Set<string>();
  const filter: ContextFilter = {
    isLeftOut: (path) => rules.isIgnored(path) || leavesOutGit(path),
    canPrune: (path) => leavesOutGit(path) || rules.canPrune(path),
  };
  const leavesOutGit = (path: string): boolean => {
    const git = gitPath(path);
    if (git === undefined || rules.isIgnored(git) || reachedBy(git)) return false;
    leftOut.add(git);
    return true;
  };
  const entries = await readContext(files, root, filter);
  refuseMissingFiles(entries, target, dockerfile, args);
  const sent = new Set(entries.flatMap(({ path }) => gitPath(path) ?? []));
  const warnings = [...sent].map((path) => {
    const read = reachedBy(path);
    const text = `${read?.by ?? "COPY"} takes ${path} into the build: every clone has another one, so this image is never found again. Name .git in .dockerignore`;
    return { text, at: { file: dockerfile.file, ...(read ? { line: read.line } : {}) } };
  });
  return { entries, leftOut: [...leftOut].sort(), warnings };
}

/** A stranger's commit must not have the runner's files read, and quoted where a pattern in them is wrong. */
async function readIgnoreFile(files: Files, checkout: string, path: string): Promise<string | undefined> {
  const text = await readInside(files, checkout, path);
  if (typeof text !== "object") return text;
  const file = pathWithin(checkout, path) ?? path;
  throw new ActionError("E_CONTEXT", {
    what: `${file} is a link that leaves the checkout.`,
    fix: "Put the file itself into the repository.",
    at: { file },
  });
}

const LONGEST_PATH = 4096;

/** BuildKit would say it too, after pulling the base image. What lies behind a link is left to it. */
function refuseMissingFiles(
  entries: readonly ContextEntry[],
  target: string | undefined,
  dockerfile: Dockerfile,
  args: Readonly<Record<string, string>>,
): void {
  const there = new Map(entries.map((entry) => [entry.path, entry.kind]));
  const mayBeThere = (source: string): boolean => {
    const path = resolvePath("/", source).slice(1);
    // Linux opens no longer one.
    if (path.length > LONGEST_PATH) return false;
    const folders = path.split("/").map((_, index, segments) => segments.slice(0, index + 1).join("/"));
    return path === "" || there.has(path) || folders.some((folder) => there.get(folder) === "link");
  };
  const required = requiredFiles(dockerfile, target, { args: new Map(Object.entries(args)), platform: undefined });
  const missing = required.find(({ source }) => !mayBeThere(source));
  if (!missing) return;
  throw new ActionError("E_CONTEXT", {
    what: `${missing.by} names ${missing.source}, which is not in the build context.`,
    fix: "Check the path and .dockerignore. If initializeCommand makes the file: it does not run here; make it in a step before this action.",
    at: { file: dockerfile.file, line: missing.line },
  });
}

/** The part of a path that ends in a segment `.git`. */
export function gitPath(path: string): string | undefined {
  return /^(?:.*?\/)?\.git(?=\/|$)/.exec(path)?.[0];
}

/**
 * Reads the folder of a named build context: all of it counts but what its own ignore file leaves out.
 * @throws ActionError E_CONTEXT for what cannot be read.
 */
export async function readNamedContext(files: Files, root: string, checkout: string): Promise<readonly ContextEntry[]> {
  const rules = parseIgnoreFile((await readIgnoreFile(files, checkout, `${root}/.dockerignore`)) ?? "");
  return readContext(files, root, { isLeftOut: rules.isIgnored, canPrune: rules.canPrune });
}
