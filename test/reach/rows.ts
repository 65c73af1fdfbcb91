/** What the code that a run is about may do, in the README's words. */
export type Reach = {
  readonly pushes: "yes" | "yes, but moves no branch's alias" | "never";
  readonly variables: "all but tokens" | "what `local-env` names, no token";
  readonly secrets: "that are no tokens" | "none";
  readonly rights: "what it asks for" | "none";
};

/** One run: the step's variables, and the payload of its event. */
export type Run = {
  readonly name: string;
  readonly ref?: string;
  readonly payload?: unknown;
  /** What else the runner says of itself. */
  readonly host?: Readonly<Record<string, string>>;
};

/** A line of the README's table, with runs that are examples of it. */
export type Row = { readonly event: string; readonly counts: string; readonly runs: readonly Run[] } & Reach;

const OWN: Reach = {
  pushes: "yes",
  variables: "all but tokens",
  secrets: "that are no tokens",
  rights: "what it asks for",
};
const REQUEST: Reach = { ...OWN, pushes: "yes, but moves no branch's alias" };
const FORK: Reach = {
  pushes: "never",
  variables: "what `local-env` names, no token",
  secrets: "none",
  rights: "none",
};

const repository = { id: 7, full_name: "team/app", default_branch: "main" };
const MAIN = "refs/heads/main";
const PULL = "refs/pull/1/merge";
const QUEUE = "refs/heads/gh-readonly-queue/main/pr-1-abc";
/** The commit of every run. */
export const SHA = "5ba";
const head = (name: string, ref = "topic") => ({ ref, repo: { full_name: name } });
const request = (name: string, ref?: string) => ({
  repository,
  pull_request: { head: head(name, ref), base: head("team/app", "main") },
});
const after = (event: string, name?: string) => ({
  repository,
  workflow_run: { event, head_branch: "topic", ...(name ? { head_repository: { full_name: name } } : {}) },
});

/** A job of a server's runner. */
const SERVER = { GITHUB_ACTIONS: "true", GITEA_ACTIONS: "true" };

