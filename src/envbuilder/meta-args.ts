import type { Place } from "../errors.ts";
import type { Instruction } from "./instruction.ts";
import { refuse } from "./unprobeable.ts";
import { openWords } from "./words.ts";

/** An argument from in front of the first FROM. */
export type MetaArg = { readonly name: string; readonly value: string | undefined };

/**
 * The arguments in front of the first FROM, quotes taken off and variables replaced.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/dockerfile/dockerfile.go (stripEnclosingQuotes, expandNestedArgs)
 */
export function readMetaArgs(instructions: readonly Instruction[], buildArgs: readonly string[]): readonly MetaArg[] {
  const args: MetaArg[] = [];
  const before: string[] = [];
  for (const { command, at } of instructions) {
    if (command.kind !== "arg") continue;
    for (const { name, value } of command.args) {
      if (value === undefined) {
        args.push({ name, value });
        continue;
      }
      const expanded = openWords([...before, ...buildArgs], at)(withoutQuotes(value, at));
      before.push(`${name}=${expanded}`);
      args.push({ name, value: expanded });
    }
  }
  return args;
}

/** One quotation mark in front and the same at the end; escaped ones stay. */
function withoutQuotes(value: string, at: Place): string {
  if (value.length < 2) return value;
  const [, leader = ""] = /^(\\?['"])/.exec(value) ?? [];
  const tail = (leader.length < 2 ? /['"]$/ : /\\['"]$/).exec(value)?.[0] ?? "";
  if (leader !== tail)
    refuse(at, "The builder stops here: the quotation marks around an argument's value do not match.");
  return leader.length === 1 ? value.slice(1, -1) : value;
}

/**
 * What the names of base images are first read with: an argument that is given overrides, up to its second equals sign.
 * @see https://github.com/coder/kaniko/blob/b20ff58093d8/pkg/dockerfile/dockerfile.go (unifyArgs)
 */
export function baseArgs(meta: readonly MetaArg[], buildArgs: readonly string[]): readonly string[] {
  const own = meta.flatMap(({ name, value }) => (value === undefined ? [] : [`${name}=${value}`]));
  const given = buildArgs.flatMap((arg) => {
    const [name = "", value = ""] = arg.split("=");
    return value === "" ? [] : [`${name}=${value}`];
  });
  return [...own, ...given];
}
