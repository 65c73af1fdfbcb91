import { defineConfig } from "vitest/config";

const unit = ["test/**/*.test.ts"];
const stories = ["test/stories/**/*.test.ts"];
const e2e = ["test/e2e/**/*.test.ts"];
// A real Gitea, which takes eight minutes to build: for maintainers, and no part of what a change has to pass.
const server = ["test/server/**/*.test.ts"];
// What takes long and says the same on every Node: tables of faults and of kills, and other stories of dozens of runs of the bundle each;
// checkouts that cost what the limits allow; processes that are started with a Node of their own.
const faults = [
  ...["broken-sets", "killed", "orders", "push-faults", "reading-faults", "silent", "swept", "together", "variants"],
  ...[
    "git-kept",
    "gitea",
    "git-known",
    "git-logins",
    "git-lfs",
    "git-source",
    "git-submodules",
    "git-transports",
    "interrupted",
    "previous-image",
    "relabel",
    "release",
  ],
  ...["arguments", "canaries", "envbuilder", "load", "published", "refused", "registries", "remote-user-uid", "sbom"],
]
  .map((name) => `test/stories/${name}.test.ts`)
  .concat("test/hostile/hostile.test.ts", "test/key/elsewhere.test.ts");

// Each row starts the reference CLI, which takes a second and says the same whatever Node our own code runs on.
const reference = [
  "devcontainer/reference",
  "devcontainer/merge-reference",
  "features/reference",
  "differences/dockerfile",
].map((name) => `test/${name}.test.ts`);

// Only what hangs is to meet a limit: a busy machine takes many times as long for a test that starts programs.
const patient = { testTimeout: 300_000, hookTimeout: 300_000, expect: { poll: { timeout: 60_000 } } };

export default defineConfig({
  test: {
    globalSetup: "test/temporary-folder.ts",
    // Many tests wait for programs that they have started: by itself vitest would leave one of two cores idle.
    maxWorkers: 3,
    projects: [
      {
        test: {
          ...patient,
          name: "unit",
          include: unit,
          exclude: [...stories, ...e2e, ...server, ...reference, ...faults],
        },
      },
      { test: { ...patient, name: "reference", include: reference } },
      { test: { ...patient, name: "stories", include: stories, exclude: faults } },
      { test: { ...patient, name: "faults", include: faults } },
      // One engine, one registry, two cores: files run one after the other. BuildKit, act and Gitea may have to be built from source first.
      ...Object.entries({ e2e, server }).map(([name, include]) => ({
        test: { ...patient, name, include, testTimeout: 600_000, hookTimeout: 1_200_000, fileParallelism: false },
      })),
    ],
  },
});
