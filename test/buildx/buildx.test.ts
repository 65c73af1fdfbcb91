import { describe, expect, test } from "vitest";
import { isOlder, lastWords, openBuildx, readVersion, runBuildx, type Version } from "../../src/buildx/buildx.ts";
import { type Answers, failed, ok, programsOf } from "./programs.ts";

const PLUGIN = ok("github.com/docker/buildx v0.29.1 a1b2c3d\n");

describe("which buildx is used", () => {
  test.each<[string, Answers, string | undefined, object]>([
    ["docker's plugin", { "docker buildx version": PLUGIN }, undefined, { program: "docker", prefix: ["buildx"] }],
    [
      "docker's plugin before a program of its own",
      { "docker buildx version": PLUGIN, "docker-buildx version": ok("v0.30.0") },
      undefined,
      { program: "docker", version: [0, 29, 1] },
    ],
    [
      "a program of its own where docker has no plugin",
      { "docker buildx version": failed("docker: 'buildx' is not a docker command."), "docker-buildx version": PLUGIN },
      undefined,
      { program: "docker-buildx", prefix: [], version: [0, 29, 1] },
    ],
    [
      "a program of its own where there is no docker",
      { "docker buildx version": undefined, "docker-buildx version": PLUGIN },
      undefined,
      { program: "docker-buildx", prefix: [] },
    ],
    [
      "a program of its own where docker is podman",
      { "docker buildx version": ok("buildah 1.33.7\n"), "docker-buildx version": PLUGIN },
      undefined,
      { program: "docker-buildx", prefix: [] },
    ],
    [
      "the one that was fetched, before all others",
      { "docker buildx version": PLUGIN, "/tools/docker-buildx version": ok("v0.31.0") },
      "/tools/docker-buildx",
      { program: "/tools/docker-buildx", prefix: [], version: [0, 31, 0] },
    ],
    [
      "one that does not tell its version",
      { "docker buildx version": ok("github.com/docker/buildx v0.0.0+unknown \n") },
      undefined,
      { program: "docker", version: undefined },
    ],
    [
      "the oldest that will do, as Debian writes it",
      { "docker buildx version": ok("github.com/docker/buildx 0.13.0+ds1 0.13.0+ds1-3\n") },
      undefined,
      { version: [0, 13, 0] },
    ],
  ])("%s", async (_, answers, fetched, found) => {
    const { exec } = programsOf({ "docker-buildx version": undefined, ...answers });
    expect(await openBuildx({ exec, env: {} }, { fetched })).toMatchObject(found);
  });

  const plugin = "/plugins/docker-buildx";

  test("docker's plugin is run without docker where its path is known", async () => {
    const { exec, calls } = programsOf({ "/plugins/docker-buildx version": PLUGIN });
    expect(await openBuildx({ exec, env: {} }, { plugin })).toEqual({
      program: plugin,
      prefix: [],
      version: [0, 29, 1],
    });
    expect(calls).toEqual(["/plugins/docker-buildx version"]);
  });

  test("docker runs it where it does not run by itself, and says why not where neither does", async () => {
    const broken = { "/plugins/docker-buildx version": failed("exec format error") };
    const { exec } = programsOf({ ...broken, "docker buildx version": PLUGIN });
    expect(await openBuildx({ exec, env: {} }, { plugin })).toMatchObject({ program: "docker" });
    const nothing = programsOf({ ...broken, docker: undefined, "docker-buildx": undefined });
    await expect(openBuildx({ exec: nothing.exec, env: {} }, { plugin })).rejects.toThrow(/no docker program/);
  });

  test("what goes by the plugin's name and is something else is passed over", async () => {
    const { exec } = programsOf({
      "/plugins/docker-buildx version": ok("2025.9.10 linux-x64\n"),
      "docker buildx version": PLUGIN,
    });
    expect(await openBuildx({ exec, env: {} }, { plugin })).toMatchObject({ program: "docker" });
  });

  test("too old a plugin is refused, and docker is not asked to run the same one", async () => {
    const { exec } = programsOf({ "/plugins/docker-buildx version": ok("github.com/docker/buildx v0.12.9 abc") });
    await expect(openBuildx({ exec, env: {} }, { plugin })).rejects.toMatchObject({
      code: "E_DOCKER",
      message: expect.stringMatching(/0\.12\.9: 0\.13\.0 or newer/),
    });
  });

  test.each<[string, Answers, string | undefined, RegExp]>([
    ["nothing at all", { "docker buildx version": undefined }, undefined, /no docker program/],
    ["docker without buildx", { "docker buildx version": failed("unknown command") }, undefined, /has no buildx/],
    ["podman alone", { "docker buildx version": ok("buildah 1.33.7") }, undefined, /has no buildx/],
    ["too old a plugin", { "docker buildx version": ok("v0.12.9 abc") }, undefined, /0\.12\.9: 0\.13\.0 or newer/],
    [
      "one that was fetched for another machine",
      { "docker buildx version": PLUGIN, "/t/docker-buildx version": failed("cannot execute binary file") },
      "/t/docker-buildx",
      /does not run on this machine: cannot execute binary file/,
    ],
  ])("refused: %s", async (_, answers, fetched, words) => {
    const { exec } = programsOf({ "docker-buildx version": undefined, ...answers });
    await expect(openBuildx({ exec, env: {} }, { fetched })).rejects.toMatchObject({
      code: "E_DOCKER",
      message: expect.stringMatching(words),
      fix: expect.stringMatching(/./),
    });
  });
});

