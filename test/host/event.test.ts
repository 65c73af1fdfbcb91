import { expect, test } from "vitest";
import { readEvent } from "../../src/host/event.ts";

const repository = { id: 7, full_name: "team/app", default_branch: "main" };
const OWN = { id: 7, full_name: "team/app" };
const ELSE = { id: 8, full_name: "else/app" };
const MAIN = "refs/heads/main";
const request = (head: unknown, ref = "topic") => ({
  repository,
  pull_request: { head: { ref, repo: head }, base: { ref: "main", repo: OWN } },
});
const run = (event: string | undefined, head: unknown, more = {}) => ({
  repository,
  workflow_run: { event, head_branch: "topic", ...(head === undefined ? {} : { head_repository: head }), ...more },
});
const suite = (more: object) => ({ repository, check_suite: { head_sha: "c0ffee", head_branch: null, ...more } });
const SHA = "c0ffee";
const QUEUE = "refs/heads/gh-readonly-queue/main/pr-1-abc";

/** The words that a run is told where its code does not count as its repository's own. */
const own = undefined;

test.each<[what: string, name: string, ref: string | undefined, payload: unknown, why: RegExp | undefined]>([
  // The repository's own.
  ["a push to a branch", "push", "refs/heads/feature/x", { repository, ref: "refs/heads/feature/x" }, own],
  ["a push of a tag", "push", "refs/tags/v1", { repository, ref: "refs/tags/v1" }, own],
  ["a schedule", "schedule", MAIN, { repository, schedule: "0 0 * * *" }, own],
  ["a run by hand", "workflow_dispatch", MAIN, { repository, ref: MAIN, inputs: null }, own],
  ["a run by hand for a branch", "workflow_dispatch", MAIN, { repository, ref: MAIN, inputs: { ref: "topic" } }, own],
  ["a dispatch", "repository_dispatch", MAIN, { repository, client_payload: { ref: "topic" } }, own],
  ["a release", "release", "refs/tags/v1", { repository, release: {} }, own],
  ["an issue", "issues", MAIN, { repository, issue: {} }, own],
  ["a comment on an issue", "issue_comment", MAIN, { repository, issue: {}, is_pull: false }, own],
  ["a push inside a called workflow on Gitea", "workflow_call", MAIN, { repository, ref: MAIN }, own],
  ["a terminal", "", undefined, undefined, own],
  ["act's push, without a payload", "push", MAIN, undefined, own],
  ["act's push, with an empty one", "push", MAIN, {}, own],

  // Pull requests.
  ["an own pull request", "pull_request", "refs/pull/1/merge", request(OWN), own],
  ["an own pull request, on Gitea", "pull_request", "refs/pull/1/head", request(OWN), own],
  ["a fork's", "pull_request", "refs/pull/1/merge", request(ELSE), /from else\/app/],
  ["a deleted fork's", "pull_request", "refs/pull/1/merge", request(null), /does not tell/],
  [
    "one pushed to refs/for, on Gitea",
    "pull_request",
    "refs/pull/1/head",
    request(OWN, "refs/pull/1/head"),
    /no branch/,
  ],
  [
    "one without a base",
    "pull_request",
    "refs/pull/1/merge",
    { repository, pull_request: { head: { ref: "x", repo: OWN } } },
    /does not tell/,
  ],
  ["one of another repository's", "pull_request", MAIN, { ...request(OWN), repository: ELSE }, /does not tell/],
  ["a fork's inside a called workflow on Gitea", "workflow_call", "refs/pull/1/head", request(ELSE), /from else\/app/],
  ["a fork's, target", "pull_request_target", MAIN, request(ELSE), /from else\/app/],
  ["an own one, target", "pull_request_target", MAIN, request(OWN), own],
  ["a review of a fork's", "pull_request_review", "refs/pull/1/merge", request(ELSE), /from else\/app/],
  ["a review of an own one", "pull_request_review", "refs/pull/1/merge", request(OWN), own],
  [
    "a comment in a review of a fork's",
    "pull_request_review_comment",
    "refs/pull/1/merge",
    request(ELSE),
    /from else\/app/,
  ],
  [
    "a comment on a fork's, on Gitea",
    "pull_request_comment",
    MAIN,
    { ...request(ELSE), is_pull: true, issue: {} },
    /from else\/app/,
  ],
  [
    "a slash command on a fork's",
    "repository_dispatch",
    MAIN,
    { repository, client_payload: { pull_request: request(ELSE).pull_request } },
    /from else\/app/,
  ],

  // Payloads that are missing or broken.
  [
    "a pull request without a payload",
    "pull_request",
    "refs/pull/1/merge",
    undefined,
    /payload of pull_request is missing/,
  ],
  ["a target without a payload", "pull_request_target", MAIN, undefined, /is missing/],
  ["a review without a payload", "pull_request_review", MAIN, [], /is missing/],
  ["a pull request with an empty payload", "pull_request", "refs/pull/1/merge", {}, /is missing/],
  [
    "a pull request whose payload names none",
    "pull_request",
    "refs/pull/1/merge",
    { repository },
    /names no pull request/,
  ],
  [
    "a pull request that is a text",
    "pull_request",
    "refs/pull/1/merge",
    { repository, pull_request: "7" },
    /names no pull request/,
  ],
  ["a called workflow without a payload", "workflow_call", MAIN, undefined, /is missing/],
  ["a comment without a payload", "issue_comment", MAIN, undefined, /is missing/],
  ["a run after another without a payload", "workflow_run", MAIN, undefined, /is missing/],
  ["a check without a payload", "check_suite", MAIN, undefined, /is missing/],
  ["a push of a pull request without a payload", "push", "refs/pull/1/merge", undefined, /neither a branch nor a tag/],

  // Runs after runs.
  ["after a fork's pull request", "workflow_run", MAIN, run("pull_request", ELSE), /from else\/app/],
  ["after a deleted fork's", "workflow_run", MAIN, run("pull_request", null), /does not tell/],
  ["after an own pull request", "workflow_run", MAIN, run("pull_request", OWN), own],
  ["after an own push", "workflow_run", MAIN, run("push", OWN), own],
  ["after an own push, on Gitea, which names no head", "workflow_run", MAIN, run("push", undefined), own],
  ["after a pull request, on Gitea", "workflow_run", MAIN, run("pull_request", undefined), /does not tell/],
  ["after a target", "workflow_run", MAIN, run("pull_request_target", OWN), /cannot be told/],
  ["after a comment", "workflow_run", MAIN, run("issue_comment", OWN), /cannot be told/],
  ["after a run that came after another", "workflow_run", MAIN, run("workflow_run", OWN), /cannot be told/],
  ["after what is not told", "workflow_run", MAIN, run(undefined, OWN), /cannot be told/],
  [
    "after a merge queue's try",
    "workflow_run",
    MAIN,
    run("merge_group", OWN, { head_branch: "gh-readonly-queue/main/pr-1-abc" }),
    own,
  ],
  ["after what names a fork's head for a queue", "workflow_run", MAIN, run("merge_group", ELSE), /from else\/app/],
  ["whose run is missing", "workflow_run", MAIN, { repository }, /does not tell/],

  // Comments.
  ["a comment on a pull request", "issue_comment", MAIN, { repository, issue: { pull_request: {} } }, /commented on/],
  [
    "a comment on a pull request, on Gitea",
    "issue_comment",
    MAIN,
    { repository, issue: {}, is_pull: true },
    /commented on/,
  ],
  ["a comment whose issue is missing", "issue_comment", MAIN, { repository }, /commented on/],

  // Checks, states and deployments.
  ["a check of a fork's commit", "check_suite", MAIN, suite({ pull_requests: [] }), /whose commit was checked/],
  [
    "a check of a fork's pull request",
    "check_suite",
    MAIN,
    suite({ pull_requests: [{ head: { repo: ELSE } }] }),
    /whose commit/,
  ],
  [
    "a check of a commit in both",
    "check_suite",
    MAIN,
    suite({ pull_requests: [{ head: { repo: OWN } }, { head: { repo: ELSE } }] }),
    /whose commit/,
  ],
  ["a check of an own pull request", "check_suite", MAIN, suite({ pull_requests: [{ head: { repo: OWN } }] }), own],
  ["a check of the default branch", "check_suite", MAIN, suite({ head_sha: "5ba", pull_requests: [] }), own],
  [
    "a check run of a fork's commit",
    "check_run",
    MAIN,
    { repository, check_run: { head_sha: SHA, pull_requests: [] } },
    /whose commit/,
  ],
  ["a check run without its run", "check_run", MAIN, { repository }, /whose commit/],
  ["a state of a fork's commit", "status", MAIN, { repository, sha: SHA, branches: [] }, /no branch/],
  ["a state without branches", "status", MAIN, { repository, sha: SHA }, /no branch/],
  [
    "a state of a commit in a queue",
    "status",
    MAIN,
    { repository, branches: [{ name: "gh-readonly-queue/main/pr-1" }] },
    /only in a merge queue's/,
  ],
  ["a state of an own commit", "status", MAIN, { repository, sha: SHA, branches: [{ name: "topic" }] }, own],
  [
    "a deployment of a commit",
    "deployment",
    "",
    { repository, deployment: { ref: SHA, sha: SHA } },
    /whose commit is deployed/,
  ],
  [
    "a deployment of a pull request",
    "deployment",
    "refs/heads/pull/1/merge",
    { repository, deployment: { ref: "pull/1/merge" } },
    /whose commit/,
  ],
  ["a deployment of a branch", "deployment", MAIN, { repository, deployment: { ref: "main", sha: SHA } }, own],
  [
    "a deployment's state, of a commit",
    "deployment_status",
    "",
    { repository, deployment: { ref: SHA }, deployment_status: {} },
    /whose commit/,
  ],
  [
    "a deployment's state, of a branch, with the run behind it",
    "deployment_status",
    MAIN,
    { ...run("pull_request", ELSE), deployment: { ref: "main" } },
    own,
  ],

  // Merge queues.
  ["a merge queue", "merge_group", QUEUE, { repository, merge_group: { head_ref: QUEUE, head_sha: "5ba" } }, own],
  ["a push of a merge queue's branch", "push", QUEUE, { repository, ref: QUEUE }, own],
  [
    "a merge queue of another commit",
    "merge_group",
    QUEUE,
    { repository, merge_group: { head_ref: QUEUE, head_sha: SHA } },
    /which commit of a merge queue/,
  ],
  [
    "a merge queue whose ref is another branch",
    "merge_group",
    MAIN,
    { repository, merge_group: { head_ref: MAIN, head_sha: "5ba" } },
    /which commit of a merge queue/,
  ],
  ["a merge queue that tells nothing", "merge_group", QUEUE, { repository }, /which commit of a merge queue/],
  ["a merge queue without a payload", "merge_group", QUEUE, undefined, /is missing/],

  // Refs that are neither branches nor tags.
  [
    "a push of a pull request",
    "push",
    "refs/pull/1/head",
    { repository, ref: "refs/pull/1/head" },
    /neither a branch nor a tag/,
  ],
  [
    "a run by hand for a pull request",
    "workflow_dispatch",
    "refs/pull/1/merge",
    { repository },
    /neither a branch nor a tag/,
  ],
  [
    "a run by hand whose payload names one",
    "workflow_dispatch",
    MAIN,
    { repository, ref: "refs/pull/1/merge" },
    /neither/,
  ],
  [
    "a run by hand with one as an input",
    "workflow_dispatch",
    MAIN,
    { repository, ref: MAIN, inputs: { ref: "refs/pull/1/merge" } },
    /asked for refs\/pull\/1/,
  ],
  [
    "a run by hand with one between blanks, which actions/checkout takes away",
    "workflow_dispatch",
    MAIN,
    { repository, ref: MAIN, inputs: { ref: " refs/pull/1/merge" } },
    /asked for +refs\/pull\/1/,
  ],
  [
    "a dispatch with one",
    "repository_dispatch",
    MAIN,
    { repository, client_payload: { ref: "pull/1/head" } },
    /asked for pull\/1/,
  ],
  [
    "a dispatch with one, deeper",
    "repository_dispatch",
    MAIN,
    { repository, client_payload: { a: [{ ref: " refs/pull/1/head" }] } },
    /asked for +refs\/pull\/1/,
  ],
  [
    "a slash command with the comment's own payload",
    "repository_dispatch",
    MAIN,
    { repository, client_payload: { github: { payload: { issue: { pull_request: { url: "x" } } } } } },
    /speaks of a pull request/,
  ],
  ["an event that nobody knows", "commit_landed", MAIN, { repository }, /cannot be told whose code/],
])("whose code: %s (%s)", (_, name, ref, payload, why) => {
  const env = { GITHUB_EVENT_NAME: name, GITHUB_SHA: "5ba", ...(ref === undefined ? {} : { GITHUB_REF: ref }) };
  const event = readEvent(env, payload);
  expect(event.isFork).toBe(why !== undefined);
  expect(event.whyFork ?? "").toMatch(why ?? /^$/);
});

