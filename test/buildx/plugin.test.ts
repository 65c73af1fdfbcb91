import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findPlugin } from "../../src/buildx/plugin.ts";
import { openFiles } from "../../src/host/files.ts";

let home: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "plugin-")));
  put("bin/docker", "x".repeat(2 * 1024 * 1024));
});
afterEach(() => rmSync(home, { recursive: true }));

function put(path: string, text = "#!/bin/sh\n"): string {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), text);
  chmodSync(join(home, path), 0o755);
  return join(home, path);
}

const find = (env: Readonly<Record<string, string>> = {}): Promise<string | undefined> =>
  findPlugin(openFiles(home).files, { HOME: home, PATH: `/nowhere:${home}/bin`, ...env });

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

test("by the name that a link has: what it leads to may go by its own", async () => {
  const program = put("opt/mise");
  mkdirSync(join(home, ".docker/cli-plugins"), { recursive: true });
  symlinkSync(program, join(home, ".docker/cli-plugins/docker-buildx"));
  expect(await find()).toBe(join(home, ".docker/cli-plugins/docker-buildx"));
});

test.each<[string, () => Readonly<Record<string, string>>]>([
  ["docker speaks TLS to its engine", () => ({ DOCKER_TLS_VERIFY: "1" })],
  ["docker is a script", () => ({ PATH: dirname(put("scripts/docker")) })],
  ["there is no docker", () => ({ PATH: "/nowhere" })],
])("not where %s: docker knows how, or nobody", async (_, env) => {
  put(".docker/cli-plugins/docker-buildx");
  expect(await find(env())).toBeUndefined();
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
