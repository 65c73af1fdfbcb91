import { beforeAll, expect, test } from "vitest";
import { type Content, makeCheckout, put } from "../checkout.ts";
import { docker, type Ended, makeBase, REGISTRY, runAction, runImage, served, unique } from "./harness.ts";
import { makeScanner } from "./sbom-images.ts";

// What a label-only change makes of the images of the cache is what the real builder would have made, over the layers that are there.

const PLATFORMS = ["linux/amd64", "linux/arm64"];
const EXTENSIONS = { customizations: { vscode: { extensions: ["a.one", 'b."two" & <three>'] } } };
const HOOKS = {
  postCreateCommand: "echo done",
  forwardPorts: [3000, "db:5432"],
  mounts: ["source=v,target=/v,type=volume"],
};

let base: string;
let scanner: string;

beforeAll(async () => {
  const Labels = { "devcontainer.metadata": '[{"id":"from-base","init":true}]', other: "of the base" };
  [base, scanner] = await Promise.all([
    makeBase({ repository: unique("base/relabel"), config: { Labels, User: "1000", Env: ["A=b"] } }).then(
      ({ image }) => image,
    ),
    makeScanner(),
  ]);
});

type Config = Readonly<Record<string, unknown>> & {
  readonly config: Readonly<Record<string, unknown>> & { readonly Labels: Readonly<Record<string, string>> };
  readonly history?: readonly Readonly<Record<string, unknown>>[];
};
type Image = {
  readonly digest: string;
  readonly layers: readonly unknown[];
  readonly manifest: object;
  readonly config: Config;
};

async function imageOf({ outputs }: Ended, platform: string): Promise<Image> {
  const repository = outputs.repository ?? "";
  const digest = JSON.parse(outputs.platforms ?? "")[platform];
  const manifest = (await served(repository, digest))?.document ?? {};
  const { config, layers } = manifest as { config: { digest: string }; layers: readonly unknown[] };
  const blob = await fetch(`http://${REGISTRY}/v2/${repository}/blobs/${config.digest}`);
  return { digest, layers, manifest, config: JSON.parse(await blob.text()) };
}

/** A config without what two builds of the same differ in: times, and with them the layers. */
function timeless({ created: _, rootfs: __, history = [], ...config }: Config): unknown {
  return { ...config, history: history.map(({ created: ___, ...step }) => step) };
}

const FEATURE: Readonly<Record<string, Content>> = {
  ".devcontainer/tool/devcontainer-feature.json": JSON.stringify({
    id: "tool",
    version: "1.0.0",
    name: "Tool",
    postStartCommand: "tool",
    containerEnv: { TOOL: "/tool" },
  }),
  ".devcontainer/tool/install.sh": { script: "#!/bin/sh\necho tool > /tool\n" },
};

const LAYOUTS: readonly (readonly [string, object, Readonly<Record<string, Content>>])[] = [
  [
    "a Dockerfile",
    { build: { dockerfile: "Dockerfile", args: { GREETING: "hello" } }, containerEnv: { C: "d" }, remoteUser: "dev" },
    {
      ".devcontainer/Dockerfile":
        'FROM {base}\nARG GREETING\nLABEL mine="$GREETING" devcontainer.metadata="[]"\nHEALTHCHECK --interval=30s CMD true\nVOLUME /data\nUSER 0\nRUN echo "$GREETING" > /greeting\nUSER 2000\n',
    },
  ],
  ["an image", { image: "{base}" }, {}],
  ["an image and a feature", { image: "{base}", features: { "./tool": {} } }, FEATURE],
];

test.each(LAYOUTS)(
  "%s: the config is the one that a build from nothing has, the layers are those that were there",
  async (_, configuration, files) => {
    const filled = (text: string): string => text.replaceAll("{base}", base);
    const workspace = makeCheckout({
      ...Object.fromEntries(
        Object.entries(files).map(([path, content]) => [path, typeof content === "string" ? filled(content) : content]),
      ),
      ".devcontainer/devcontainer.json": "{}",
    });
    const configure = (more: object): void =>
      put(workspace, ".devcontainer/devcontainer.json", filled(JSON.stringify({ ...configuration, ...more })));
    const run = (name: string, inputs: Readonly<Record<string, string>> = {}): Promise<Ended> =>
      runAction({
        workspace,
        inputs: {
          "cache-repo": `${REGISTRY}/${name}`,
          platforms: PLATFORMS.join(","),
          sbom: scanner,
          require: "sbom,provenance",
          labels: "team=a",
          ...inputs,
        },
      });
    const [repository, other] = [unique("e2e/relabel"), unique("e2e/relabel-scratch")];
    configure({});
    const first = await run(repository);
    expect(first, first.log).toMatchObject({ code: 0, outputs: { result: "built" } });
    configure({ ...EXTENSIONS, ...HOOKS });
    const relabelled = await run(repository);
    expect(relabelled, relabelled.log).toMatchObject({ code: 0, outputs: { result: "built", pushed: "true" } });
    expect(relabelled.log).toContain("Relabelling linux/amd64, linux/arm64, no build");
    expect(relabelled.log).not.toContain("Builder ");
    const scratch = await run(other, { "no-cache": "true" });
    expect(scratch, scratch.log).toMatchObject({ code: 0, outputs: { result: "built", key: relabelled.outputs.key } });
    expect(scratch.log).not.toContain("Relabelling");

    for (const platform of PLATFORMS) {
      const [old, now, built] = [
        await imageOf(first, platform),
        await imageOf(relabelled, platform),
        await imageOf(scratch, platform),
      ];
      expect(timeless(now.config)).toEqual(timeless(built.config));
      const { "devcontainer.metadata": label, ...labels } = now.config.config.Labels;
      const { "devcontainer.metadata": oldLabel, ...oldLabels } = old.config.config.Labels;
      expect(label).not.toBe(oldLabel);
      expect(labels).toEqual(oldLabels);
      expect(now.config).toEqual({
        ...old.config,
        config: { ...old.config.config, Labels: { ...oldLabels, "devcontainer.metadata": label } },
      });
      expect(now.layers).toEqual(old.layers);
      expect(now.manifest).toEqual({ ...old.manifest, config: expect.anything() });
    }

    // Others read it as what it is: docker runs it, and buildx finds what is attached to it.
    const { image = "" } = relabelled.outputs;
    expect(await runImage(image, "linux/amd64", "cat", "/etc/base-version")).not.toBe("");
    const inspect = async (what: string): Promise<Readonly<Record<string, unknown>>> =>
      JSON.parse(await docker("buildx", "imagetools", "inspect", image, "--format", `{{json .${what}}}`));
    const [sboms, provenance] = [await inspect("SBOM"), await inspect("Provenance")];
    for (const platform of PLATFORMS) {
      expect(sboms[platform]).toMatchObject({ SPDX: { spdxVersion: expect.any(String) } });
      expect(provenance[platform]).toMatchObject({
        SLSA: { buildDefinition: { buildType: "urn:dev-container-cache:relabel:1" } },
      });
    }
    expect(relabelled.outputs["sbom-packages"]).toBe(first.outputs["sbom-packages"]);
    expect(await run(repository)).toMatchObject({ code: 0, outputs: { result: "hit", image } });
  },
);
