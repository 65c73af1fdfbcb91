import { ActionError, asActionError } from "../errors.ts";
import { readGitFailure } from "../git/failure.ts";
import { localGit } from "../git/invocation.ts";
import {
  asRootIsAsked,
  faultOfModule,
  isSameOrigin,
  type Module,
  readModules,
  resolveModuleUrl,
  type TreeListing,
} from "../git/submodules.ts";
import { formatGitUrl, type GitUrl, sourceAllowed } from "../git/url.ts";
import { type Fetched, fetchCommit } from "./fetch-commit.ts";
import { connect, type GitPorts, runGit } from "./git-connection.ts";
import type { Wanted } from "./kept-packs.ts";

/** Of a commit and of all that is in it together, and how deep they may lie in one another. */
const MOST = 100;
const DEEPEST = 8;

type Link = TreeListing["links"][number];

type Parent = {
  readonly wanted: Wanted;
  readonly fetched: Fetched;
  /** As seen from the root's files; empty for the root itself. */
  readonly path: string;
  readonly depth: number;
};

/** What became of a commit's submodules. */
type Modules = {
  /** Those that have some themselves, which were not asked for. */
  readonly leftOut: string[];
  readonly fetched: Pick<Parent, "wanted" | "fetched">[];
};

type Walk = {
  readonly root: Wanted;
  readonly ports: GitPorts;
  readonly all: Modules;
  count: number;
};

/**
 * Fetches a commit's submodules, each by the id that is recorded there, and lays them out where they belong. All that `.gitmodules` says is a
 * stranger's: it is judged before anybody is asked, and no login goes to another origin than the root's.
 * @throws ActionError with the submodule's path and address in front.
 */
export async function fetchSubmodules(root: Wanted, fetched: Fetched, ports: GitPorts): Promise<Modules> {
  const walk: Walk = { root, ports, all: { leftOut: [], fetched: [] }, count: 0 };
  await fetchBelow({ wanted: root, fetched, path: "", depth: 1 }, walk);
  return walk.all;
}

async function fetchBelow(parent: Parent, walk: Walk): Promise<void> {
  const { links } = parent.fetched.tree;
  if (links.length === 0) return;
  if (parent.path !== "" && walk.root.git.submodules !== "recursive") {
    walk.all.leftOut.push(parent.path);
    return;
  }
  walk.count += links.length;
  if (walk.count > MOST || parent.depth > DEEPEST) throw tooMany(parent);
  const modules = await modulesOf(parent, walk);
  for (const link of links) {
    const path = parent.path === "" ? link.path : `${parent.path}/${link.path}`;
    const child = await told(path, () => fetchOne({ parent, link, path, modules }, walk));
    if (child === undefined) continue;
    walk.all.fetched.push(child);
    await fetchBelow(child, walk);
  }
}

type One = {
  readonly parent: Parent;
  readonly link: Link;
  readonly path: string;
  readonly modules: readonly Module[];
};

async function fetchOne({ parent, link, path, modules }: One, walk: Walk): Promise<Parent | undefined> {
  const { root, ports } = walk;
  // Git reads what comes later over what it has read for that path.
  const module = modules.findLast((one) => one.path === link.path);
  if (module === undefined)
    throw refusal("the commit has it, and .gitmodules says nothing of it", "Add it to .gitmodules, or take it out.");
  if (module.isLeftOut) {
    ports.log.info(`The submodule ${path} is left out: .gitmodules says update = none.`);
    return undefined;
  }
  const url = await judge({ module, parent, root }, ports);
  ports.log.info(`Submodule ${path}: ${link.commit} of ${formatGitUrl(url)}`);
  const folder = await emptyFolder(parent, link, ports);
  const isOwn = mayLogIn(url, root, ports);
  const git = {
    ...root.git,
    ...{ url, ref: { kind: "commit", id: link.commit } as const, depth: 1, singleBranch: true },
    ...(isOwn ? {} : { login: undefined, key: undefined }),
  };
  const connection = isOwn ? { ...root.connection, url } : await connect(git, ports, root.connection);
  const wanted: Wanted = {
    git,
    allowed: root.allowed,
    found: { commit: link.commit, ref: undefined },
    wantsTags: false,
    connection,
    module: { folder, path },
  };
  try {
    return { wanted, fetched: await fetchCommit(wanted, ports), path, depth: parent.depth + 1 };
  } catch (error) {
    throw isOwn ? error : withoutLogin(error, root, ports);
  } finally {
    if (!isOwn) connection.close();
  }
}

