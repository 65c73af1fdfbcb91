import { ActionError, tellSome } from "../errors.ts";
import { nearestName } from "../nearest.ts";
import type { Files } from "../world.ts";
import { refuseUtf16, whyNoFile } from "./kinds.ts";
import { folderOf, pathWithin, resolvePath, type Workspace } from "./paths.ts";

/** `file` is absolute, `relative` is how messages name it: as seen from the checkout. */
export type FoundConfiguration = { readonly file: string; readonly relative: string; readonly text: string };

/** The inputs `devcontainer-json-path` and `devcontainer-dir`. */
export type ChosenConfiguration = { readonly path?: string | undefined; readonly folder?: string | undefined };

type Reading = Pick<Files, "readText" | "stat" | "realPath" | "list">;

const DEFAULT_FOLDER = ".devcontainer";
const NAME = "devcontainer.json";
/** Where a configuration usually is, from the workspace on. */
export const DEFAULT_CONFIGURATION = `${DEFAULT_FOLDER}/${NAME}`;

const DEFAULTS: readonly string[] = [DEFAULT_CONFIGURATION, ".devcontainer.json"];

const MINIMAL = `A minimal ${DEFAULTS[0]} is: { "image": "debian:12" }`;

/**
 * Finds the dev container configuration of a workspace and reads it: the chosen one, else the first that the reference CLI's `build`
 * would take, else the only one in a sub-folder of `.devcontainer`.
 * @param chosen `path` counts from `folder`, and from the workspace when there is no `folder`.
 * @throws E_INPUT for a chosen file that is missing or outside the checkout; E_CONFIG when there is none, or several and none was chosen.
 * @see https://containers.dev/implementors/spec/#devcontainerjson
 */
export async function findConfiguration(
  files: Reading,
  workspace: Workspace,
  chosen: ChosenConfiguration = {},
): Promise<FoundConfiguration> {
  const found = await findAnyConfiguration(files, workspace, chosen);
  if (found) return found;
  const { told, near } = await tellOthers(files, workspace);
  const add = `Check out the repository first, or add a configuration. ${MINIMAL}`;
  const rename = `Call it ${DEFAULT_FOLDER}/${NAME}, or set the input devcontainer-json-path to it as it is called: ${near}`;
  throw new ActionError("E_CONFIG", {
    what: `There is no dev container configuration in ${tellFolder(workspace)}. Looked for ${DEFAULTS.join(", ")} and ${DEFAULT_FOLDER}/<name>/${NAME}.${told}`,
    fix: (await besideItself(files, workspace)) ?? (near === undefined ? add : rename),
  });
}

/**
 * The same where a workspace may do without.
 * @returns `undefined` when none was chosen and there is none.
 * @throws E_INPUT, E_CONFIG as `findConfiguration` does for the rest.
 */
export async function findAnyConfiguration(
  files: Reading,
  workspace: Workspace,
  chosen: ChosenConfiguration = {},
): Promise<FoundConfiguration | undefined> {
  const wanted = chosenFile(workspace.folder, chosen);
  if (wanted !== undefined) return readChosen(files, workspace, wanted);
  for (const candidate of DEFAULTS) {
    const file = resolvePath(workspace.folder, candidate);
    if (await isFile(files, file)) return readInside(files, workspace, file);
  }
  const [only, ...others] = await configurationsInSubfolders(files, workspace.folder);
  if (only === undefined) return undefined;
  if (others.length > 0) {
    throw new ActionError("E_CONFIG", {
      what: `There are ${others.length + 1} dev container configurations and none was chosen: ${tellSome([only, ...others])}.`,
      fix: `Set the input devcontainer-json-path to one of them, for example devcontainer-json-path: ${only}`,
    });
  }
  return readInside(files, workspace, resolvePath(workspace.folder, only));
}

/** Who names the folder that holds devcontainer.json, be it .devcontainer itself, means that file; the workspace is what it is for. */
async function besideItself(files: Reading, { folder, checkout }: Workspace): Promise<string | undefined> {
  const file = resolvePath(folder, NAME);
  if (!(await isFile(files, file))) return undefined;
  const path = pathWithin(checkout, file) ?? NAME;
  return `There is ${path}, which is looked for only by name: set devcontainer-json-path to ${path}, and workspace-folder to the folder that the dev container is for (the checkout by default).`;
}

/** What goes by the name of a configuration and is none, or nearly by that name: `told` in sentences, and the first that is called nearly so. */
async function tellOthers(
  files: Reading,
  { folder }: Workspace,
): Promise<{ readonly told: string; readonly near: string | undefined }> {
  const told = await Promise.all(
    DEFAULTS.map(async (name) => {
      const file = resolvePath(folder, name);
      return (await files.stat(file)) === undefined ? [] : [`${name}, ${await whyNoFile(files, file)}`];
    }),
  );
  const near = (await nearlyNamed(files, folder)).filter((path) => path !== NAME && !DEFAULTS.includes(path));
  const slips = near.map((path) => `${path}, which is another name`);
  return { told: [...told.flat(), ...slips].map((one) => ` There is ${one}.`).join(""), near: near[0] };
}

