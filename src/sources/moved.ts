import { ActionError } from "../errors.ts";
import type { GitFailure } from "../git/failure.ts";
import { formatGitUrl, type GitUrl, parseGitUrl, type SourcePattern, sourceAllowed } from "../git/url.ts";
import type { GitSource } from "../inputs/git-inputs.ts";
import { basicHeader, type GitPorts } from "./git-connection.ts";
import { gitError } from "./git-errors.ts";

/** A repository, with what it may turn out to be. */
export type Movable = {
  readonly git: GitSource;
  readonly allowed: readonly SourcePattern[];
  /** Where it is now, as far as is known. */
  readonly url: GitUrl;
};

/** What was asked for, and the address that it came from. */
type Came<T> = { readonly value: T; readonly url: GitUrl };

const MOST = 4096;

/**
 * Asks a repository's host for something, once more where its own server says that the repository is at another path now: GitLab adds `.git`,
 * GitHub knows what was renamed.
 * @throws ActionError for what the host does not give, and E_GIT naming another origin: a login never goes there, and neither does a clone.
 */
export async function whereItIs<T extends object>(
  { git, allowed, url }: Movable,
  ask: (url: GitUrl) => Promise<T | GitFailure>,
  ports: GitPorts,
): Promise<Came<T>> {
  const first = await ask(url);
  if (!isFailure(first)) return { value: first, url };
  const moved = first.kind === "redirected" ? await findMoved({ git, allowed, url }, ports) : undefined;
  const second = moved === undefined ? first : await ask(moved);
  if (isFailure(second)) throw gitError(second, git);
  return { value: second, url: moved ?? url };
}

function isFailure(value: object): value is GitFailure {
  return "kind" in value && "words" in value;
}

const REFS = "/info/refs";

/** https://git-scm.com/docs/http-protocol#_smart_clients */
export function refsAddress({ url }: GitUrl): string {
  return `${url.replace(/\/+$/, "")}${REFS}?service=git-upload-pack`;
}

async function findMoved({ git, allowed, url }: Movable, { web }: GitPorts): Promise<GitUrl | undefined> {
  const asked = refsAddress(url);
  const answer = await web(asked, { headers: basicHeader(git), limit: MOST });
  const location = answer.kind === "response" ? answer.headers.location : undefined;
  if (typeof location !== "string" || !URL.canParse(location, asked)) return undefined;
  const target = new URL(location, asked);
  const there = `${target.origin}${target.pathname}`;
  if (target.origin !== new URL(asked).origin) throw elsewhere(url, there);
  const moved = target.pathname.endsWith(REFS) ? parseGitUrl(there.slice(0, -REFS.length)) : undefined;
  if (moved === undefined || "wrong" in moved || moved.url === url.url) return undefined;
  if (!sourceAllowed(allowed, moved)) throw elsewhere(url, there);
  return moved;
}

function elsewhere(url: GitUrl, there: string): ActionError {
  return new ActionError("E_GIT", {
    what: `${formatGitUrl(url)} sends everybody on to ${there}, which is another host or is not among allowed-sources. It is not followed, and no login goes there.`,
    fix: "If that is where the repository is now, name that address in git-url.",
  });
}
