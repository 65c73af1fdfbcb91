import type { Place } from "../errors.ts";
import { wrongLine } from "./wrong-line.ts";

type Kind = "text" | "texts" | "flag";

/**
 * The flags of an instruction, by those that it knows.
 * @returns the value of each that is given as a text.
 * @throws ActionError E_DOCKERFILE as kaniko's parser refuses one.
 * @see https://github.com/moby/buildkit/blob/v0.16.0/frontend/dockerfile/instructions/bflag.go (Parse)
 */
export function readFlags<N extends string>(
  flags: readonly string[],
  known: Readonly<Record<N, Kind>>,
  at: Place,
): Readonly<Partial<Record<N, string>>> {
  const values: Partial<Record<N, string>> = {};
  const kinds = new Map<string, Kind>(Object.entries(known));
  const seen = new Set<string>();
  for (const written of flags) {
    const equals = written.indexOf("=");
    const name = written.slice(2, equals < 0 ? undefined : equals);
    const value = equals < 0 ? undefined : written.slice(equals + 1);
    const kind = kinds.get(name);
    if (kind === undefined) throw wrongLine(at, `it does not know --${name}`);
    if (seen.has(name) && kind !== "texts") throw wrongLine(at, `--${name} stands twice`);
    seen.add(name);
    if (kind === "flag" ? !/^(?:true|false)$/i.test(value ?? "true") : value === undefined)
      throw wrongLine(at, `--${name} has no value that it could have`);
    if (kind === "text" && value !== undefined) values[name as N] = value;
  }
  return values;
}
