import { whyNoFolder } from "../devcontainer/kinds.ts";
import { folderOf, pathWithin, resolvePath, type Workspace } from "../devcontainer/paths.ts";
import { ActionError } from "../errors.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Files, World } from "../world.ts";
import type { Written } from "./definition-shape.ts";

/**
 * What is built: of the checked-out workspace, or of the clone, the folder of the input workspace-folder; all of it where none is named. A
 * link goes by its own name, as under the reference CLI: `..` leads to the folder that the link is in.
 * @throws ActionError E_INPUT where it is not there, or outside the checkout; E_CONFIG where nobody has checked anything out, unless the input
 * fallback-image stands in for it.
 */
export async function openCheckout(
  { workspaceFolder, fallbackImage }: Pick<Inputs, "workspaceFolder" | "fallbackImage">,
  { files, host }: Pick<World, "files" | "host">,
): Promise<Workspace> {
  const checkout = host.clone?.folder ?? host.workspace;
  if (!host.clone && fallbackImage === undefined && (await files.list(checkout))?.length === 0)
    throw nothingCheckedOut(checkout);
  const written = await findWorkspace(files, checkout, workspaceFolder, host.clone !== undefined);
  const root = (await files.realPath(checkout)) ?? checkout;
  const repository = (await repositoryOf(files, written, root)) ?? root;
  // Through a link to a repository's root its .git is found as well: the border is the repository, not the link.
  const border = (await files.realPath(repository)) ?? repository;
  const folder = pathWithin(border, written) === undefined ? ((await files.realPath(written)) ?? written) : written;
  return { folder, checkout: border };
}

/**
 * The workspace as later jobs are told of it where git-url names what is built: the folder of the clone goes with the run, and is another one
 * in each; one that somebody makes by hand would be called like the repository.
 */
export function toldWorkspace(
  { git, workspaceFolder }: Pick<Inputs, "git" | "workspaceFolder">,
  { workspace }: Pick<World["host"], "workspace">,
): string {
  return resolvePath(resolvePath(workspace, git?.url.name ?? "."), workspaceFolder ?? ".");
}

/** The folder with `.git` in it that a folder of the runner's workspace belongs to: with `actions/checkout`'s `path` it is not that workspace itself. */
async function repositoryOf(files: Files, folder: string, root: string): Promise<string | undefined> {
  for (let at = folder; pathWithin(root, at) !== undefined; at = folderOf(at)) {
    if ((await files.stat(`${at}/.git`)) !== undefined) return at;
    if (at === root) return undefined;
  }
  return undefined;
}

async function findWorkspace(
  files: Files,
  checkout: string,
  folder: string | undefined,
  isClone: boolean,
): Promise<string> {
  const root = (await files.realPath(checkout)) ?? checkout;
  const written = resolvePath(checkout, folder ?? ".");
  const real = await files.realPath(written);
  if (real === undefined || (await files.stat(real))?.kind !== "directory")
    throw folder === undefined
      ? noWorkspace(checkout, await whyNoFolder(files, checkout))
      : new ActionError("E_INPUT", {
          what: `The input workspace-folder is "${folder}", ${await whyNoFolder(files, written)}.`,
          fix: isClone
            ? "Name a folder of the repository that git-url names, relative to its root."
            : "Name a folder of the checkout, and put actions/checkout before this action.",
        });
  if (pathWithin(root, real) === undefined)
    throw new ActionError("E_INPUT", {
      what: `The input workspace-folder is "${folder ?? ""}", which lies outside the checkout.`,
      fix: "Name a folder inside the checkout, relative to its root.",
    });
  const within = pathWithin(checkout, written);
  return within === undefined ? real : resolvePath(root, within);
}

/** What the runner says of its own machine is no input that anybody has set. */
function noWorkspace(folder: string, why: string): ActionError {
  return new ActionError("E_SYSTEM", {
    what: `GITHUB_WORKSPACE, the runner's folder for the checkout, names ${folder}, ${why}.`,
    fix: "Put actions/checkout before this action. In a container of your own making, mount that folder there at the path that the variable names.",
  });
}

function nothingCheckedOut(folder: string): ActionError {
  return new ActionError("E_CONFIG", {
    what: `The runner's folder for the checkout, ${folder}, is empty: nothing was checked out in this job before this step.`,
    fix: "Put actions/checkout before this action, in the same job; a repository that nobody checks out is named by the input git-url.",
  });
}

/**
 * The absolute path that an input means.
 * @throws ActionError E_INPUT where it leaves the checkout.
 */
export function insideCheckout({ folder, checkout }: Workspace, input: string, written: string): string {
  const path = resolvePath(folder, written);
  if (pathWithin(checkout, path) !== undefined) return path;
  throw new ActionError("E_INPUT", {
    what: `The input ${input} is "${written}", which leaves the checkout.`,
    fix: "Give a path inside the checkout: what a commit does not hold cannot be looked for by commit.",
  });
}

/**
 * The folder of a build context.
 * @throws ActionError E_CONFIG where it is not there, or a link out of the checkout.
 */
export async function findContext(files: Files, checkout: string, context: Written): Promise<string> {
  await refuseOutside(files, checkout, context);
  if ((await files.stat((await files.realPath(context.value)) ?? context.value))?.kind === "directory")
    return context.value;
  const folder = pathWithin(checkout, context.value) ?? context.value;
  const why = await whyNoFolder(files, context.value);
  if (context.input !== undefined)
    throw new ActionError("E_INPUT", {
      what: `The input ${context.input} names the build context ${folder}, ${why}.`,
      fix: "Check the path: it counts from the workspace; upper and lower case count.",
    });
  throw new ActionError("E_CONFIG", {
    what: `${context.at.file} names the build context ${folder}, ${why}.`,
    fix: "Check the path: it counts from the folder of the file that names it.",
    at: context.at,
  });
}

/**
 * A link in the checkout could lead anywhere on the runner, and its content into the image.
 * @throws ActionError E_CONFIG where a path does.
 */
export async function refuseOutside(files: Files, checkout: string, { value, at }: Written): Promise<void> {
  const real = await files.realPath(value);
  if (real === undefined || pathWithin(checkout, real) !== undefined) return;
  throw new ActionError("E_CONFIG", {
    what: `${pathWithin(checkout, value) ?? value} is a link that leads out of the checkout.`,
    fix: "Put the file or folder itself into the repository.",
    at,
  });
}
