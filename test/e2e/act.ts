import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { runScript } from "./script.ts";

// Workflows on nektos/act, in host mode: jobs are processes of this machine, whatever their label.

const folder = mkdtempSync(join(tmpdir(), "act-"));
const started = new Set<ChildProcess>();
afterAll(() => {
  for (const child of started) child.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** How a workflow of ours is called; `NAME` is which. */
export const CALLED = (
  /uses: (\S+\/dev-container-cache\/\S+)/.exec(readFileSync("workflows/starters/later-job.yml", "utf8"))?.[1] ?? ""
).replace(/\w+\.yml/, "NAME.yml");

const LABELS = ["ubuntu-latest", "ubuntu-24.04-arm"];

/** For steps of others that the workflows use: the engine of these tests has what they bring. */
const STAND_IN = `name: stand-in
description: Does nothing
runs:
  using: composite
  steps:
    - run: "true"
      shell: bash
`;

/** For the checkout of a ref, which act does not do itself: that ref of the repository that the run is of. */
const CHECKOUT = `name: checkout
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

export type Act = { readonly program: string; readonly arguments: readonly string[] };

/** act, which may have to be built first, and this action as it would be published. */
export async function openAct(): Promise<Act> {
  const [program = ""] = await runScript("scripts/act.sh");
  const published = join(folder, "published");
  for (const path of ["action.yml", "dist", ".github/workflows"])
    cpSync(path, join(published, path), { recursive: true });
  for (const [name, text] of Object.entries({ "stand-in": STAND_IN, checkout: CHECKOUT })) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "action.yml"), text);
  }
  const instead = (name: string): string => {
    if (name.includes("/dev-container-cache@")) return published;
    return join(folder, name.startsWith("actions/checkout@") ? "checkout" : "stand-in");
  };
  const local = usedRepositories().map((name) => `${name}=${instead(name)}`);
  return {
    program,
    arguments: [
      ...["--json", "--no-cache-server", "--container-daemon-socket", "-"],
      ...LABELS.flatMap((label) => ["--platform", `${label}=-self-hosted`]),
      ...local.flatMap((one) => ["--local-repository", one]),
    ],
  };
}

/** What stands in the workflows behind `uses:`, as `owner/repository@ref`. */
function usedRepositories(): readonly string[] {
  const files = ["workflows", "workflows/starters"].flatMap((from) =>
    readdirSync(from).map((name) => join(from, name)),
  );
  const text = files
    .filter((file) => file.endsWith(".yml"))
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  const used = [...text.matchAll(/uses: ([\w-]+\/[\w-]+)[^@\s]*@(\S+)/g)].map(([, name, ref]) => `${name}@${ref}`);
  return [...new Set(used)];
}

export type Event = {
  readonly name: "push" | "pull_request" | "schedule";
  readonly payload: Readonly<Record<string, unknown>>;
};

export type Ended = {
  readonly code: number;
  /** Sorted, like `build linux/arm64 on ubuntu-24.04-arm: success`. Jobs that were skipped are not among them. */
  readonly jobs: readonly string[];
  /** What act and all steps said. */
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
export function openRepository(act: Act, files: string, secrets: Readonly<Record<string, string>> = {}): Repository {
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-C", files, "-c", "user.name=me", "-c", "user.email=me@example.com", ...args], {
      encoding: "utf8",
    });
  git("init", "--quiet", "--initial-branch", "main");
  git("remote", "add", "origin", "https://github.com/team/app.git");
  return {
    write: (path, text) => {
      mkdirSync(dirname(join(files, path)), { recursive: true });
      writeFileSync(join(files, path), text);
    },
    run: async (event) => {
      git("add", "--all");
      git("commit", "--quiet", "--allow-empty", "--message", "A change");
      return runWorkflow(act, files, event, secrets);
    },
  };
}

async function runWorkflow(
  act: Act,
  repository: string,
  { name, payload }: Event,
  secrets: Readonly<Record<string, string>>,
): Promise<Ended> {
  const work = mkdtempSync(join(folder, "run-"));
  const seen = join(work, "seen");
  mkdirSync(seen);
  const event = join(work, "event.json");
  writeFileSync(event, JSON.stringify(payload));
  const secretFile = join(work, "secrets");
  writeFileSync(
    secretFile,
    Object.entries(secrets)
      .map((pair) => `${pair.join("=")}\n`)
      .join(""),
  );
  const { code, output } = await start(
    act.program,
    [
      ...[name, ...act.arguments],
      ...["--directory", repository, "--workflows", ".github/workflows/ci.yml"],
      ...["--eventpath", event, "--secret-file", secretFile],
    ],
    { SEEN: seen, CHECKOUT: repository, XDG_CACHE_HOME: join(work, "cache"), XDG_CONFIG_HOME: join(work, "config") },
  );
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

/** act writes JSON, and what it cannot even start with as plain text. */
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
