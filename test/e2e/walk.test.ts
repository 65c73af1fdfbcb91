import { beforeEach, expect, test } from "vitest";
import { put } from "../checkout.ts";
import {
  copySample,
  docker,
  type Ended,
  makeBase,
  REGISTRY,
  runAction,
  runImage,
  served,
  tags,
  unique,
} from "./harness.ts";

let repository: string;
let base: { repository: string; image: string };
let workspace: string;

beforeEach(async () => {
  repository = unique("e2e/app");
  const name = unique("base/os");
  base = { repository: name, image: (await makeBase({ repository: name })).image };
  workspace = copySample();
});

const run = (inputs: Readonly<Record<string, string>> = {}, folder = workspace): Promise<Ended> =>
  runAction({
    workspace: folder,
    inputs: { "cache-repo": `${REGISTRY}/${repository}`, platforms: "linux/amd64,linux/arm64", ...inputs },
    env: { SAMPLE_BASE: base.image },
  });

test("miss, build, hit: what the outputs name is pulled and runs on both platforms", async () => {
  const built = await run();
  expect(built).toMatchObject({ code: 0, outputs: { result: "built", pushed: "true" } });
  const hit = await run();
  expect(hit).toMatchObject({ code: 0, outputs: { result: "hit", image: built.outputs.image, pushed: "false" } });
  const image = hit.outputs.image ?? "";
  expect(await runImage(image, "linux/amd64", "sh", "-c", "id -un; sample-greet")).toBe("dev\nhello from x86_64");
  expect(await runImage(image, "linux/arm64", "sh", "-c", "id -un; sample-greet")).toBe("dev\nhello from aarch64");
  expect(hit.outputs.digest).toBe((await served(repository, hit.outputs.tag ?? ""))?.digest);
  // No layer is read on a hit: all that came over the wire are manifests.
  const { requests, bytes } = JSON.parse(hit.outputs.timings ?? "");
  expect(requests).toBeLessThanOrEqual(20);
  expect(bytes).toBeLessThan(64 * 1024);
});

test("five jobs of one commit at once: each ends well, and all name one image", async () => {
  const all = await Promise.all(Array.from({ length: 5 }, () => run({ platforms: "linux/amd64" })));
  for (const { code, log } of all) expect(code, log).toBe(0);
  const digests = [...new Set(all.map(({ outputs }) => outputs.digest ?? ""))];
  expect(digests).toHaveLength(1);
  expect((await served(repository, all[0]?.outputs.tag ?? ""))?.digest).toBe(digests[0]);
});

test("a build is pushed once, and nothing of it stays in the engine but BuildKit's cache", async () => {
  const { outputs, log } = await runAction({
    workspace,
    inputs: { "cache-repo": `${REGISTRY}/${repository}`, platforms: "linux/amd64" },
    env: { SAMPLE_BASE: base.image, RUNNER_DEBUG: "1" },
  });
  expect(outputs.result, log).toBe("built");
  expect(log).toContain("pushing manifest for");
  expect(log).not.toMatch(/pushing \S+ with docker/);
  expect((await docker("images", "--quiet", `${REGISTRY}/${repository}`)).trim()).toBe("");
});

test("what is pushed: every platform with its provenance, the plan beside them, under the tags of the design", async () => {
  const { outputs } = await run();
  const names = await tags(repository);
  expect(names.filter((tag) => /^k1-[0-9a-f]{64}-linux-(amd64|arm64)$/.test(tag))).toHaveLength(2);
  for (const pattern of [/^k1-[0-9a-f]{64}$/, /^y1-[0-9a-f]{64}$/, /^branch-main-[0-9a-f]{8}$/])
    expect(
      await Promise.all(
        names.filter((tag) => pattern.test(tag)).map(async (tag) => (await served(repository, tag))?.digest),
      ),
    ).toEqual([outputs.digest]);
  // The client that people look with still finds the provenance of each platform.
  const provenance = JSON.parse(
    await docker("buildx", "imagetools", "inspect", outputs.image ?? "", "--format", "{{json .Provenance}}"),
  );
  expect(Object.keys(provenance).sort()).toEqual(["linux/amd64", "linux/arm64"]);
  for (const platform of Object.keys(provenance))
    expect(JSON.stringify(provenance[platform].SLSA.materials)).toContain(
      base.image.split(":").at(-2)?.split("/").at(-1),
    );
});

