import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { type GitServer, git, openGitServer } from "../fakes/git-server.ts";
import { type Asked, CALLED, CHECKOUT, type Runner, STAND_IN } from "./runs.ts";
import { runScript } from "./script.ts";

// Workflows on Gitea's runner without a server, by its `exec`. It hands over no event: neither a name nor a payload.

const servers: GitServer[] = [];
afterAll(() => Promise.all(servers.map(({ close }) => close())));

/** Actions of others that the workflows use, where a ref is no commit of a repository here. */
const OTHERS = /\b((?:actions|docker)\/[\w-]+)@[0-9a-f]{40}\b/g;

/** Gitea's runner, which may have to be built first, and this action as it would be published on its server. */
export async function openGiteaRunner(): Promise<Runner> {
  const [program = ""] = await runScript("scripts/gitea-runner.sh");
  const server = await openGitServer();
  servers.push(server);
  const localized = (text: string): string => text.replaceAll(OTHERS, "$1@v1");
  const [name = "", ref = ""] = CALLED.split(/\/\.github\/workflows\/NAME\.yml@/);
  publish(server, name, ref, (to) => {
    for (const path of ["action.yml", "dist"]) cpSync(path, join(to, path), { recursive: true });
    for (const workflow of ["devcontainer.yml", "check.yml", "warm.yml"])
      put(to, `.github/workflows/${workflow}`, localized(readFileSync(`workflows/${workflow}`, "utf8")));
  });
  publish(server, "actions/checkout", "v1", (to) => put(to, "action.yml", CHECKOUT));
  for (const other of ["docker/setup-qemu-action", "docker/setup-buildx-action"])
    publish(server, other, "v1", (to) => put(to, "action.yml", STAND_IN));
  const instance = ["--gitea-instance", server.url, "--default-actions-url", server.url];
  return {
    program,
    argumentsFor: (asked) => [...["exec", "--json", "--image", "-self-hosted"], ...instance, ...argumentsOf(asked)],
    // What a server's runner says of itself.
    env: { GITEA_ACTIONS: "true", GITEA_ACTIONS_RUNNER_VERSION: "v1.0.8" },
    localized,
  };
}

function argumentsOf({ event, repository, secrets, work }: Asked): readonly string[] {
  return [
    ...["--directory", repository, "--workflows", ".github/workflows/ci.yml", "--event", event.name],
    ...["--network", "host", "--container-daemon-socket", "-"],
    ...["--artifact-server-path", join(work, "artifacts"), "--artifact-server-port", "0"],
    ...Object.entries(secrets).flatMap((pair) => ["--secret", pair.join("=")]),
  ];
}

function publish({ root }: GitServer, name: string, tag: string, fill: (folder: string) => void): void {
  const work = mkdtempSync(join(tmpdir(), "published-"));
  try {
    fill(work);
    git(work, "init", "-q");
    git(work, "add", "--all", "--force");
    git(work, "commit", "-q", "-m", "published");
    git(work, "tag", tag);
    git(work, "clone", "-q", "--bare", work, join(root, `${name}.git`));
  } finally {
    rmSync(work, { recursive: true });
  }
}

function put(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}
