import { isRecord } from "../oci/manifest.ts";
import type { Event, Host } from "../world.ts";

type Environment = Readonly<Record<string, string>>;

/**
 * Which host this is. The order matters: Forgejo sets `GITEA_ACTIONS` too, Gitea sets `ACT` too, and all of them set `GITHUB_ACTIONS`.
 */
export function nameHost(env: Environment): Host["name"] {
  if (env.FORGEJO_ACTIONS === "true") return "forgejo";
  if (env.GITEA_ACTIONS === "true") return "gitea";
  if (env.ACT === "true") return "act";
  return env.GITHUB_ACTIONS === "true" ? "github" : "terminal";
}

/**
 * Where the cache repository is when none is named: `ghcr.io/<owner>/<repo>/devcontainer`, on Gitea and Forgejo on the server itself.
 * @returns undefined on a terminal, on act and on a GitHub Enterprise server, whose registry's name nothing tells.
 */
export function defaultCacheRepository(env: Environment): string | undefined {
  const project = env.GITHUB_REPOSITORY?.toLowerCase();
  if (!project) return undefined;
  const host = nameHost(env);
  const server = hostOf(env.GITHUB_SERVER_URL);
  if (host === "github") return server === "github.com" ? `ghcr.io/${project}/devcontainer` : undefined;
  if (host !== "gitea" && host !== "forgejo") return undefined;
  return server === undefined ? undefined : `${server}/${project}/devcontainer`;
}

function hostOf(url: string | undefined): string | undefined {
  return url === undefined || !URL.canParse(url) ? undefined : new URL(url).host;
}

/**
 * What the run is about. The payload is read rather than the event's name, which is `workflow_call` inside a called workflow on Gitea.
 * @param payload the JSON of `GITHUB_EVENT_PATH`; anything else counts as empty.
 */
export function readEvent(env: Environment, payload: unknown): Event {
  const event = isRecord(payload) ? payload : {};
  const defaultBranch = stringAt(event, "repository", "default_branch");
  const name = env.GITHUB_EVENT_NAME ?? "";
  if (isRecord(event.pull_request)) {
    const request = event.pull_request;
    return {
      name,
      branch: stringAt(request, "head", "ref"),
      baseBranch: stringAt(request, "base", "ref"),
      defaultBranch,
      isPullRequest: true,
      isFork: isForeign(stringAt(request, "head", "repo", "full_name"), stringAt(request, "base", "repo", "full_name")),
    };
  }
  const after = isRecord(event.workflow_run) ? event.workflow_run : undefined;
  return {
    name,
    // The run that it follows may have been another branch's, whatever branch this workflow's file is read from.
    branch: after ? stringAt(after, "head_branch") : branchOf(env),
    baseBranch: undefined,
    defaultBranch,
    isPullRequest: after !== undefined && /^pull_request/.test(stringAt(after, "event") ?? ""),
    isFork: speaksOfForeignCode(event),
  };
}

/**
 * `workflow_run` names the head's repository. A comment on a pull request does not, and workflows that build on a comment check out the
 * pull request's code: where it cannot be told, it counts as a fork's.
 */
function speaksOfForeignCode(event: Record<string, unknown>): boolean {
  if (isRecord(event.workflow_run))
    return (
      stringAt(event, "workflow_run", "head_repository", "full_name") !== stringAt(event, "repository", "full_name")
    );
  return isRecord(event.issue) && isRecord(event.issue.pull_request);
}

/** A deleted fork has no name any more: not told counts as foreign. */
function isForeign(head: string | undefined, own: string | undefined): boolean {
  return head === undefined || head !== own;
}

function branchOf(env: Environment): string | undefined {
  const prefix = "refs/heads/";
  const branch = env.GITHUB_REF?.startsWith(prefix) ? env.GITHUB_REF.slice(prefix.length) : undefined;
  // A merge queue makes one for each try, and nobody comes back to it.
  return branch?.startsWith("gh-readonly-queue/") ? undefined : branch;
}

function stringAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = path.reduce<unknown>((node, name) => (isRecord(node) ? node[name] : undefined), value);
  return typeof found === "string" ? found : undefined;
}

/** The runner's own platform, normalised; the runner's `RUNNER_ARCH` is spelled differently by every host, Node's own words are not. */
export function nodePlatform(os: string, architecture: string): string {
  const names: Readonly<Record<string, string>> = {
    x64: "amd64",
    ia32: "386",
    arm: "arm/v7",
    loong64: "loong64",
    ppc64: "ppc64le",
  };
  // Docker on macOS and Windows runs Linux images in a machine of the same architecture.
  return `${os === "win32" || os === "darwin" ? "linux" : os}/${names[architecture] ?? architecture}`;
}
