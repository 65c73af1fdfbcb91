import { ActionError, type Place } from "../errors.ts";

/** A build arg as it is written somewhere. */
export type Argument = {
  readonly name: string;
  /** `environment`: only the name is written, and the variable of that name is meant. */
  readonly value: { readonly kind: "text"; readonly text: string } | { readonly kind: "environment" };
  readonly origin: Origin;
};

/** Where a build arg was written. An input has no file that a person could open; its lines count from 1. */
export type Origin =
  | { readonly kind: "configuration"; readonly at: Place }
  | { readonly kind: "file"; readonly at: Place }
  | { readonly kind: "input"; readonly line: number }
  /** A proxy that the machine's own Docker configuration names. */
  | { readonly kind: "docker" };

/** A name or a pattern of an input that takes something out of the key. */
export type NamePattern = { readonly written: string; readonly matches: (name: string) => boolean };

export type Warning = { readonly text: string; readonly at?: Place };

/** How a message names the origin: `args.conf:3`, `line 2 of the input build-args`. */
export function tellOrigin(origin: Origin): string {
  if (origin.kind === "docker") return "Docker's own configuration";
  if (origin.kind === "input") return `line ${origin.line} of the input build-args`;
  const { file, line } = origin.at;
  return line === undefined ? file : `${file}:${line}`;
}

/** A warning with the place to open, where there is one. */
export function warn(origin: Origin, text: string): Warning {
  return "at" in origin ? { text, at: origin.at } : { text };
}

/** An error about a build arg; what stands in devcontainer.json is no input's fault. */
export function refuse(origin: Origin, what: string, fix: string): ActionError {
  const code = origin.kind === "configuration" ? "E_CONFIG" : "E_INPUT";
  return new ActionError(code, { what, fix, ...("at" in origin ? { at: origin.at } : {}) });
}
