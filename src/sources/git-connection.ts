import { resolvePath } from "../devcontainer/paths.ts";
import { ActionError, systemReason } from "../errors.ts";
import { type Connection, type Invocation, remoteGit } from "../git/invocation.ts";
import type { GitSource } from "../inputs/git-inputs.ts";
import type { Finished, GitLimits, World } from "../world.ts";
import { type CloneSpace, openCloneSpace } from "./clone-space.ts";

/** What a clone asks of the world. */
export type GitPorts = Pick<
  World,
  "files" | "git" | "web" | "github" | "jobCache" | "host" | "log" | "trust" | "owner" | "salt" | "clock"
>;

/** What all connections of one clone have together. */
export type CloneLimits = {
  readonly space: CloneSpace;
  /** When the time is over, in milliseconds since 1970. */
  readonly until: number;
};

/** A connection whose files go with `close`. */
export type OpenConnection = Connection & CloneLimits & { readonly close: () => void };

/** Where distributions keep the certificates that everybody trusts: what git is given takes their place. */
const BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * Lays out what git needs to speak to a repository's host: a key, certificates, an empty home, all in a private folder.
 * @throws ActionError E_INPUT where the key's file is not there.
 */
export async function connect(
  git: GitSource,
  ports: GitPorts,
  { space, until }: CloneLimits = openLimits(git, ports),
): Promise<OpenConnection> {
  const { files, host, trust } = ports;
  const folder = await files.temporaryFolder("git");
  const home = `${folder}/home`;
  await files.makeDirectory(home, { mode: 0o700 });
  const { certificates, insecure } = await trust(git.url.host);
  const certificateFile = certificates.length === 0 ? undefined : `${folder}/certificates.pem`;
  if (certificateFile !== undefined)
    await files.write(certificateFile, [await readBundle(ports), ...certificates].join("\n"));
  return {
    url: git.url,
    login: git.login,
    keyFile: git.url.scheme === "ssh" ? await keyFile(git, folder, ports) : undefined,
    certificateFile,
    knownHostsFile: git.url.scheme === "ssh" ? await knownHostsFile(git, folder, ports) : undefined,
    insecure: insecure && git.url.scheme !== "http",
    proxy: git.proxy,
    home,
    space,
    until,
    close: () => files.discard(folder),
  };

  async function readBundle({ files: from }: Pick<GitPorts, "files">): Promise<string> {
    for (const path of [host.env.SSL_CERT_FILE, ...BUNDLES]) {
      const text = path ? await from.readText(path).catch(() => undefined) : undefined;
      if (text !== undefined) return text;
    }
    return "";
  }
}

/** ssh takes no key that others may read: it gets a copy of its own. */
async function keyFile({ key }: GitSource, folder: string, { files, host }: GitPorts): Promise<string | undefined> {
  if (key === undefined) return undefined;
  const noKey = (why: string, cause?: unknown): ActionError =>
    new ActionError("E_INPUT", {
      what: `The input git-ssh-private-key-path is "${key.value}", and ${why}.`,
      fix: "Name the file of a private key, relative to the workspace or absolute.",
      cause,
    });
  const read = (path: string): Promise<string | undefined> =>
    files.readText(path).catch((error: unknown) => {
      throw noKey(systemReason(error) ?? "it cannot be read", error);
    });
  const text = key.kind === "text" ? key.value : await read(resolvePath(host.workspace, key.value));
  if (text === undefined) throw noKey("there is no such file");
  const file = `${folder}/key`;
  await files.write(file, text, 0o600);
  return file;
}

async function knownHostsFile(
  { knownHosts }: GitSource,
  folder: string,
  { files }: GitPorts,
): Promise<string | undefined> {
  if (knownHosts.length === 0) return undefined;
  const file = `${folder}/known_hosts`;
  await files.write(file, `${knownHosts.join("\n")}\n`, 0o600);
  return file;
}

/**
 * How long git may take, whatever its server says meanwhile, in milliseconds: a list of refs a minute, a clone with all that belongs to it half
 * an hour. Git's own limit, a thousand bytes a second, is met by whoever wants to keep a runner busy, and begins with the first answer.
 */
const LONGEST = { asking: 60_000, cloning: 30 * 60_000 };

function openLimits(git: GitSource, { files, clock }: GitPorts): CloneLimits {
  return { space: openCloneSpace(git, files), until: clock() + LONGEST.cloning };
}

/** Runs git with an invocation in front. @throws ActionError E_GIT where there is no git, and where it takes longer than it may. */
export async function runGit(
  { args, env }: Invocation,
  command: readonly string[],
  { git }: Pick<GitPorts, "git">,
  { timeout = LONGEST.cloning, ...limits }: GitLimits = {},
): Promise<Finished> {
  const finished = await git([...args, ...command], env, { timeout, ...limits });
  if (finished?.endedBy === "time limit")
    return { ...finished, stderr: `fatal: it took longer than ${Math.ceil(timeout / 1000)} s, and was ended` };
  if (finished !== undefined) return finished;
  throw new ActionError("E_GIT", {
    what: "The input git-url asks for a clone, and there is no git on this machine.",
    fix: "Use a job image with git in it (2.29 or newer), or install it in a step before this one.",
  });
}

/** Runs a command of git's that asks the repository's host which refs it has. */
export function askHost(connection: Connection, command: readonly string[], ports: GitPorts): Promise<Finished> {
  return runGit(remoteGit(connection, ports.host.env), command, ports, { timeout: LONGEST.asking });
}

/** Into which folders a git fetches. */
export type Receiving = {
  readonly folders: readonly string[];
  readonly taken?: number;
  readonly connection: Omit<OpenConnection, "close">;
};

/**
 * Runs a command of git's that fetches from the repository's host into folders.
 * @param taken how many bytes of what will be there count already.
 * @param invocation what speaks to the host.
 * @throws ActionError E_LIMIT where more comes than the disk is to take.
 */
export async function fetchInto(
  { folders, taken = 0, connection }: Receiving,
  invocation: Invocation,
  command: readonly string[],
  ports: GitPorts,
): Promise<Finished> {
  const { space, until } = connection;
  const limits = { timeout: Math.max(until - ports.clock(), 1), isTooMuch: () => space.isPast(folders, taken) };
  const finished = await runGit(invocation, command, ports, limits);
  if (finished.endedBy === "size limit") throw space.tooMuch();
  return finished;
}

/** A server of git's wants Basic, whatever the password is; the APIs of forges take it too. */
export function basicHeader({ login }: Pick<GitSource, "login">): Readonly<Record<string, string>> {
  return login === undefined ? {} : { authorization: `Basic ${basicLogin(login)}` };
}

/** https://datatracker.ietf.org/doc/html/rfc7617, in UTF-8. */
export function basicLogin({ username, password }: NonNullable<GitSource["login"]>): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(`${username}:${password}`)));
}
