import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { put } from "../checkout.ts";
import { makeBase, REGISTRY, runAction, runImage, unique } from "./harness.ts";

const workspace = mkdtempSync(join(tmpdir(), "e2e-same-size-"));
const repository = unique("e2e/same-size");
afterAll(() => rmSync(workspace, { recursive: true, force: true }));

beforeAll(async () => {
  const base = await makeBase({ repository: unique("base/same-size") });
  put(
    workspace,
    ".devcontainer/Dockerfile",
    `FROM ${base.image}\nCOPY file.txt /context.txt\nCOPY --from=named file.txt /named.txt\n`,
  );
  put(
    workspace,
    ".devcontainer/devcontainer.json",
    JSON.stringify({
      build: { dockerfile: "Dockerfile", context: "../app", options: ["--build-context=named=named"] },
      features: { "./local": {} },
    }),
  );
  put(workspace, ".devcontainer/local/devcontainer-feature.json", '{ "id": "local", "version": "1.0.0" }');
});

/** Writes a word wherever a build reads from, builds, and tells what is in the image. */
async function build(word: string): Promise<string> {
  put(workspace, "app/file.txt", `${word}\n`);
  put(workspace, "named/file.txt", `${word}\n`);
  put(workspace, ".devcontainer/local/install.sh", { script: `#!/bin/sh\necho ${word} > /feature.txt\n` });
  const inputs = { "cache-repo": `${REGISTRY}/${repository}`, platforms: "linux/amd64" };
  const { outputs, log } = await runAction({ workspace, inputs });
  expect(outputs.result, log).toBe("built");
  const show = "cat /context.txt /named.txt /feature.txt; stat -c %Y /context.txt /named.txt";
  return runImage(outputs.image ?? "", "linux/amd64", "sh", "-c", show);
}

// All files that are sent have one time, and a builder takes a file of the same path, size and time for the one that it knows.
test("a file that changed and kept its size is in the image", async () => {
  expect(await build("one")).toBe("one\none\none\n315532800\n315532800");
  expect(await build("two")).toBe("two\ntwo\ntwo\n315532800\n315532800");
});
