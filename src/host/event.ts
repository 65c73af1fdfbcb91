import { isRecord } from "../oci/manifest.ts";
import type { Event } from "../world.ts";

type Environment = Readonly<Record<string, string>>;
type Payload = Readonly<Record<string, unknown>>;

/** Whose code a run is about. `undefined` is the repository's own; else the words that say why it is not, or cannot be told to be. */
type Foreign = string | undefined;

/**
 * What the run is about. The payload is read rather than the event's name, which is `workflow_call` inside a called workflow on Gitea.
 * Code counts as the repository's own where the host says so, and as a fork's in all other cases.
 * @param payload the JSON of `GITHUB_EVENT_PATH`; `undefined` where it is missing or broken.
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
 * @see https://docs.github.com/en/webhooks/webhook-events-and-payloads
 */
export function readEvent(env: Environment, payload: unknown): Event {
  // What says nothing is as good as missing: act and its kin hand over an empty one.
  const event: Payload | undefined = isRecord(payload) && Object.keys(payload).length > 0 ? payload : undefined;
  const name = env.GITHUB_EVENT_NAME ?? "";
  const whyFork = foreignCode(name, event, env);
  const request = event && pullRequestOf(event);
  // Behind a deployment there may be one too, and that is not what it is about.
  const after = event && !recordAt(event, "deployment") ? recordAt(event, "workflow_run") : undefined;
  // The run that it follows may have been another branch's, whatever branch this workflow's file is read from.
  const branch = after ? textAt(after, "head_branch") : branchOf(env);
  const isQueued = name === "merge_group" || isQueue(branch);
  return {
    name,
    // A merge queue makes one for each try, and nobody comes back to it.
    branch: request ? textAt(request, "head", "ref") : isQueue(branch) ? undefined : branch,
    baseBranch: event && baseOf(event, request),
    defaultBranch: event && textAt(event, "repository", "default_branch"),
    isPullRequest:
      request !== undefined || isQueued || (after !== undefined && /^pull_request/.test(textAt(after, "event") ?? "")),
    isFork: whyFork !== undefined,
    ...(whyFork === undefined ? {} : { whyFork }),
    ...whyNoSecrets(whyFork, env),
  };
}

