import { ActionError } from "../errors.ts";
import { type Checkout, locate, refusePath } from "./locate.ts";

/** What `RUN --mount=type=ssh,id=…` may use: the agent of the step where no path is named, else an agent's socket or private keys. */
export type Ssh = { readonly id: string; readonly paths: readonly string[] };

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
  if (end < 0) return { id, paths: [] };
  const paths = line
    .slice(end + 1)
    .split(",")
    .map((path) => path.trim());
  if (paths.includes("")) return { wrong: "a path is empty" };
  if (paths.some((path) => path.startsWith("~"))) return { wrong: "a path starts with ~, which only a shell replaces" };
  return { id, paths };
}

/**
 * Makes sure that agents and keys are there.
 * @returns the same with absolute paths.
 * @throws E_INPUT where no agent runs, for a path that leads nowhere or out of the workspace, and for an id that comes again.
 */
export async function findSsh(
  items: readonly Ssh[],
  { environment, ...checkout }: Checkout & { readonly environment: Readonly<Record<string, string>> },
): Promise<readonly Ssh[]> {
  const repeated = items.find(({ id }, at) => items.findIndex((other) => other.id === id) < at);
  if (repeated)
    throw new ActionError("E_INPUT", {
      what: `The input ${INPUT} holds the id ${repeated.id} twice.`,
      fix: "Leave one of the two out. Several keys go behind one id, with commas.",
    });
  const find = async ({ id, paths }: Ssh): Promise<Ssh> => {
    if (paths.length > 0) return { id, paths: await findKeys(paths, checkout) };
    await findAgent(id, environment.SSH_AUTH_SOCK, checkout);
    return { id, paths };
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

async function findKeys(paths: readonly string[], checkout: Checkout): Promise<readonly string[]> {
  const found = await Promise.all(
    paths.map(async (path) => ({ path, located: await locate({ input: INPUT, path }, checkout) })),
  );
  return found.map(({ path, located }) => {
    const named = { input: INPUT, path };
    if (!located) throw refusePath(named, "and there is nothing", "Check the path: it counts from the workspace.");
    if (located.kind === "directory") throw refusePath(named, "which is a folder", "Name a private key or a socket.");
    if (located.kind === "other" && paths.length > 1)
      throw refusePath(named, "which is a socket beside other paths", "Give the socket an id of its own.");
    return located.path;
  });
}

/** How buildx is told of agents and keys. */
export function sshArguments(items: readonly Ssh[]): string[] {
  return items.flatMap(({ id, paths }) => ["--ssh", paths.length === 0 ? id : `${id}=${paths.join(",")}`]);
}
