/** A repository's address, of which nothing is secret: logins stand in inputs of their own. */
export type GitUrl = {
  readonly scheme: "https" | "http" | "ssh";
  /** As git takes it. */
  readonly url: string;
  /** `host[:port]`, in small letters. */
  readonly host: string;
  /** Of ssh: who logs in. */
  readonly user?: string;
  /** Without slashes around it, and without `.git`. */
  readonly path: string;
  /** What the folder of a clone is called: the path's last segment. */
  readonly name: string;
};

type Wrong = { readonly wrong: string };

/** What a server may read as a slash, a dot or an end: one path for whoever allows it, and another one for who serves it. */
const HIDDEN = /%(?:2[ef5]|5c|[01][0-9a-f]|7f)/i;

/**
 * Reads a repository's address: `https://…`, `http://…`, `ssh://…`, or `user@host:path` as ssh has it.
 * @returns the address, or a sentence that says what is wrong; no login that it holds stands in that.
 * @see https://git-scm.com/docs/git-clone#_git_urls
 */
export function parseGitUrl(written: string): GitUrl | Wrong {
  if (/[\s\p{Cc}\\<>"'`]/u.test(written))
    return { wrong: "it holds a blank, a quote, a backslash or a control character" };
  if (written.startsWith("-")) return { wrong: "it begins with a dash, and would be an option" };
  if (/^[a-z0-9+.-]+::/i.test(written))
    return { wrong: "it names a program of git's (name::address), which is never run" };
  if (HIDDEN.test(written)) return { wrong: "it hides a slash, a dot or a percent sign behind a percent sign" };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(written)?.[1]?.toLowerCase();
  if (scheme === "https" || scheme === "http") return parseWeb(written, scheme);
  if (scheme === "ssh") return parseSsh(written.replace(/^ssh:\/\//i, ""), written);
  if (scheme !== undefined) return { wrong: `${scheme}:// is not spoken: write https:// or ssh://` };
  const single = /^(https?|ssh|git|ftps?|file):\/(?!\/)/i.exec(written)?.[1];
  if (single !== undefined) return { wrong: `it has one slash behind ${single.toLowerCase()}: and wants two` };
  const [, before, path] = /^((?:[^/:@[]+@)?\[[0-9a-f:]+\]|[^/:[]+):(.+)$/i.exec(written) ?? [];
  if (before === undefined || path === undefined)
    return { wrong: "it is no address: write https://host/owner/repository or user@host:owner/repository" };
  return parseSsh(`${before}/${path.replace(/^\/+/, "")}`, written);
}

function parseWeb(written: string, scheme: "https" | "http"): GitUrl | Wrong {
  if (!URL.canParse(written)) return { wrong: "it is no address" };
  const { username, password, search, host, pathname } = new URL(written);
  if (username !== "" || password !== "")
    return { wrong: "it holds a login, which logs would show: give it in git-username and git-password" };
  if (search !== "" || written.includes("?"))
    return { wrong: "it holds a question mark, and a repository has no query" };
  return named({ scheme, url: `${scheme}://${host}${pathname}`, host }, pathname);
}

/** @param rest `[user@]host[:port]/path`; of an address without a scheme the first colon has become a slash. */
function parseSsh(rest: string, written: string): GitUrl | Wrong {
  const [, user, password, host, path] =
    /^(?:([^@/:]*)(:[^@/]*)?@)?(\[[0-9a-f:]+\](?::\d+)?|[^@/:]+(?::\d+)?)(\/.*)$/i.exec(rest) ?? [];
  if (password !== undefined)
    return { wrong: "it holds a password, which logs would show: ssh logs in with a key (git-ssh-private-key-path)" };
  if (host === undefined || path === undefined) return { wrong: "it is no address of ssh" };
  // What begins with a dash would be an option of ssh's.
  if (!/^(?:\[|[a-z0-9])/i.test(host) || (user !== undefined && !/^[\w][\w.-]*$/.test(user)))
    return { wrong: "its host or its user is no name" };
  return named(
    { scheme: "ssh", url: written, host: host.toLowerCase(), ...(user === undefined ? {} : { user }) },
    path,
  );
}

function named(address: Omit<GitUrl, "path" | "name">, written: string): GitUrl | Wrong {
  const path = written.replace(/^\/+|\/+$/g, "").replace(/\.git$/, "");
  const segments = path.split("/");
  if (path === "") return { wrong: "it names a host and no repository" };
  const bad = segments.find((segment) => segment === "" || /^\.{1,2}$/.test(segment) || segment.startsWith("-"));
  if (bad !== undefined) return { wrong: "a segment of its path is empty, begins with a dash, or is . or .." };
  if (isPage(address.host, segments))
    return { wrong: "it is the address of a page: write the repository's own, and the branch into git-ref" };
  return { ...address, path, name: segments.at(-1) ?? path };
}

/** As it stands in a browser that shows a branch or a file. What GitLab has there has a segment `-`. */
function isPage(host: string, segments: readonly string[]): boolean {
  if (host === "github.com") return segments.length > 2;
  const [, , page = "", kind = ""] = segments;
  return page === "src" && ["branch", "tag", "commit"].includes(kind);
}

/** How an address is told, compared with patterns, and counted as one repository: without user and `.git`. */
export function formatGitUrl({ scheme, host, path }: Pick<GitUrl, "scheme" | "host" | "path">): string {
  return `${scheme}://${host}/${path}`;
}

/** One pattern of the input allowed-sources: `*` stands for anything within a segment, `**` also across them. */
export type SourcePattern = { readonly written: string; readonly matches: RegExp };

/**
 * Reads one pattern, which is an address with stars in it: `https://git.example/team/*`, `git@git.example:team/**`.
 * @returns the pattern, or a sentence that says what is wrong.
 */
export function parseSourcePattern(written: string): SourcePattern | Wrong {
  const [many, one] = ["zzmanyzz", "zzonezz"];
  const parsed = parseGitUrl(written.replaceAll("**", many).replaceAll("*", one));
  if ("wrong" in parsed) return { wrong: parsed.wrong };
  const source = formatGitUrl(parsed)
    .replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")
    .replaceAll(many, ".*")
    .replaceAll(one, "[^/:@]*");
  return { written, matches: new RegExp(`^${source}$`) };
}

/** Whether a repository may be built from. Without a pattern every one may. */
export function sourceAllowed(patterns: readonly SourcePattern[], url: GitUrl): boolean {
  return patterns.length === 0 || patterns.some(({ matches }) => matches.test(formatGitUrl(url)));
}
