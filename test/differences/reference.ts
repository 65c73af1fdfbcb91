import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { environmentOf, forestallControlManifest, runReference } from "../devcontainer/oracle.ts";
import { configOf, platformsOf, type Row } from "./row.ts";

const DOCKER = fileURLToPath(new URL("oracle/docker", import.meta.url));

/** The one build that the reference CLI orders from docker, for however many platforms, and what it asked for before. */
export type Ordered = {
  readonly kind: "ordered" | "error";
  readonly words?: string;
  /** Images that the engine was asked about, and those that it had to pull. */
  readonly inspected: readonly string[];
  readonly pulled: readonly string[];
  readonly argv: readonly string[];
  readonly dockerfile: string;
  /** The user that the image keeps, and those whom features see. */
  readonly users: { readonly image?: string; readonly container?: string; readonly remote?: string };
  readonly label: string | undefined;
  /** The ignore file that counts. */
  readonly ignored: string;
  readonly lockfile: boolean;
};

/** What the reference CLI's `build` orders for a workspace. */
export async function askReference(row: Row, workspace: string): Promise<Ordered> {
  const home = dirname(dirname(workspace));
  await forestallControlManifest(home);
  const folder = join(workspace, row.link?.folder ?? ".");
  const args = ["build", "--workspace-folder", folder, "--docker-path", DOCKER, "--docker-compose-path", DOCKER];
  const words = await runReference(
    [
      ...args,
      ...["--user-data-folder", join(home, "data")],
      ...(row.platforms ? ["--platform", row.platforms.join(",")] : []),
      ...(row.labels ?? []).flatMap((label) => ["--label", label]),
    ],
    {
      ...environmentOf({ files: {}, env: {}, baseLabel: undefined }, workspace),
      INSPECT: JSON.stringify([
        {
          Id: "sha256:0",
          Architecture: "amd64",
          Os: "linux",
          Config: configOf(row.bases?.[platformsOf(row)[0]] ?? {}),
        },
      ]),
      LOCAL: row.withoutLocalImages ? "" : "yes",
      COMPOSE: row.compose ?? "",
      // Nothing but a registry on this machine may be asked.
      HTTPS_PROXY: "http://127.0.0.1:9",
      NO_PROXY: "localhost",
      ...row.env,
    },
  );
  return { ...(await readRecord(home, words)), lockfile: await hasLockfile(folder) };
}

/** Whether there is a lockfile beside the configuration. */
export async function hasLockfile(workspace: string): Promise<boolean> {
  return (await readdir(join(workspace, ".devcontainer"))).includes("devcontainer-lock.json");
}

async function readRecord(home: string, words: string | undefined): Promise<Omit<Ordered, "lockfile">> {
  const read = (name: string): Promise<string> => readFile(join(home, name), "utf8").catch(() => "");
  const calls = (await read("calls")).split("\n");
  const named = (call: RegExp): string[] => [...new Set(calls.flatMap((line) => call.exec(line)?.[1] ?? []))];
  const argv = (await read("argv")).split("\0").slice(0, -1);
  const dockerfile = await read("Dockerfile");
  const users = await read("content/devcontainer-features.builtin.env");
  return {
    kind: words === undefined ? "ordered" : "error",
    ...(words === undefined ? {} : { words }),
    inspected: named(/^inspect --type image (.*)$/),
    pulled: named(/^pull (.*)$/),
    argv,
    dockerfile,
    users: {
      ...firstMatch("image", argv.join("\n"), /^_DEV_CONTAINERS_IMAGE_USER=(.*)$/m),
      ...firstMatch("container", users, /^_CONTAINER_USER=(.*)$/m),
      ...firstMatch("remote", users, /^_REMOTE_USER=(.*)$/m),
    },
    label: labelIn(dockerfile),
    ignored: await read("ignore"),
  };
}

export function firstMatch(name: string, text: string, pattern: RegExp): Readonly<Record<string, string>> {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? {} : { [name]: found };
}

/** The value that the LABEL instruction sets: continued lines joined, then what stands behind a backslash taken as it is. */
function labelIn(dockerfile: string): string | undefined {
  const quoted = /^LABEL devcontainer\.metadata="(.*)"$/m.exec(dockerfile.replaceAll("\\\n", ""))?.[1];
  return quoted?.replaceAll(/\\(.)/g, "$1");
}
