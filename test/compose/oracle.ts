import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { parse } from "yaml";
import { isRecord } from "../../src/oci/manifest.ts";
import { filesOf, present } from "./project.ts";
import type { Row, Said } from "./rows.ts";

/** Writes a row's files down, gives their folder to `use`, and removes it. */
export async function inWorkspace<T>(row: Pick<Row, "files">, use: (workspace: string) => Promise<T>): Promise<T> {
  const home = await realpath(await mkdtemp(join(tmpdir(), "compose-oracle-")));
  const workspace = join(home, "app");
  try {
    await mkdir(workspace);
    for (const [path, text] of Object.entries(filesOf(row))) {
      await mkdir(dirname(join(workspace, path)), { recursive: true });
      await writeFile(join(workspace, path), text);
    }
    return await use(workspace);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** What the real compose says of the service `app`, asked as the reference CLI asks it. */
export async function askCompose(
  command: readonly string[],
  row: Pick<Row, "compose" | "env">,
  workspace: string,
): Promise<Said | "refused"> {
  const [program = "", ...words] = command;
  const named = (row.compose ?? ["compose.yml"]).flatMap((file) => ["-f", join(workspace, file)]);
  const env = { PATH: process.env.PATH, HOME: homedir(), ...row.env };
  const output = await new Promise<string | undefined>((done, fail) => {
    const args = [...words, ...named, "--profile", "*", "config"];
    execFile(program, args, { cwd: workspace, env }, (error, stdout) => {
      if (error && typeof error.code !== "number") fail(error);
      else done(error ? undefined : stdout);
    });
  });
  const folder = dirname(named[1] ?? workspace);
  return output === undefined ? "refused" : readSaid(parse(output), workspace, folder);
}

/** @param folder the project's, which the reference CLI takes for the context where compose tells none. */
function readSaid(config: unknown, workspace: string, folder: string): Said | "refused" {
  const { services, secrets } = recordOf(plain(config));
  const { app } = recordOf(services);
  if (!isRecord(app)) return "refused";
  const { image, user, platform, build } = app;
  // Where there is a build, the image is only its name.
  const from =
    build === undefined
      ? { image }
      : { build: present(readBuild({ context: folder, ...recordOf(build) }, recordOf(secrets), workspace)) };
  return present({ user, platform, ...from });
}

type Fields = Readonly<Record<string, unknown>>;

function readBuild(build: Fields, secrets: Fields, workspace: string): Fields {
  const { context, dockerfile, dockerfile_inline, shm_size, args, labels, secrets: wanted, tags, ...rest } = build;
  const within = (path: string): string => (path.startsWith("/") ? relative(workspace, path) || "." : path);
  return {
    ...rest,
    context: within(String(context)),
    dockerfile: dockerfile_inline === undefined ? within(below(String(context), String(dockerfile))) : undefined,
    dockerfile_inline,
    args,
    labels,
    shm_size: shm_size === undefined ? undefined : Number(shm_size),
    ulimits: Object.fromEntries(
      Object.entries(recordOf(rest.ulimits)).map(([name, limit]) => [
        name,
        typeof limit === "number" ? { soft: limit, hard: limit } : limit,
      ]),
    ),
    additional_contexts: Object.fromEntries(
      Object.entries(recordOf(rest.additional_contexts)).map(([name, path]) => [name, within(String(path))]),
    ),
    secrets: listOf(wanted).map((secret) => {
      const { source, target } = recordOf(secret);
      const { file, environment } = recordOf(secrets[String(source)]);
      const id = target ?? source;
      return present({ id, environment, file: file === undefined ? undefined : within(String(file)) });
    }),
  };
}

function below(context: string, dockerfile: string): string {
  return context.startsWith("/") ? resolve(context, dockerfile) : `${context}/${dockerfile}`;
}

/** What compose prints can be read by compose again, so every dollar sign stands twice in it. Extensions are left out. */
function plain(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("$$", "$");
  if (Array.isArray(value)) return value.map(plain);
  if (!isRecord(value)) return value;
  const fields = Object.entries(value).filter(([name]) => !name.startsWith("x-"));
  return Object.fromEntries(fields.map(([name, item]) => [name.replaceAll("$$", "$"), plain(item)]));
}

function recordOf(value: unknown): Fields {
  return isRecord(value) ? value : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
