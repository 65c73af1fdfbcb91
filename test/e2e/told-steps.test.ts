import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Content, put } from "../checkout.ts";
import { makeBase, REGISTRY, runAction, unique } from "./harness.ts";

const folder = mkdtempSync(join(tmpdir(), "e2e-told-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = (...lines: readonly string[]): Content => ({ script: ["#!/bin/sh", "set -e", ...lines, ""].join("\n") });

test("what is generated is told by what it stands for, in the log, in the summary and in an error", async () => {
  const { image } = await makeBase({ repository: unique("base/told") });
  const workspace = join(folder, "work");
  const dockerfile = `FROM ${image}\nRUN echo dev:x:1000:1000::/home/dev:/bin/sh >> /etc/passwd\n`;
  const json = { build: { dockerfile: "Dockerfile" }, features: { "./tool": {} }, remoteUser: "dev" };
  const feature = { id: "tool", version: "1.0.0", name: "Tool" };
  put(workspace, ".devcontainer/Dockerfile", dockerfile);
  put(workspace, ".devcontainer/devcontainer.json", JSON.stringify(json));
  put(workspace, ".devcontainer/tool/devcontainer-feature.json", JSON.stringify(feature));
  const inputs = { "cache-repo": `${REGISTRY}/${unique("e2e/told")}`, "remote-user-uid": "1001" };

  put(workspace, ".devcontainer/tool/install.sh", script("echo installed > /tool"));
  const built = await runAction({ workspace, inputs });
  expect(built.code, built.log).toBe(0);
  expect(built.log).toMatch(/\[2\/2\] RUN echo dev:x/);
  expect(built.log).toMatch(/\] feature \.\/tool/);
  for (const text of [built.log, built.summary])
    expect(text).not.toMatch(/dev_containers_feature|dev-container-cache-target|stage-\d/);
  expect(built.summary).toMatch(/^ {4}[\d.]+ s feature \.\/tool :active, /m);
  expect(built.summary).toMatch(/^ {4}[\d.]+ s remote-user-uid :active, /m);

  // On the stream on which its shell says "Killed": between two streams there is no order.
  put(workspace, ".devcontainer/tool/install.sh", script("echo it did not work >&2", "kill -9 $$"));
  const failed = await runAction({ workspace, inputs });
  expect(failed.log).toMatch(
    /::error.* failed at \[\d\/\d\] feature \.\/tool: a command was ended by SIGKILL, most often/,
  );
  expect(failed.summary).toMatch(/^```\nit did not work\n/m);
  expect(failed.summary).toMatch(/^ {4}[\d.]+ s feature \.\/tool :crit, /m);
});
