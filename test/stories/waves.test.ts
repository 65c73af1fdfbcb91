import { expect, test } from "vitest";
import { askAsGitea } from "../fakes/gitea-registry.ts";
import { openFakeRegistry } from "../fakes/registry.ts";
import { type Play, play } from "./harness.ts";
import { openSample } from "./sample.ts";

const LOGIN = { "registry-username": "me", "registry-password": "personal-token" };

test("a hit on a Gitea with a personal token takes a token and three waves: names, images, layers", async () => {
  const { workspace, close } = await openSample();
  const gitea = await openFakeRegistry();
  askAsGitea(gitea, { "personal-token": "write:package" });
  const run = (more: Partial<Play> = {}) =>
    play({
      workspace,
      registry: gitea,
      inputs: { platforms: "linux/amd64,linux/arm64", ...LOGIN },
      env: { GITEA_ACTIONS: "true", GITHUB_SERVER_URL: `http://${gitea.host}` },
      ...more,
    });
  const built = await run();
  expect(built.outputs.result, built.log).toBe("built");

  // The key is asked for as soon as the base is known, whichever wave is under way then.
  gitea.together(/manifests\/(?:branch|y1)-/, 2);
  gitea.together(/manifests\/sha256:/, 2);
  gitea.together(/blobs\/sha256:/, 4);
  const hit = await run();
  expect(hit.outputs.result, hit.log).toBe("hit");
  const asked = hit.requests.map((line) => line.replace(/-?[0-9a-f]{8,}$/, "…"));
  expect(asked[0]).toBe("GET /v2/token");
  expect([...asked].sort()).toEqual([
    "GET /v2/team/app/blobs/sha256:…",
    "GET /v2/team/app/manifests/branch-main…",
    "GET /v2/team/app/manifests/k1…",
    "GET /v2/team/app/manifests/sha256:…",
    "GET /v2/team/app/manifests/sha256:…",
    "GET /v2/team/app/manifests/y1…",
    "GET /v2/token",
    "HEAD /v2/team/app/blobs/sha256:…",
    "HEAD /v2/team/app/blobs/sha256:…",
    "HEAD /v2/team/app/blobs/sha256:…",
  ]);
  expect(JSON.parse(hit.outputs.timings ?? "").waves).toBeLessThanOrEqual(4);
  await Promise.all([gitea.close(), close()]);
});

test("whether it may push is asked on a miss while the bases are read, and who was faster while docker is", async () => {
  const { workspace, registry, close } = await openSample();
  const before = (awaited: RegExp) => async () => {
    for (const end = Date.now() + 60_000; Date.now() < end && !registry.requests.some((line) => awaited.test(line)); )
      await new Promise((done) => setTimeout(done, 5));
    expect(registry.requests.some((line) => awaited.test(line))).toBe(true);
  };
  registry.hold((line) => /^GET .*base\/os\/blobs\//.test(line), before(/^POST /));
  const built = await play({ workspace, registry });
  expect(built.outputs.result, built.log).toBe("built");
  const looks = built.requests.filter((line) => /manifests\/k1-[0-9a-f]{64}-linux-amd64$/.test(line));
  // By the probe, before the build and behind it (again where the machine was held up meanwhile), and to name it.
  expect(looks.map((line) => line.slice(0, 3)).join(" ")).toMatch(/^GET GET GET (?:GET ){0,3}PUT$/);
  await close();
});

test("images are read back and the plan is pushed while BuildKit still exports layers, and none is named before its build has ended", async () => {
  const { workspace, registry, close } = await openSample();
  const isRead = (line: string): boolean => /^GET .*team\/app\/manifests\/sha256:/.test(line);
  const seen = (): number => registry.requests.filter(isRead).length;
  // Of each platform its index, its image and what is said of that; and the plan.
  const all = async (): Promise<void> => {
    for (const end = Date.now() + 60_000; Date.now() < end && seen() < 7; )
      await new Promise((done) => setTimeout(done, 5));
    expect(seen()).toBe(7);
    expect(registry.requests.filter((line) => /^PUT .*manifests\/(?:k1|y1|branch)-/.test(line))).toEqual([]);
  };
  registry.hold((line) => line.endsWith("/manifests/exported"), all);
  const inputs = { platforms: "linux/amd64,linux/arm64" };
  const built = await play({ workspace, registry, inputs, env: { FAKE_DOCKER_EXPORTS: "yes" } });
  expect(built.outputs.result, built.log).toBe("built");
  // The set, by its digest.
  expect(seen()).toBe(8);
  await close();
});
