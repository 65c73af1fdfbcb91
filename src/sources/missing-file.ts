import { folderOf, lastSegment, pathWithin, resolvePath } from "../devcontainer/paths.ts";
import type { IgnoreRules } from "../dockerfile/ignore.ts";
import type { Required } from "../dockerfile/reads.ts";
import { ActionError } from "../errors.ts";
import { nearestName } from "../nearest.ts";
import type { Files } from "../world.ts";

/** Where a file was looked for that a COPY or ADD names. Paths are absolute but for `ignoreFile`, which is as seen from the checkout. */
export type MissedIn = {
  readonly root: string;
  readonly checkout: string;
  readonly dockerfilePath: string | undefined;
  /** The Dockerfile as messages name it. */
  readonly file: string;
  readonly ignoreFile: string;
  readonly leftOutBy: IgnoreRules["leftOutBy"];
};

type Looking = Pick<Files, "stat" | "realPath" | "list">;
type Why = { readonly what: string; readonly fix: string };

/** Says why a file is not in the build context: the ignore file leaves it out, it lies elsewhere in the checkout, or it is nowhere. */
export async function missingFile(files: Looking, missing: Required, around: MissedIn): Promise<ActionError> {
  const { what, fix } =
    (await ignored(files, missing, around)) ??
    (await elsewhere(files, missing, around)) ??
    (await absent(files, missing, around));
  return new ActionError("E_CONTEXT", {
    what: `${missing.by} names ${missing.source}, ${what}`,
    fix,
    at: { file: around.file, line: missing.line },
  });
}

async function ignored(files: Looking, { source }: Required, around: MissedIn): Promise<Why | undefined> {
  const path = resolvePath("/", source).slice(1);
  // What the system has no path for may be deeper than the rules can be followed.
  if (!(await isThere(files, around, resolvePath(around.root, path)))) return undefined;
  const line = around.leftOutBy(path);
  if (line === undefined) return undefined;
  return {
    what: `which line ${line} of ${around.ignoreFile} leaves out of the build context.`,
    fix: `Change that line, or bring the path back in a line behind it: !${path}`,
  };
}

/** As people count paths who do not count from the build context: from the Dockerfile, from the checkout, out of the context. */
async function elsewhere(files: Looking, { source }: Required, around: MissedIn): Promise<Why | undefined> {
  const { root, checkout, dockerfilePath } = around;
  const starts = [root, ...(dockerfilePath === undefined ? [] : [folderOf(dockerfilePath)]), checkout];
  const relative = source.replace(/^\/+/, "");
  const candidates = [...new Set(starts.map((start) => resolvePath(start, relative)))];
  const there = await Promise.all(candidates.map((path) => isThere(files, around, path)));
  const found = candidates.find(
    (path, at) => there[at] && path !== resolvePath(root, resolvePath("/", source).slice(1)),
  );
  if (found === undefined) return undefined;
  const inside = pathWithin(root, found);
  const context = pathWithin(checkout, root) || ".";
  return {
    what: `which is not in the build context: that is the folder ${context === "." ? "of the checkout" : context}, and the checkout has ${pathWithin(checkout, found) ?? found}.`,
    fix:
      inside === undefined
        ? "Set the build context (build.context in devcontainer.json, build-context-path with dockerfile-path) to a folder that holds both, or move the file: nothing outside of it can be copied."
        : `Paths count from the build context and not from the Dockerfile: write ${inside}.`,
  };
}

async function absent(files: Looking, { source }: Required, { root, checkout }: MissedIn): Promise<Why> {
  const path = resolvePath(root, resolvePath("/", source).slice(1));
  const folder = pathWithin(checkout, root) || ".";
  const names = (await isThere(files, { checkout }, folderOf(path))) ? ((await files.list(folderOf(path))) ?? []) : [];
  const near = nearestName(lastSegment(path), names.slice(0, MOST_COMPARED));
  const meant = near === undefined ? "." : `. Was ${pathWithin(root, resolvePath(folderOf(path), near))} meant?`;
  return {
    what: `which is not in the build context (${folder === "." ? "the checkout" : folder})${meant}`,
    fix: "Check the path: it counts from the build context, and upper and lower case count. If initializeCommand makes the file: it does not run here; make it in a step before this action.",
  };
}

/** In a folder with more names nobody has looked for one letter by letter. */
const MOST_COMPARED = 1000;

/** What is reached through a link that leaves the checkout is not there. */
async function isThere(files: Looking, { checkout }: Pick<MissedIn, "checkout">, path: string): Promise<boolean> {
  if (pathWithin(checkout, path) === undefined) return false;
  const [home, real] = await Promise.all([files.realPath(checkout), files.realPath(path)]);
  return real !== undefined && pathWithin(home ?? checkout, real) !== undefined;
}
