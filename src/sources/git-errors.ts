import { ActionError, type Details } from "../errors.ts";
import type { GitFailure } from "../git/failure.ts";
import { type GitRef, tellRef } from "../git/ref.ts";
import { formatGitUrl, type GitUrl } from "../git/url.ts";
import type { GitSource } from "../inputs/git-inputs.ts";

/** What follows where a host gives nothing: nothing else is tried. */
const NOTHING_ELSE = "Nothing is built: no other host, branch or older clone stands in.";

/** What git's failure to get anything from a host means to a person. */
export function gitError({ kind, words }: GitFailure, { url, login, key }: GitSource): ActionError {
  const shown = formatGitUrl(url);
  const details = { lines: [`git: ${words}`] };
  const hadLogin = (url.scheme === "ssh" ? key : login) !== undefined;
  switch (kind) {
    case "absent":
      return new ActionError("E_GIT_ABSENT", {
        what: `There is no repository at ${shown}, or this login may not know of it. ${NOTHING_ELSE}`,
        details,
        fix: `Check the address${hadLogin ? ", and that the login may read it" : "; for a private repository give a login: git-username and git-password, or a key for ssh"}.`,
      });
    case "refused":
      return refused(url, hadLogin, details);
    case "certificate":
      return new ActionError("E_GIT", {
        what: `The certificate of ${shown} does not hold. ${NOTHING_ELSE}`,
        details,
        fix: "Give the host's own certificate authority in ssl-cert-base64, or name the host in insecure.",
      });
    case "unknown-host-key":
      return new ActionError("E_GIT", {
        what: `The ssh key of ${url.host} is not known, or another one than before. ${NOTHING_ELSE}`,
        details,
        fix: "Give the host's key, which its operator publishes, in the input git-ssh-known-hosts, or put it into ~/.ssh/known_hosts in a step before this one.",
      });
    case "redirected":
    case "unreachable":
      return unreachable(url, details);
  }
}

/** A commit that came, and whose files cannot be laid out: git refuses paths that would be its own, and a disk may be full. */
export function notLaidOut({ url, lfs }: GitSource, commit: string, words: string): ActionError {
  return new ActionError("E_GIT", {
    what: `The files of ${commit} of ${formatGitUrl(url)} cannot be laid out. ${NOTHING_ELSE}`,
    details: { lines: [`git: ${words}`] },
    fix: `Where git speaks of a path, take that path out of the repository; ${lfs ? "where it speaks of a login, of HTTP or of LFS, look whether that host gives out what Git LFS keeps there, and for this login; " : ""}else look whether the disk is full.`,
  });
}

/** A commit whose list of files alone is larger than any that somebody works with. */
export function tooManyFiles(url: GitUrl, commit: string): ActionError {
  return new ActionError("E_LIMIT", {
    what: `${commit} of ${formatGitUrl(url)} holds more files than are laid out: the list of their names alone has more than 64 MiB. Nothing is built.`,
    fix: "Check it out in a step of its own, and leave git-url out.",
  });
}

/** 401, 403 and their kin over ssh. */
export function refused(url: GitUrl, hadLogin: boolean, details?: Details): ActionError {
  const ssh = url.scheme === "ssh";
  const login = ssh ? "git-ssh-private-key-path or git-ssh-private-key-base64" : "git-username and git-password";
  return new ActionError("E_GIT_AUTH", {
    what: `${formatGitUrl(url)} ${hadLogin ? "refuses this login" : "asks for a login, or does not exist"}. ${NOTHING_ELSE}`,
    details,
    fix: hadLogin
      ? `Check ${login}: the token or the key has to be valid, and may read this repository.`
      : `Set ${login}${ssh ? "" : " (a token that may read it)"}.`,
  });
}

/** The rest: a network, a server in trouble, an answer that is none. */
export function unreachable(url: GitUrl, details: Details): ActionError {
  return new ActionError("E_GIT", {
    what: `${formatGitUrl(url)} could not be read. ${NOTHING_ELSE}`,
    details,
    fix: "Try again when the host answers. Behind a proxy there is git-http-proxy-url, for a certificate of your own ssl-cert-base64.",
  });
}

/** A host that answers, and has no such branch, tag or commit. */
export function absentRef(url: GitUrl, ref: GitRef): ActionError {
  const hint =
    ref.kind === "name" && /^[0-9a-f]{4,63}$/.test(ref.name)
      ? "A commit is named by its whole id, of 40 or 64 digits."
      : ref.kind === "head"
        ? "The repository has no commit yet, or no default branch: name one in git-ref."
        : ref.kind === "commit"
          ? "Push that commit there, or name one that is there. A server that speaks only git's first protocol gives by their ids those alone that a branch or tag names."
          : "Check git-ref: upper and lower case count.";
  return new ActionError("E_GIT_ABSENT", {
    what: `${formatGitUrl(url)} has no ${tellRef(ref).replace(/^the /, "")}. ${NOTHING_ELSE}`,
    fix: hint,
  });
}