function baseOf(event: Payload, request: Payload | undefined): string | undefined {
  if (request) return textAt(request, "base", "ref");
  return textAt(event, "merge_group", "base_ref")?.replace(/^refs\/heads\//, "");
}

/** https://docs.github.com/en/code-security/dependabot/troubleshooting-dependabot/troubleshooting-dependabot-on-github-actions */
function whyNoSecrets(whyFork: Foreign, env: Environment): Pick<Event, "whyNoSecrets"> {
  if (whyFork !== undefined) return { whyNoSecrets: whyFork };
  return env.GITHUB_ACTOR === "dependabot[bot]" ? { whyNoSecrets: "Dependabot started it" } : {};
}

/** What is asked about an event, by what its payload holds: the first that fits decides. */
function foreignCode(name: string, event: Payload | undefined, env: Environment): Foreign {
  if (event === undefined) return withoutPayload(name, env);
  const request = pullRequestOf(event);
  if (request) return foreignRequest(request, event);
  if (name.startsWith("pull_request")) return `the payload of ${name} names no pull request`;
  if (name.startsWith("deployment") || recordAt(event, "deployment")) return foreignDeployment(event, env);
  if (name === "workflow_run" || recordAt(event, "workflow_run")) return foreignRun(event);
  if (/^check_(run|suite)$/.test(name) || recordAt(event, "check_suite") || recordAt(event, "check_run"))
    return foreignCheck(event, env);
  if (name === "status") return foreignStatus(event);
  if (name === "merge_group" || recordAt(event, "merge_group")) return foreignQueue(event, env);
  const refs = [env.GITHUB_REF, textAt(event, "ref")];
  return (
    foreignComment(name, event) ??
    refs.map(foreignRef).find((words) => words !== undefined) ??
    foreignWish(event) ??
    unknown(name)
  );
}

/** Of slash commands that are dispatched, what they were written under comes along. */
function pullRequestOf(event: Payload): Payload | undefined {
  return recordAt(event, "pull_request") ?? recordAt(recordAt(event, "client_payload") ?? {}, "pull_request");
}

/** A deleted fork has no name any more: not told counts as foreign. */
function foreignRequest(request: Payload, event: Payload): Foreign {
  const head = textAt(request, "head", "repo", "full_name");
  const base = textAt(request, "base", "repo", "full_name");
  const own = textAt(event, "repository", "full_name") ?? base;
  if (head === undefined || base === undefined || base !== own)
    return "the payload does not tell which repository the pull request's commit is from";
  if (head !== own) return `the pull request's commit is from ${head}`;
  // Without a branch it was pushed to refs/for/…, which Gitea and Forgejo take from everybody who can read: there is no fork then.
  if (/^refs\//.test(textAt(request, "head", "ref") ?? "refs/"))
    return "the pull request's commit stands in no branch of this repository";
  return undefined;
}

/** After these, what a run was about stands in its own payload, and it may have read what somebody else wrote. */
const SETTLED_BY_HEAD = /^(push|pull_request|merge_group|schedule|workflow_dispatch|release|create)$/;

/** Gitea names no head's repository; what was pushed to this one is its own. */
function foreignRun(event: Payload): Foreign {
  const run = recordAt(event, "workflow_run") ?? {};
  const own = textAt(event, "repository", "full_name");
  const after = textAt(run, "event") ?? "";
  if (run.head_repository === undefined && after === "push") return foreignRef(textAt(run, "head_branch"));
  const head = textAt(run, "head_repository", "full_name");
  if (head === undefined || own === undefined)
    return "the payload does not tell which repository the commit of the run before is from";
  if (head !== own) return `the commit of the run before is from ${head}`;
  return SETTLED_BY_HEAD.test(after)
    ? foreignRef(textAt(run, "head_branch"))
    : `it cannot be told what the run before was about${after === "" ? "" : ` (${after})`}`;
}

/**
 * A merge queue tries commits that GitHub has made in a branch of this repository, forks' too: of pull requests that somebody who may write here has
 * put there, after all that the branch requires of them. GitHub hands it secrets and a token that writes, as to a push of that person.
 * @see https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/merging-a-pull-request-with-a-merge-queue
 */
function foreignQueue(event: Payload, env: Environment): Foreign {
  const isTold = isQueue(env.GITHUB_REF?.replace(/^refs\/heads\//, ""));
  const group = recordAt(event, "merge_group") ?? {};
  const sha = textAt(group, "head_sha");
  const isThis = textAt(group, "head_ref") === env.GITHUB_REF && sha !== undefined && sha === env.GITHUB_SHA;
  return isTold && isThis ? undefined : "the payload does not tell which commit of a merge queue this is";
}

/** A fork's checks come without branch and pull requests. What is at the head of this repository's default branch is its own. */
function foreignCheck(event: Payload, env: Environment): Foreign {
  const check = recordAt(event, "check_suite") ?? recordAt(event, "check_run") ?? {};
  const id = recordAt(event, "repository")?.id;
  const requests = Array.isArray(check.pull_requests) ? check.pull_requests : [];
  const heads = requests.map((one) => (isRecord(one) ? recordAt(recordAt(one, "head") ?? {}, "repo")?.id : undefined));
  const isOwn = typeof id === "number" && heads.length > 0 && heads.every((head) => head === id);
  const sha = textAt(check, "head_sha");
  const isDefault = sha !== undefined && sha === env.GITHUB_SHA && isOwnRef(env.GITHUB_REF);
  return isOwn || isDefault ? undefined : "the payload does not tell whose commit was checked";
}

/** What is deployed is this repository's own where the host says which of its branches or tags it is. */
function foreignDeployment(event: Payload, env: Environment): Foreign {
  const ref = textAt(event, "deployment", "ref") ?? "";
  const isNamed = [`refs/heads/${ref}`, `refs/tags/${ref}`].includes(env.GITHUB_REF ?? "");
  return isNamed && isOwnRef(env.GITHUB_REF) && !/^(refs|pull)\//.test(ref)
    ? undefined
    : "the payload does not tell whose commit is deployed";
}

/**
 * The host lists the branches of this repository that hold the commit. The run is the default branch's, whatever that commit is: for one that is
 * only tried by a merge queue it would move that branch's alias and layer cache, which the queue itself does not.
 */
function foreignStatus({ branches }: Payload): Foreign {
  const names = Array.isArray(branches) ? branches.map((one) => (isRecord(one) ? textAt(one, "name") : undefined)) : [];
  return names.some((name) => name !== undefined && !isQueue(name))
    ? undefined
    : "the commit of the status stands in no branch of this repository, or only in a merge queue's";
}

/** Workflows that a comment on a pull request starts check out its code, and the payload says nowhere whose that is. */
function foreignComment(name: string, event: Payload): Foreign {
  const issue = recordAt(event, "issue");
  const isOnRequest = event.is_pull === true || Boolean(issue?.pull_request);
  if (isOnRequest) return "the payload does not tell whose commit the pull request is about that was commented on";
  return name === "issue_comment" && !issue ? "the payload does not tell what was commented on" : undefined;
}

/** GitHub's own name for it. */
function isQueue(branch: string | undefined): boolean {
  return branch?.startsWith("gh-readonly-queue/") ?? false;
}

function isOwnRef(ref: string | undefined): boolean {
  return ref !== undefined && /^refs\/(heads|tags)\//.test(ref);
}

/** Pull requests stand beside branches and tags, and who runs a workflow by hand or by a push may name one. */
function foreignRef(ref: string | undefined): Foreign {
  if (!ref?.startsWith("refs/") || isOwnRef(ref)) return undefined;
  return `${ref} is neither a branch nor a tag of this repository`;
}

/**
 * Who runs a workflow by hand, or dispatches it, may name a pull request for it to check out, which takes blanks around it away; what is
 * dispatched for a slash command brings along the comment's own payload.
 */
function foreignWish(event: Payload): Foreign {
  const told = [recordAt(event, "inputs"), recordAt(event, "client_payload")].flatMap((one) => valuesWithin(one ?? {}));
  const named = told.find(({ value }) => typeof value === "string" && /^\s*(refs\/)?pull\//.test(value));
  if (named) return `the run is asked for ${String(named.value)}`;
  const isRequest = told.some(
    ({ name, value }) => name === "pull_request" && typeof value === "object" && value !== null,
  );
  return isRequest ? "what it was dispatched with speaks of a pull request" : undefined;
}

/** Far more than anybody dispatches. */
const MOST_VALUES = 10_000;

/** Everything in a record and in what is in it, each with the name under which it stands. */
function valuesWithin(record: Payload): readonly { readonly name: string; readonly value: unknown }[] {
  const found: { readonly name: string; readonly value: unknown }[] = [{ name: "", value: record }];
  for (let at = 0; at < found.length && found.length < MOST_VALUES; at++) {
    const value = found[at]?.value;
    if (typeof value !== "object" || value === null) continue;
    for (const [name, inner] of Object.entries(value)) found.push({ name, value: inner });
  }
  return found;
}

/** These run for what stands in this repository, by the hand of somebody who may write there, or for its default branch. */
const OWN = new Set([
  ...["push", "schedule", "workflow_dispatch", "repository_dispatch", "workflow_call", "release", "create", "delete"],
  ...["issues", "issue_comment", "label", "milestone", "discussion", "discussion_comment", "fork", "watch", "public"],
  ...["gollum", "page_build", "registry_package", "branch_protection_rule", "image_version"],
  ...["project", "project_card", "project_column"],
  // Gitea and Forgejo know more of issues, by names of their own.
  ...["issue_assign", "issue_label", "issue_milestone", "package", "repository", "wiki"],
]);

function unknown(name: string): Foreign {
  return name === "" || OWN.has(name) ? undefined : `it cannot be told whose code the event ${name} is about`;
}

/** act has none for most events; those that are about one branch need none. */
const WITHOUT_PAYLOAD = new Set(["", "push", "schedule", "workflow_dispatch", "release", "create"]);

function withoutPayload(name: string, env: Environment): Foreign {
  if (name === "" && !isOwnMachine(env)) return "the host tells neither the event nor its payload";
  if (!WITHOUT_PAYLOAD.has(name)) return `the payload of ${name} is missing or cannot be read`;
  return foreignRef(env.GITHUB_REF);
}

/** Where there are no events, and what is built is one's own: a terminal, and `exec` of Gitea's runner, which no server starts. */
function isOwnMachine(env: Environment): boolean {
  return env.GITHUB_ACTIONS !== "true" || env.ACT_EXEC === "true";
}

function branchOf(env: Environment): string | undefined {
  const prefix = "refs/heads/";
  return env.GITHUB_REF?.startsWith(prefix) ? env.GITHUB_REF.slice(prefix.length) : undefined;
}

function recordAt(value: Payload, name: string): Payload | undefined {
  const found = value[name];
  return isRecord(found) ? found : undefined;
}

function textAt(value: Payload, ...path: readonly string[]): string | undefined {
  const found = path.reduce<unknown>((node, name) => (isRecord(node) ? node[name] : undefined), value);
  return typeof found === "string" ? found : undefined;
}
