import { pathWithin, resolvePath } from "../devcontainer/paths.ts";
import { type IgnoreRules, parseIgnoreFile } from "../dockerfile/ignore.ts";
import { writtenOut } from "../dockerfile/named-contexts.ts";
import { readsByName } from "../dockerfile/named-reads.ts";
import type { Dockerfile } from "../dockerfile/parse.ts";
import { reachableStages } from "../dockerfile/reach.ts";
import {
  type ContextRead,
  canReach,
  contextReads,
  onbuildReads,
  type Required,
  requiredFiles,
} from "../dockerfile/reads.ts";
import type { Scope } from "../dockerfile/scope.ts";
import { ActionError, type Place } from "../errors.ts";
import { readInside } from "../features/workspace.ts";
import type { ContextEntry } from "../key/ingredients.ts";
import type { Effort, Files } from "../world.ts";
import { type ContextFilter, readPaths, seenFrom } from "./context.ts";
import { pathsTaken } from "./narrow.ts";
import { openTree } from "./tree.ts";

/** What a build takes from its context. */
export type UsedContext = {
  /** By platform. */
  readonly entries: ReadonlyMap<string, readonly ContextEntry[]>;
  /** The ignore file that counts, or the one that would, as seen from the checkout. */
  readonly ignoreFile: string;
  readonly ignoring: Ignoring;
  readonly warnings: readonly { readonly text: string; readonly at?: Place }[];
};

/** What an ignore file says: its lines, and which of them, from 1, leaves a path out. */
export type Ignoring = { readonly lines: readonly string[]; readonly leftOutBy: IgnoreRules["leftOutBy"] };

/** The folder, and the Dockerfile whose instructions take from it. */
export type ContextUser = {
  readonly root: string;
  readonly checkout: string;
  /** Absolute; nothing for a Dockerfile that is no file. */
  readonly dockerfilePath: string | undefined;
  readonly dockerfile: Dockerfile;
  readonly target: string | undefined;
  /** By platform, what variables stand for and the ONBUILD triggers of the images that are built on, where these are known. */
  readonly platforms: ReadonlyMap<string, { readonly scope: Scope; readonly triggers: readonly string[] }>;
};

/**
 * Reads what the instructions that the target needs can take from the context, as the ignore file leaves it, and nothing else. `.git` is
 * another one in every clone: an image that copies it is never found again, which is told.
 * @throws ActionError E_CONTEXT for what is taken and cannot be read.
 */
export async function readUsedContext(files: Files, user: ContextUser, effort: Effort): Promise<UsedContext> {
  const { root, dockerfile, target, platforms } = user;
  const { rules, ignoreFile, lines } = await readRules(files, user);
  const filter = filterBy(rules, effort);
  const tree = openTree(files, root);
  const seen = pathWithin(user.checkout, root) ?? ".";
  const known = new Map<string, Promise<readonly ContextEntry[]>>();
  const reading = [...platforms].map(async ([platform, { scope, triggers }]) => {
    const stages = reachableStages(dockerfile, target, scope);
    // Where a trigger runs, a FROM stands.
    const ofBases = onbuildReads(triggers).map((read) => ({ ...read, line: stages[0]?.from.line ?? read.line }));
    const reads = [...contextReads(dockerfile, stages, scope), ...ofBases];
    const sources = sourcesOf(reads);
    const withMode = sourcesOf(reads.filter(({ setsMode }) => setsMode === undefined));
    const same = JSON.stringify([sources, withMode].map((list) => list.map((source) => source ?? null)));
    const taken = (list: Sources) => pathsTaken(tree, list, filter, { effort, file: dockerfile.file });
    const read =
      known.get(same) ??
      seenFrom(seen, async () => {
        const entries = await readPaths(tree, await taken(sources));
        return withMode.length === sources.length ? entries : withoutMode(entries, await taken(withMode));
      });
    known.set(same, read);
    const entries = await read;
    const missing = missingFrom(entries, requiredFiles(dockerfile, target, scope));
    if (missing) {
      const { missingFile } = await import("./missing-file.ts");
      throw await missingFile(files, missing, {
        ...user,
        file: dockerfile.file,
        ignoreFile,
        leftOutBy: rules.leftOutBy,
      });
    }
    return { platform, entries, reads };
  });
  const read = await Promise.all(reading);
  return {
    entries: new Map(read.map(({ platform, entries }) => [platform, entries])),
    ignoreFile,
    ignoring: { lines, leftOutBy: rules.leftOutBy },
    warnings: gitWarnings(read, dockerfile.file),
  };
}

type Sources = readonly ContextRead["source"][];

function sourcesOf(reads: readonly ContextRead[]): Sources {
  return [...new Set(reads.map(({ source }) => source))].sort();
}

