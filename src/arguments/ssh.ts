import { ActionError, tellSlip } from "../errors.ts";
import { type Checkout, locate, refusePath } from "./locate.ts";

/** What `RUN --mount=type=ssh,id=…` may use: the agent of the step where no path is named, else an agent's socket or private keys. */
export type Ssh = { readonly id: string; readonly written: readonly string[] };

/** The same where all of it is there; paths are absolute. */
export type FoundSsh = { readonly id: string; readonly paths: readonly string[] };

const INPUT = "ssh";

/**
 * Reads one line of the input ssh, as `docker buildx build --ssh` takes it: `default`, `id=socket`, `id=key` or `id=key,key`.
 * @returns it, or a sentence that says what is wrong.
 * @see https://github.com/docker/buildx/blob/v0.36.1/util/buildflags/ssh.go
 */
export function parseSsh(line: string): Ssh | { readonly wrong: string } {
  const end = line.indexOf("=");
  const id = (end < 0 ? line : line.slice(0, end)).trim();
  if (!/^[\w.@-]+$/.test(id)) return { wrong: "it is not written as default, id=socket or id=key" };
  if (end < 0) return { id, written: [] };
  const written = line
    .slice(end + 1)
    .split(",")
    .map((path) => path.trim());
  if (written.includes("")) return { wrong: "a path is empty" };
  if (written.some((path) => path.startsWith("~")))
    return { wrong: "a path starts with ~, which only a shell replaces" };
  return { id, written };
}

/**
 * Makes sure that agents and keys are there.
 * @throws E_INPUT where no agent runs, for a path that leads nowhere or out of the checkout, and for an id that comes again.
 */
export async function findSsh(
  items: readonly Ssh[],
  { environment, ...checkout }: Checkout & { readonly environment: Readonly<Record<string, string>> },
): Promise<readonly FoundSsh[]> {
  const repeated = items.find(({ id }, at) => items.findIndex((other) => other.id === id) < at);
  if (repeated)
    throw new ActionError("E_INPUT", {
      what: `The input ${INPUT} holds the id ${repeated.id} twice.`,
      fix: "Leave one of the two out. Several keys go behind one id, with commas.",
    });
  const find = async ({ id, written }: Ssh): Promise<FoundSsh> => {
    if (written.length === 0) await findAgent(id, environment.SSH_AUTH_SOCK, checkout);
    return { id, paths: await findKeys(written, checkout) };
  };
  return Promise.all(items.map(find));
}

async function findAgent(id: string, socket: string | undefined, checkout: Checkout): Promise<void> {
  const isThere = socket && (await locate({ input: INPUT, path: socket }, checkout));
  if (isThere) return;
  throw new ActionError("E_INPUT", {
    what: `The input ${INPUT} is ${id}, which means the step's SSH agent, and ${socket ? `there is none at ${socket} (SSH_AUTH_SOCK)` : "SSH_AUTH_SOCK is not set"}.`,
    fix: "Start an agent in a step before this action, or name a private key: default=path/of/key.",
  });
}

async function findKeys(written: readonly string[], checkout: Checkout): Promise<readonly string[]> {
  const find = async (path: string): Promise<string> => {
    const named = { input: INPUT, path };
    const found = await locate(named, checkout);
    if (!found)
      throw refusePath(named, `and there is nothing${tellSlip(path)}`, "Check the path: it counts from the workspace.");
    if (found.kind === "directory") throw refusePath(named, "which is a folder", "Name a private key or a socket.");
    if (found.kind === "other" && written.length > 1)
      throw refusePath(named, "which is a socket beside other paths", "Give the socket an id of its own.");
    if (!found.path.includes(",")) return found.path;
    throw refusePath(named, "which has a comma in its path, where buildx begins the next one", "Rename it.");
  };
  return Promise.all(written.map(find));
}

/** How buildx is told of agents and keys. */
export function sshArguments(items: readonly FoundSsh[]): string[] {
  return items.flatMap(({ id, paths }) => ["--ssh", paths.length === 0 ? id : `${id}=${paths.join(",")}`]);
}
