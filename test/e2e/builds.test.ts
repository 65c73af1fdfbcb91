import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Content, put } from "../checkout.ts";
import { type Ended, makeBase, REGISTRY, runAction, runImage, served, unique } from "./harness.ts";

const folder = mkdtempSync(join(tmpdir(), "e2e-builds-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let base: string;

beforeAll(async () => {
  base = (await makeBase({ repository: unique("base/builds") })).image;
});

type Job = {
  readonly run: (inputs?: Readonly<Record<string, string>>, env?: Readonly<Record<string, string>>) => Promise<Ended>;
  readonly edit: (path: string, content: Content) => void;
  readonly repository: string;
  readonly temporary: string;
};

function checkout(name: string, files: Readonly<Record<string, Content>>): Job {
  const workspace = join(folder, name);
  const temporary = join(folder, `${name}-temp`);
  put(temporary, ".keep", "");
  for (const [path, content] of Object.entries(files)) put(workspace, path, content);
  const repository = unique(`e2e/${name}`);
  return {
    repository,
    temporary,
    edit: (path, content) => put(workspace, path, content),
    run: (inputs = {}, env = {}) =>
      runAction({
        workspace,
        inputs: { "cache-repo": `${REGISTRY}/${repository}`, ...inputs },
        env: { BASE: base, RUNNER_TEMP: temporary, ...env },
      }),
  };
}

test("a compose service: merged files, variables of .env, a named context; for both platforms", async () => {
  const { run, edit } = checkout("composed", {
    ".devcontainer/devcontainer.json": JSON.stringify({
      dockerComposeFile: ["compose.yml", "compose.dev.yml"],
      service: "app",
      remoteUser: "root",
    }),
    ".devcontainer/.env": "WORD=from-env-file\n",
    ".devcontainer/compose.yml": `services:
  app:
    build: { context: app, dockerfile_inline: "FROM \${BASE}\\nARG WORD\\nCOPY --from=shared file.txt /\\nCOPY own.txt /\\nRUN echo $\${WORD} > /word\\n" }
  db: { image: "nowhere.invalid/db" }
`,
    ".devcontainer/compose.dev.yml": `services:
  app:
    build:
      args: { WORD: "\${WORD:?}" }
      additional_contexts: { shared: ../shared }
`,
    ".devcontainer/app/own.txt": "own\n",
    "shared/file.txt": "shared\n",
  });
  const platforms = { platforms: "linux/amd64,linux/arm64" };
  const built = await run(platforms);
  expect(built.outputs.result, built.log).toBe("built");
  for (const platform of ["linux/amd64", "linux/arm64"])
    expect(await runImage(built.outputs.image ?? "", platform, "cat", "/word", "/own.txt", "/file.txt")).toBe(
      "from-env-file\nown\nshared",
    );
  expect((await run(platforms)).outputs).toMatchObject({ result: "hit", image: built.outputs.image });
  edit("shared/file.txt", "another\n");
  expect((await run({ ...platforms, "on-miss": "fail" })).log).toContain("shared/file.txt changed");
  edit("shared/file.txt", "shared\n");
  edit(".devcontainer/.env", "WORD=another\n");
  const missed = await run({ ...platforms, "on-miss": "fail" });
  expect(missed.outputs.result, missed.log).toBe("miss");
  expect(missed.log).toContain(
    "build arg WORD changed (.devcontainer/compose.dev.yml:4; it reads the variable WORD of .devcontainer/.env:1)",
  );
});

test("build args by strength, from devcontainer.json, a file and the input; ignored ones do not make a miss", async () => {
  const { run, edit } = checkout("args", {
    ".devcontainer/devcontainer.json": JSON.stringify({
      build: { dockerfile: "Dockerfile", args: { BASE: "${localEnv:BASE}", A: "json", B: "json", C: "json" } },
    }),
    ".devcontainer/Dockerfile": `ARG BASE
FROM $BASE
ARG A B C RUN_ID REVISION
RUN echo "$A $B $C \${REVISION:-none}" > /args
`,
    "args.conf": "# comment\nB=file\nC=file\n",
  });
  const inputs = {
    "build-arg-files": "args.conf\n?missing.conf",
    "build-args": "C=input\nRUN_ID",
    "ignore-args": "RUN_ID",
  };
  const built = await run(inputs, { RUN_ID: "1" });
  expect(built.outputs.result, built.log).toBe("built");
  expect(await runImage(built.outputs.image ?? "", "linux/amd64", "cat", "/args")).toBe("json file input none");
  expect((await run(inputs, { RUN_ID: "2" })).outputs).toMatchObject({ result: "hit", image: built.outputs.image });
  edit("args.conf", "B=other\nC=file\n");
  const missed = await run({ ...inputs, "on-miss": "fail" }, { RUN_ID: "3" });
  expect(missed.log).toContain("build arg B changed (args.conf:1)");
});

test("an ssh agent reaches the instruction that mounts it, and the image knows nothing of it", async () => {
  const { run, temporary } = checkout("agent", {
    ".devcontainer/devcontainer.json":
      '{ "build": { "dockerfile": "Dockerfile", "args": { "BASE": "${localEnv:BASE}" } } }',
    ".devcontainer/Dockerfile":
      'ARG BASE\nFROM $BASE\nRUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" && echo "there" > /agent\nRUN test -z "$SSH_AUTH_SOCK"\n',
  });
  const socket = join(temporary, "agent.sock");
  const agent = createServer();
  await new Promise<void>((done) => agent.listen(socket, done));
  const without = await run({}, { SSH_AUTH_SOCK: socket });
  expect(without.code, without.log).toBe(1);
  const built = await run({ ssh: "default" }, { SSH_AUTH_SOCK: socket });
  expect(built.outputs.result, built.log).toBe("built");
  expect(await runImage(built.outputs.image ?? "", "linux/amd64", "cat", "/agent")).toContain("there");
  expect(JSON.stringify(built.outputs) + built.summary).not.toContain("agent.sock");
  await new Promise((done) => agent.close(done));
});

test("no secret, no login and no value of the environment leaves the build", async () => {
  const canaries = ["env-canary-51c2", "file-canary-9b07", "token-canary-7d1e", "arg-canary-3f60"] as const;
  const [inEnv, inFile, token, arg] = canaries;
  const { run, edit, repository, temporary } = checkout("leaks", {
    ".devcontainer/devcontainer.json": JSON.stringify({
      build: { dockerfile: "Dockerfile", args: { BASE: "${localEnv:BASE}", WORD: "${localEnv:WORD}" } },
      remoteEnv: { WORD: "${localEnv:WORD}" },
    }),
    ".devcontainer/Dockerfile": `ARG BASE
FROM $BASE
ARG WORD
RUN --mount=type=secret,id=env --mount=type=secret,id=file \\
    test -s /run/secrets/env && test -s /run/secrets/file && echo "$WORD" | wc -c > /seen
`,
    "secret.txt": `${inFile}\n`,
  });
  const inputs = { "build-secrets": "id=env,env=ENV_SECRET\nid=file,src=secret.txt" };
  const env = { ENV_SECRET: inEnv, GITHUB_TOKEN: token, WORD: arg };
  const built = await run(inputs, env);
  expect(built.outputs.result, built.log).toBe("built");
  const hit = await run(inputs, env);
  expect(hit.outputs.result, hit.log).toBe("hit");
  edit(".devcontainer/Dockerfile", "FROM scratch AS broken\nRUN --mount=type=secret,id=env cat /run/secrets/env\n");
  const failed = await run(inputs, env);
  expect(failed.code).toBe(1);

  const index = await served(repository, built.outputs.tag ?? "");
  const documents = await Promise.all(digestsIn(index?.document).map((digest) => everythingUnder(repository, digest)));
  const files = [...filesIn(temporary)].filter(({ path }) => !/container(\.env|-env\.json)$/.test(path));
  const told: Readonly<Record<string, string>> = {
    // What the step itself masks is a command to the runner, and the value's only place in the log.
    log: [built, hit, failed].map(({ log }) => log.replaceAll(/^::add-mask::.*$/gm, "")).join("\n"),
    outputs: JSON.stringify([built.outputs, hit.outputs, failed.outputs]),
    summary: built.summary + hit.summary + failed.summary,
    index: JSON.stringify(index?.document),
    attestations: documents.join("\n"),
    files: files.map(({ text }) => text).join("\n"),
  };
  for (const [place, text] of Object.entries(told))
    for (const canary of canaries) expect(text.includes(canary), `${canary} in ${place}`).toBe(false);
  // The hunt sees what there is: the plan is among the files, and the environment is where it belongs, for its owner alone.
  expect(told.files).toContain("salted:sha256:");
  expect(told.attestations).toContain("https://in-toto.io/Statement");
  const own = hit.outputs["env-file"] ?? "";
  expect(readFileSync(own, "utf8")).toContain(arg);
  expect(statSync(own).mode & 0o777).toBe(0o600);
});

function digestsIn(document: Readonly<Record<string, unknown>> | undefined): string[] {
  return [...JSON.stringify(document ?? {}).matchAll(/"digest":"(sha256:[0-9a-f]{64})"/g)].map(
    ([, digest]) => digest ?? "",
  );
}

/** A manifest of attestations with its statements; of an image its manifest alone, for a config names the build args. */
async function everythingUnder(repository: string, digest: string): Promise<string> {
  const manifest = await served(repository, digest);
  const text = JSON.stringify(manifest?.document);
  if (!text.includes("in-toto")) return text;
  const blobs = digestsIn(manifest?.document).map(async (blob) =>
    (await fetch(`http://${REGISTRY}/v2/${repository}/blobs/${blob}`)).text(),
  );
  return [text, ...(await Promise.all(blobs))].join("\n");
}

function* filesIn(root: string): Generator<{ readonly path: string; readonly text: string }> {
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) yield { path, text: readFileSync(path, "utf8") };
  }
}

