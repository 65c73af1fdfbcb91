import { expect, test } from "vitest";
import { parseMirror, throughMirrors } from "../../src/registry/mirrors.ts";
import { indexOf, registryOf } from "../plan-of.ts";

test.each<[string, object]>([
  ["docker.io=mirror.test/hub", { of: "docker.io", registry: "mirror.test", prefix: "hub" }],
  ["docker.io = localhost:5000", { of: "docker.io", registry: "localhost:5000", prefix: "" }],
  ["ghcr.io=mirror.test:443/a/b", { of: "ghcr.io", registry: "mirror.test:443", prefix: "a/b" }],
])("mirror %s", (line, expected) => {
  expect(parseMirror(line)).toEqual(expected);
});

test.each([
  ["docker.io"],
  ["=mirror.test"],
  ["docker.io="],
  ["docker.io=a=b"],
  ["docker.io/library=mirror.test"],
  ["docker.io=https://mirror.test"],
  ["docker.io=mirror"],
])("a mirror that cannot be read: %s", (line) => {
  expect(parseMirror(line)).toHaveProperty("wrong");
});

test("a mirror is read first, its registry where the mirror has nothing, and that is told; what is ours is never read there", async () => {
  const [here, there, ours] = ["here", "there", "ours"].map((content) => indexOf({ "linux/amd64": content }));
  if (!here || !there || !ours) throw new Error("no index");
  const registry = registryOf({
    "mirror.test/hub/library/a:1": here,
    "docker.io/library/a:1": there,
    "docker.io/library/b:1": there,
    "docker.io/team/app:1": ours,
  });
  const told: string[] = [];
  const mirrored = throughMirrors(registry, [{ of: "docker.io", registry: "mirror.test", prefix: "hub" }], {
    except: { registry: "docker.io", repository: "team/app" },
    tell: (line) => told.push(line),
  });
  const read = (repository: string) => mirrored.manifest({ registry: "docker.io", repository, tag: "1" });
  expect(await read("library/a")).toMatchObject({ value: here });
  expect(told).toEqual([]);
  expect(await read("library/b")).toMatchObject({ value: there });
  expect(told).toEqual([expect.stringContaining("mirror.test does not give docker.io/library/b:1 (absent")]);
  expect(await read("team/app")).toMatchObject({ value: ours });
  expect(told).toHaveLength(1);
});

test("a mirror that does not answer is asked once, and one that refuses again and again", async () => {
  for (const [kind, times] of [
    ["unavailable", 1],
    ["denied", 3],
    ["malformed", 3],
  ] as const) {
    const [there] = ["there"].map((content) => indexOf({ "linux/amd64": content }));
    if (!there) throw new Error("no index");
    const direct = registryOf({ "docker.io/library/a:1": there });
    const asked: string[] = [];
    const mirrored = throughMirrors(
      {
        ...direct,
        manifest: async (reference) => {
          asked.push(reference.registry);
          return reference.registry === "mirror.test"
            ? { kind, request: "GET https://mirror.test/", words: "no" }
            : direct.manifest(reference);
        },
      },
      [{ of: "docker.io", registry: "mirror.test", prefix: "" }],
      { except: { registry: "ghcr.io", repository: "team/app" }, tell: () => undefined },
    );
    for (let time = 0; time < 3; time++)
      expect(await mirrored.manifest({ registry: "docker.io", repository: "library/a", tag: "1" })).toMatchObject({
        value: there,
      });
    expect(asked.filter((host) => host === "mirror.test")).toHaveLength(times);
  }
});

test("a mirror that says nothing is waited for a while, once, and its registry is asked in its place", async () => {
  const there = indexOf({ "linux/amd64": "there" });
  const direct = registryOf({ "docker.io/library/a:1": there });
  const told: string[] = [];
  let asked = 0;
  const mirrored = throughMirrors(
    {
      ...direct,
      manifest: (reference) => {
        if (reference.registry !== "mirror.test") return direct.manifest(reference);
        asked++;
        return new Promise(() => undefined);
      },
    },
    [{ of: "docker.io", registry: "mirror.test", prefix: "" }],
    { except: { registry: "ghcr.io", repository: "team/app" }, tell: (line) => told.push(line), patience: 50 },
  );
  for (let time = 0; time < 2; time++)
    expect(await mirrored.manifest({ registry: "docker.io", repository: "library/a", tag: "1" })).toMatchObject({
      value: there,
    });
  expect(asked).toBe(1);
  expect(told).toEqual([expect.stringContaining("docker.io/library/a:1 (no answer in 0.05 s)")]);
});

test("connections ahead are opened to who will be asked: the mirror, and its registry for what is ours or once the mirror is down", async () => {
  const direct = registryOf({ "docker.io/library/a:1": indexOf({ "linux/amd64": "there" }) });
  const opened: string[] = [];
  const mirrored = throughMirrors(
    {
      ...direct,
      manifest: async (reference) =>
        reference.registry === "mirror.test"
          ? { kind: "unavailable", request: "GET https://mirror.test/", words: "no" }
          : direct.manifest(reference),
      connect: (name, count) => void opened.push(`${name.registry}/${name.repository} ${count}`),
    },
    [{ of: "docker.io", registry: "mirror.test", prefix: "hub" }],
    { except: { registry: "docker.io", repository: "team/app" }, tell: () => undefined },
  );
  const base = { registry: "docker.io", repository: "library/a" };
  mirrored.connect(base, 1);
  mirrored.connect({ registry: "docker.io", repository: "team/app" }, 2);
  await mirrored.manifest({ ...base, tag: "1" });
  mirrored.connect(base, 3);
  expect(opened).toEqual(["mirror.test/hub/library/a 1", "docker.io/team/app 2", "docker.io/library/a 3"]);
});
