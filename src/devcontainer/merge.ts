import { isJsonObject, type Json, type JsonObject } from "./json.ts";
import { mountFields } from "./mount.ts";
import { mergeRequirements } from "./requirements.ts";

/** What all entries of a metadata label come to, in the names of the reference implementation. */
export type MergedMetadata = {
  readonly init: boolean;
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly securityOpt: readonly string[];
  readonly entrypoints: readonly string[];
  /** As they are written, the last one for each target. */
  readonly mounts: readonly Json[];
  readonly containerEnv: Readonly<Record<string, string>>;
  /** `null` takes a variable away. */
  readonly remoteEnv: Readonly<Record<string, string | null>>;
  readonly containerUser?: string;
  readonly remoteUser?: string;
  /** Everything else: hooks in the order of the entries, customizations as lists, the last value of what has only one. */
  readonly others: JsonObject;
};

const HOOKS: Readonly<Record<string, string>> = {
  onCreateCommand: "onCreateCommands",
  updateContentCommand: "updateContentCommands",
  postCreateCommand: "postCreateCommands",
  postStartCommand: "postStartCommands",
  postAttachCommand: "postAttachCommands",
};
/** The last value that says anything. */
const LAST = ["waitFor", "userEnvProbe", "otherPortsAttributes", "shutdownAction"];
/** The last value that is a switch: `false` says something here, for without it they are on. */
const SWITCHES = ["overrideCommand", "updateRemoteUserUID"];

/**
 * Merges the entries of an image's metadata label, base first.
 * @see https://containers.dev/implementors/spec/#merge-logic
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-node/imageMetadata.ts (mergeConfiguration)
 */
export function mergeMetadata(entries: readonly JsonObject[]): MergedMetadata {
  const [containerUser, remoteUser] = [lastText(entries, "containerUser"), lastText(entries, "remoteUser")];
  return {
    init: entries.some(({ init }) => Boolean(init)),
    privileged: entries.some(({ privileged }) => Boolean(privileged)),
    capAdd: union(entries, "capAdd").filter(isText),
    securityOpt: union(entries, "securityOpt").filter(isText),
    entrypoints: entries.flatMap(({ entrypoint }) => (isText(entrypoint) && entrypoint !== "" ? [entrypoint] : [])),
    mounts: mergeMounts(entries),
    containerEnv: Object.fromEntries(
      pairs(entries, "containerEnv").flatMap(([name, value]) => (isPlain(value) ? [[name, String(value)]] : [])),
    ),
    remoteEnv: Object.fromEntries(
      pairs(entries, "remoteEnv").flatMap(([name, value]) =>
        isPlain(value) || value === null ? [[name, value === null ? null : String(value)]] : [],
      ),
    ),
    ...(containerUser === undefined ? {} : { containerUser }),
    ...(remoteUser === undefined ? {} : { remoteUser }),
    others: mergeOthers(entries),
  };
}

/** The merged metadata as one JSON object, empty parts left out. */
export function metadataJson({ init, privileged, others, ...merged }: MergedMetadata): JsonObject {
  const rights = { ...(init ? { init } : {}), ...(privileged ? { privileged } : {}) };
  const known = Object.entries({ ...rights, ...merged, ...others }).filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(known);
}

function isEmpty(value: Json): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function mergeOthers(entries: readonly JsonObject[]): JsonObject {
  const hooks = Object.entries(HOOKS).map(([one, all]): [string, Json] => [
    all,
    entries.flatMap(({ [one]: command }) => (command ? [command] : [])),
  ]);
  const lastOf = (name: string, says: (value: Json | undefined) => boolean): [string, Json][] => {
    const value = entries.findLast((entry) => says(entry[name]))?.[name];
    return value === undefined ? [] : [[name, value]];
  };
  return Object.fromEntries([
    ["customizations", mergeCustomizations(entries)],
    ["portsAttributes", Object.fromEntries(pairs(entries, "portsAttributes"))],
    ["forwardPorts", forwardPorts(entries)],
    ...hooks,
    ...LAST.flatMap((name) => lastOf(name, Boolean)),
    ...SWITCHES.flatMap((name) => lastOf(name, (value) => typeof value === "boolean")),
    ["hostRequirements", mergeRequirements(entries)],
  ]);
}

/** A port of this machine is a number, however it is written. */
function forwardPorts(entries: readonly JsonObject[]): readonly Json[] {
  const written = union(entries, "forwardPorts").map((port) =>
    isText(port) && /localhost:\d+/.test(port) ? Number.parseInt(port.slice("localhost:".length), 10) : port,
  );
  return [...new Set(written)];
}

/** Each tool's customizations as a list, for only the tool knows how to merge its own. */
function mergeCustomizations(entries: readonly JsonObject[]): JsonObject {
  const lists = new Map<string, Json[]>();
  for (const [tool, value] of pairs(entries, "customizations")) {
    const list = lists.get(tool) ?? [];
    lists.set(tool, list);
    list.push(value);
  }
  return Object.fromEntries(lists);
}

function mergeMounts(entries: readonly JsonObject[]): readonly Json[] {
  const mounts = entries.flatMap(({ mounts }) => (Array.isArray(mounts) ? mounts : []));
  const byTarget = new Map<string, Json>();
  for (const mount of mounts) {
    const target = mountFields(mount).get("target") ?? "";
    byTarget.delete(target);
    byTarget.set(target, mount);
  }
  return [...byTarget.values()];
}

function pairs(entries: readonly JsonObject[], name: string): readonly (readonly [string, Json])[] {
  return entries.flatMap((entry) => (isJsonObject(entry[name]) ? Object.entries(entry[name]) : []));
}

function union(entries: readonly JsonObject[], name: string): Json[] {
  const all = entries.flatMap((entry) => (Array.isArray(entry[name]) ? entry[name] : []));
  return [...new Map(all.map((value: Json) => [JSON.stringify(value), value])).values()];
}

function lastText(entries: readonly JsonObject[], name: string): string | undefined {
  const value = entries.findLast((entry) => isText(entry[name]) && entry[name] !== "")?.[name];
  return isText(value) ? value : undefined;
}

/** What a variable can hold as it is written: `up` and `exec` give `3000` and `true` to docker as texts. */
function isPlain(value: Json): value is string | number | boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

function isText(value: Json | undefined): value is string {
  return typeof value === "string";
}