test("whose code: a merge queue of which neither the payload nor the runner names the commit", () => {
  const payload = { repository, merge_group: { head_ref: QUEUE } };
  expect(readEvent({ GITHUB_EVENT_NAME: "merge_group", GITHUB_REF: QUEUE }, payload).isFork).toBe(true);
});

const SERVER = { GITHUB_ACTIONS: "true", GITHUB_EVENT_NAME: "", GITHUB_REF: MAIN };
const EXEC = { ...SERVER, ACT: "true", ACT_EXEC: "true" };

test.each<[what: string, env: Readonly<Record<string, string>>, payload: unknown, why: RegExp | undefined]>([
  ["a terminal", {}, undefined, own],
  ["exec of Gitea's runner, on a machine of one's own", EXEC, {}, own],
  ["exec with a pull request's ref", { ...EXEC, GITHUB_REF: "refs/pull/1/head" }, {}, /neither a branch nor a tag/],
  ["exec that is told a fork's pull request", EXEC, request(ELSE), /from else\/app/],
  ["a server's runner with an empty payload", SERVER, {}, /neither the event nor its payload/],
  [
    "Gitea's runner without a payload",
    { ...SERVER, ACT: "true", GITEA_ACTIONS: "true" },
    undefined,
    /neither the event/,
  ],
])("whose code, where no event is named: %s", (_, env, payload, why) => {
  expect(readEvent(env, payload).whyFork ?? "").toMatch(why ?? /^$/);
});

