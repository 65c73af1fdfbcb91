import { expect, test } from "vitest";
import { findBuilder } from "../../src/buildx/builder.ts";
import { ActionError } from "../../src/errors.ts";
import type { Exec, Finished } from "../../src/world.ts";

const ok = (stdout: string): Finished => ({ code: 0, stdout, stderr: "" });
const amd64 = { os: "linux", architecture: "amd64" };
const arm64 = { os: "linux", architecture: "arm64" };

const INSPECTED = `Name:          default
Driver:        docker
Last Activity: 2026-01-01 00:00:00 +0000 UTC

Nodes:
Name:             default
Endpoint:         default
Status:           running
BuildKit version: v0.0.0+unknown
Platforms:        linux/amd64*, linux/amd64/v2, linux/arm64
`;

function dockerOf(answers: Readonly<Record<string, Finished>>): Exec {
  return async (_program, args) => answers[args.slice(0, 2).join(" ")];
}

const WORKING = {
  "buildx version": ok("v0.29.1"),
  "buildx inspect": ok(INSPECTED),
  "info --format": ok('[["driver-type","io.containerd.snapshotter.v1"]]'),
};

test("the docker driver with the containerd store will do", async () => {
  expect(await findBuilder(dockerOf(WORKING), {}, [amd64, arm64], true)).toMatchObject({
    name: "default",
    driver: "docker",
  });
});

test("nodes of a remote builder count together", async () => {
  const two = "Name: b\nDriver: remote\nNodes:\nName: b0\nPlatforms: linux/amd64\nName: b1\nPlatforms: linux/arm64\n";
  const exec = dockerOf({ ...WORKING, "buildx inspect": ok(two) });
  expect(await findBuilder(exec, {}, [amd64, arm64], true)).toMatchObject({ name: "b", driver: "remote" });
});

const failed: Finished = { code: 1, stdout: "", stderr: "ERROR: Cannot connect to the Docker daemon" };

test.each([
  ["no docker", {}, [amd64], /no docker program/],
  ["no buildx", { "buildx version": failed }, [amd64], /no buildx/],
  ["no engine", { ...WORKING, "buildx inspect": failed }, [amd64], /Cannot connect to the Docker daemon/],
  [
    "the classic image store",
    { ...WORKING, "info --format": ok('[["Backing Filesystem","extfs"]]') },
    [amd64],
    /classic image store/,
  ],
  ["a platform without emulation", WORKING, [{ os: "linux", architecture: "s390x" }], /cannot build for linux\/s390x/],
])("refused before any build: %s", async (_, answers, platforms, words) => {
  const error = await findBuilder(dockerOf(answers), {}, platforms, true).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ActionError);
  expect(error).toMatchObject({
    code: "E_DOCKER",
    message: expect.stringMatching(words),
    fix: expect.stringMatching(/./),
  });
});

test("what is only loaded does not need the containerd store", async () => {
  const exec = dockerOf({ ...WORKING, "info --format": ok("[]") });
  expect(await findBuilder(exec, {}, [amd64], false)).toMatchObject({ driver: "docker" });
});