/**
 * Where all that take a file give it a mode of their own, it does not matter which one it has.
 * @param withMode the paths of files that something takes as they are.
 */
function withoutMode(entries: readonly ContextEntry[], withMode: ReadonlySet<string>): readonly ContextEntry[] {
  return entries.map((entry) =>
    entry.kind === "file" && !withMode.has(entry.path) ? { ...entry, mode: "0644" } : entry,
  );
}

/** Thousands of rules and thousands of paths take their time together, also where nothing is looked at. */
function filterBy(rules: IgnoreRules, effort: Effort): ContextFilter {
  return {
    isLeftOut: (path) => {
      effort.spend(0, { file: path });
      return rules.isIgnored(path);
    },
    canPrune: rules.canPrune,
  };
}

type Read = { readonly entries: readonly ContextEntry[]; readonly reads: readonly ContextRead[] };

function gitWarnings(read: readonly Read[], file: string): UsedContext["warnings"] {
  const sent = new Set(read.flatMap(({ entries }) => entries.flatMap(({ path }) => gitPath(path) ?? [])));
  return [...sent].map((path) => {
    const taker = read.flatMap(({ reads }) => reads).find((one) => canReach(one, path));
    const text = `${taker?.by ?? "COPY"} takes ${path} into the build: every clone has another one, so this image is never found again. Name .git in .dockerignore`;
    return { text, at: { file, ...(taker ? { line: taker.line } : {}) } };
  });
}

async function readRules(
  files: Files,
  { root, checkout, dockerfilePath }: Pick<ContextUser, "root" | "checkout" | "dockerfilePath">,
): Promise<{ readonly rules: IgnoreRules; readonly ignoreFile: string; readonly lines: readonly string[] }> {
  const usual = `${root}/.dockerignore`;
  const own = dockerfilePath === undefined ? undefined : `${dockerfilePath}.dockerignore`;
  const ownText = own === undefined ? undefined : await readIgnoreFile(files, checkout, own);
  const text = ownText ?? (await readIgnoreFile(files, checkout, usual)) ?? "";
  const path = own === undefined || ownText === undefined ? usual : own;
  const ignoreFile = pathWithin(checkout, path) ?? path;
  const lines = text.split("\n").map((line) => line.trim());
  return { rules: parseIgnoreFile(text, ignoreFile), ignoreFile, lines: lines.filter((line) => line !== "") };
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

/** The first file that is not there. BuildKit would say it too, after pulling the base image. What lies behind a link is left to it. */
function missingFrom(entries: readonly ContextEntry[], required: readonly Required[]): Required | undefined {
  const there = new Map(entries.map((entry) => [entry.path, entry.kind]));
  const mayBeThere = (source: string): boolean => {
    const path = resolvePath("/", source).slice(1);
    // Linux opens no longer one.
    if (path.length > LONGEST_PATH) return false;
    const folders = path.split("/").map((_, index, segments) => segments.slice(0, index + 1).join("/"));
    return path === "" || there.has(path) || folders.some((folder) => there.get(folder) === "link");
  };
  return required.find(({ source }) => !mayBeThere(source));
}

/** The part of a path that ends in a segment `.git`. */
export function gitPath(path: string): string | undefined {
  return /^(?:.*?\/)?\.git(?=\/|$)/.exec(path)?.[0];
}

/** What takes from named build contexts: the Dockerfile, and for each platform what variables stand for. */
export type ContextReader = Pick<ContextUser, "checkout" | "dockerfile" | "target"> & {
  readonly scopes: readonly Scope[];
};

/**
 * Opens named build contexts: the Dockerfile is gone through once for all of them.
 * @returns reads, of one of them, what the instructions that the target needs can take, as its own ignore file leaves it; `root`: its
 * absolute path. It throws an ActionError E_CONTEXT for what is taken and cannot be read.
 */
export function openNamedContexts(
  files: Files,
  { checkout, dockerfile, target, scopes }: ContextReader,
  effort: Effort,
): (name: string, root: string) => Promise<readonly ContextEntry[]> {
  const reads = scopes.map((scope) => readsByName(dockerfile, reachableStages(dockerfile, target, scope), scope));
  // BuildKit knows names for one platform alone, with `::` in them.
  const sourcesIn = (name: string): readonly (string | undefined)[] =>
    reads.flatMap((known) => (known && !name.includes("::") ? (known.get(writtenOut(name)) ?? []) : [undefined]));
  return async (name, root) => {
    const { rules } = await readRules(files, { root, checkout, dockerfilePath: undefined });
    const tree = openTree(files, root);
    const around = { effort, file: dockerfile.file };
    return seenFrom(pathWithin(checkout, root) ?? ".", async () =>
      readPaths(tree, await pathsTaken(tree, sourcesIn(name), filterBy(rules, effort), around)),
    );
  };
}
