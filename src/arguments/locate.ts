import { ActionError, type Place } from "../errors.ts";
import type { Entry, Files } from "../world.ts";

/** The checked-out files. Both are absolute: the workspace, which paths count from, and the repository that holds it, with no link in it. */
export type Checkout = {
  readonly files: Pick<Files, "readText" | "stat" | "realPath" | "list">;
  readonly workspace: string;
  readonly checkout: string;
};

/** A path as an input has it; `at`: or as the configuration has it there. */
export type Named = { readonly input: string; readonly path: string; readonly at?: Place };

/** What is there. `path` is absolute, with no link in it; `shown` is how messages name it: as seen from the repository. */
export type Located = {
  readonly kind: Entry["kind"];
  readonly path: string;
  readonly shown: string;
  readonly size: number;
};

/**
 * Finds what a path in an input means: it counts from the workspace, and leaves the repository neither by `..` nor by a link. An
 * absolute path may lead anywhere, but for links out of the repository.
 * @returns `undefined` where there is nothing.
 * @throws E_INPUT for a path that leaves the repository, and where a folder on the way cannot be read.
 */
export async function locate(named: Named, { files, workspace, checkout }: Checkout): Promise<Located | undefined> {
  const path = `/${segmentsOf(named.path, workspace).join("/")}`;
  const inside = pathWithin(checkout, path);
  if (inside === undefined && !named.path.startsWith("/")) throw leavesCheckout(named);
  const found = await follow(files, path).catch((cause: unknown) => {
    throw refusePath(named, "which cannot be looked up", "Check the permissions of the folders on the way.", cause);
  });
  if (!found) return undefined;
  if (inside !== undefined && pathWithin(checkout, found.path) === undefined) throw leavesCheckout(named);
  return { ...found, shown: inside ?? path };
}

async function follow(files: Checkout["files"], path: string): Promise<Omit<Located, "shown"> | undefined> {
  const real = await files.realPath(path);
  const entry = real === undefined ? undefined : await files.stat(real);
  return real === undefined || entry === undefined ? undefined : { kind: entry.kind, path: real, size: entry.size };
}

/** The segments of a path from the root on; `.` and `..` are gone. */
export function segmentsOf(written: string, workspace: string): readonly string[] {
  const full = written.startsWith("/") ? written : `${workspace}/${written}`;
  const kept: string[] = [];
  for (const segment of full.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  return kept;
}

function pathWithin(folder: string, path: string): string | undefined {
  if (path === folder) return ".";
  const start = folder === "/" ? "/" : `${folder}/`;
  return path.startsWith(start) ? path.slice(start.length) : undefined;
}

function leavesCheckout(named: Named): ActionError {
  const fix = "Put the file itself into the repository, or write an absolute path.";
  return refusePath(named, "which leads out of the checkout", fix);
}

/** An error about a path that an input, or the configuration, names: what is wrong with it goes on the sentence. */
export function refusePath(named: Named, what: string, fix: string, cause?: unknown): ActionError {
  const { path, at } = named;
  return new ActionError("E_INPUT", {
    what: `${tellWho(named)} names "${path}", ${what}.`,
    fix,
    ...(at ? { at } : {}),
    cause,
  });
}

/** Who asks for something: whoever has set no such input would look for it in vain. */
export function tellWho({ input, at }: Pick<Named, "input" | "at">): string {
  return at === undefined ? `The input ${input}` : "The configuration";
}
