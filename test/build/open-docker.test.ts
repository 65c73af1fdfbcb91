import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDocker } from "../../src/build/open-docker.ts";
import { inspectBuilder } from "../../src/buildx/builder.ts";
import { openFiles } from "../../src/host/files.ts";
import type { Sources } from "../../src/plan/plan.ts";
import type { Finished, World } from "../../src/world.ts";
import { ok } from "../buildx/programs.ts";
import { hostOf, inputsOf } from "../plan-of.ts";

const TOLD = ok("Name: default\nDriver: docker\n\nNodes:\nName: default\nStatus: running\nPlatforms: linux/amd64\n");
const BUILDX = "github.com/docker/buildx v0.29.1 a1b2c3";

let home: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "docker-")));
  for (const [path, text] of [
    ["bin/docker", "x".repeat(2 * 1024 * 1024)],
    [".docker/cli-plugins/docker-buildx", "#!/bin/sh\n"],
  ] as const) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  }
});
afterEach(() => rmSync(home, { recursive: true }));

/** Docker on a machine with a plugin. `answer` may wait for what else is asked. */
function open(
  inputs: Readonly<Record<string, string>>,
  answer: (line: string, asked: (line: string) => Promise<void>) => Promise<Finished> | Finished,
) {
  const calls: string[] = [];
  const waiting = new Map<string, () => void>();
  const asked = (line: string): Promise<void> =>
    calls.includes(line) ? Promise.resolve() : new Promise((done) => waiting.set(line, done));
  const exec: World["exec"] = async (program, args) => {
    const line = [program.replace(`${home}/.docker/cli-plugins/`, "plugin "), ...args].join(" ");
    calls.push(line);
    waiting.get(line)?.();
    return answer(line, asked);
  };
  const { files } = openFiles(home);
  const host = { ...hostOf(home), env: { HOME: home, PATH: `${home}/bin` } };
  const world = { exec, files, host, credentials: async () => undefined } as unknown as World;
  const wanted = { repository: { registry: "cache.test", repository: "team/app" }, platforms: [] };
  const task = {
    inputs: inputsOf({ workspace: home, images: {}, inputs }),
    sources: { wanted } as unknown as Sources,
    generator: Promise.resolve(undefined),
  };
  return { calls, opened: openDocker(task, world), exec };
}

const VERSION = "plugin docker-buildx version";
const INSPECT = "plugin docker-buildx inspect --bootstrap";

test("docker's plugin is asked for the current builder beside its version, and once; the engine when that is known", async () => {
  const { calls, opened, exec } = open({}, async (line, asked) => {
    if (line === VERSION) await asked(INSPECT);
    return line === VERSION ? ok(BUILDX) : line === INSPECT ? TOLD : ok('[[],"28.0.0"]');
  });
  const { buildx, ...docker } = await opened;
  const site = { ...docker, exec, buildx: await buildx };
  expect(await inspectBuilder(undefined, site)).toMatchObject({ name: "default", engine: { version: [28, 0, 0] } });
  expect(calls).toHaveLength(3);
  expect(calls.slice(0, 2).sort()).toEqual([INSPECT, VERSION]);
  expect(calls[2]).toMatch(/^docker info /);
});

test("what a plugin says that is no buildx counts for nothing", async () => {
  const { calls, opened } = open({ builder: "mine" }, (line) => {
    if (line === "docker buildx inspect --bootstrap mine") return TOLD;
    return ok(line.startsWith("docker") ? BUILDX : line === VERSION ? "podman" : "another one's");
  });
  const { asked } = await opened;
  expect(asked?.name).toBe("mine");
  expect(await asked?.answer).toEqual(TOLD);
  expect(calls).toContain("plugin docker-buildx inspect --bootstrap mine");
});

test.each([
  ["a builder is to be made", { "buildkit-image": "registry.test/buildkit:1" }],
  ["it is to be made anew", { builder: "mine", "builder-restart": "true" }],
  ["each platform has one", { builders: "linux/amd64=mine" }],
])("no builder is asked for anything where %s", async (_, inputs) => {
  const { calls, opened } = open(inputs, () => ok(BUILDX));
  const { asked, engine } = await opened;
  await engine;
  expect(asked).toBeUndefined();
  expect(calls.filter((line) => line.includes("inspect"))).toEqual([]);
});