test.each<[string, readonly string[], string]>([
  ["docker", ["buildx"], "docker buildx inspect b"],
  ["docker-buildx", [], "docker-buildx inspect b"],
])("a subcommand of %s runs in the given environment", async (program, prefix, line) => {
  const { exec, calls, environments } = programsOf({ [line]: ok("yes") });
  const buildx = { program, prefix, version: undefined };
  expect(await runBuildx(buildx, ["inspect", "b"], { exec, env: { A: "1" } })).toMatchObject({ stdout: "yes" });
  expect({ calls, environments }).toEqual({ calls: [line], environments: [{ A: "1" }] });
});

test("a program that has gone away counts as one that failed", async () => {
  const { exec } = programsOf({ docker: undefined });
  const buildx = { program: "docker", prefix: ["buildx"], version: undefined };
  expect(await runBuildx(buildx, ["ls"], { exec, env: {} })).toMatchObject({
    code: 127,
    stderr: "docker did not start",
  });
});

test.each<[string, Version | undefined]>([
  ["github.com/docker/buildx v0.29.1 a1b2c3d4", [0, 29, 1]],
  ["github.com/docker/buildx v0.29.1-desktop.1 a1b2c3d4", [0, 29, 1]],
  ["github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-3", [0, 13, 1]],
  ["26.1.5+dfsg1", [26, 1, 5]],
  ["v0.11.7-0.20230908085548", [0, 11, 7]],
  ["v0.0.0+unknown", undefined],
  ["", undefined],
  ["buildx", undefined],
])("the version in %j", (text, version) => {
  expect(readVersion(text)).toEqual(version);
});

test.each<[Version | undefined, Version, boolean]>([
  [[0, 12, 9], [0, 13, 0], true],
  [[0, 13, 0], [0, 13, 0], false],
  [[0, 13, 1], [0, 13, 0], false],
  [[1, 0, 0], [0, 13, 0], false],
  [[0, 9, 99], [0, 13, 0], true],
  [[24, 0, 9], [25, 0, 0], true],
  [undefined, [0, 13, 0], false],
])("%j before %j: %s", (version, than, expected) => {
  expect(isOlder(version, than)).toBe(expected);
});

test.each([
  ["the last line that says something", failed("one\nERROR: two\n\n"), "two"],
  ["standard output where there is nothing else", { code: 1, stdout: "out\n", stderr: "" }, "out"],
  ["nothing", failed(""), "it said nothing"],
  [
    "what has ended it",
    { ...failed("one"), endedBy: "SIGKILL" } as const,
    "it was ended by SIGKILL: most often because there was too little memory; one",
  ],
  [
    "that its time was over",
    { ...failed(""), endedBy: "time limit" } as const,
    "it did not end in time, and was ended; it said nothing",
  ],
  ["no program", undefined, "it said nothing"],
])("last words: %s", (_, finished, words) => {
  expect(lastWords(finished)).toBe(words);
});
