import type { ComposeRequest } from "../../src/compose/find.ts";
import { readComposeService } from "../../src/compose/read.ts";
import type { ComposeService, ServiceBuild } from "../../src/compose/service.ts";
import { pathWithin } from "../../src/devcontainer/paths.ts";
import { openMemoryFiles } from "../devcontainer/memory-files.ts";
import type { Row, Said } from "./rows.ts";

export const WORKSPACE = "/home/dev/app";

export const DEVCONTAINER = "devcontainer.json";

type Project = Pick<Row, "files" | "compose" | "env">;

/** The files of a row by their path in the workspace. */
export function filesOf({ files }: Pick<Row, "files">): Readonly<Record<string, string>> {
  return typeof files === "string" ? { "compose.yml": files } : files;
}

export function requestFor(
  { compose = ["compose.yml"], env = {} }: Omit<Project, "files">,
  workspace = WORKSPACE,
): ComposeRequest {
  return {
    workspace,
    checkout: workspace,
    folder: workspace,
    files: compose,
    service: "app",
    env,
    withheld: () => undefined,
    at: { files: { file: DEVCONTAINER, line: 1 }, service: { file: DEVCONTAINER, line: 2 } },
  };
}

/** Reads the service `app` of a project in memory. */
export function read(project: Project): Promise<ComposeService> {
  const files = Object.entries(filesOf(project)).map(([path, text]) => [`${WORKSPACE}/${path}`, text]);
  return readComposeService(requestFor(project), openMemoryFiles(Object.fromEntries(files)));
}

/** A service as `docker compose config` would say it. */
export function saidBy(service: ComposeService, workspace = WORKSPACE): Said | "unknown" {
  if (service.kind === "unknown") return "unknown";
  const { user, platform } = service;
  return present({
    image: service.kind === "image" ? service.image.value : undefined,
    user: user?.value,
    platform: platform?.value,
    build: service.kind === "build" ? present(buildSaid(service, workspace)) : undefined,
  });
}

function buildSaid(build: ServiceBuild, workspace: string): Readonly<Record<string, unknown>> {
  const within = (path: string): string => pathWithin(workspace, path) ?? path;
  const { dockerfile } = build;
  return {
    context: within(build.context.value),
    dockerfile: dockerfile.kind === "file" ? within(dockerfile.path.value) : undefined,
    dockerfile_inline: dockerfile.kind === "inline" ? dockerfile.text.value : undefined,
    target: build.target?.value,
    args: values(build.args),
    labels: values(build.labels),
    network: build.network?.value,
    extra_hosts: build.extraHosts.map(({ value }) => value),
    shm_size: build.shmSize?.value,
    ulimits: values(build.ulimits),
    no_cache: build.noCache || undefined,
    pull: build.pull || undefined,
    privileged: build.privileged || undefined,
    entitlements: build.entitlements.map(({ value }) => value),
    cache_from: build.cacheFrom.map(({ value }) => value),
    platforms: build.platforms.map(({ value }) => value),
    ssh: values(build.ssh),
    additional_contexts: Object.fromEntries(
      [...build.additionalContexts].map(([name, context]) => {
        if (context.kind === "folder") return [name, within(context.path)];
        return [name, context.kind === "image" ? `docker-image://${context.image}` : context.url];
      }),
    ),
    secrets: build.secrets.map(({ id, from }) =>
      from.kind === "file" ? { id, file: within(from.path) } : { id, environment: from.name },
    ),
  };
}

function values(map: ReadonlyMap<string, { readonly value: unknown }>): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...map].map(([name, { value }]) => [name, value]));
}

/** Without what is missing or empty. */
export function present(fields: Readonly<Record<string, unknown>>): Said {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
