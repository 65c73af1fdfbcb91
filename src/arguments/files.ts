import { tellSlip } from "../errors.ts";
import { findPaths, isGlob } from "./glob.ts";
import { type Checkout, type Located, locate, type Named, refusePath, segmentsOf } from "./locate.ts";
import { type ParsedArguments, parseArgumentFile } from "./parse.ts";

const INPUT = "build-arg-files";

/**
 * Reads the files of the input build-arg-files, in its order; what a pattern matches, sorted.
 * @param written one path or pattern each, from the workspace on or absolute. `?` in front: it may be missing. Patterns know `*`, `?`,
 * `[…]` and `**`, and pass over folders; a pattern that matches nothing is missing.
 * @throws E_INPUT for a file that is missing, outside the repository, or unreadable, and for a line that is no build arg.
 */
export async function readArgumentFiles(written: readonly string[], checkout: Checkout): Promise<ParsedArguments> {
  const found: Located[] = [];
  for (const item of written) found.push(...(await findFiles(item, checkout)));
  const parsed = await Promise.all(lastOnes(found).map((file) => readFile(file, checkout)));
  return { entries: parsed.flatMap(({ entries }) => entries), notices: parsed.flatMap(({ notices }) => notices) };
}

const isOptional = (item: string): boolean => item.startsWith("?");
const pathOf = (item: string): string => (isOptional(item) ? item.slice(1).trim() : item);

/** Whether one path or pattern of the input may name what no commit holds: an absolute one leads anywhere on the machine. */
export function mayLeaveCheckout(item: string): boolean {
  return pathOf(item).startsWith("/");
}

async function findFiles(item: string, checkout: Checkout): Promise<readonly Located[]> {
  const named = { input: INPUT, path: pathOf(item) };
  if (named.path === "")
    throw refusePath({ ...named, path: item }, "which is no path", "Write a path behind the question mark.");
  const exact = await locate(named, checkout);
  if (exact && exact.kind !== "file")
    throw refusePath(
      named,
      "which is no file, but a folder, a pipe, a socket or a device",
      "Name files, like conf/*.conf.",
    );
  const found = exact ? [exact] : await matchFiles(named, checkout);
  if (found.length > 0 || isOptional(item)) return found;
  throw refusePath(
    named,
    `and there is no such file${tellSlip(item)}`,
    named.path.includes(",")
      ? "Write one path a line, and no commas."
      : `Check the path: it counts from the workspace. Write ?${named.path} if it may be missing.`,
  );
}

async function matchFiles(named: Named, checkout: Checkout): Promise<readonly Located[]> {
  if (!isGlob(named.path)) return [];
  const paths = await findPaths(checkout.files, segmentsOf(named.path, checkout.workspace)).catch((cause: unknown) => {
    throw refusePath(named, "and a folder on the way cannot be read", "Check the folder's permissions.", cause);
  });
  const home = `${checkout.workspace}/`;
  const shown = paths.map((path) => (path.startsWith(home) ? path.slice(home.length) : path));
  const located = await Promise.all(shown.map((path) => locate({ ...named, path }, checkout)));
  return located.flatMap((file) => (file?.kind === "file" ? [file] : []));
}

/** A file that is named again counts where it is named last. */
function lastOnes(files: readonly Located[]): readonly Located[] {
  const last = new Map(files.map(({ path }, at) => [path, at]));
  return files.filter(({ path }, at) => last.get(path) === at);
}

async function readFile({ path, shown }: Located, { files }: Checkout): Promise<ParsedArguments> {
  const named = { input: INPUT, path: shown };
  const text = await files.readText(path).catch((cause: unknown) => {
    throw refusePath(named, "which cannot be read", "Check the file's permissions.", cause);
  });
  if (text === undefined) throw refusePath(named, "which vanished meanwhile", "Start this action when it is written.");
  return parseArgumentFile(text, shown);
}