/** Case, a letter too many, another ending: what people have called the folder and the file. */
async function nearlyNamed(files: Reading, workspace: string): Promise<readonly string[]> {
  const isNear = (name: string, wanted: string): boolean => nearestName(name, [wanted]) !== undefined;
  const names = (await files.list(workspace)) ?? [];
  const folders = names.filter((name) => isNear(name, DEFAULT_FOLDER)).slice(0, MOST_NEAR);
  const inside = await Promise.all(
    folders.map(async (folder) => {
      const all = (await files.list(resolvePath(workspace, folder))) ?? [];
      return all.filter((name) => isNear(name, NAME)).map((name) => `${folder}/${name}`);
    }),
  );
  return [...names.filter((name) => isNear(name, NAME)), ...inside.flat()].slice(0, MOST_NEAR);
}

const MOST_NEAR = 5;

type Wanted = { readonly input: string; readonly written: string; readonly file: string };

function chosenFile(workspace: string, { path, folder }: ChosenConfiguration): Wanted | undefined {
  const inside = resolvePath(workspace, folder ?? ".");
  if (path !== undefined) return { input: "devcontainer-json-path", written: path, file: resolvePath(inside, path) };
  if (folder !== undefined) return { input: "devcontainer-dir", written: folder, file: resolvePath(inside, NAME) };
  return undefined;
}

async function readChosen(files: Reading, workspace: Workspace, wanted: Wanted): Promise<FoundConfiguration> {
  const relative = pathWithin(workspace.checkout, wanted.file);
  if (relative === undefined) {
    throw new ActionError("E_INPUT", {
      what: `The input ${wanted.input} is "${wanted.written}", which leaves the checkout.`,
      fix: "Give a path inside the checkout: what a commit does not hold cannot be looked for by commit.",
    });
  }
  if (await isFile(files, wanted.file)) return readInside(files, workspace, wanted.file, wanted);
  const meant = `${DEFAULT_FOLDER}/${wanted.written}`;
  const misplaced =
    wanted.input === "devcontainer-json-path" && (await isFile(files, resolvePath(workspace.folder, meant)));
  throw new ActionError("E_INPUT", {
    what: `The input ${wanted.input} is "${wanted.written}", which means ${relative} in the checkout, ${await whyNoFile(files, wanted.file)}.`,
    fix: misplaced
      ? `Without devcontainer-dir the path counts from the workspace: set it to ${meant}.`
      : "Correct the path; upper and lower case count.",
  });
}

/** Reads a file that is there, unless it is reached through a link that leaves the checkout: a stranger's commit must not read the runner's files. */
async function readInside(
  files: Reading,
  { checkout }: Workspace,
  file: string,
  wanted?: Wanted,
): Promise<FoundConfiguration> {
  const [root, realFile] = await Promise.all([files.realPath(checkout), files.realPath(file)]);
  const relative = pathWithin(checkout, file) ?? file;
  if (realFile === undefined || pathWithin(root ?? checkout, realFile) === undefined) {
    throw new ActionError(wanted ? "E_INPUT" : "E_CONFIG", {
      what: `${wanted ? `The input ${wanted.input} names` : "Found"} ${relative}, a link that leaves the checkout.`,
      fix: "Put the file itself into the repository.",
      at: { file: relative },
    });
  }
  const text = await files.readText(file);
  if (text !== undefined) {
    refuseUtf16(text, relative, "E_CONFIG");
    return { file, relative, text };
  }
  throw new ActionError("E_CONFIG", {
    what: `${relative} was removed while it was about to be read.`,
    fix: "Let nothing else write to the workspace during this step.",
    at: { file: relative },
  });
}

async function configurationsInSubfolders(files: Reading, workspace: string): Promise<readonly string[]> {
  const folder = resolvePath(workspace, DEFAULT_FOLDER);
  const candidates = ((await files.list(folder)) ?? []).map((name) => `${folder}/${name}/${NAME}`);
  const there = await Promise.all(candidates.map((file) => isFile(files, file)));
  return candidates.filter((_, at) => there[at]).map((file) => pathWithin(workspace, file) ?? folderOf(file));
}

/** The workspace as seen from the checkout. */
function tellFolder({ folder, checkout }: Workspace): string {
  const inside = pathWithin(checkout, folder) ?? folder;
  return inside === "" || inside === "." ? "the checkout" : inside;
}

/** Follows links, as the reference CLI does; a folder of that name is passed over. */
async function isFile(files: Reading, path: string): Promise<boolean> {
  const real = await files.realPath(path);
  return real !== undefined && (await files.stat(real))?.kind === "file";
}
