import { expect, test } from "vitest";
import { askEngine } from "../../src/buildx/engine.ts";
import { type Answers, failed, ok, programsOf } from "./programs.ts";

const CONTAINERD = [["driver-type", "io.containerd.snapshotter.v1"]];
const CLASSIC = [["Backing Filesystem", "extfs"]];

function says(status: unknown, version: unknown): Answers {
  return { "docker info": ok(`${JSON.stringify([status, version])}\n`) };
}

test.each<[string, Answers, Awaited<ReturnType<typeof askEngine>> | object]>([
  ["the containerd store", says(CONTAINERD, "28.5.2"), { store: "containerd", version: [28, 5, 2] }],
  ["the classic store", says(CLASSIC, "28.5.2"), { store: "classic", version: [28, 5, 2] }],
  ["a version as Debian writes it", says(CONTAINERD, "26.1.5+dfsg1"), { store: "containerd", version: [26, 1, 5] }],
  ["a driver that has no status", says(null, "28.5.2"), { store: "classic", version: [28, 5, 2] }],
  ["a version that is none", says(CLASSIC, "dev"), { store: "classic", version: undefined }],
])("an engine with %s", async (_, answers, engine) => {
  expect(await askEngine({ exec: programsOf(answers).exec, env: {} })).toEqual(engine);
});

test.each<[string, Answers]>([
  ["there is no engine", says(null, "")],
  ["docker is something else", { "docker info": ok("buildah 1.33.7\n") }],
  ["it may not be asked", { "docker info": failed("permission denied") }],
  ["there is no docker", { docker: undefined }],
])("nothing is known where %s", async (_, answers) => {
  expect(await askEngine({ exec: programsOf(answers).exec, env: {} })).toBeUndefined();
});

test("nothing is known where the machine cannot start docker", async () => {
  const exec = async (): Promise<never> => Promise.reject(new Error("spawn EAGAIN"));
  expect(await askEngine({ exec, env: {} })).toBeUndefined();
});
