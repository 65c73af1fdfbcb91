import { isJsonObject, type Json, type JsonPath } from "../devcontainer/json.ts";
import { placeOf } from "../devcontainer/parse.ts";
import type { Substituted } from "../devcontainer/substitute.ts";
import type { Warning } from "../errors.ts";

type Wanted = { readonly words: string; readonly fits: (value: Json) => boolean };

const TEXT: Wanted = { words: "a text in double quotes", fits: (value) => typeof value === "string" };
const SWITCH: Wanted = { words: "true or false, without quotes", fits: (value) => typeof value === "boolean" };
const LIST: Wanted = { words: 'a list like ["…"]', fits: (value) => Array.isArray(value) };
const OBJECT: Wanted = { words: 'an object like { "NAME": "value" }', fits: (value) => isJsonObject(value) };

/** Whatever is no false is taken for true there. */
const RIGHTS: JsonPath = ["init", "privileged"];

/** What is handed out, or goes into the label, and what is passed over, or misread, where it is something else. */
const PROPERTIES: readonly (readonly [name: string, Wanted])[] = [
  ...["containerUser", "remoteUser", "workspaceFolder"].map((name) => [name, TEXT] as const),
  ...["init", "privileged", "overrideCommand", "updateRemoteUserUID"].map((name) => [name, SWITCH] as const),
  ...["runArgs", "mounts", "capAdd", "securityOpt", "forwardPorts"].map((name) => [name, LIST] as const),
  ...["containerEnv", "remoteEnv", "customizations", "portsAttributes"].map((name) => [name, OBJECT] as const),
];

/**
 * Warns of what has another type than the specification gives it: the reference CLI passes over that without a word, and so does what is
 * made of it here.
 * @see https://containers.dev/implementors/json_reference/
 */
export function propertyTypeWarnings(configuration: Substituted): readonly Warning[] {
  const { raw } = configuration;
  const warn = (path: JsonPath, value: Json, { words }: Wanted): Warning => {
    const isVariable = path.length > 1 && (typeof value === "number" || typeof value === "boolean");
    const isRight = path.some((step) => RIGHTS.includes(step)) && Boolean(value);
    const counts = isRight ? "as true" : isVariable ? "as that text" : "for nothing";
    const text = `${path.join(".")} is ${shown(value)}, and counts ${counts}: it has to be ${words}`;
    return { text, at: placeOf(configuration, path) };
  };
  const variables = ["containerEnv", "remoteEnv"].flatMap((name) => {
    const value = raw[name];
    if (!isJsonObject(value)) return [];
    return Object.entries(value).flatMap(([variable, one]) =>
      TEXT.fits(one) || (name === "remoteEnv" && one === null) ? [] : [warn([name, variable], one, TEXT)],
    );
  });
  const properties = PROPERTIES.flatMap(([name, wanted]) => {
    const value = raw[name];
    return value === undefined || value === null || wanted.fits(value) ? [] : [warn([name], value, wanted)];
  });
  return [...properties, ...variables].slice(0, MOST_TOLD);
}

/** Nobody reads more of them. */
const MOST_TOLD = 20;
const LONGEST = 60;

function shown(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
