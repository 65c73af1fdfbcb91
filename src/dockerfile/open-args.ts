import { type Dockerfile, type Instruction, readTrigger, triggerText } from "./parse.ts";
import { declaredArgs } from "./stages.ts";
import { argWords, envWords, type NameValue } from "./words.ts";

/**
 * The ARGs whose value a Dockerfile leaves open, and that only tell something: none of their declarations has a default, and no FROM, COPY,
 * ADD or mount uses one, be it through other variables. Whatever such an ARG is given, the build does the same with the same files.
 */
export function openArgs(dockerfile: Dockerfile): ReadonlySet<string> {
  const instructions = allInstructions(dockerfile);
  const declared = [...declaredArgs(dockerfile).keys()];
  const withDefault = new Set(
    instructions.filter(({ keyword }) => keyword === "ARG").flatMap((one) => namesWithValue(wordsOf(one))),
  );
  return new Set(declared.filter((name) => !withDefault.has(name) && !isUsed(name, instructions)));
}

function allInstructions({ globalArgs, stages }: Dockerfile): readonly Instruction[] {
  const written = [...globalArgs, ...stages.flatMap(({ from, instructions }) => [from, ...instructions])];
  return written.flatMap((one) => (one.keyword === "ONBUILD" ? (readTrigger(triggerText(one), one) ?? []) : one));
}

function wordsOf({ keyword, rest, escape: escapeChar }: Instruction): readonly NameValue[] {
  return keyword === "ARG" ? argWords(rest, escapeChar) : envWords(rest, escapeChar);
}

function namesWithValue(words: readonly NameValue[]): readonly string[] {
  return words.flatMap(({ name, value }) => (value === undefined ? [] : [name]));
}

/** Stages are not told apart, and an escaped variable counts: who is not offered a value has what he would have by hand. */
function isUsed(name: string, instructions: readonly Instruction[]): boolean {
  const carriers = new Set([name]);
  const variables = instructions.filter(({ keyword }) => keyword === "ARG" || keyword === "ENV").flatMap(wordsOf);
  // Names are added to the set while it is walked: what carries a carrier's value is one too.
  for (const carrier of carriers)
    for (const { name: other, value = "" } of variables) {
      if (mentions(other, carrier)) return true;
      if (mentions(value, carrier)) carriers.add(other);
    }
  return instructions.some((one) => decisiveTexts(one).some((text) => [...carriers].some((it) => mentions(text, it))));
}

function decisiveTexts({ keyword, rest, flags, heredocs }: Instruction): readonly string[] {
  if (keyword === "RUN") return flags;
  return ["FROM", "COPY", "ADD"].includes(keyword) ? [rest, ...flags, ...heredocs.map(({ body }) => body)] : [];
}

function mentions(text: string, name: string): boolean {
  const [, ...variables] = text.split("$");
  return variables.some((variable) => {
    const written = variable.replace(/^\{/, "");
    return written.startsWith(name) && !/^[A-Za-z0-9_]/.test(written.slice(name.length));
  });
}
