import { expect, test } from "vitest";
import { askDocker } from "../../src/buildx/docker.ts";
import { type Answers, failed, ok, programsOf } from "./programs.ts";

const PLUGIN = { Name: "buildx", Path: "/plugins/docker-buildx", Version: "v0.29.1" };
const CONTAINERD = [["driver-type", "io.containerd.snapshotter.v1"]];
const CLASSIC = [["Backing Filesystem", "extfs"]];

function says(plugins: unknown, status: unknown, version: unknown): Answers {
  return { "docker info": ok(`${JSON.stringify([plugins, status, version])}\n`) };
}

const buildx = { path: "/plugins/docker-buildx", version: [0, 29, 1] };
const containerd = { store: "containerd", version: [28, 5, 2] };

test.each<[string, Answers, Awaited<ReturnType<typeof askDocker>> | object]>([
  ["an engine with the containerd store", says([PLUGIN], CONTAINERD, "28.5.2"), { buildx, engine: containerd }],
  [
    "an engine with the classic store",
    says([PLUGIN], CLASSIC, "28.5.2"),
    { buildx, engine: { store: "classic", version: [28, 5, 2] } },
  ],
  [
    "versions as Debian writes them",
    says([{ ...PLUGIN, Version: "0.13.1+ds1" }], CONTAINERD, "26.1.5+dfsg1"),
    { buildx: { ...buildx, version: [0, 13, 1] }, engine: { store: "containerd", version: [26, 1, 5] } },
  ],
  [
    "neither version",
    says([{ ...PLUGIN, Version: undefined }], CLASSIC, ""),
    { buildx: { ...buildx, version: undefined }, engine: { store: "classic", version: undefined } },
  ],
  [
    "other plugins alone",
    says([{ ...PLUGIN, Name: "compose" }], CONTAINERD, "28.5.2"),
    { buildx: undefined, engine: containerd },
  ],
  ["no plugins", says(null, CONTAINERD, "28.5.2"), { buildx: undefined, engine: containerd }],
  [
    "a plugin that docker cannot use",
    says([{ ...PLUGIN, Err: "exec format error" }], CONTAINERD, "28.5.2"),
    { buildx: undefined, engine: containerd },
  ],
  ["no engine", says([PLUGIN], null, ""), { buildx, engine: undefined }],
  ["something else", { "docker info": ok("buildah 1.33.7\n") }, { buildx: undefined, engine: undefined }],
  ["nothing", { "docker info": failed("permission denied") }, { buildx: undefined, engine: undefined }],
  ["nothing, for it is not there", { docker: undefined }, { buildx: undefined, engine: undefined }],
])("docker tells %s", async (_, answers, told) => {
  expect(await askDocker({ exec: programsOf(answers).exec, env: {} })).toEqual(told);
});
