import { execFile } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { put } from "../checkout.ts";
import { DEV, SAME, UID_DIFFERENCES, type UidRow } from "../differences/uid-rows.ts";
import { docker, type Ended, makeBase, REGISTRY, runAction, runImage, unique } from "./harness.ts";

const CLI = resolve("node_modules/@devcontainers/cli/devcontainer.js");
/** The reference CLI gives the user the uid of its own process. */
const AS_1001 = "data:text/javascript,process.getuid=()=>1001;process.getgid=()=>1001;";
const folder = mkdtempSync(join(tmpdir(), "e2e-uid-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let base = "";
beforeAll(async () => {
  base = (await makeBase({ repository: unique("base/uid") })).image;
});

/** A checkout of its own. */
function checkOut({ made, user, json }: Omit<UidRow, "name">): string {
  const workspace = mkdtempSync(join(folder, "work-"));
  const lines = [`FROM ${base}`, ...made.map((line) => `RUN ${line}`), ...(user === undefined ? [] : [`USER ${user}`])];
  put(workspace, ".devcontainer/Dockerfile", `${lines.join("\n")}\n`);
  const configuration = { build: { dockerfile: "Dockerfile" }, remoteUser: "dev", ...json };
  put(workspace, ".devcontainer/devcontainer.json", JSON.stringify(configuration));
  return workspace;
}

const run = (workspace: string, more: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  runAction({
    workspace,
    inputs: { "cache-repo": `${REGISTRY}/${unique("e2e/uid")}`, "remote-user-uid": "1001", provenance: "min", ...more },
  });

/** Who works in an image by default, its users and groups, and the owner of all that is not root's, a line each. */
const TELL = `cat /etc/passwd /etc/group; find / -xdev ! -path "/proc*" ! -path "/sys*" ! -path "/dev*" -exec stat -c "%u:%g %n" {} + | grep -v ^0:0 | sort`;

async function tell(image: string): Promise<readonly string[]> {
  const user = await docker("image", "inspect", "--format", "{{.Config.User}}", image);
  const told = await docker("run", "--rm", "--network", "none", "--user", "0", "--entrypoint", "sh", image, "-c", TELL);
  // The reference CLI writes the user down where the base names none.
  return [`user ${user.trim() || "root"}`, ...told.trim().split("\n")];
}

/** What the reference CLI's `up` makes of the same checkout. */
async function theirs(workspace: string): Promise<readonly string[]> {
  const label = `dev-container-cache.test=${unique("uid")}`;
  const args = ["up", "--workspace-folder", workspace, "--skip-post-create", "--id-label", label];
  const program = ["--import", AS_1001, CLI, ...args];
  const ran = promisify(execFile)(process.execPath, program, { maxBuffer: 64 * 1024 * 1024 });
  const ended = await ran.then(
    () => undefined,
    (error: unknown) => error,
  );
  // A container that cannot be entered is left all the same.
  const container = (await docker("ps", "--all", "--quiet", "--filter", `label=${label}`)).trim();
  if (container === "") throw ended;
  try {
    return await tell((await docker("inspect", "--format", "{{.Config.Image}}", container)).trim());
  } finally {
    await docker("rm", "--force", "--volumes", container);
  }
}

async function ours(workspace: string): Promise<readonly string[]> {
  const built = await run(workspace);
  expect(built.outputs.result, built.log).toBe("built");
  await docker("pull", "--quiet", built.outputs.image ?? "");
  return tell(built.outputs.image ?? "");
}

describe("beside the reference CLI's up", () => {
  test.each(SAME)("the same users, groups and owners: $name", async (row) => {
    const workspace = checkOut(row);
    expect(await ours(workspace)).toEqual(await theirs(workspace));
  });

  test("the same with features, installed for the user before", async () => {
    const workspace = checkOut({ made: DEV, json: { features: { "./tool": {} } } });
    put(
      workspace,
      ".devcontainer/tool/devcontainer-feature.json",
      '{"id": "tool", "version": "1.0.0", "name": "Tool"}',
    );
    put(workspace, ".devcontainer/tool/install.sh", {
      script: '#!/bin/sh\nid -u "$_REMOTE_USER" > "$_REMOTE_USER_HOME/tool"\n',
    });
    const told = await ours(workspace);
    expect(told).toContain("1001:1001 /home/dev/tool");
    // What the reference CLI leaves of its installation there is removed here.
    const left = await theirs(workspace);
    expect(told).toEqual(left.filter((line) => !line.includes("/tmp/dev-container-features")));
  });

  test.each(UID_DIFFERENCES)("on purpose another one: $name", async (row) => {
    const workspace = checkOut(row);
    if (typeof row.theirs === "string") expect(await theirs(workspace)).toContain(row.theirs);
    else await expect(theirs(workspace)).rejects.toThrow(row.theirs.fails);
    if (typeof row.ours === "string") {
      const told = await ours(workspace);
      expect(told).toContain(row.ours);
      if (typeof row.theirs === "string") expect(told).not.toContain(row.theirs);
      return;
    }
    const { code, log } = await run(workspace);
    expect(log).toMatch(row.ours.fails);
    expect(code).toBe(1);
  });
});

test("on GitHub's machines the user of a later job writes in its folders, and only with that uid", async () => {
  const folders = mkdtempSync(join(folder, "job-"));
  const job = join(folders, "_temp");
  mkdirSync(job);
  chmodSync(folders, 0o755);
  chmodSync(job, 0o755);
  chownSync(job, 1001, 1001);
  const workspace = checkOut({ made: DEV, user: "dev" });
  const platforms = "linux/amd64,linux/arm64";
  const cache = { "cache-repo": `${REGISTRY}/${unique("e2e/uid")}`, platforms };
  const write = (image: string, options: string, file: string): Promise<string> =>
    docker(
      ...["run", "--rm", "--network", "none", "--volume", `${job}:/__w`, ...options.split(" ").filter(Boolean)],
      ...[image, "sh", "-c", `echo "$(id -u):$(id -g) $HOME" > "/__w/${file}" && touch ~/mine && cat "/__w/${file}"`],
    );

  const built = await run(workspace, cache);
  const { image = "", "container-options": options = "" } = built.outputs;
  expect(built.outputs.result, built.log).toBe("built");
  expect(options).toBe("--user dev");
  await docker("pull", "--quiet", image);
  expect(await write(image, options, "written")).toBe("1001:1001 /home/dev\n");
  expect(statSync(join(job, "written"))).toMatchObject({ uid: 1001, gid: 1001 });
  expect(await runImage(image, "linux/arm64", "sh", "-c", "id; ls -nd /home/dev")).toMatch(
    /^uid=1001\(dev\) gid=1001\(dev\)[^\n]*\n\S+ +\d+ 1001 +1001 /,
  );
  expect(await run(workspace, cache)).toMatchObject({
    code: 0,
    outputs: { result: "hit", image, "container-options": options },
  });
  expect(await run(workspace, { ...cache, "remote-user-uid": "auto" })).toMatchObject({
    outputs: { result: "hit", image, "container-options": options },
  });

  // Without the input it is another image, in which the same user may not write there; root is handed out.
  const plain = await run(workspace, { ...cache, "remote-user-uid": "" });
  expect(plain.outputs).toMatchObject({ result: "built", "container-options": "--user root" });
  await docker("pull", "--quiet", plain.outputs.image ?? "");
  await expect(write(plain.outputs.image ?? "", "--user dev", "denied")).rejects.toThrow(/[Pp]ermission denied/);
});

test("a compose service's user gets the uid", async () => {
  const workspace = checkOut({ made: DEV, json: { remoteUser: undefined } });
  const json = { dockerComposeFile: "compose.yaml", service: "app" };
  put(workspace, ".devcontainer/devcontainer.json", JSON.stringify(json));
  put(workspace, ".devcontainer/compose.yaml", "services:\n  app:\n    build: .\n    user: dev\n");
  expect(await ours(workspace)).toEqual(expect.arrayContaining(["user root", "dev:x:1001:1001:Dev:/home/dev:/bin/sh"]));
});
