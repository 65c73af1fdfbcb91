import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { makeCheckout, put } from "../checkout.ts";
import { docker, makeBase, REGISTRY, runAction, served, unique } from "./harness.ts";

// A hit is the image that this commit would build: scripts/soundness.mjs finds out, and these tests find out whether it would.

const PLATFORMS = "linux/amd64,linux/arm64";
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Ends with what the script says, and with what it prints. */
async function compare(
  image: string,
  workspace: string,
  inputs: readonly string[],
): Promise<{ readonly code: unknown; readonly said: readonly string[] }> {
  const scratch = `${REGISTRY}/${unique("e2e/scratch")}`;
  const child = spawn(process.execPath, ["scripts/soundness.mjs", image, scratch, workspace, ...inputs], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    printed += chunk;
  });
  const code = await new Promise((done) => child.on("close", done));
  return { code, said: printed.trim().split("\n") };
}

async function openSample() {
  const { image: base } = await makeBase({ repository: unique("base/os") });
  const workspace = makeCheckout({
    ".devcontainer/devcontainer.json":
      '{ "build": { "dockerfile": "Dockerfile", "context": ".." }, "remoteUser": "dev", "containerEnv": { "A": "1" } }',
    ".devcontainer/Dockerfile": `FROM ${base}
ARG WORD
ENV WORD=$WORD
COPY app /app
RUN mkdir -p /made /var/log && echo $WORD > /made/word && chown 1000:1000 /made/word && chmod 4755 /made/word \\
 && ln -s word /made/link && ln /made/word /made/same && date +%s%N > /var/log/time
LABEL team=a
USER 1000
`,
    "app/file": "one\n",
    "app/run.sh": { script: "echo\n" },
  });
  folders.push(workspace);
  const inputs = { platforms: PLATFORMS, "build-args": "WORD=one" };
  const cache = { "cache-repo": `${REGISTRY}/${unique("e2e/sound")}` };
  return { workspace, inputs, step: { workspace, inputs: { ...inputs, ...cache } } };
}

const asArguments = (inputs: Readonly<Record<string, string>>): string[] =>
  Object.entries(inputs).map(([name, value]) => `${name}=${value}`);

test("a hit is what this commit would build, on each platform; a doctored image is not, and each difference is named", async () => {
  const { workspace, inputs, step } = await openSample();
  const built = await runAction(step);
  expect(built.outputs.result, built.log).toBe("built");
  const hit = await runAction(step);
  expect(hit.outputs).toMatchObject({ result: "hit", image: built.outputs.image });
  const image = hit.outputs.image ?? "";
  const sound = await compare(image, workspace, asArguments(inputs));
  expect(sound.said).toEqual([
    expect.stringMatching(/^linux\/amd64: \d+ paths, the same$/),
    expect.stringMatching(/^linux\/arm64: \d+ paths, the same$/),
  ]);
  expect(sound.code).toBe(0);

  const repository = unique("e2e/doctored");
  const doctored = `${REGISTRY}/${repository}`;
  const recipe = makeCheckout({
    Dockerfile: `FROM ${image}
USER 0
RUN echo two > /made/word2 && echo other > /app/file && chmod 0600 /app/run.sh && chown 5:6 /made && rm /made/link && ln -s same /made/link
ENV WORD=two
LABEL team=b
`,
  });
  folders.push(recipe);
  await docker(
    ...["buildx", "build", "--platform", PLATFORMS, "--provenance=false", "--push", "--tag", `${doctored}:1`, recipe],
  );
  const digest = (await served(repository, "1"))?.digest ?? "";
  const unsound = await compare(`${doctored}@${digest}`, workspace, asArguments(inputs));
  expect(unsound.code).toBe(1);
  for (const platform of PLATFORMS.split(","))
    for (const what of [
      "the config's User is another one",
      "the config's label team is another one",
      "the config's variable WORD is another one",
      "/app/file has another content",
      "/app/run.sh has another mode: found 600, built 755",
      "/made has another owner: found 5:6, built 0:0",
      "/made/link has another target: found same, built word",
      "/made/word2 is only in the image that was found",
    ])
      expect(unsound.said.some((line) => line.startsWith(`${platform}: ${what}`))).toBe(true);
  expect(unsound.said).toHaveLength(2 * 9);
});

test("an image of another commit is not what this one would build", async () => {
  const { workspace, inputs, step } = await openSample();
  const { outputs } = await runAction({ ...step, inputs: { ...step.inputs, platforms: "linux/amd64" } });
  put(workspace, "app/file", "two\n");
  const { code, said } = await compare(
    outputs.image ?? "",
    workspace,
    asArguments({ ...inputs, platforms: "linux/amd64" }),
  );
  expect({ code, said }).toEqual({
    code: 1,
    said: [
      expect.stringMatching(/^linux\/amd64: \d+ paths, 1 differences$/),
      expect.stringMatching(/^linux\/amd64: \/app\/file has another content/),
    ],
  });
});

test("what cannot be found out is neither", async () => {
  const { workspace } = await openSample();
  const absent = `${REGISTRY}/${unique("e2e/none")}@sha256:${"0".repeat(64)}`;
  expect((await compare(absent, workspace, ["platforms=nonsense"])).code).toBe(2);
});
