import { afterAll, beforeAll, expect, test } from "vitest";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Play, play, type Told } from "./harness.ts";
import { openSample } from "./sample.ts";

let registry: FakeRegistry;
let workspace: string;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ registry, workspace, close } = await openSample());
});
afterAll(() => close());

const repo = (full_name: string) => ({ repo: { full_name }, ref: "topic" });
const FORK: Partial<Play> = {
  event: { pull_request: { head: repo("else/app"), base: repo("team/app") } },
  env: { GITHUB_EVENT_NAME: "pull_request", GITHUB_REF: "refs/pull/1/merge" },
};

const run = (more: Partial<Play> = {}): Promise<Told> => play({ workspace, registry, ...more });

const LOCAL = /^127\.0\.0\.1:\d+\/team\/app:k1-[0-9a-f]{64}-linux-amd64$/;
const NOTHING_TO_PULL = { result: "built", pushed: "false", exists: "false", image: "", digest: "", container: "" };

test("what was only loaded is in no output that another job would pull, and a refused push stands in the summary's first line", async () => {
  const fork = await run(FORK);
  expect(fork.outputs, fork.log).toMatchObject(NOTHING_TO_PULL);
  expect(fork.outputs["local-image"]).toMatch(LOCAL);
  expect(fork.log).toMatch(
    /^::warning::The image will be built .* no other job can pull it: this run counts as a fork's, which never causes a push: /m,
  );
  expect(fork.log).not.toContain("packages: write");
  expect(fork.summary.split("\n")[0]).toBe("### 🔨 Dev container: the image was built, and stays on this machine");
  expect(fork.log).toContain(`result: built ${fork.outputs["local-image"]}`);

  registry.override((line) => line.startsWith("POST /v2/team/app/blobs/uploads"), { status: 403 });
  const readOnly = await run();
  expect(readOnly.outputs, readOnly.log).toMatchObject(NOTHING_TO_PULL);
  expect(readOnly.outputs["local-image"]).toBe(fork.outputs["local-image"]);
  expect(readOnly.log).toMatch(/^::warning::.* no other job can pull it: .*permissions: packages: write/m);
  expect(readOnly.summary.split("\n")[0]).toBe(
    "### ⛔ Dev container: the image was built, and the registry refused the push",
  );

  const gitea = await run({ env: { GITEA_ACTIONS: "true" } });
  expect(gitea.log).toMatch(/^Warning: The image .* personal access token with the scope write:package/m);
  expect(gitea.log).not.toMatch(/^::(error|warning)/m);
  expect(gitea.log).toMatch(
    /^::group::Summary\n### ⛔ Dev container: the image was built, and the registry refused the push$/m,
  );
  expect(readOnly.log).not.toContain("::group::Summary");
});

test("an output that holds what the run hides is told, with what becomes of it here", async () => {
  const inputs = { "registry-username": "me", "registry-password": "team/app" };
  const hidden = /The outputs .*\brepository\b.* hold what this run hides/;
  const [github, act] = [await run({ inputs }), await run({ inputs, env: { ACT: "true" } })];
  expect(github.log).toMatch(
    new RegExp(`^::warning::${hidden.source}.*GitHub leaves such an output.* registry, tag hold nothing`, "m"),
  );
  expect(act.log).toMatch(new RegExp(`^Warning: ${hidden.source}.*keeps outputs as they are`, "m"));
  expect((await run()).log).not.toMatch(hidden);
});

test("a secret input that no registry asked for is hidden by the host all the same, and told", async () => {
  const sample = await openSample();
  await play(sample);
  const hit = await play({ ...sample, inputs: { "registry-username": "me", "registry-password": "team/app" } });
  await sample.close();
  expect(hit.outputs.result).toBe("hit");
  expect(hit.log).toMatch(/^::warning::The outputs .*\bimage, repository\b.* hold what this run hides/m);
});
