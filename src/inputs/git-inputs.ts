import { ActionError, type Warning } from "../errors.ts";
import { type GitRef, parseGitRef } from "../git/ref.ts";
import { formatGitUrl, type GitUrl, parseGitUrl, type SourcePattern, sourceAllowed } from "../git/url.ts";
import { type Insecure, isInsecure } from "../registry/trust.ts";
import type { Event } from "../world.ts";
import { boolean, list, type ReadInput, text, wrong } from "./read-input.ts";

/** A repository to build from, and how it is come by. */
export type GitSource = {
  readonly url: GitUrl;
  readonly ref: GitRef;
  /** How many commits; 0 for all. */
  readonly depth: number;
  readonly singleBranch: boolean;
  /** Those of the commit itself, or theirs as well. */
  readonly submodules: "false" | "true" | "recursive";
  /** Whether the files that Git LFS keeps are fetched; else their pointers stand in. */
  readonly lfs: boolean;
  /** How many bytes all of it together may take on the disk. */
  readonly most: number;
  /** For http and https. */
  readonly login: { readonly username: string; readonly password: string } | undefined;
  /** For ssh: a file on the machine, or the key itself. */
  readonly key: { readonly kind: "file" | "text"; readonly value: string } | undefined;
  /** For ssh: lines of a file of known hosts, which are then the only ones. */
  readonly knownHosts: readonly string[];
  /** For http and https. */
  readonly proxy: string | undefined;
  /** As written: relative to the host's workspace, or absolute. */
  readonly cacheFolder: string | undefined;
};

/** Inputs that say how a repository is come by, and nothing without one. Those with a default are always set. */
const OF_GIT = [
  ...["git-ref", "git-username", "git-password", "git-ssh-private-key-path", "git-ssh-private-key-base64"],
  ...["git-ssh-known-hosts", "git-http-proxy-url", "source-cache-dir"],
];

/** What hosts take in the place of a user's name, where the password is a token. */
const TOKEN_USER = "x-access-token";

type Read = { readonly git: GitSource | undefined; readonly noticed: readonly Warning[] };
type Given = { readonly insecure: Insecure; readonly whyNoSecrets: string | undefined };

/**
 * Reads which repository is built from, where one is named. Its default is the checked-out workspace.
 * @throws ActionError E_INPUT naming the input. A login that an address holds is not repeated.
 */
export function readGitSource(read: ReadInput, { insecure, whyNoSecrets }: Given): Read {
  const written = text(read, "git-url");
  const { login, noticed } = readLogin(read, whyNoSecrets);
  const how = {
    depth: readDepth(read),
    singleBranch: boolean(read, "git-clone-single-branch", true),
    submodules: readSubmodules(read),
    lfs: boolean(read, "git-lfs", false),
    most: readMost(read),
    login,
    key: readKey(read),
    knownHosts: list(read, "git-ssh-known-hosts", parseKnownHost).map(({ line }) => line),
    proxy: readProxy(read),
    cacheFolder: text(read, "source-cache-dir"),
  };
  if (written === undefined) {
    const alone = OF_GIT.find((name) => text(read, name) !== undefined);
    if (how.submodules !== "false" || how.lfs) throw ofCheckout(how.lfs ? "git-lfs" : "git-submodules");
    if (alone === undefined) return { git: undefined, noticed: [] };
    throw new ActionError("E_INPUT", {
      what: `The input ${alone} is set and git-url is not: the checked-out workspace is built then, and nothing is cloned.`,
      fix: "Set git-url to the repository's address, or leave both out.",
    });
  }
  const [address = "", ...fragment] = written.split("#");
  return { git: { url: readAddress(address, insecure), ref: readRef(read, fragment.join("#")), ...how }, noticed };
}

function ofCheckout(name: "git-submodules" | "git-lfs"): ActionError {
  return new ActionError("E_INPUT", {
    what: `The input ${name} is set and git-url is not: the checked-out workspace is built then, as it was checked out.`,
    fix: `Set ${name.slice("git-".length)} where actions/checkout checks it out, or git-url to the repository's address.`,
  });
}

function readSubmodules(read: ReadInput): GitSource["submodules"] {
  const value = text(read, "git-submodules") ?? "false";
  if (/^(true|True|TRUE)$/.test(value)) return "true";
  if (/^(false|False|FALSE)$/.test(value)) return "false";
  if (value === "recursive") return value;
  throw wrong("git-submodules", value, "Allowed: false, true, recursive.");
}

const MIB = 1024 * 1024;

/** The default is told in action.yml. */
function readMost(read: ReadInput): number {
  const value = text(read, "git-clone-max-size") ?? "8192";
  if (/^[1-9]\d{0,6}$/.test(value)) return Number(value) * MIB;
  throw wrong("git-clone-max-size", value, "Allowed: a number of MiB, 8192 by default.");
}

function readAddress(address: string, insecure: Insecure): GitUrl {
  const url = parseGitUrl(address);
  if ("wrong" in url)
    throw new ActionError("E_INPUT", {
      what: `The input git-url cannot be used: ${url.wrong}.`,
      fix: "Write it as https://host/owner/repository. For a folder of this machine there is workspace-folder.",
    });
  if (url.scheme !== "http" || isInsecure(insecure, url.host)) return url;
  throw new ActionError("E_INPUT", {
    what: `The input git-url is ${formatGitUrl(url)}: over plain http nobody can tell who answers, and a login is read by everybody on the way.`,
    fix: `Write https://, or name ${url.host} in the input insecure.`,
  });
}