async function modulesOf({ wanted, fetched, path }: Parent, { ports }: Walk): Promise<readonly Module[]> {
  const { tree, gitFolder } = fetched;
  const where = path === "" ? ".gitmodules" : `${path}/.gitmodules`;
  if (!tree.hasModules) return [];
  const command = [`--git-dir=${gitFolder}`, "config", "--blob", `${wanted.found.commit}:.gitmodules`, "--list", "-z"];
  const { code, stdout, stderr } = await runGit(localGit(ports.host.env, wanted.connection.home), command, ports);
  if (code === 0) return readModules(stdout);
  throw new ActionError("E_GIT", {
    what: `${where} of ${formatGitUrl(wanted.git.url)} cannot be read. ${NOTHING}`,
    details: { lines: [`git: ${readGitFailure(stderr).words}`] },
    fix: "Mend it, or leave git-submodules out.",
  });
}

type Judged = { readonly module: Module; readonly parent: Parent; readonly root: Wanted };

/** @returns what is to be asked. @throws ActionError for what is asked of nobody. */
async function judge({ module, parent, root }: Judged, ports: GitPorts): Promise<GitUrl> {
  const fault = faultOfModule(module);
  if (fault !== undefined) throw refusal(fault, "Name it otherwise in .gitmodules.");
  const named = resolveModuleUrl(parent.wanted.git.url, module.url);
  if ("wrong" in named)
    throw refusal(`its address in .gitmodules cannot be used: ${named.wrong}`, "Write it as https://… or ../name.");
  const url = asRootIsAsked(named, root.git.url);
  const shown = formatGitUrl(url);
  if (!sourceAllowed(root.allowed, url))
    throw new ActionError("E_INPUT", {
      what: `${shown} is not among allowed-sources. ${NOTHING}`,
      fix: "Add a pattern for it to allowed-sources, or leave git-submodules out.",
    });
  if (url.scheme === "ssh" && !mayLogIn(url, root, ports))
    throw refusal(
      `${shown} is asked for by ssh, which wants a key, and ${whyNoLogin(root, ports)}`,
      "Write it as ../name or https://… in .gitmodules, or check the repository out with actions/checkout.",
    );
  if (url.scheme === "http" && !isSameOrigin(url, root.git.url) && !(await ports.trust(url.host)).insecure)
    throw refusal(
      `${shown} is plain http, and nobody can tell who answers`,
      `Write https://, or name ${url.host} in the input insecure.`,
    );
  return url;
}

/** Git has made an empty folder there. What it is instead, where a tree is made to deceive, is not written to. */
async function emptyFolder({ fetched: { folder } }: Parent, { path }: Link, { files }: GitPorts): Promise<string> {
  const [base, real] = await Promise.all([files.realPath(folder), files.realPath(`${folder}/${path}`)]);
  const isEmpty = (await files.list(`${folder}/${path}`))?.length === 0;
  if (base !== undefined && real === `${base}/${path}` && isEmpty) return `${folder}/${path}`;
  throw refusal("its place in the repository is no empty folder", "Take what else is there out of the repository.");
}

const NOTHING = "Nothing is built.";

function refusal(why: string, fix: string): ActionError {
  return new ActionError("E_GIT", { what: `${why}. ${NOTHING}`, fix });
}

function tooMany({ wanted, path }: Parent): ActionError {
  const whose = path === "" ? formatGitUrl(wanted.git.url) : `The submodule ${path}`;
  return new ActionError("E_LIMIT", {
    what: `${whose} has more submodules than are fetched: ${MOST} in all, and ${DEEPEST} in one another. ${NOTHING}`,
    fix: "Set git-submodules to true where theirs are not needed, or check the repository out with actions/checkout.",
  });
}

/**
 * The login of git-url is for its host. What a fork's code names there is asked for without: it could name whatever that login may read, and
 * its build would have it.
 */
function mayLogIn(url: GitUrl, root: Wanted, { host }: GitPorts): boolean {
  return isSameOrigin(url, root.git.url) && !host.event.isFork;
}

function whyNoLogin({ git }: Wanted, { host }: GitPorts): string {
  return host.event.isFork
    ? "a fork's code names what it likes: the login of git-url goes to git-url alone"
    : `the login of git-url goes to ${git.url.host} alone`;
}

/** A hint to a login that was not shown would lead astray. */
function withoutLogin(error: unknown, root: Wanted, ports: GitPorts): unknown {
  const isOfLogin = error instanceof ActionError && (error.code === "E_GIT_AUTH" || error.code === "E_GIT_ABSENT");
  if (!isOfLogin) return error;
  return new ActionError(error.code, {
    what: `${error.message} It was asked for as everybody may: ${whyNoLogin(root, ports)}.`,
    details: error.details,
    fix: "Check the repository out with actions/checkout where that submodule wants a login, or leave git-submodules out.",
    cause: error,
  });
}

/** The same error, with the submodule's path in front. */
async function told<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const { code, message, details, fix } = asActionError(thrown);
    if (code === "E_BUG") throw thrown;
    const parts = { what: `The submodule ${path}: ${message}`, details, cause: thrown };
    throw new ActionError(code, fix === undefined ? parts : { ...parts, fix });
  }
}
