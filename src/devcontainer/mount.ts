import { isJsonObject, type Json } from "./json.ts";

/** A mount that docker can be told, each part a field of its own. */
export type Mount = {
  readonly type: "bind" | "volume" | "tmpfs";
  readonly source: string | undefined;
  readonly target: string;
};

const LONG_NAMES: ReadonlyMap<string, string> = new Map([
  ["src", "source"],
  ["dst", "target"],
  ["destination", "target"],
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

function splitAt(text: string, separator: string): readonly [string, string] {
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
  return { type, source: source || undefined, target };
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
export function formatMount({ type, source, target }: Mount): string {
  return [`type=${type}`, ...(source === undefined ? [] : [`source=${source}`]), `target=${target}`].join(",");
}
