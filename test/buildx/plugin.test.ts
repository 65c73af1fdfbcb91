import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findPlugin } from "../../src/buildx/plugin.ts";
import { openFiles } from "../../src/host/files.ts";

let home: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "plugin-")));
});
afterEach(() => rmSync(home, { recursive: true }));

function put(path: string, text = "#!/bin/sh\n"): string {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), text);
  chmodSync(join(home, path), 0o755);
  return join(home, path);
}

const find = (env: Readonly<Record<string, string>> = {}): Promise<string | undefined> =>
  findPlugin(openFiles(home).files, { HOME: home, ...env });

test("beside docker's configuration, before the system's", async () => {
  const own = put(".docker/cli-plugins/docker-buildx");
  expect(await find()).toBe(own);
});

test("beside the configuration that DOCKER_CONFIG names", async () => {
  put(".docker/cli-plugins/docker-buildx");
  const own = put("other/cli-plugins/docker-buildx");
  expect(await find({ DOCKER_CONFIG: join(home, "other") })).toBe(own);
});

test("first in the folders that the configuration names; what is no text there is passed over", async () => {
  put(".docker/cli-plugins/docker-buildx");
  const extra = put("extra/docker-buildx");
  put(".docker/config.json", JSON.stringify({ cliPluginsExtraDirs: [1, join(home, "nowhere"), join(home, "extra")] }));
  expect(await find()).toBe(extra);
});

test("where a link leads", async () => {
  const program = put("opt/buildx-v0.29.1");
  mkdirSync(join(home, ".docker/cli-plugins"), { recursive: true });
  symlinkSync(program, join(home, ".docker/cli-plugins/docker-buildx"));
  expect(await find()).toBe(program);
});

test.each([
  ["no JSON", "{"],
  ["no object", "[]"],
  ["no list", '{ "cliPluginsExtraDirs": "x" }'],
])("a configuration that is %s keeps nobody from finding it", async (_, text) => {
  put(".docker/config.json", text);
  const own = put(".docker/cli-plugins/docker-buildx");
  expect(await find()).toBe(own);
});

test("a folder of that name is no program", async () => {
  mkdirSync(join(home, ".docker/cli-plugins/docker-buildx"), { recursive: true });
  expect((await find()) ?? "").not.toContain(home);
});
