import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { put } from "../checkout.ts";
import { makeBase, REGISTRY, runAction, unique } from "./harness.ts";
import { runScript } from "./script.ts";

const folder = mkdtempSync(join(tmpdir(), "e2e-fork-"));
const builder = unique("granting");
const IMAGE = `${REGISTRY}/${unique("buildkit")}:v0.26.3`;
const buildx = (...args: readonly string[]): void =>
  void execFileSync("docker", ["buildx", ...args], { stdio: "pipe" });

/** As docker/setup-buildx-action makes one: it grants what a build asks for. */
beforeAll(async () => {
  await runScript("scripts/buildkit.sh", IMAGE);
  const granting = ["security.insecure", "network.host"].map((right) => `--allow-insecure-entitlement ${right}`);
  buildx(
    "create",
    "--name",
    builder,
    "--driver",
    "docker-container",
    "--driver-opt",
    `image=${IMAGE},network=host`,
    "--buildkitd-flags",
    granting.join(" "),
  );
});
afterAll(() => {
  buildx("rm", "--force", builder);
  rmSync(folder, { recursive: true, force: true });
});

test("on a builder that grants rights the repository's own code gets them, and a fork's does not", async () => {
  const base = (await makeBase({ repository: unique("base/fork") })).image;
  put(
    folder,
    ".devcontainer/devcontainer.json",
    '{ "build": { "dockerfile": "Dockerfile", "options": ["--allow=security.insecure"] } }',
  );
  put(folder, ".devcontainer/Dockerfile", `FROM ${base}\nRUN --security=insecure cat /proc/self/status\n`);
  const repo = (full_name: string) => ({ ref: "topic", repo: { full_name } });
  const fork = {
    event: {
      repository: { full_name: "team/app", default_branch: "main" },
      pull_request: { head: repo("else/app"), base: repo("team/app") },
    },
    env: { GITHUB_EVENT_NAME: "pull_request", GITHUB_REF: "refs/pull/1/merge" },
  };
  const inputs = { "cache-repo": `${REGISTRY}/${unique("e2e/fork")}`, builder };
  const refused = await runAction({ workspace: folder, inputs, ...fork });
  expect(refused.outputs.result, refused.log).toBe("failed");
  expect(refused.log).toMatch(/--allow=security\.insecure is left out of the build/);
  expect(refused.log).toMatch(/security\.insecure is not allowed/);
  expect(refused.log).not.toContain("CapEff");
  const own = await runAction({ workspace: folder, inputs });
  expect(own.outputs.result, own.log).toBe("built");
  // Without the right it is 00000000a80425fb; what a machine lacks itself nobody gets.
  expect(own.log).toMatch(/CapEff:\s*000001f/);
  expect((await runAction({ workspace: folder, inputs, ...fork })).outputs.result).toBe("hit");
});
