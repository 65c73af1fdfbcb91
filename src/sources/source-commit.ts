import { parseJsonText } from "../devcontainer/json.ts";
import type { ActionError } from "../errors.ts";
import { branchAsked, type ForgeApi, forgeApiOf, giteaBranchAddress, readBranch } from "../git/api.ts";
import { type GitFailure, readGitFailure } from "../git/failure.ts";
import { type FoundCommit, findCommit, type GitRef, namesToAsk } from "../git/ref.ts";
import type { GitUrl, SourcePattern } from "../git/url.ts";
import type { GitSource } from "../inputs/git-inputs.ts";
import type { WebAnswer } from "../world.ts";
import { askHost, basicHeader, type GitPorts, type OpenConnection } from "./git-connection.ts";
import { absentRef, refused, unreachable } from "./git-errors.ts";
import { refsAddress, whereItIs } from "./moved.ts";

type Asked = {
  readonly git: GitSource;
  readonly allowed: readonly SourcePattern[];
  readonly connection: OpenConnection;
};

/** A commit, and the address at which it was found: that of the input, or where its own server has moved it to. */
export type SourceCommit = FoundCommit & { readonly url: GitUrl };

/** More than any forge tells of a branch. */
const MOST_OF_API = 256 * 1024;
const MOST_OF_PAGE = 4096;

/**
 * Finds the commit that is asked for, before anything is cloned: on Gitea, Forgejo and GitHub by one call of the API for the branch,
 * elsewhere by `git ls-remote`. A commit's whole id needs no question.
 * @throws ActionError E_GIT_ABSENT, E_GIT_AUTH or E_GIT.
 */
export async function findSourceCommit({ git, allowed, connection }: Asked, ports: GitPorts): Promise<SourceCommit> {
  const { ref, url } = git;
  if (ref.kind === "commit") return { url, commit: ref.id, ref: undefined };
  const told = await askForge(git, ports);
  if (told) return { url, ...told };
  return listRefs({ git, allowed, connection }, ref, ports);
}

/** @returns `undefined` where no API is known, or it knows no such branch: it may be a tag, or have moved, which git itself is asked for then. */
async function askForge(git: GitSource, { host, web, github }: GitPorts): Promise<FoundCommit | undefined> {
  const forge = host.name === "github" ? "github" : /^(gitea|forgejo)$/.test(host.name) ? "gitea" : undefined;
  const [api, branch] = [forgeApiOf(git.url, forge, host.env), branchAsked(git.ref)];
  if (api === undefined || branch === undefined) return undefined;
  if (api.kind === "gitea") {
    const answer = await web(giteaBranchAddress(api, branch), {
      headers: { accept: "application/json", ...basicHeader(git) },
      limit: MOST_OF_API,
    });
    return readForge({ answer, api, branch }, git);
  }
  // GitHub's API takes a machine's address sixty times an hour without a login, and many share one: git has no such limit.
  if (git.login === undefined) return undefined;
  return readForge({ answer: await github(api, branch, git.login.password), api, branch }, git);
}

type Told = { readonly answer: WebAnswer; readonly api: ForgeApi; readonly branch: string };

function readForge({ answer, api, branch }: Told, { url, login }: GitSource): FoundCommit | undefined {
  const from = `GET ${api.base}/repos/${api.owner}/${api.repository}/branches/${branch}`;
  if (answer.kind === "failure") throw unreachable(url, { lines: [`${from}: ${answer.words}`] });
  const { status } = answer;
  if (status === 404 || (status >= 300 && status < 400)) return undefined;
  if (isOverLimit(answer)) throw unreachable(url, { lines: [`${from}: ${status}, too many calls`] });
  if (status === 401 || status === 403) throw refused(url, login !== undefined, { lines: [`${from}: ${status}`] });
  const found = status === 200 && !answer.truncated ? readBranch(jsonOf(answer.body), branch) : undefined;
  if (found !== undefined) return found;
  const words = status === 200 ? "the answer tells no commit of this branch" : `${status}`;
  throw unreachable(url, { lines: [`${from}: ${words}`] });
}

/** GitHub tells its limit of calls with the status of a login that may not read, and in these headers. */
function isOverLimit({ status, headers }: Extract<WebAnswer, { readonly kind: "response" }>): boolean {
  return status === 403 && (headers["x-ratelimit-remaining"] === "0" || headers["retry-after"] !== undefined);
}

function jsonOf(body: Uint8Array): unknown {
  return parseJsonText(new TextDecoder().decode(body));
}

type Named = Exclude<GitRef, { readonly kind: "commit" }>;

async function listRefs({ git, allowed, connection }: Asked, ref: Named, ports: GitPorts): Promise<SourceCommit> {
  const ask = async (url: GitUrl): Promise<FoundCommit | GitFailure> => {
    const command = ["ls-remote", "--symref", "--", url.url, ...namesToAsk(ref)];
    const { code, stdout, stderr } = await askHost({ ...connection, url }, command, ports);
    if (code !== 0) return readGitFailure(stderr);
    const found = findCommit(stdout, ref);
    if (found === undefined) throw await whyNothing(git, ref, ports);
    return found;
  };
  const { value, url } = await whereItIs({ git, allowed, url: git.url }, ask, ports);
  return { ...value, url };
}

/** Git takes a page of a login or of a proxy for a repository without a branch. */
async function whyNothing(git: GitSource, ref: Named, { web }: GitPorts): Promise<ActionError> {
  if (git.url.scheme === "ssh") return absentRef(git.url, ref);
  const answer = await web(refsAddress(git.url), { headers: basicHeader(git), limit: MOST_OF_PAGE });
  const type = answer.kind === "response" ? answer.headers["content-type"] : undefined;
  return typeof type === "string" && !type.startsWith("application/x-git-")
    ? unreachable(git.url, { lines: [`what it answers is no repository, but ${type}`] })
    : absentRef(git.url, ref);
}
