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
  const used = usedNames(instructions);
  // What is no plain name cannot be found in a text: it counts as used.
  return new Set(declared.filter((name) => /^\w+$/.test(name) && !withDefault.has(name) && !used.has(name)));
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

/**
 * The names that decide about something, be it through other variables. Stages are not told apart, and an escaped variable counts: who is
 * not offered a value has what he would have by hand.
 */
function usedNames(instructions: readonly Instruction[]): ReadonlySet<string> {
  const variables = instructions.filter(({ keyword }) => keyword === "ARG" || keyword === "ENV").flatMap(wordsOf);
  const within = new Map<string, Set<string>>();
  for (const { name, value = "" } of variables) {
    const known = within.get(name) ?? new Set();
    within.set(name, known);
    for (const one of mentioned(value)) known.add(one);
  }
  const used = new Set([
    ...instructions.flatMap(decisiveTexts).flatMap(mentioned),
    ...variables.flatMap(({ name }) => mentioned(name)),
  ]);
  // Names are added to the set while it is walked: what a used variable is made of is used too.
  for (const name of used) for (const one of within.get(name) ?? []) used.add(one);
  return used;
}

function decisiveTexts({ keyword, rest, flags, heredocs }: Instruction): readonly string[] {
  if (keyword === "RUN") return flags;
  return ["FROM", "COPY", "ADD"].includes(keyword) ? [rest, ...flags, ...heredocs.map(({ body }) => body)] : [];
}

function mentioned(text: string): readonly string[] {
  return [...text.matchAll(/\$\{?([A-Za-z0-9_]+)/g)].flatMap(([, name]) => name ?? []);
}