test.each([
  ["a push", { GITHUB_REF: "refs/heads/feature/x" }, { repository }, { branch: "feature/x", isPullRequest: false }],
  ["a tag", { GITHUB_REF: "refs/tags/v1" }, { repository }, { branch: undefined, isPullRequest: false }],
  ["a pull request", {}, request(OWN), { branch: "topic", baseBranch: "main", isPullRequest: true }],
  [
    "after a pull request: its branch, and a pull request's rights over tags",
    { GITHUB_REF: MAIN },
    run("pull_request", OWN),
    { isPullRequest: true, branch: "topic" },
  ],
  ["after a push", { GITHUB_REF: MAIN }, run("push", OWN), { isPullRequest: false, branch: "topic" }],
  [
    "a merge queue, to whose branch nobody comes back, has a pull request's rights over tags",
    { GITHUB_REF: QUEUE },
    { repository, merge_group: { base_ref: MAIN } },
    { branch: undefined, baseBranch: "main", isPullRequest: true },
  ],
  ["a push of its branch", { GITHUB_REF: QUEUE }, { repository }, { branch: undefined, isPullRequest: true }],
  [
    "after a merge queue",
    { GITHUB_REF: MAIN },
    run("merge_group", OWN, { head_branch: "gh-readonly-queue/main/pr-1-abc" }),
    { branch: undefined, isPullRequest: true },
  ],
  [
    "a deployment, whatever run is behind it",
    { GITHUB_REF: MAIN },
    { ...run("pull_request", ELSE), deployment: { ref: "main" } },
    { branch: "main", isPullRequest: false },
  ],
  ["no payload", {}, undefined, { isPullRequest: false, defaultBranch: undefined }],
])("branches of %s", (_, env, payload, expected) => {
  expect(readEvent(env, payload)).toMatchObject(expected);
});

test.each([
  ["a push of the repository's own", { GITHUB_REF: MAIN, GITHUB_ACTOR: "me" }, { repository }, undefined],
  ["a fork", {}, request(ELSE), /commit is from else/],
  ["Dependabot's own branch", { GITHUB_ACTOR: "dependabot[bot]" }, request(OWN), /^Dependabot started it$/],
])("why a run gets no secrets: %s", (_, env, payload, why) => {
  const { whyNoSecrets } = readEvent(env, payload);
  if (why === undefined) expect(whyNoSecrets).toBeUndefined();
  else expect(whyNoSecrets).toMatch(why);
});
