import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeCheckout, put } from "../checkout.ts";
import { docker, type Ended, makeBase, REGISTRY, runAction, runImage, unique } from "./harness.ts";

// Two runs that say something else are two images, each the one that docker would have built: what a key did not see was once found for both.

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

type Case = {
  /** Reference of a base in which `/etc/base-version` tells its platform apart. */
  readonly dockerfile: (image: string) => string;
  readonly onbuild?: readonly string[];
  /** Two sets of build args; the second may be none. */
  readonly args: readonly [readonly string[], readonly string[]];
  readonly files: readonly string[];
};

async function byHand(
  workspace: string,
  args: readonly string[],
  configuration: readonly string[] = [],
): Promise<string> {
  const image = `${REGISTRY}/${unique("e2e/by-hand")}:1`;
  await docker(
    ...configuration,
    ...["buildx", "build", "--platform", "linux/amd64", "--provenance=false", "--push", "--tag", image],
    ...args.flatMap((arg) => ["--build-arg", arg]),
    ...["--file", join(workspace, ".devcontainer/Dockerfile"), workspace],
  );
  return image;
}

function checkout(dockerfile: string): string {
  const workspace = makeCheckout({
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile", "context": ".." } }',
    ".devcontainer/Dockerfile": dockerfile,
  });
  folders.push(workspace);
  return workspace;
}

test.each<[string, Case]>([
  [
    "an arg that a base's ONBUILD declares",
    {
      onbuild: ["ARG FLAVOUR=plain", "RUN echo $FLAVOUR > /flavour"],
      dockerfile: (image) => `FROM ${image}\n`,
      args: [["FLAVOUR=sweet"], []],
      files: ["/flavour"],
    },
  ],
  [
    "TARGETPLATFORM for a stage",
    {
      dockerfile: (image) =>
        `FROM --platform=$TARGETPLATFORM ${image} AS tools\nRUN uname -m > /machine\nFROM ${image}\nCOPY --from=tools /machine /machine\n`,
      args: [["TARGETPLATFORM=linux/arm64"], []],
      files: ["/machine"],
    },
  ],
  [
    "TARGETARCH in a name",
    {
      dockerfile: (image) => `FROM ${image.replace(/:1$/, "")}:$TARGETARCH\nRUN cp /etc/base-version /seen\n`,
      args: [["TARGETARCH=other"], []],
      files: ["/seen"],
    },
  ],
  [
    "an ARG of the commit's name with a default",
    {
      dockerfile: (image) => `FROM ${image}\nARG REVISION=3 SOURCE=here\nRUN echo $REVISION $SOURCE > /seen\n`,
      args: [["REVISION=4"], []],
      files: ["/seen"],
    },
  ],
])("%s", async (_, { dockerfile, onbuild = [], args, files }) => {
  const repository = unique("base/os");
  const { image } = await makeBase({ repository, config: { OnBuild: onbuild } });
  await makeBase({ repository, tag: "amd64", version: "amd64" });
  await makeBase({ repository, tag: "other", version: "other" });
  const workspace = checkout(dockerfile(image));
  const cache = unique("e2e/wrong");
  const env = { GITHUB_SERVER_URL: "https://git.test", GITHUB_REPOSITORY: "team/app" };
  const contents: string[] = [];
  for (const some of args) {
    const inputs = { "cache-repo": `${REGISTRY}/${cache}`, platforms: "linux/amd64", "build-args": some.join("\n") };
    const { outputs, log } = await runAction({ workspace, inputs, env });
    expect(outputs.result, log).toBe("built");
    const ours = await runImage(outputs.image ?? "", "linux/amd64", "cat", ...files);
    expect(ours).toBe(await runImage(await byHand(workspace, some), "linux/amd64", "cat", ...files));
    contents.push(ours);
    expect((await runAction({ workspace, inputs, env })).outputs).toMatchObject({
      result: "hit",
      image: outputs.image,
    });
  }
  expect(new Set(contents).size).toBe(args.length);
});

test("a proxy of Docker's own configuration that the Dockerfile declares: one machine's is not in another's image", async () => {
  const { image } = await makeBase({ repository: unique("base/os") });
  const workspace = checkout(`FROM ${image}\nARG HTTP_PROXY\nRUN echo "$HTTP_PROXY" > /proxy\n`);
  const inputs = { "cache-repo": `${REGISTRY}/${unique("e2e/wrong")}`, platforms: "linux/amd64" };
  for (const proxy of ["http://one.test:3128", "http://two.test:3128"]) {
    const folder = mkdtempSync(join(tmpdir(), "docker-"));
    folders.push(folder);
    const own = process.env.DOCKER_CONFIG;
    if (own !== undefined && existsSync(own)) cpSync(own, folder, { recursive: true });
    put(folder, "config.json", JSON.stringify({ proxies: { default: { httpProxy: proxy } } }));
    const { outputs, log } = await runAction({ workspace, inputs, env: { DOCKER_CONFIG: folder } });
    expect(outputs.result, log).toBe("built");
    const hand = await byHand(workspace, [], ["--config", folder]);
    for (const built of [outputs.image ?? "", hand])
      expect(await runImage(built, "linux/amd64", "cat", "/proxy")).toBe(proxy);
  }
});

test("labels that do not count are in the image all the same, and one of the Dockerfile's own stays", async () => {
  const { image } = await makeBase({ repository: unique("base/os"), config: { Labels: { "from.base": "1" } } });
  const oci = "org.opencontainers.image.";
  const workspace = checkout(`FROM ${image}\nLABEL ${oci}source="https://elsewhere.test" own=1\n`);
  const repository = unique("e2e/labels");
  const of = (run: number): Promise<Ended> => {
    const labels = `${oci}created=run ${run}\n${oci}version=v${run}\nteam.run=${run}\nteam=a`;
    const inputs = { "cache-repo": `${REGISTRY}/${repository}`, labels, "ignore-labels": "team.*" };
    return runAction({ workspace, inputs, env: { GITHUB_SERVER_URL: "https://git.test", GITHUB_REPOSITORY: "a/b" } });
  };
  const built = await of(1);
  expect(built.outputs.result, built.log).toBe("built");
  const found = built.outputs.image ?? "";
  await runImage(found, "linux/amd64", "true");
  const { "devcontainer.metadata": _, ...labels } = JSON.parse(
    await docker("image", "inspect", "--format", "{{json .Config.Labels}}", found),
  );
  expect(labels).toEqual({
    [`${oci}created`]: "run 1",
    [`${oci}version`]: "v1",
    [`${oci}source`]: "https://elsewhere.test",
    "team.run": "1",
    "from.base": "1",
    team: "a",
    own: "1",
  });
  expect((await of(2)).outputs).toMatchObject({ result: "hit", image: found });
});
