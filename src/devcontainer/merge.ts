import { isJsonObject, type Json, type JsonObject } from "./json.ts";
import { mountFields } from "./mount.ts";

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
const LAST = [
  "waitFor",
  "userEnvProbe",
  "overrideCommand",
  "otherPortsAttributes",
  "shutdownAction",
  "updateRemoteUserUID",
];

/**
 * Merges the entries of an image's metadata label, base first.
 * @see https://containers.dev/implementors/spec/#merge-logic
 */
export function mergeMetadata(entries: readonly JsonObject[]): MergedMetadata {
  const [containerUser, remoteUser] = [lastText(entries, "containerUser"), lastText(entries, "remoteUser")];
  return {
    init: entries.some(({ init }) => init === true),
    privileged: entries.some(({ privileged }) => privileged === true),
    capAdd: union(entries, "capAdd").filter(isText),
    securityOpt: union(entries, "securityOpt").filter(isText),
    entrypoints: entries.flatMap(({ entrypoint }) => (isText(entrypoint) && entrypoint !== "" ? [entrypoint] : [])),
    mounts: mergeMounts(entries),
    containerEnv: Object.fromEntries(
      pairs(entries, "containerEnv").flatMap(([name, value]) => (isText(value) ? [[name, value]] : [])),
    ),
    remoteEnv: Object.fromEntries(
      pairs(entries, "remoteEnv").flatMap(([name, value]) => (isText(value) || value === null ? [[name, value]] : [])),
    ),
    ...(containerUser === undefined ? {} : { containerUser }),
    ...(remoteUser === undefined ? {} : { remoteUser }),
    others: mergeOthers(entries),
  };
}

/** The merged metadata as one JSON object, empty parts left out. */
export function metadataJson({ others, ...merged }: MergedMetadata): JsonObject {
  const known = Object.entries({ ...merged, ...others }).filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(known);
}

function isEmpty(value: Json): boolean {
  if (value === false) return true;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function mergeOthers(entries: readonly JsonObject[]): JsonObject {
  const hooks = Object.entries(HOOKS).map(([one, all]): [string, Json] => [
    all,
    entries.flatMap((entry) => (entry[one] === undefined || entry[one] === null ? [] : [entry[one]])),
  ]);
  const last = LAST.flatMap((name): [string, Json][] => {
    const value = entries.findLast((entry) => entry[name] !== undefined)?.[name];
    return value === undefined ? [] : [[name, value]];
  });
  const requirements = hostRequirements(entries);
  return Object.fromEntries([
    ["customizations", mergeCustomizations(entries)],
    ["portsAttributes", Object.fromEntries(pairs(entries, "portsAttributes"))],
    ["forwardPorts", union(entries, "forwardPorts")],
    ...hooks,
    ...last,
    ...(requirements ? [["hostRequirements", requirements] as const] : []),
  ]);
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

/** The greatest of each. */
function hostRequirements(entries: readonly JsonObject[]): JsonObject | undefined {
  const all = pairs(entries, "hostRequirements");
  if (all.length === 0) return undefined;
  const greatest = new Map<string, Json>();
  for (const [name, value] of all) {
    const before = greatest.get(name);
    if (before === undefined || size(value) > size(before)) greatest.set(name, value);
  }
  return Object.fromEntries(greatest);
}

const UNITS: Readonly<Record<string, number>> = { "": 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };

/** Bytes of `8gb`; a wish without a number counts as one. */
function size(value: Json): number {
  if (typeof value === "number") return value;
  const [, digits, unit = ""] = isText(value) ? (/^(\d+)\s*([kmgt]b)?$/i.exec(value) ?? []) : [];
  if (digits !== undefined) return Number(digits) * (UNITS[unit.toLowerCase()] ?? 1);
  return value === false || value === null ? 0 : 1;
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

function isText(value: Json | undefined): value is string {
  return typeof value === "string";
}
