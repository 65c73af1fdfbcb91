import { readComposeService } from "../compose/read.ts";
import { composeRequest } from "../compose/request.ts";
import type { ServiceBuild } from "../compose/service.ts";
import type { Sourced } from "../compose/values.ts";
import type { BuildOption } from "../devcontainer/options.ts";
import { type Place, tellPlace } from "../errors.ts";
import type { Files } from "../world.ts";
import { readCaches } from "./configured-caches.ts";
import type {
  BuildRequest,
  CountedOption,
  Definition,
  DefinitionRequest,
  NamedContext,
  Written,
} from "./definition-shape.ts";
import type { Doubt } from "./doubt.ts";
import { tellWithheld } from "./readable.ts";

/**
 * What the service of a compose project builds.
 * @returns a definition without a source where that cannot be read for certain.
 * @throws ActionError E_CONFIG for what compose refuses too, with the line.
 */
export async function composeDefinition(
  { configuration, found, workspace, readable, effort }: DefinitionRequest,
  files: Files,
): Promise<Definition> {
  const request = {
    workspace: workspace.folder,
    checkout: workspace.checkout,
    env: readable.env,
    withheld: wordsFor(readable),
  };
  const composeFiles = new Set<string>();
  const onFile = (file: string): void => void composeFiles.add(file);
  const asked = { ...composeRequest(configuration, found.file, request), onFile };
  const service = await readComposeService(asked, files, effort);
  if (service.kind === "unknown") {
    const [{ what, fix, at }] = service.doubts;
    return {
      ...NO_BUILD,
      source: { kind: "unreadable", at },
      user: undefined,
      warnings: [],
      isIncomplete: true,
      doubt: doubtOf(what, fix, at),
    };
  }
  const { user, warnings } = service;
  const told = { user: user && written(user), warnings, composeFiles };
  if (service.kind === "image") {
    const source = { kind: "image", image: written(service.image) } as const;
    return { ...NO_BUILD, ...told, source, isIncomplete: false, doubt: undefined };
  }
  const { caches, warnings: left } = readCaches(service.cacheFrom.map(({ value, at }) => ({ text: value, at })));
  return { ...buildRequest(service), ...told, cacheFrom: caches, warnings: [...warnings, ...left] };
}

function wordsFor({ withheld }: DefinitionRequest["readable"]): (name: string) => string | undefined {
  return (name) => {
    const found = withheld(name);
    return found && tellWithheld(found);
  };
}

const NO_BUILD: BuildRequest = {
  target: undefined,
  args: new Map(),
  contexts: new Map(),
  cacheFrom: [],
  counted: [],
  secrets: [],
  ssh: [],
  uncounted: [],
};

function doubtOf(what: string, fix: string, at: Place): Doubt {
  return { kind: "plan", what: `${tellPlace(at)}: ${what}`, fix, at };
}

function written({ value, ...sourced }: Sourced): Written {
  return { value, ...sourced, fromHostPath: false };
}

function buildRequest(
  build: ServiceBuild,
): Omit<BuildRequest, "cacheFrom"> & Pick<Definition, "source" | "isIncomplete" | "doubt"> {
  const { context, dockerfile, target, args } = build;
  const remote = [...build.additionalContexts].find(([, { kind }]) => kind === "remote");
  return {
    source: {
      kind: "dockerfile",
      dockerfile:
        dockerfile.kind === "inline"
          ? {
              ...dockerfile.text,
              text: dockerfile.text.value,
            }
          : written(dockerfile.path),
      context: written(context),
    },
    target: target && written(target),
    args: new Map([...args].map(([name, arg]) => [name, written(arg)])),
    contexts: contextsOf(build),
    counted: countedOptions(build),
    secrets: build.secrets.map(({ id, from, at }) => ({
      id,
      at,
      source: from.kind === "file" ? { kind: "file", written: from.path } : { kind: "env", name: from.name },
    })),
    ssh: [...build.ssh].map(([id, { value, at }]) => ({ id, at, written: value === undefined ? [] : [value] })),
    uncounted: uncountedOptions(build),
    isIncomplete: remote !== undefined,
    doubt:
      remote &&
      doubtOf(
        `what is in the build context ${remote[0]} cannot be told before the build`,
        "Name a folder of this checkout, or an image as docker-image://…",
        remote[1].at,
      ),
  };
}

function contextsOf({ additionalContexts }: ServiceBuild): ReadonlyMap<string, NamedContext> {
  const contexts = [...additionalContexts].flatMap(([name, context]): (readonly [string, NamedContext])[] => {
    const { at, fromEnvironment, reads = [] } = context;
    const value = context.kind === "folder" ? context.path : context.kind === "image" ? context.image : undefined;
    if (value === undefined || context.kind === "remote") return [];
    return [[name, { kind: context.kind, value, at, fromEnvironment, reads, fromHostPath: false }]];
  });
  return new Map(contexts);
}

function countedOptions(build: ServiceBuild): readonly CountedOption[] {
  const { additionalContexts, labels, network, extraHosts, shmSize, ulimits, entitlements, privileged } = build;
  const option = (name: string, value: string, sourced: Sourced<unknown>): CountedOption => ({
    ...sourced,
    name,
    value,
  });
  return [
    // What nobody knows is part of the sources all the same: without it they would be those of another image.
    ...[...additionalContexts].flatMap(([name, { kind, at, fromEnvironment, ...source }]) =>
      kind === "remote" && "url" in source
        ? [{ name: "build-context", value: `${name}=${source.url}`, at, fromEnvironment }]
        : [],
    ),
    ...[...labels].map(([name, label]) => option("label", `${name}=${label.value}`, label)),
    ...(network ? [option("network", network.value, network)] : []),
    ...extraHosts.map((host) => option("add-host", host.value, host)),
    ...(shmSize ? [option("shm-size", String(shmSize.value), shmSize)] : []),
    ...[...ulimits].map(([name, limit]) => option("ulimit", `${name}=${limit.value.soft}:${limit.value.hard}`, limit)),
    ...entitlements.map((entitlement) => option("allow", entitlement.value, entitlement)),
    ...(privileged
      ? [{ name: "allow", value: "security.insecure", at: build.context.at, fromEnvironment: false }]
      : []),
  ];
}

function uncountedOptions({ noCache, pull, context: { at } }: ServiceBuild): readonly BuildOption[] {
  return [
    ...(noCache ? [{ name: "no-cache", value: undefined, at }] : []),
    ...(pull ? [{ name: "pull", value: undefined, at }] : []),
  ];
}
