import { defineConfig } from "vitest/config";

const unit = ["test/**/*.test.ts"];
const stories = ["test/stories/**/*.test.ts"];
const e2e = ["test/e2e/**/*.test.ts"];

export default defineConfig({
  test: {
    globalSetup: "test/temporary-folder.ts",
    // Many tests wait for programs that they have started: by itself vitest would leave one of two cores idle.
    maxWorkers: 3,
    projects: [
      { test: { name: "unit", include: unit, exclude: [...stories, ...e2e], testTimeout: 20_000 } },
      { test: { name: "stories", include: stories, testTimeout: 30_000 } },
      // One engine, one registry, two cores: files run one after the other.
      { test: { name: "e2e", include: e2e, testTimeout: 300_000, hookTimeout: 600_000, fileParallelism: false } },
    ],
  },
});
