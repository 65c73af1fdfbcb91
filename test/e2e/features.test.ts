import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Content, put } from "../checkout.ts";
import { docker, type Ended, makeBase, REGISTRY, runAction, runImage, unique } from "./harness.ts";

const CLI = resolve("node_modules/@devcontainers/cli/devcontainer.js");
/** The reference CLI speaks plain http to this name only. */
const HOST = REGISTRY.replace("127.0.0.1", "localhost");
const namespace = unique("e2e/features");
const repository = unique("e2e/featured");
const folder = mkdtempSync(join(tmpdir(), "e2e-features-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = (...lines: readonly string[]): Content => ({ script: ["#!/bin/sh", "set -e", ...lines, ""].join("\n") });

/** Published as people do it: with the reference CLI. */
async function publish(version: string, greeting: string): Promise<void> {
  const source = join(folder, `published-${version}`);
  put(
    source,
    "greeter/devcontainer-feature.json",
    JSON.stringify({
      id: "greeter",
      version,
      name: "Greeter",
      options: { name: { type: "string", default: "nobody" }, "exclamation-mark": { type: "boolean", default: true } },
      dependsOn: { [`${HOST}/${namespace}/shouter`]: { loud: true } },
      containerEnv: { GREETER_HOME: "/opt/greeter", PATH: "/opt/greeter:${PATH}", DOLLARS: "a$$b" },
      init: true,
      capAdd: ["SYS_PTRACE"],
      postCreateCommand: "greet",
    }),
  );
  put(
    source,
    "greeter/install.sh",
    script(
      "mkdir -p /opt/greeter",
      `echo "echo ${greeting} $NAME $EXCLAMATION_MARK for $_REMOTE_USER in $_REMOTE_USER_HOME, container $_CONTAINER_USER" > /opt/greeter/greet`,
      "chmod +x /opt/greeter/greet",
      // What it depends on is there already, and its own environment too.
      "shout $GREETER_HOME > /opt/greeter/log",
    ),
  );
  put(
    source,
    "shouter/devcontainer-feature.json",
    JSON.stringify({
      id: "shouter",
      version: "1.0.0",
      name: "Shouter",
      options: { loud: { type: "boolean", default: false } },
    }),
  );
  put(
    source,
    "shouter/install.sh",
    script(`printf '#!/bin/sh\\necho SHOUT %s "$@"\\n' "$LOUD" > /usr/bin/shout`, "chmod +x /usr/bin/shout"),
  );
  await promisify(execFile)(process.execPath, [CLI, "features", "publish", source, "-r", HOST, "-n", namespace]);
}

let workspace: string;

beforeAll(async () => {
  await publish("1.0.0", "hello");
  const base = await makeBase({
    repository: unique("base/featured"),
    config: { Labels: { "devcontainer.metadata": '[{"id":"of-the-base","remoteUser":"root"}]' } },
  });
  workspace = join(folder, "work");
  put(
    workspace,
    ".devcontainer/Dockerfile",
    `# escape=\`\nFROM ${base.image} AS dev\nARG GREETER_HOME=leaked\nRUN echo dev:x:1000:1000::/home/dev:/bin/sh >> /etc/passwd\nUSER dev\nSHELL ["/bin/false"]\nFROM scratch AS last\n`,
  );
  put(
    workspace,
    ".devcontainer/devcontainer.json",
    JSON.stringify({
      build: { dockerfile: "Dockerfile", target: "dev" },
      features: {
        "./local": { text: "it's $HOME" },
        [`${HOST}/${namespace}/greeter:1`]: { name: "world" },
      },
      containerEnv: { OWN: 'a "quoted" $value \\ and `tick`' },
      remoteUser: "dev",
    }),
  );
  put(
    workspace,
    ".devcontainer/local/devcontainer-feature.json",
    JSON.stringify({
      id: "local",
      version: "0.0.1",
      installsAfter: [`${HOST}/${namespace}/greeter`],
      options: { text: { type: "string", default: "" } },
    }),
  );
  put(
    workspace,
    ".devcontainer/local/install.sh",
    script("cp data/file.txt /opt/local.txt", 'echo "$TEXT" >> /opt/local.txt', "id -u >> /opt/local.txt"),
  );
  put(workspace, ".devcontainer/local/data/file.txt", "from a local file\n");
});

const run = (inputs: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  runAction({
    workspace,
    inputs: { "cache-repo": `${REGISTRY}/${repository}`, platforms: "linux/amd64,linux/arm64", ...inputs },
  });

test("features are installed for both platforms, behave, and are found again", async () => {
  const built = await run();
  expect(built.outputs.result, built.log).toBe("built");
  const image = built.outputs.image ?? "";
  const say = 'greet; shout x; cat /opt/greeter/log /opt/local.txt; echo "$OWN"; echo "$DOLLARS"; id -un; ls /tmp';
  for (const platform of ["linux/amd64", "linux/arm64"])
    expect(await runImage(image, platform, "sh", "-c", say)).toBe(
      [
        "hello world true for dev in /home/dev, container dev",
        "SHOUT true x",
        "SHOUT true /opt/greeter",
        "from a local file",
        "it's /root",
        "0",
        'a "quoted" $value \\ and `tick`',
        "ab",
        "dev",
      ].join("\n"),
    );
  expect(await run()).toMatchObject({ code: 0, outputs: { result: "hit", image } });
});

test("the outputs tell a later job how to run it, and the reference CLI reads the same from the label", async () => {
  const { outputs } = await run({ "on-miss": "fail" });
  expect(JSON.parse(outputs.container ?? "")).toEqual({
    image: outputs.image,
    env: { OWN: 'a "quoted" $value \\ and `tick`' },
    // On a runner whose folders no other user than its own may write to, the image's own could do nothing there.
    options: "--user root --init --cap-add SYS_PTRACE",
  });
  expect(outputs["remote-user"]).toBe("dev");
  const config = join(folder, "read/.devcontainer/devcontainer.json");
  put(join(folder, "read"), ".devcontainer/devcontainer.json", JSON.stringify({ image: outputs.image }));
  await docker("pull", "--quiet", outputs.image ?? "");
  const args = [CLI, "read-configuration", "--workspace-folder", join(folder, "read"), "--config", config];
  const { stdout } = await promisify(execFile)(process.execPath, [...args, "--include-merged-configuration"]);
  const { mergedConfiguration } = JSON.parse(stdout);
  const metadata = JSON.parse(outputs.metadata ?? "");
  expect(metadata).toMatchObject({
    init: true,
    capAdd: ["SYS_PTRACE"],
    remoteUser: "dev",
    postCreateCommands: ["greet"],
  });
  for (const name of ["init", "capAdd", "remoteUser", "containerEnv", "postCreateCommands"])
    expect(metadata[name], name).toEqual(mergedConfiguration[name]);
});

test("a feature that moved under its tag is drift; a changed local file is a miss; both are named", async () => {
  await publish("1.0.1", "good day");
  const used = await run({ "on-drift": "use", "on-miss": "fail" });
  expect(used.outputs.result, used.log).toBe("stale");
  expect(used.log).toMatch(/feature localhost:\d+\/\S+\/greeter:1 sha256:[0-9a-f]{12}… → sha256:[0-9a-f]{12}…/);
  put(workspace, ".devcontainer/local/data/file.txt", "another\n");
  const missed = await run({ "on-drift": "use", "on-miss": "fail" });
  expect(missed.outputs.result, missed.log).toBe("miss");
  expect(missed.log).toContain("feature ./local changed: its files are others now");
});

test("an install script that fails is named", async () => {
  put(workspace, ".devcontainer/local/install.sh", script("echo no luck today >&2", "exit 3"));
  const failed = await run({ platforms: "linux/amd64" });
  expect(failed).toMatchObject({ code: 1, outputs: { result: "failed" } });
  expect(failed.log).toContain("no luck today");
  expect(failed.log).toContain("The feature ./local could not be installed");
  const lines = readFileSync(join(workspace, ".devcontainer/devcontainer.json"), "utf8").split("\n");
  const line = lines.findIndex((text) => text.includes('"./local"')) + 1;
  expect(failed.log).toContain(`::error file=.devcontainer/devcontainer.json,line=${line}::`);
});
