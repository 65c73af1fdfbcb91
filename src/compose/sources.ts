import { whyNoFile } from "../devcontainer/kinds.ts";
import { pathWithin, resolvePath } from "../devcontainer/paths.ts";
import { ActionError, type Place } from "../errors.ts";
import type { Effort, Files } from "../world.ts";
import type { Variables } from "./template.ts";
import { type Mapping, type Scalar, tellText } from "./tree.ts";
import { readYaml } from "./yaml.ts";

const OUTSIDE = "Keep what the image is built from inside the repository: nothing else is in the commit.";

/** The files that compose files are made of, as seen from a checkout that none of them may leave. */
export type Sources = {
  readonly checkout: string;
  /** The text of a file that something names. @throws E_CONFIG where it is not there, or lies outside the checkout. */
  readonly read: (path: string, named: Named) => Promise<{ readonly file: string; readonly text: string }>;
  readonly isFile: (path: string) => Promise<boolean>;
  /** Told of what becomes larger than what was read. */
  readonly effort: Effort;
};

/** Nothing is counted. */
const FREE: Effort = { spend: () => undefined };

/** Who names a file, for messages. */
export type Named = {
  readonly by: string;
  readonly at: Place;
  /** A variable took part in its name, which is then not told. */
  readonly fromEnvironment?: boolean;
};

/** No project has that many; files that include one another twice each would never end. */
const MAX_READS = 1000;

/** Opens the files of a checkout for reading compose files, links looked at. @param onFile hears of each that is read. */
export function openSources(
  files: Pick<Files, "readText" | "stat" | "realPath" | "list">,
  { checkout, onFile = () => undefined }: { readonly checkout: string; readonly onFile?: (file: string) => void },
  effort: Effort = FREE,
): Sources {
  let reads = 0;
  const realFile = async (path: string): Promise<string | undefined> => {
    const real = await files.realPath(path);
    return real !== undefined && (await files.stat(real))?.kind === "file" ? real : undefined;
  };
  return {
    checkout,
    effort,
    isFile: async (path) => (await realFile(path)) !== undefined,
    read: async (path, named) => {
      const file = pathWithin(checkout, path);
      if (file === undefined) throw leavesCheckout(path, named);
      if (++reads > MAX_READS) throw tooMany(named);
      const real = await realFile(path);
      if (real === undefined) throw missing(file, named, await whyNoFile(files, path));
      const root = (await files.realPath(checkout)) ?? checkout;
      if (pathWithin(root, real) === undefined) throw linkOut(file, named);
      const text = await files.readText(real);
      if (text === undefined) throw missing(file, named, "which has just vanished");
      onFile(file);
      return { file, text };
    },
  };
}

/** What a compose file is read with. */
export type ReadScope = {
  readonly sources: Sources;
  readonly variables: Variables;
  /** Absolute: what relative paths in it count from. */
  readonly folder: string;
};

/** Reads the documents of a compose file; without variables, dollar signs stay. @throws E_CONFIG as `readYaml` and `Sources.read` do. */
export async function readDocuments(
  path: string,
  named: Named,
  { sources, variables, folder }: Omit<ReadScope, "variables"> & { readonly variables: Variables | undefined },
): Promise<readonly Mapping[]> {
  const { file, text } = await sources.read(path, named);
  return readYaml({ file, text, folder, variables, effort: sources.effort });
}

/** Paths that compose would fetch from elsewhere: a URL, or a repository as git and Docker write it. */
export function isRemote(path: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/)/i.test(path);
}

/**
 * The absolute path that a value means.
 * @throws E_CONFIG where it leaves the checkout, as `~` does.
 */
export function resolveInside(value: Scalar, path: string, checkout: string): string {
  const full = resolvePath(value.folder, value.text);
  if (!value.text.startsWith("~") && pathWithin(checkout, full) !== undefined) return full;
  throw new ActionError("E_CONFIG", {
    what: `${path} is ${tellText(value)}, which leaves the checkout.`,
    fix: OUTSIDE,
    at: value.at,
  });
}

function leavesCheckout(path: string, { by, at }: Named): ActionError {
  return new ActionError("E_CONFIG", {
    what: `${by} is "${path}", which leaves the checkout.`,
    fix: OUTSIDE,
    at,
  });
}

function linkOut(file: string, named: Named): ActionError {
  return new ActionError("E_CONFIG", {
    what: `${named.by} names ${tellFile(file, named)}, a link that leaves the checkout.`,
    fix: "Put the file itself into the repository.",
    at: named.at,
  });
}

function missing(file: string, named: Named, why: string): ActionError {
  return new ActionError("E_CONFIG", {
    what: `${named.by} names ${tellFile(file, named)}, ${why}.`,
    fix: "Correct the path, or check the file in; upper and lower case count.",
    at: named.at,
  });
}

function tellFile(file: string, { fromEnvironment }: Named): string {
  return fromEnvironment ? "a file by a value from the environment" : file;
}

function tooMany({ by, at }: Named): ActionError {
  return new ActionError("E_CONFIG", {
    what: `${by} leads to more than ${MAX_READS} files.`,
    fix: "Look for files that include one another again and again.",
    at,
  });
}
