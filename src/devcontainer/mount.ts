import { isJsonObject, type Json } from "./json.ts";

/** A mount that docker can be told, each part a field of its own. */
export type Mount = {
  readonly type: "bind" | "volume" | "tmpfs";
  readonly source: string | undefined;
  readonly target: string;
  /** More fields of it, as docker takes them: `readonly`, `tmpfs-size=64m`. */
  readonly options: readonly string[];
  /** Fields that docker is not told, in words. */
  readonly leftOut: readonly string[];
};

const LONG_NAMES: ReadonlyMap<string, string> = new Map([
  ["src", "source"],
  ["dst", "target"],
  ["destination", "target"],
  ["ro", "readonly"],
]);

/** The parts of a mount by their long names, in whichever of the two forms it is written. */
export function mountFields(mount: Json): ReadonlyMap<string, string> {
  const written: readonly (readonly [string, Json])[] =
    typeof mount === "string"
      ? mount.split(",").map((part) => splitAt(part, "="))
      : isJsonObject(mount)
        ? Object.entries(mount)
        : [];
  return new Map(
    written.flatMap(([name, value]) =>
      typeof value === "string" ? [[LONG_NAMES.get(name.trim()) ?? name.trim(), value] as const] : [],
    ),
  );
}

function splitAt(text: string, separator: string): Field {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/**
 * Reads a mount of the metadata, which a base image or a feature may have written: docker reads what it is told as comma-separated
 * fields, so that a comma in one of them would be another mount.
 * @returns the mount, or a sentence that says what is wrong with it.
 * @see https://github.com/docker/cli/blob/v28.5.2/opts/mount.go
 */
export function parseMount(mount: Json): Mount | { readonly wrong: string } {
  const fields = mountFields(mount);
  const [type = "volume", source, target = ""] = ["type", "source", "target"].map((name) => fields.get(name));
  const smuggling = [type, source, target].find((field) => field !== undefined && !isPlain(field));
  if (smuggling !== undefined || (typeof mount === "string" && !isPlainText(mount)))
    return { wrong: "one of its fields holds a comma, a quotation mark or a control character" };
  if (type !== "bind" && type !== "volume" && type !== "tmpfs") return { wrong: `its type is ${type}` };
  if (!target.startsWith("/")) return { wrong: "its target is no absolute path" };
  if (type === "volume" && source && !isVolumeName(source)) return { wrong: "its source is no name of a volume" };
  return { type, source: source || undefined, target, ...optionsOf(mount, type) };
}

type Field = readonly [name: string, value: string];

/** What docker takes of a mount beside type, source and target, where its value is one. Only the written form has more. */
const OPTIONS: Readonly<Record<Mount["type"], Readonly<Record<string, RegExp>>>> = {
  bind: { readonly: /^(true|1)?$/ },
  volume: { readonly: /^(true|1)?$/, "volume-nocopy": /^(true|1)?$/, "volume-subpath": /^(?!.*\.\.)[^/].*$/ },
  tmpfs: { readonly: /^(true|1)?$/, "tmpfs-size": /^\d+[kmgt]?b?$/i, "tmpfs-mode": /^[0-7]{3,5}$/ },
};
/** Those that change nothing, or on Linux nothing. */
const IDLE = new Set([
  "type",
  "source",
  "target",
  "consistency",
  "volume-driver=local",
  "readonly=false",
  "readonly=0",
]);

function optionsOf(mount: Json, type: Mount["type"]): Pick<Mount, "options" | "leftOut"> {
  const written = typeof mount === "string" ? mount.split(",").map((part) => splitAt(part, "=")) : [];
  const fields = written.map(([name, value]): Field => [LONG_NAMES.get(name.trim()) ?? name.trim(), value]);
  const driver = fields.flatMap(([name, value]) => (name === "volume-opt" ? [splitAt(value, "=")] : []));
  const isTaken = ([name, value]: Field): boolean =>
    name === "volume-opt"
      ? type === "volume" && isNoFolderOfTheHost(driver)
      : (OPTIONS[type][name]?.test(value) ?? false);
  const others = fields.filter(([name, value]) => !IDLE.has(name) && !IDLE.has(`${name}=${value}`));
  return {
    options: others.filter(isTaken).map(([name, value]) => (value === "" ? name : `${name}=${value}`)),
    leftOut: others
      .filter((field) => !isTaken(field))
      .map(([name, value]) => (value === "" ? name : `${name}=${value}`)),
  };
}

/** The local driver mounts what it is told as `mount` does: by these types no folder or device of the machine. */
function isNoFolderOfTheHost(driver: readonly Field[]): boolean {
  const [type = "", flags = ""] = ["type", "o"].map((name) => driver.findLast(([one]) => one === name)?.[1]);
  return /^(tmpfs|nfs4?|cifs)$/.test(type) && !/bind/.test(flags);
}

function isPlain(field: string): boolean {
  return !field.includes(",") && isPlainText(field);
}

/** Commas part the fields of a mount that is written as a text. */
function isPlainText(text: string): boolean {
  return !/["\p{Cc}\p{Zl}\p{Zp}]/u.test(text);
}

/** What a variable in it becomes is not known here. */
function isVolumeName(source: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(source.replaceAll(/\$\{[^{}]*\}/g, "x"));
}

/** The value of docker's `--mount`. */
export function formatMount({ type, source, target, options }: Mount): string {
  return [`type=${type}`, ...(source === undefined ? [] : [`source=${source}`]), `target=${target}`, ...options].join(
    ",",
  );
}