test("the metadata label continues the base's, and the user is the Dockerfile's", async () => {
  base.image = (
    await makeBase({
      repository: base.repository,
      config: { Labels: { "devcontainer.metadata": '[{"id":"of-the-base"}]' } },
    })
  ).image;
  const { outputs } = await run({ platforms: "linux/amd64" });
  await docker("pull", "--quiet", outputs.image ?? "");
  const [{ Config }] = JSON.parse(await docker("image", "inspect", outputs.image ?? ""));
  expect(Config.User).toBe("dev");
  expect(JSON.parse(Config.Labels["devcontainer.metadata"])).toEqual([
    { id: "of-the-base" },
    {
      postCreateCommand: "sample-greet > /tmp/greeting",
      customizations: { vscode: { extensions: ["editorconfig.editorconfig"] } },
      containerEnv: { SAMPLE: "1" },
      remoteUser: "dev",
    },
  ]);
});

test("only a platform's own base moved: the other one is not built again", async () => {
  const first = await run();
  await makeBase({ repository: base.repository, version: "1", platforms: ["linux/amd64", "linux/arm64"] });
  expect(await run()).toMatchObject({ outputs: { result: "hit", image: first.outputs.image } });
  await makeBase({ repository: base.repository, version: "2" });
  const used = await run({ "on-drift": "use", "on-miss": "fail" });
  expect(used).toMatchObject({ code: 0, outputs: { result: "stale", image: first.outputs.image } });
  expect(used.log).toMatch(/base \$\{BASE\} sha256:[0-9a-f]{12}… → sha256:[0-9a-f]{12}…/);
  const built = await run();
  expect(built.outputs.result, built.log).toBe("built");
  expect(await runImage(built.outputs.image ?? "", "linux/amd64", "cat", "/etc/base-version")).toBe("2");
});

test("a base that docker stored as a manifest list is read all the same", async () => {
  base.image = (await makeBase({ repository: base.repository, media: "docker" })).image;
  expect(await run()).toMatchObject({ outputs: { result: "built" } });
  expect(await run()).toMatchObject({ outputs: { result: "hit" } });
});

test("an image as it is: labelled, pushed, found again", async () => {
  put(workspace, ".devcontainer/devcontainer.json", `{ "image": "${base.image}", "remoteUser": "dev" }`);
  const built = await run();
  expect(built.outputs.result, built.log).toBe("built");
  expect(await run()).toMatchObject({ outputs: { result: "hit", image: built.outputs.image } });
  expect(await runImage(built.outputs.image ?? "", "linux/arm64", "cat", "/etc/base-version")).toBe("1");
});

test("not pushed: the runner's platform is loaded into the engine under the name in the outputs", async () => {
  const { code, outputs } = await run({ push: "false" });
  expect({ code, ...outputs }).toMatchObject({
    code: 0,
    result: "built",
    pushed: "false",
    digest: "",
    "missing-platforms": '["linux/arm64"]',
  });
  expect((await docker("run", "--rm", "--network", "none", outputs["local-image"] ?? "", "sample-greet")).trim()).toBe(
    "hello from x86_64",
  );
  expect(await tags(repository)).toEqual([]);
});

type Edit = {
  readonly name: string;
  readonly edit: (folder: string) => unknown;
  readonly changes: boolean;
};

const script = (text: string) => ({ script: `#!/bin/sh\n${text}\n` });

const EDITS: readonly Edit[] = [
  {
    name: "content of a copied file",
    edit: (folder) => put(folder, ".devcontainer/setup.sh", script("echo other")),
    changes: true,
  },
  {
    name: "a copied file loses its execution bit",
    edit: (folder) => put(folder, ".devcontainer/setup.sh", "#!/bin/sh\n"),
    changes: true,
  },
  {
    name: "a copied file becomes a link",
    edit: (folder) => put(folder, ".devcontainer/setup.sh", { link: "make-greet.sh" }),
    changes: true,
  },
  { name: "the base moves", edit: () => makeBase({ repository: base.repository, version: "9" }), changes: true },
  { name: "an ignored file", edit: (folder) => put(folder, "app/main.sh", script("echo other")), changes: false },
  { name: "a commit", edit: (folder) => put(folder, ".git/HEAD", "ref: refs/heads/other\n"), changes: false },
];

test.each(EDITS)("the key and $name", async ({ edit, changes }) => {
  const key = async (): Promise<string | undefined> =>
    (await run({ "on-miss": "continue", "on-drift": "fail" })).outputs.key;
  const before = await key();
  await edit(workspace);
  const after = await key();
  expect(before).toMatch(/^sha256:/);
  if (changes) expect(after).not.toBe(before);
  else expect(after).toBe(before);
});
