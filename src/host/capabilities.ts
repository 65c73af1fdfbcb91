import type { Capabilities, Host } from "../world.ts";

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

/** The user of GitHub's own machines. https://github.com/actions/runner/issues/691 */
const HOSTED_USER = 1001;

/** Seen with its runner of December 2025. */
const FORGEJO_TAKES: readonly string[] = [
  ...["--volume", "--tmpfs", "--memory", "--hostname"],
  ...["--health-cmd", "--health-interval", "--health-retries", "--health-timeout", "--health-start-period"],
];

/**
 * What the host can do. Its runner mounts its own folders into a job's container; act's kin change their owner to the container's user, and
 * GitHub's leaves them to the user that it runs as.
 * @param uid who this process runs as; `undefined` where the system has no such number.
 */
export function readCapabilities(env: Environment, uid: number | undefined): Capabilities {
  const name = nameHost(env);
  const isHosted = env.RUNNER_ENVIRONMENT !== "self-hosted";
  const hasOwn = name === "gitea" || name === "forgejo";
  const server = env.GITHUB_SERVER_URL;
  return {
    folderOwner: name === "github" ? (isHosted ? HOSTED_USER : (uid ?? HOSTED_USER)) : "anyone",
    takesOptions: name === "forgejo" ? FORGEJO_TAKES : undefined,
    bringsNode: name === "github" || name === "terminal",
    annotates: name === "github" || name === "terminal",
    showsSummary: showsSummary(name, env),
    // https://github.blog/2022-05-09-supercharging-github-actions-with-job-summaries/. Gitea draws it in what it renders elsewhere, and in a run's
    // summary nobody has seen it drawn.
    drawsMermaid: name === "github",
    dropsMaskedOutputs: name === "github",
    ownRegistry: hasOwn && hostOf(server) !== undefined ? server : undefined,
    plainRegistry: hasOwn ? plainHostOf(server) : undefined,
    // https://github.com/go-gitea/gitea/issues/23642
    jobTokenLogsIn: !hasOwn,
  };
}

/** Forgejo's runner prints it into the log. Gitea's uploads it from 2.0 on: https://gitea.com/gitea/runner/pulls/917 */
function showsSummary(name: Host["name"], env: Environment): boolean {
  if (name === "gitea") return Number.parseInt((env.GITEA_ACTIONS_RUNNER_VERSION ?? "").replace(/^v/, ""), 10) >= 2;
  return name === "github" || name === "forgejo";
}

/**
 * Where the cache repository is when none is named: `ghcr.io/<owner>/<repo>/devcontainer`, on Gitea and Forgejo on the server itself,
 * on ghe.com beside it.
 * @see https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency/network-details-for-ghecom
 * @returns undefined on a terminal, on act and on a GitHub Enterprise server, whose registry's name nothing tells.
 */
export function defaultCacheRepository(env: Environment): string | undefined {
  const project = env.GITHUB_REPOSITORY?.toLowerCase();
  if (!project) return undefined;
  const host = nameHost(env);
  const server = hostOf(env.GITHUB_SERVER_URL);
  if (host === "github") {
    const registry = registryOfGitHub(server);
    return registry === undefined ? undefined : `${registry}/${project}/devcontainer`;
  }
  if (host !== "gitea" && host !== "forgejo") return undefined;
  return server === undefined ? undefined : `${server}/${project}/devcontainer`;
}

/** A server of one's own (GHES) may have its registry anywhere, or none. */
function registryOfGitHub(server: string | undefined): string | undefined {
  if (server === "github.com") return "ghcr.io";
  return server?.endsWith(".ghe.com") ? `containers.${server}` : undefined;
}

function plainHostOf(url: string | undefined): string | undefined {
  return url?.startsWith("http://") ? hostOf(url) : undefined;
}

function hostOf(url: string | undefined): string | undefined {
  return url === undefined || !URL.canParse(url) ? undefined : new URL(url).host;
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
