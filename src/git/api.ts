import { isRecord } from "../oci/manifest.ts";
import { type FoundCommit, type GitRef, isCommitId } from "./ref.ts";
import type { GitUrl } from "./url.ts";

/** A host whose API tells a branch's newest commit in one call. */
export type ForgeApi = {
  readonly kind: "gitea" | "github";
  readonly base: string;
  /** As they stand in the repository's address. */
  readonly owner: string;
  readonly repository: string;
};

/** Forges that are known by their name alone. */
const KNOWN: Readonly<Record<string, Pick<ForgeApi, "kind" | "base">>> = {
  "codeberg.org": { kind: "gitea", base: "https://codeberg.org/api/v1" },
  "gitea.com": { kind: "gitea", base: "https://gitea.com/api/v1" },
  "github.com": { kind: "github", base: "https://api.github.com" },
};

type Environment = Readonly<Record<string, string>>;

/**
 * The API of the host that a repository is on, where that is known for certain: the run's own server, or one that everybody knows.
 * @param forge what kind of server the run's own is.
 */
export function forgeApiOf(url: GitUrl, forge: ForgeApi["kind"] | undefined, env: Environment): ForgeApi | undefined {
  if (url.scheme === "ssh") return undefined;
  const server = env.GITHUB_SERVER_URL?.replace(/\/+$/, "") ?? "";
  const base = env.GITHUB_API_URL?.replace(/\/+$/, "");
  const own = `${url.scheme}://${url.host}/${url.path}`;
  const isOwn = forge !== undefined && server !== "" && base !== undefined && own.startsWith(`${server}/`);
  // What was written for the server is a login for the server: never for an API that is elsewhere, but GitHub's own.
  const found =
    isOwn && isSameHost(server, base, forge) ? { kind: forge, base } : KNOWN[url.scheme === "https" ? url.host : ""];
  const path = isOwn ? own.slice(server.length + 1) : url.path;
  const [owner, repository, ...more] = path.split("/");
  if (found === undefined || owner === undefined || repository === undefined || more.length > 0) return undefined;
  return { ...found, owner, repository };
}

function isSameHost(server: string, api: string, forge: ForgeApi["kind"]): boolean {
  if (!URL.canParse(server) || !URL.canParse(api)) return false;
  const [one, other] = [new URL(server), new URL(api)];
  if (one.origin === other.origin) return true;
  return forge === "github" && one.protocol === other.protocol && other.host === `api.${one.host}`;
}

/** The branch that is asked for, where it can be nothing else, or is looked for first. */
export function branchAsked(ref: GitRef): string | undefined {
  if (ref.kind === "name") return ref.name;
  return ref.kind === "ref" ? /^refs\/heads\/(.+)$/.exec(ref.ref)?.[1] : undefined;
}

/** https://docs.gitea.com/api/#tag/repository/operation/repoGetBranch: a branch's name may hold slashes, and they stay. */
export function giteaBranchAddress({ base, owner, repository }: ForgeApi, branch: string): string {
  return `${base}/repos/${owner}/${repository}/branches/${branch.split("/").map(encodeURIComponent).join("/")}`;
}

/** Reads a branch as Gitea (`commit.id`) or GitHub (`commit.sha`) tells it. @returns `undefined` for anything else. */
export function readBranch(body: unknown, branch: string): FoundCommit | undefined {
  const told = isRecord(body) && body.name === branch && isRecord(body.commit) ? body.commit : {};
  const id = told.sha ?? told.id;
  return typeof id === "string" && isCommitId(id) ? { commit: id, ref: `refs/heads/${branch}` } : undefined;
}