export const ROWS: readonly Row[] = [
  {
    event: "`push` of a branch or tag, `schedule`, `release`, a terminal, `exec` of Gitea's runner",
    counts: "own",
    ...OWN,
    runs: [
      { name: "push", ref: MAIN, payload: { repository, ref: MAIN } },
      { name: "push", ref: "refs/tags/v1", payload: { repository, ref: "refs/tags/v1" } },
      { name: "schedule", ref: MAIN, payload: { repository } },
      { name: "release", ref: "refs/tags/v1", payload: { repository, release: {} } },
      { name: "" },
      { name: "", ref: MAIN, payload: {}, host: { ...SERVER, ACT_EXEC: "true" } },
    ],
  },
  {
    event: "`workflow_dispatch`, `repository_dispatch`",
    counts: "own, where neither ref nor inputs name a pull request's",
    ...OWN,
    runs: [
      { name: "workflow_dispatch", ref: MAIN, payload: { repository, ref: MAIN, inputs: { ref: "topic" } } },
      { name: "repository_dispatch", ref: MAIN, payload: { repository, client_payload: { ref: "topic" } } },
    ],
  },
  {
    event: "`push`, `workflow_dispatch`, `repository_dispatch` for `refs/pull/*`",
    counts: "a fork's",
    ...FORK,
    runs: [
      { name: "push", ref: "refs/pull/1/head", payload: { repository } },
      { name: "workflow_dispatch", ref: PULL, payload: { repository } },
      { name: "workflow_dispatch", ref: MAIN, payload: { repository, inputs: { ref: PULL } } },
      { name: "repository_dispatch", ref: MAIN, payload: { repository, client_payload: request("else/app") } },
    ],
  },
  {
    event:
      "`pull_request`, `pull_request_target`, `pull_request_review` and its comments, from a branch of the repository",
    counts: "own",
    ...REQUEST,
    runs: ["pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"].map((name) => ({
      name,
      ref: PULL,
      payload: request("team/app"),
    })),
  },
  {
    event: "the same from a fork, a deleted one too; on Gitea and Forgejo what was pushed to `refs/for/…`",
    counts: "a fork's",
    ...FORK,
    runs: [
      ...["pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"].map((name) => ({
        name,
        ref: PULL,
        payload: request("else/app"),
      })),
      { name: "workflow_call", ref: "refs/pull/1/head", payload: request("else/app") },
      {
        name: "pull_request",
        ref: PULL,
        payload: { repository, pull_request: { head: { repo: null }, base: head("team/app") } },
      },
      { name: "pull_request", ref: "refs/pull/1/head", payload: request("team/app", "refs/pull/1/head") },
    ],
  },
  {
    event: "any of these with a payload that is missing or broken",
    counts: "a fork's",
    ...FORK,
    runs: [
      { name: "pull_request", ref: PULL },
      { name: "pull_request_target", ref: MAIN, payload: "broken" },
      { name: "pull_request_review", ref: MAIN, payload: { repository } },
      { name: "workflow_run", ref: MAIN },
    ],
  },
  {
    event: "`workflow_run` after a push or a pull request of the repository",
    counts: "own; Gitea tells it of pushes alone",
    ...OWN,
    runs: [
      { name: "workflow_run", ref: MAIN, payload: after("push", "team/app") },
      { name: "workflow_run", ref: MAIN, payload: after("push") },
    ],
  },
  {
    event: "`workflow_run` after a fork's pull request, or after what is told nowhere",
    counts: "a fork's",
    ...FORK,
    runs: [
      { name: "workflow_run", ref: MAIN, payload: after("pull_request", "else/app") },
      { name: "workflow_run", ref: MAIN, payload: after("pull_request") },
      { name: "workflow_run", ref: MAIN, payload: after("issue_comment", "team/app") },
      { name: "workflow_run", ref: MAIN, payload: after("workflow_run", "team/app") },
    ],
  },
  {
    event: "`issue_comment` on a pull request",
    counts: "a fork's, for nothing tells whose it is",
    ...FORK,
    runs: [
      { name: "issue_comment", ref: MAIN, payload: { repository, issue: { pull_request: {} } } },
      { name: "issue_comment", ref: MAIN, payload: { repository, issue: {}, is_pull: true } },
    ],
  },
  {
    event: "`check_suite`, `check_run`",
    counts:
      "a fork's, but for pull requests from the repository alone and for the commit of the default branch that the run has",
    ...FORK,
    runs: [
      {
        name: "check_suite",
        ref: MAIN,
        payload: { repository, check_suite: { head_sha: "c0ffee", pull_requests: [] } },
      },
      { name: "check_run", ref: MAIN, payload: { repository, check_run: { head_sha: "c0ffee", pull_requests: [] } } },
    ],
  },
  {
    event:
      "`status`, `deployment`, `deployment_status` of a commit that is told to stand in a branch or tag of the repository",
    counts: "own",
    ...OWN,
    runs: [
      { name: "status", ref: MAIN, payload: { repository, branches: [{ name: "topic" }] } },
      { name: "deployment", ref: MAIN, payload: { repository, deployment: { ref: "main" } } },
      { name: "deployment_status", ref: MAIN, payload: { repository, deployment: { ref: "main" } } },
    ],
  },
  {
    event: "the same of any other commit",
    counts: "a fork's",
    ...FORK,
    runs: [
      { name: "status", ref: MAIN, payload: { repository, branches: [] } },
      { name: "deployment", payload: { repository, deployment: { ref: "c0ffee" } } },
      { name: "deployment_status", payload: { repository, deployment: { ref: "c0ffee" } } },
    ],
  },
  {
    event: "`merge_group`, and pushes of the queue's branches",
    counts: "own: who may write has put it there, and the push that follows finds what it has built",
    ...REQUEST,
    runs: [
      { name: "merge_group", ref: QUEUE, payload: { repository, merge_group: { head_ref: QUEUE, head_sha: SHA } } },
      { name: "push", ref: QUEUE, payload: { repository, ref: QUEUE } },
    ],
  },
  {
    event: "`merge_group` of which the payload does not name this very commit",
    counts: "a fork's",
    ...FORK,
    runs: [
      { name: "merge_group", ref: QUEUE, payload: { repository, merge_group: {} } },
      { name: "merge_group", ref: MAIN, payload: { repository, merge_group: { head_ref: MAIN, head_sha: SHA } } },
    ],
  },
  {
    event: "an event that this version does not know, or of which a server's runner says nothing",
    counts: "a fork's",
    ...FORK,
    runs: [
      { name: "commit_landed", ref: MAIN, payload: { repository } },
      { name: "", ref: MAIN, payload: {}, host: SERVER },
    ],
  },
];
