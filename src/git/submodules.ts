import { type GitUrl, parseGitUrl } from "./url.ts";

/** What a commit's tree holds, as far as that decides whether it can be laid out. */
export type TreeListing = {
  /** Of all its files together. */
  readonly bytes: number;
  /** Where other repositories' commits stand in it. */
  readonly links: readonly { readonly path: string; readonly commit: string }[];
  /** Whether there is a `.gitmodules`, which is a file: git lays out no link of that name. */
  readonly hasModules: boolean;
};

const MODULES = ".gitmodules";
/** A name may hold what JavaScript takes for the end of a line (U+2028). */
const LINE = /^\d{6} (\w+) ([0-9a-f]{40,64}) +(\d+|-)\t(.*)$/s;

/** Reads what `git ls-tree -r -l` printed, with core.quotePath off: what it still puts between quotes stays so. */
export function readTree(printed: string): TreeListing {
  let bytes = 0;
  let hasModules = false;
  const links: { readonly path: string; readonly commit: string }[] = [];
  for (const line of printed.split("\n")) {
    const [, type, id = "", size = "", path = ""] = LINE.exec(line) ?? [];
    if (type === "commit") links.push({ path, commit: id });
    else bytes += Number(size) || 0;
    hasModules ||= path === MODULES;
  }
  return { bytes, links, hasModules };
}

/** What `.gitmodules` says of one submodule. */
export type Module = {
  readonly name: string;
  readonly path: string;
  readonly url: string;
  /** Whether `git submodule update` leaves it out: `update = none`. */
  readonly isLeftOut: boolean;
};

/**
 * Reads what `git config --blob <commit>:.gitmodules --list -z` printed. What is said twice counts as it was said first.
 * @see https://git-scm.com/docs/gitmodules
 */
export function readModules(printed: string): readonly Module[] {
  const said = new Map<string, Map<string, string>>();
  for (const entry of printed.split("\0")) {
    const [, name, key = "", value = ""] = /^submodule\.(.*)\.([^.\n]+)\n(.*)$/s.exec(entry) ?? [];
    if (name === undefined) continue;
    const own = said.get(name) ?? new Map<string, string>();
    said.set(name, own.has(key) ? own : own.set(key, value));
  }
  return [...said].map(([name, own]) => ({
    name,
    path: own.get("path") ?? "",
    url: own.get("url") ?? "",
    isLeftOut: own.get("update") === "none",
  }));
}

/**
 * What is wrong with a submodule's name and path, whatever its address: git itself makes folders of names (CVE-2018-11235), and what it puts
 * between quotes holds a quote, a backslash or a control character.
 * @returns a sentence, or nothing.
 */
export function faultOfModule({ name, path }: Pick<Module, "name" | "path">): string | undefined {
  if (name === "" || name.split(/[/\\]/).includes("..")) return "its name in .gitmodules is empty or holds ..";
  if (path.startsWith('"') || path.includes("\uFFFD"))
    return "its path holds a quote, a backslash or a control character";
  if (path.startsWith("-")) return "its path begins with a dash, and would be an option";
  const bad = path.split("/").find((part) => part === "" || part === "." || part === ".." || /^\.git$/i.test(part));
  return bad === undefined ? undefined : "its path leads out of the repository, or into git's own folder";
}

/** Of an address what no `../` takes away, and the rest: `https://host/`, `ssh://user@host/`, `user@host:`. */
const PARTS = /^([a-z][a-z0-9+.-]*:\/\/[^/]+\/|(?:[^/:@[]+@)?(?:\[[0-9a-f:]+\]|[^/:[]+):\/*)(.*)$/i;

/**
 * Reads a submodule's address. One that begins with `./` or `../` counts from its parent's own, as git has it, and never leads to another host.
 * @returns the address, or a sentence that says what is wrong.
 * @see https://git-scm.com/docs/git-submodule#Documentation/git-submodule.txt-add
 */
export function resolveModuleUrl(parent: GitUrl, written: string): GitUrl | { readonly wrong: string } {
  if (!/^\.{1,2}\//.test(written)) return parseGitUrl(written);
  const [, start = "", rest = ""] = PARTS.exec(parent.url) ?? [];
  const segments = rest.replace(/\/+$/, "").split("/");
  let left = written;
  for (let step = /^(\.{1,2})\/+/.exec(left); step; step = /^(\.{1,2})\/+/.exec(left)) {
    if (step[1] === ".." && segments.pop() === undefined) return { wrong: "it leads out of its host" };
    left = left.slice(step[0].length);
  }
  return parseGitUrl(start + [...segments, left].join("/"));
}

/** Whether a login for one repository may be shown where the other one is: same protocol, same host, same port. */
export function isSameOrigin(one: GitUrl, other: GitUrl): boolean {
  return one.scheme === other.scheme && one.host === other.host;
}

/**
 * How a repository of the root's own host is asked for that `.gitmodules` names for people with a key (`git@host:team/part`): as the root
 * itself, whose login that host knows. actions/checkout does the same.
 */
export function asRootIsAsked(url: GitUrl, root: GitUrl): GitUrl {
  const isNamed = url.scheme === "ssh" && root.scheme !== "ssh" && url.host.replace(/:22$/, "") === hostname(root);
  if (!isNamed) return url;
  const asked = parseGitUrl(`${root.scheme}://${root.host}/${url.path}`);
  return "wrong" in asked ? url : asked;
}

function hostname({ host }: GitUrl): string {
  return host.replace(/:\d+$/, "");
}
