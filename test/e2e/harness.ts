import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll } from "vitest";
import { readOutputs } from "../stories/harness.ts";

/** Host and port of the test registry: plain http. */
export const REGISTRY = required("TEST_REGISTRY");

/** All that these tests write, gone at the end of each file. */
const folder = mkdtempSync(join(tmpdir(), "e2e-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function required(name: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new Error(
    `${name} is not set: these tests need a registry and an engine. Run them through scripts/test.sh, ` +
      "or: scripts/services.sh run -- npm run test:e2e",
  );
}

/** A name that no other test has, so that a registry which lives on does no harm. */
export function unique(name: string): string {
  return `${name}-${randomBytes(4).toString("hex")}`;
}

export type Base = {
  readonly repository?: string;
  readonly tag?: string;
  /** The text of /etc/base-version: another one is another image. */
  readonly version?: string;
  readonly platforms?: readonly string[];
  /** Goes into the image's config: `User`, `Labels`, `OnBuild`, `Env` … */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Path without leading slash to content. */
  readonly files?: Readonly<Record<string, string>>;
  readonly media?: "oci" | "docker";
};

export type MadeBase = {
  /** `host:port/repository:tag` */
  readonly image: string;
  /** Of the index. */
  readonly digest: string;
  /** Platform to the digest of its manifest. */
  readonly platforms: Readonly<Record<string, string>>;
};

/** Pushes a small image for two platforms. The same repository and tag with another version moves the tag. */
export async function makeBase(base: Base = {}): Promise<MadeBase> {
  const made = await start(process.execPath, ["scripts/base-image.mjs", JSON.stringify(base)]);
  if (made.code !== 0) throw new Error(`base-image.mjs ended with ${made.code}: ${made.stderr}`);
  return JSON.parse(made.stdout);
}

/** A copy of the sample's checkout. Its base is what the variable SAMPLE_BASE names. */
export function copySample(): string {
  const copy = mkdtempSync(join(folder, "sample-"));
  cpSync("test/fixtures/sample", copy, { recursive: true });
  return copy;
}

export type Step = {
  readonly workspace: string;
  /** As in a workflow: `cache-repo`, `platforms` … */
  readonly inputs: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** The event's payload; a push to main where none is given. */
  readonly event?: unknown;
  /** The Node that runs the bundle; this one where none is given. */
  readonly node?: string;
  /** The run is sent SIGTERM as soon as its log is so. */
  readonly stopWhen?: (log: string) => boolean;
};

export type Ended = {
  readonly code: number;
  /** Standard output and error, as they came. */
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  /** What is in the runner's temporary folder when the run has ended. */
  readonly left: readonly string[];
};

/** What a job's environment has besides what the runner sets: enough to find docker, the engine and the builder. */
const PASSED = ["PATH", "HOME", "TMPDIR", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "BUILDX_CONFIG"];
PASSED.push("BUILDX_BUILDER", "XDG_RUNTIME_DIR");

/** Runs the bundle as a runner would: nothing in its environment but what a step has. */
export async function runAction(step: Step): Promise<Ended> {
  const { workspace, inputs, env = {}, event, node = process.execPath, stopWhen } = step;
  const job = mkdtempSync(join(folder, "job-"));
  const temp = join(job, "temp");
  mkdirSync(temp);
  const file = (name: string, text = ""): string => {
    writeFileSync(join(job, name), text);
    return join(job, name);
  };
  const ended = await start(node, [resolve("dist/index.js")], {
    cwd: workspace,
    ...(stopWhen ? { stopWhen } : {}),
    env: {
      ...Object.fromEntries(PASSED.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
      GITHUB_ACTIONS: "true",
      GITHUB_WORKSPACE: workspace,
      GITHUB_OUTPUT: file("output"),
      GITHUB_STEP_SUMMARY: file("summary"),
      GITHUB_EVENT_NAME: "push",
      GITHUB_REF: "refs/heads/main",
      GITHUB_REF_NAME: "main",
      GITHUB_REF_TYPE: "branch",
      GITHUB_EVENT_PATH: file("event.json", JSON.stringify(event ?? { repository: { default_branch: "main" } })),
      RUNNER_TEMP: temp,
      ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
      ...env,
    },
  });
  return {
    code: ended.code,
    log: ended.log,
    outputs: readOutputs(readFileSync(join(job, "output"), "utf8")),
    summary: readFileSync(join(job, "summary"), "utf8"),
    left: readdirSync(temp),
  };
}

/** Runs docker and gives what it printed. @throws with its words when it fails. */
export async function docker(...args: readonly string[]): Promise<string> {
  let ended = await start("docker", args);
  // Debian's registry answers 500 where a tag is asked for at the very moment at which it is written.
  if (ended.code !== 0 && ended.stderr.includes("500 Internal Server Error")) ended = await start("docker", args);
  if (ended.code !== 0) throw new Error(`docker ${args.join(" ")}: ${ended.stderr || ended.stdout}`);
  return ended.stdout;
}

/** Pulls an image for a platform and gives what a command says in it. */
export async function runImage(image: string, platform: string, ...command: readonly string[]): Promise<string> {
  // Docker's classic image store keeps one platform of a digest, and refuses the other.
  await start("docker", ["image", "rm", "--force", image]);
  await docker("pull", "--quiet", "--platform", platform, image);
  return (await docker("run", "--rm", "--network", "none", "--platform", platform, image, ...command)).trim();
}

const MANIFESTS = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** What the registry serves for a tag or digest, asked without the code under test; `undefined` where it has nothing. */
export async function served(
  repository: string,
  reference: string,
): Promise<{ readonly digest: string; readonly document: Record<string, unknown> } | undefined> {
  const answer = await fetch(`http://${REGISTRY}/v2/${repository}/manifests/${reference}`, {
    headers: { accept: MANIFESTS },
  });
  if (answer.status === 404) return undefined;
  if (!answer.ok) throw new Error(`${repository} ${reference}: ${answer.status} ${await answer.text()}`);
  return { digest: answer.headers.get("docker-content-digest") ?? "", document: JSON.parse(await answer.text()) };
}

/** The tags of a repository, sorted. */
export async function tags(repository: string): Promise<string[]> {
  const answer = await fetch(`http://${REGISTRY}/v2/${repository}/tags/list`);
  if (answer.status === 404) return [];
  const list: { readonly tags: readonly string[] | null } = JSON.parse(await answer.text());
  return [...(list.tags ?? [])].sort();
}

type Result = { readonly code: number; readonly stdout: string; readonly stderr: string; readonly log: string };

async function start(
  program: string,
  args: readonly string[],
  { stopWhen, ...options }: { cwd?: string; env?: NodeJS.ProcessEnv; stopWhen?: (log: string) => boolean } = {},
): Promise<Result> {
  return new Promise((done) => {
    let log = "";
    const child = execFile(
      program,
      args,
      { ...options, maxBuffer: 64 * 1024 * 1024, encoding: "utf8" },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        done({ code, stdout, stderr: stderr || (error?.message ?? ""), log });
      },
    );
    const hear = (chunk: string): void => {
      log += chunk;
      if (!stopWhen?.(log)) return;
      stopWhen = undefined;
      child.kill("SIGTERM");
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
  });
}