test("an image without layers is an image", async () => {
  const { run } = checkout("without-layers", {
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile" } }',
    ".devcontainer/Dockerfile": "FROM scratch\nENV GREETING=hello\n",
  });
  const built = await run();
  expect(built.outputs.result, built.log).toBe("built");
  const again = await run({ "on-miss": "fail" });
  expect(again.outputs, again.log).toMatchObject({ result: "hit", image: built.outputs.image });
});

test("what an ONBUILD trigger of the base takes from the context reaches the image, and is hashed", async () => {
  const { image } = await makeBase({ repository: unique("base/onbuild"), config: { OnBuild: ["COPY app*/ /app/"] } });
  const { run, edit } = checkout("onbuild", {
    ".devcontainer/devcontainer.json": '{ "build": { "dockerfile": "Dockerfile", "context": ".." } }',
    ".devcontainer/Dockerfile": `FROM ${image}\n`,
    "app/file": "one\n",
    "other/file": "other\n",
  });
  const built = await run();
  expect(built.outputs.result, built.log).toBe("built");
  expect(await runImage(built.outputs.image ?? "", "linux/amd64", "cat", "/app/file")).toBe("one");
  edit("other/file", "another\n");
  expect((await run({ "on-miss": "fail" })).outputs.result).toBe("hit");
  edit("app/file", "two\n");
  const rebuilt = await run();
  expect(rebuilt.outputs.result, rebuilt.log).toBe("built");
  expect(await runImage(rebuilt.outputs.image ?? "", "linux/amd64", "cat", "/app/file")).toBe("two");
});