function readRef(read: ReadInput, fragment: string): GitRef {
  const given = text(read, "git-ref");
  if (given !== undefined && fragment !== "" && given !== fragment)
    throw new ActionError("E_INPUT", {
      what: `The input git-ref is "${given}", and git-url asks for "${fragment}" behind its #.`,
      fix: "Say it in one place.",
    });
  const written = given ?? (fragment === "" ? "HEAD" : fragment);
  const ref = parseGitRef(written);
  if (!("wrong" in ref)) return ref;
  throw wrong("git-ref", written, "Name a branch, a tag, a commit by its whole id, or refs/….", ref.wrong);
}

function readDepth(read: ReadInput): number {
  const value = text(read, "git-clone-depth");
  if (value === undefined) return 1;
  if (/^\d{1,7}$/.test(value)) return Number(value);
  throw wrong("git-clone-depth", value, "Allowed: a number of commits, 1 by default, 0 for the whole history.");
}

function readLogin(
  read: ReadInput,
  whyNoSecrets: string | undefined,
): Pick<GitSource, "login"> & Pick<Read, "noticed"> {
  const username = text(read, "git-username");
  const password = text(read, "git-password");
  const twoLines = (["git-username", "git-password"] as const).find((name) => /[\p{Cc}]/u.test(text(read, name) ?? ""));
  if (twoLines !== undefined)
    throw new ActionError("E_INPUT", {
      what: `The input ${twoLines} holds a line break or another control character.`,
      fix: "Give one line.",
    });
  if (password !== undefined) return { login: { username: username ?? TOKEN_USER, password }, noticed: [] };
  if (username === undefined) return { login: undefined, noticed: [] };
  const what = "The input git-username is set and git-password is empty";
  if (whyNoSecrets === undefined)
    throw new ActionError("E_INPUT", {
      what: `${what}.`,
      fix: "Set both or none. A secret that is not defined for this repository, or whose name is mistyped, is empty.",
    });
  const notice = `${what}, as secrets are in this run (${whyNoSecrets}): it goes on without that login.`;
  return { login: undefined, noticed: [{ text: notice }] };
}

function readKey(read: ReadInput): GitSource["key"] {
  const file = text(read, "git-ssh-private-key-path");
  const base64 = text(read, "git-ssh-private-key-base64");
  if (file !== undefined && base64 !== undefined)
    throw new ActionError("E_INPUT", {
      what: "The inputs git-ssh-private-key-path and git-ssh-private-key-base64 are both set.",
      fix: "Leave one of the two out.",
    });
  if (file !== undefined) return { kind: "file", value: file };
  if (base64 === undefined) return undefined;
  const key = decode(base64);
  if (/^-----BEGIN [A-Z ]*PRIVATE KEY-----\r?\n/.test(key)) return { kind: "text", value: `${key.trimEnd()}\n` };
  throw new ActionError("E_INPUT", {
    what: "The input git-ssh-private-key-base64 is not the base64 form of a private key.",
    fix: "Make it with: base64 -w0 < ~/.ssh/id_ed25519",
  });
}

function decode(base64: string): string {
  try {
    return atob(base64.replace(/\s+/g, ""));
  } catch {
    return "";
  }
}

/** https://man.openbsd.org/sshd#SSH_KNOWN_HOSTS_FILE_FORMAT: of the markers one takes trust away, and the other one gives it to an authority. */
const KNOWN_HOST = /^(?:@(?:revoked|cert-authority) )?[^\s@#]\S* [a-z][\w@.-]+ [\w+/]+=*(?: .*)?$/;

function parseKnownHost(written: string): { readonly line: string } | { readonly wrong: string } {
  const line = written.replace(/\s+/g, " ");
  if (!KNOWN_HOST.test(line) || /\p{Cc}/u.test(line))
    return { wrong: "it is not a host, the kind of a key and a key, as known_hosts has them" };
  return { line };
}

function readProxy(read: ReadInput): string | undefined {
  const value = text(read, "git-http-proxy-url");
  if (value === undefined) return undefined;
  if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return value;
  // It may hold a login.
  throw new ActionError("E_INPUT", {
    what: "The input git-http-proxy-url is no address of a proxy.",
    fix: "Write it as http://host:port, or https:// where the proxy itself speaks TLS.",
  });
}

/** What is secret, and stands in an input in another form. */
export function secretsWithin({ key, proxy }: GitSource): readonly string[] {
  const { password = "" } = proxy === undefined ? {} : new URL(proxy);
  return [key?.kind === "text" ? key.value : "", password, unescaped(password)].filter((secret) => secret !== "");
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Refuses a repository that the workflow does not allow, before it is asked for anything.
 * @throws ActionError E_INPUT naming it.
 */
export function refuseForeignSource(git: GitSource | undefined, allowed: readonly SourcePattern[]): void {
  if (git === undefined || sourceAllowed(allowed, git.url)) return;
  throw new ActionError("E_INPUT", {
    what: `The input git-url is ${formatGitUrl(git.url)}, which is not among allowed-sources.`,
    fix: "Add a pattern for it to allowed-sources, or name another repository.",
  });
}

/**
 * Whose code a repository's ref is, where that is for certain not the repository's own: pull requests stand beside branches and tags, and
 * whoever may open one writes there.
 */
export function foreignRef(git: GitSource | undefined): Partial<Pick<Event, "isFork" | "whyFork">> {
  const ref =
    git?.ref.kind === "ref" ? git.ref.ref : git?.ref.kind === "name" ? `refs/heads/${git.ref.name}` : undefined;
  if (git === undefined || ref === undefined) return {};
  if (/^refs\/(heads|tags)\//.test(ref)) return {};
  return { isFork: true, whyFork: `${ref} is neither a branch nor a tag of ${formatGitUrl(git.url)}` };
}
