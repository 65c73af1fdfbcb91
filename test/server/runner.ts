import { execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CHECKOUT, STAND_IN } from "../e2e/runs.ts";
import { runScript } from "../e2e/script.ts";
import { git } from "../fakes/git-server.ts";
import { type Gitea, poll } from "./gitea.ts";

// Gitea's runner as a daemon of a real server: jobs are processes of this machine, which find the stories' stand-in for docker.

/** Registers a runner with the server and starts it. */
export async function openRunner(gitea: Gitea): Promise<{ readonly close: () => Promise<void> }> {
  const [program = ""] = await runScript("scripts/gitea-runner.sh");
  const folder = mkdtempSync(join(tmpdir(), "runner-"));
  const [bin, engine] = [join(folder, "bin"), join(folder, "engine")];
  for (const made of [bin, join(engine, "container"), join(engine, "volume")]) mkdirSync(made, { recursive: true });
  for (const name of ["docker", "docker.mjs"]) symlinkSync(resolve("test/fakes", name), join(bin, name));
  const envs = { FAKE_DOCKER_RECORD: join(folder, "docker"), FAKE_DOCKER_ENGINE: engine };
  const configuration = {
    runner: {
      file: join(folder, ".runner"),
      envs,
      fetch_interval: "1s",
      fetch_interval_max: "1s",
    },
    cache: { enabled: true, dir: join(folder, "cache"), host: "127.0.0.1" },
    container: { network: "host", docker_host: "-", force_pull: true },
    host: { workdir_parent: join(folder, "work") },
  };
  // YAML is a superset of JSON.
  writeFileSync(join(folder, "config.yaml"), JSON.stringify(configuration));
  const always = ["--config", join(folder, "config.yaml")];
  const env = { ...process.env, HOME: folder, PATH: `${bin}:${process.env.PATH}` };
  const token = gitea.command("actions", "generate-runner-token").trim();
  const labels = ["ubuntu-latest:host", "ubuntu-24.04-arm:host"].join(",");
  const registered = [
    "--no-interactive",
    "--instance",
    gitea.url,
    "--token",
    token,
    "--name",
    "one",
    "--labels",
    labels,
  ];
  execFileSync(program, ["register", ...always, ...registered], { cwd: folder, env, stdio: "pipe" });
  const daemon = spawn(program, ["daemon", ...always], { cwd: folder, env, stdio: "ignore" });
  return {
    close: async () => {
      const ended = new Promise((done) => daemon.on("close", done));
      daemon.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Actions of others that the workflows use, where a ref is no commit of a repository here. */
const OTHERS = /\b((?:actions|docker)\/[\w-]+)@[0-9a-f]{40}\b/g;
export const localized = (text: string): string => text.replaceAll(OTHERS, "$1@v1");

/**
 * Puts a mirror of this action on the server, stamped as scripts/release.sh does for one, with the actions of others that it uses.
 * @returns the folder of the stamped tree.
 */
export async function publishAction(gitea: Gitea, owner: string): Promise<string> {
  const tree = mkdtempSync(join(tmpdir(), "stamped-"));
  for (const path of ["README.md", "package.json", "action.yml", "dist", "workflows", ".github", "scripts/release.sh"])
    cpSync(path, join(tree, path), { recursive: true });
  await runScript(join(tree, "scripts/release.sh"), `${gitea.url}/${owner}`, "v1");
  for (const file of filesBelow(tree))
    if (file.endsWith(".yml")) writeFileSync(file, localized(readFileSync(file, "utf8")));
  await gitea.user(owner);
  await publish(gitea, `${owner}/dev-container-cache`, tree);
  for (const organization of ["actions", "docker"])
    await gitea.api("POST", "/orgs", { as: "boss", body: { username: organization, visibility: "public" } });
  const others = {
    "actions/checkout": CHECKOUT_OF_SERVER,
    "docker/setup-qemu-action": STAND_IN,
    "docker/setup-buildx-action": STAND_IN,
  };
  for (const [name, text] of Object.entries(others)) {
    const folder = mkdtempSync(join(tmpdir(), "other-"));
    writeFileSync(join(folder, "action.yml"), text);
    await publish(gitea, name, folder);
  }
  return tree;
}

/** The checkout of the job's commit, from the server. */
const CHECKOUT_OF_SERVER = CHECKOUT.replaceAll(
  '"$CHECKOUT"',
  '"$(printf %s "$GITHUB_SERVER_URL" | sed "s#://#://x:$TOKEN@#")/$GITHUB_REPOSITORY"',
)
  .replace("- env:\n", "- env:\n        TOKEN: ${{ github.token }}\n")
  .replace("${REF:-HEAD}", "${REF:-$GITHUB_SHA}");

async function publish(gitea: Gitea, repository: string, folder: string): Promise<void> {
  git(folder, "init", "-q");
  git(folder, "add", "-A", "--force");
  git(folder, "commit", "-q", "-m", "published");
  git(folder, "tag", "v1");
  git(folder, "push", "-q", gitea.remote(repository, "boss"), "HEAD:refs/heads/main", "v1");
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => statSync(path).isFile());
}

export type Ran = {
  /** Sorted, like `container / probe: success`. */
  readonly jobs: readonly string[];
  /** What all jobs said. */
  readonly log: string;
};

type Listed = {
  readonly id: number;
  readonly name: string;
  readonly head_sha: string;
  readonly status: string;
  readonly conclusion?: string;
};

/** Waits for the only run of a commit, or the first behind the run `after`; a fork's waits for approval. */
export async function awaitRun(
  gitea: Gitea,
  repository: string,
  {
    commit,
    after = 0,
    approve = false,
  }: { readonly commit?: string; readonly after?: number; readonly approve?: boolean },
): Promise<Ran & { readonly id: number }> {
  const as = repository.split("/")[0] ?? "";
  const list = async (path: string, key: string): Promise<readonly Listed[]> => {
    const told = await gitea.api("GET", `/repos/${repository}/actions/${path}`, { as });
    return (told as Readonly<Record<string, readonly Listed[]>>)[key] ?? [];
  };
  const find = async (): Promise<Listed | undefined> => {
    const runs = await list("runs", "workflow_runs");
    return runs.filter((one) => one.id > after && (commit === undefined || one.head_sha === commit)).at(-1);
  };
  await poll(async () => (await find()) !== undefined);
  const id = (await find())?.id ?? 0;
  if (approve) await gitea.approve(repository, id);
  await poll(async () => (await find())?.status === "completed");
  const jobs = (await list(`runs/${id}/jobs`, "jobs")).filter(({ conclusion }) => conclusion !== "skipped");
  const logs = await Promise.all(
    jobs.map(({ id: job }) => gitea.ask("GET", `/api/v1/repos/${repository}/actions/jobs/${job}/logs`, { as })),
  );
  return {
    id,
    jobs: jobs.map(({ name, conclusion, status }) => `${name}: ${conclusion ?? status}`).sort(),
    log: logs.map(({ text }) => text).join("\n"),
  };
}
