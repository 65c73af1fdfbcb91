import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";

// Runs of workflows by a runner that needs no server: jobs are processes of this machine, whatever their label.

const folder = mkdtempSync(join(tmpdir(), "workflows-"));
const started = new Set<ChildProcess>();
afterAll(() => {
  for (const child of started) child.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** How a workflow of ours is called; `NAME` is which. */
export const CALLED = (
  /uses: (\S+\/dev-container-cache\/\S+)/.exec(readFileSync("workflows/starters/later-job.yml", "utf8"))?.[1] ?? ""
).replace(/\w+\.yml/, "NAME.yml");

/** For steps of others that the workflows use: the engine of these tests has what they bring. */
export const STAND_IN = `name: stand-in
description: Does nothing
runs:
  using: composite
  steps:
    - run: "true"
      shell: bash
`;

/** For the checkout of a ref, which they do not do themselves: that ref of the repository that the run is of. */
export const CHECKOUT = `name: checkout
description: Checks the ref out
inputs:
  ref:
    description: What to check out
runs:
  using: composite
  steps:
    - env:
        REF: \${{ inputs.ref }}
      run: |
        git init --quiet .
        git fetch --quiet "$CHECKOUT" "\${REF:-HEAD}"
        git checkout --quiet --force FETCH_HEAD
      shell: bash
`;

/** What a runner is told for one run. */
export type Asked = {
  readonly event: Event;
  readonly repository: string;
  readonly secrets: Readonly<Record<string, string>>;
  /** A folder of its own. */
  readonly work: string;
};

/** A runner, which tells as JSON what it does. */
export type Runner = {
  readonly program: string;
  readonly argumentsFor: (asked: Asked) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A workflow as it can run there. */
  readonly localized?: (text: string) => string;
};

export type Event = {
  readonly name: "push" | "pull_request" | "schedule";
  readonly payload: Readonly<Record<string, unknown>>;
};

export type Ended = {
  readonly code: number;
  /** Sorted, like `build linux/arm64 on ubuntu-24.04-arm: success`. Jobs that were skipped are not among them. */
  readonly jobs: readonly string[];
  /** What the runner and all steps said. */
  readonly log: string;
  /** The text of a file that a job left in the folder `$SEEN`. */
  readonly seen: (name: string) => string | undefined;
};

export type Repository = {
  readonly write: (path: string, text: string) => void;
  /** Commits what was written and runs `.github/workflows/ci.yml` for the event. */
  readonly run: (event: Event) => Promise<Ended>;
};

/** Makes a folder of files the repository `team/app`. */
export function openRepository(
  runner: Runner,
  files: string,
  secrets: Readonly<Record<string, string>> = {},
): Repository {
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-C", files, "-c", "user.name=me", "-c", "user.email=me@example.com", ...args], {
      encoding: "utf8",
    });
  git("init", "--quiet", "--initial-branch", "main");
  git("remote", "add", "origin", "https://github.com/team/app.git");
  return {
    write: (path, text) => {
      mkdirSync(dirname(join(files, path)), { recursive: true });
      const isWorkflow = path.startsWith(".github/workflows/");
      writeFileSync(join(files, path), isWorkflow ? (runner.localized?.(text) ?? text) : text);
    },
    run: async (event) => {
      git("add", "--all");
      git("commit", "--quiet", "--allow-empty", "--message", "A change");
      return runWorkflow(runner, { event, repository: files, secrets });
    },
  };
}

async function runWorkflow(runner: Runner, asked: Omit<Asked, "work">): Promise<Ended> {
  const work = mkdtempSync(join(folder, "run-"));
  const seen = join(work, "seen");
  mkdirSync(seen);
  const { code, output } = await start(runner.program, runner.argumentsFor({ ...asked, work }), {
    ...runner.env,
    ...{ SEEN: seen, CHECKOUT: asked.repository },
    ...{ XDG_CACHE_HOME: join(work, "cache"), XDG_CONFIG_HOME: join(work, "config") },
  });
  const lines = output.split("\n").map(readLine);
  return {
    code,
    jobs: lines.flatMap(nameOfEndedJob).sort(),
    log: lines.map(({ msg }) => msg).join("\n"),
    seen: (file) => (existsSync(join(seen, file)) ? readFileSync(join(seen, file), "utf8") : undefined),
  };
}

type Line = {
  readonly msg: string;
  readonly jobID?: string;
  readonly jobResult?: string;
  readonly matrix?: {
    readonly leg?: { readonly platform?: string; readonly runner?: string; readonly folder?: string };
  };
};

/** They write JSON, and what they cannot even start with as plain text. */
function readLine(text: string): Line {
  return text.startsWith("{") ? JSON.parse(text) : { msg: text };
}

function nameOfEndedJob({ jobID, jobResult, matrix }: Line): readonly string[] {
  if (jobResult === undefined) return [];
  const { platform, runner, folder } = matrix?.leg ?? {};
  const leg = platform === undefined ? (folder ?? "") : `${platform} on ${runner}`;
  return [`${[jobID, leg].join(" ").trimEnd()}: ${jobResult}`];
}

async function start(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  started.add(child);
  let output = "";
  const hear = (chunk: string): void => {
    output += chunk;
  };
  child.stdout.setEncoding("utf8").on("data", hear);
  child.stderr.setEncoding("utf8").on("data", hear);
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code) => {
      started.delete(child);
      done({ code: code ?? 1, output });
    });
  });
}
