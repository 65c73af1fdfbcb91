import { expect, test } from "vitest";
import { copySample, docker, makeBase, REGISTRY, runAction, runImage, served, tags, unique } from "./harness.ts";

const PLATFORMS = ["linux/amd64", "linux/arm64"] as const;
const MACHINES = { "linux/amd64": "x86_64", "linux/arm64": "aarch64" } as const;

test("a base image is served for two platforms, and its tag moves when it is made anew", async () => {
  const repository = unique("base/os");
  const one = await makeBase({ repository, version: "1" });
  expect(one.image).toBe(`${REGISTRY}/${repository}:1`);
  expect(await served(repository, "1")).toMatchObject({
    digest: one.digest,
    document: {
      manifests: PLATFORMS.map((platform) => ({
        digest: one.platforms[platform],
        platform: { os: "linux", architecture: platform.split("/")[1] },
      })),
    },
  });

  const two = await makeBase({ repository, version: "2" });
  expect(two.digest).not.toBe(one.digest);
  expect((await served(repository, "1"))?.digest).toBe(two.digest);
  expect((await served(repository, one.digest))?.digest).toBe(one.digest);
  expect((await makeBase({ repository, version: "1" })).digest).toBe(one.digest);
});

test.each(PLATFORMS)("the engine runs a base image for %s, with its user and files", async (platform) => {
  const { image } = await makeBase({
    repository: unique("base/os"),
    config: { User: "12:34", Env: ["PATH=/bin", "COLOUR=blue"] },
    files: { "etc/motd": "hello\n" },
  });
  const said = await runImage(image, platform, "sh", "-c", "uname -m; id -u; echo $COLOUR; cat /etc/motd");
  expect(said.split("\n")).toEqual([MACHINES[platform], "12", "blue", "hello"]);
});

test("the engine builds for both platforms in one push", async () => {
  const { image } = await makeBase({ repository: unique("base/os"), config: { OnBuild: ["RUN uname -m > /machine"] } });
  const repository = unique("e2e/built");
  await docker(
    ...["buildx", "build", "--platform", PLATFORMS.join(","), "--push", "--tag", `${REGISTRY}/${repository}:1`],
    ...["--build-arg", `BASE=${image}`, "test/fixtures/onbuild"],
  );
  for (const platform of PLATFORMS)
    expect(await runImage(`${REGISTRY}/${repository}:1`, platform, "cat", "/machine")).toBe(MACHINES[platform]);
});

test("the action, run as a step, builds the sample; then it is a hit, and what it names runs on both platforms", async () => {
  const { image: base } = await makeBase({ repository: unique("base/os") });
  const repository = unique("e2e/sample");
  const step = {
    workspace: copySample(),
    inputs: { "cache-repo": `${REGISTRY}/${repository}`, platforms: PLATFORMS.join(",") },
    env: { SAMPLE_BASE: base },
  };
  const built = await runAction(step);
  expect(built).toMatchObject({ code: 0, outputs: { result: "built", pushed: "true" } });
  expect(built.summary).toContain("Dev container:");
  expect(await tags(repository)).toContain(built.outputs.tag);

  const hit = await runAction({ ...step, workspace: copySample() });
  expect(hit).toMatchObject({ code: 0, outputs: { result: "hit", image: built.outputs.image, pushed: "false" } });
  for (const platform of PLATFORMS)
    expect(await runImage(hit.outputs.image ?? "", platform, "sh", "-c", "sample-greet; id -un")).toBe(
      `hello from ${MACHINES[platform]}\ndev`,
    );
});
