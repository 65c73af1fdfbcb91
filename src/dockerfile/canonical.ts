import { formatPlatform } from "../oci/platform.ts";
import { expandWord } from "./expand.ts";
import { flagValues } from "./flags.ts";
import { baseWord, countImage, type ImageNames } from "./image-names.ts";
import { isUnderstood } from "./instructions.ts";
import { stageReplacement } from "./named-contexts.ts";
import { type Dockerfile, type Instruction, instructionText, type Stage } from "./parse.ts";
import { hasKnownFrontend, mayNameTime, OWN_MEANING } from "./reach.ts";
import { PLATFORM_ARGS, type Scope, STAGE_NAME } from "./scope.ts";
import { openStages } from "./stage-graph.ts";
import { declaredIn, declaresAny, sourceStage, targetStage } from "./stages.ts";
import { lowerCase, splitAtBlanks } from "./text.ts";
import { spellVariables } from "./variables.ts";
import { argWords, envWords, jsonWords, type NameValue } from "./words.ts";

/** What is known of a build around its instructions. */
export type Around = {
  readonly dockerfile: Dockerfile;
  readonly target: string | undefined;
  readonly scope: Scope;
  /** The build args whose values count: what an ARG says in their place is not used. */
  readonly given: ReadonlySet<string>;
  /** How the stages name images. */
  readonly names: ImageNames;
  /** The names that ONBUILD triggers of what the stages are built on declare, as far as these are known. */
  readonly triggered: readonly string[];
};

/**
 * The texts of some stages as they go into the key, one an instruction: spellings of which BuildKit makes the very same image are one
 * text, everything else has texts of its own. Of a frontend that is not known here every text stands as it is written.
 * @param globalArgs the ARGs before the first FROM that count.
 * @param stages in the order of the file, all that take part.
 * @returns `hasNames` where what stages are called may count, and with them the target's name.
 */
export function canonicalTexts(
  globalArgs: readonly Instruction[],
  stages: readonly Stage[],
  around: Around,
): { readonly before: readonly string[]; readonly stages: readonly (readonly string[])[]; readonly hasNames: boolean } {
  if (!hasKnownFrontend(around.dockerfile, around.scope)) {
    const texts = stages.map(({ from, instructions }) => [from, ...instructions].map(instructionText));
    return { before: globalArgs.map(instructionText), stages: texts, hasNames: true };
  }
  const places = placeStages(globalArgs, stages, around);
  const named = places ?? keepNames(around);
  const textOf = (one: Instruction): string => instructionText(spellOnce(named.instruction(one), around.given));
  return {
    before: globalArgs.map(textOf),
    stages: stages.map((stage) => [named.from(stage), ...stage.instructions.map(textOf)]),
    hasNames: places === undefined,
  };
}

type Named = {
  readonly from: (stage: Stage) => string;
  readonly instruction: (instruction: Instruction) => Instruction;
};

/** A stage is told by its name. */
function keepNames({ dockerfile, scope, names }: Around): Named {
  const { parentOf } = openStages(dockerfile, scope);
  const ofSource: OfSource = (by, written) =>
    sourceStage(dockerfile.stages, { by, written }) ? written : countImage(written, names).name;
  return {
    from: (stage) =>
      instructionText(
        upperAs(
          stage.from,
          parentOf(stage) ? baseWord(stage.from.base, names) : countImage(stage.from.base, names).name,
        ),
      ),
    instruction: (one) => ({
      ...one,
      flags: one.flags.map((flag) => (isQuotedMount(flag) ? flag : bySource(flag, ofSource))),
    }),
  };
}

/**
 * A stage is told by its place among those that count: what it is called matters to nothing but who refers to it. A target
 * that is not the last of them is marked.
 * @returns nothing where it cannot be told who that is, or where a name goes into the image: then names stay.
 */
function placeStages(
  globalArgs: readonly Instruction[],
  stages: readonly Stage[],
  { dockerfile, target, scope, names, triggered }: Around,
): Named | undefined {
  const { parentOf, outside } = openStages(dockerfile, scope);
  const last = targetStage(dockerfile, target);
  const isTold = stages.every(
    ({ from, instructions }) =>
      isUnderstood(from) &&
      expandWord(from.base, outside, dockerfile.escape).kind === "text" &&
      instructions.every((one) => isUnderstood(one) && one.keyword !== "ONBUILD" && !one.flags.some(isQuotedMount)),
  );
  // Newer frontends tell what the last stage is called where no target is asked for.
  const args = [...globalArgs, ...stages.flatMap(({ instructions }) => instructions)];
  const isNameUsed =
    triggered.includes(STAGE_NAME) ||
    args.some(
      (one) => one.keyword === "ARG" && (one.rest.includes(STAGE_NAME) || declaredIn(one).includes(STAGE_NAME)),
    );
  if (!isTold || isNameUsed || declaresAny(stages) || mayNameTime({ outside }, scope)) return undefined;
  const place = (stage: Stage): string => `stage ${stages.indexOf(stage)}`;
  const ofSource: OfSource = (by, written) => {
    const stage = sourceStage(dockerfile.stages, { by, written });
    if (stage) return stages.includes(stage) ? place(stage) : written;
    return countImage(written, names).name;
  };
  // It is what is built for without that flag too.
  const isTarget = (flag: string): boolean => {
    const [written] = flagValues([flag], "platform");
    const meant = written ? expandWord(written, outside, dockerfile.escape) : undefined;
    return meant?.kind === "text" && scope.platform !== undefined && meant.text === formatPlatform(scope.platform);
  };
  return {
    from: (stage) => {
      const parent = parentOf(stage);
      const marks = [
        ...(stageReplacement(scope, stage) ? [`AS ${stage.name ?? ""}`] : []),
        ...(stage === last && stages.at(-1) !== last ? ["(target)"] : []),
      ];
      const base = parent ? place(parent) : countImage(stage.from.base, names).name;
      const flags = stage.from.flags.filter((flag) => !isTarget(flag));
      return instructionText({ ...stage.from, flags, rest: [base, ...marks].join(" ") });
    },
    instruction: (one) => ({ ...one, flags: one.flags.map((flag) => bySource(flag, ofSource)) }),
  };
}

/** `AS` and the name are read without regard to case. */
function upperAs(from: Instruction, base: string): Instruction {
  const [, as, name] = splitAtBlanks(from.rest);
  return { ...from, rest: as === undefined ? base : [base, "AS", lowerCase(name ?? "")].join(" ") };
}

type OfSource = (by: "COPY" | "RUN --mount", written: string) => string;

function bySource(flag: string, ofSource: OfSource): string {
  const [copied] = flagValues([flag], "from");
  if (copied !== undefined) return `--from=${ofSource("COPY", copied)}`;
  const [mount] = flagValues([flag], "mount");
  if (mount === undefined) return flag;
  const fields = mount.split(",").map((field) => {
    const [, name, written = ""] = /^(from)=(.*)$/is.exec(field) ?? [];
    const source = name === undefined ? written : ofSource("RUN --mount", written);
    return source === written ? field : `from=${source}`;
  });
  return `--mount=${fields.join(",")}`;
}

/** A field in quotes may hold a comma, or name a stage. */
function isQuotedMount(flag: string): boolean {
  return flagValues([flag], "mount").some((mount) => mount.includes('"'));
}

/** One of the spellings of an instruction. */
function spellOnce(instruction: Instruction, given: ReadonlySet<string>): Instruction {
  if (!isUnderstood(instruction)) return instruction;
  const { keyword, flags } = instruction;
  return { ...instruction, flags: orderFlags(keyword, flags).map(spellFlag), rest: restOf(instruction, given) };
}

/** Who owns what is copied is told by words that are expanded. */
function spellFlag(flag: string): string {
  return /^--chown=/.test(flag) ? spellVariables(flag) : flag;
}

/** Flags of different names have no order; of one name they keep it. */
function orderFlags(keyword: string, flags: readonly string[]): readonly string[] {
  if (keyword === "FROM") return flags;
  const nameOf = (flag: string): string => flag.replace(/=.*$/s, "");
  const known = flags
    .map((flag) => flag.replace(/^(--(?:link|parents))=true$/i, (_, name: string) => name))
    .filter((flag) => !/^--(?:link|parents)=false$/i.test(flag));
  return onceEach(known).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0));
}

/** Each pattern of `--exclude` leaves something out, whatever stands beside it, as long as none takes back what others say. */
function onceEach(flags: readonly string[]): string[] {
  const patterns = flags.filter((flag) => /^--exclude=/.test(flag));
  if (patterns.some((flag) => /[!$]/.test(flag))) return [...flags];
  return [...flags.filter((flag) => !patterns.includes(flag)), ...[...new Set(patterns)].sort()];
}

function restOf({ keyword, rest, escape: escapeChar, heredocs }: Instruction, given: ReadonlySet<string>): string {
  switch (keyword) {
    case "ENV":
    case "LABEL":
      return assignments(rest, escapeChar);
    case "ARG":
      return argRest(rest, escapeChar, given);
    case "COPY":
    case "ADD":
      return heredocs.length > 0 ? rest : spellVariables(copyRest(rest));
    case "EXPOSE":
      return spellVariables(exposedPorts(rest));
    case "WORKDIR":
    case "USER":
    case "STOPSIGNAL":
      return spellVariables(rest);
    case "HEALTHCHECK":
      return rest.replace(/^CMD[\t ]+(.*)$/is, (_, command: string) => `CMD ${listRest(command)}`);
    case "RUN":
    case "CMD":
    case "ENTRYPOINT":
    case "SHELL":
      return listRest(rest);
    case "VOLUME":
      return spellVariables(listRest(rest));
    default:
      return rest;
  }
}

function listRest(rest: string): string {
  const list = jsonWords(rest);
  return list === undefined ? rest : JSON.stringify(list);
}

/** Words in a list are read as those at blanks are, where they hold none, and so are those in quotes. */
function copyRest(rest: string): string {
  const list = jsonWords(rest);
  const words = list ?? splitAtBlanks(rest).map((word) => /^(["'])([^"'$\\*?]*)\1$/.exec(word)?.[2] ?? word);
  const isPlain = words.length > 1 && words.every((word) => /^[^\s<[\]"'\\`-][^\s<[\]"'\\`]*$/.test(word));
  if (isPlain) return words.join(" ");
  return list === undefined ? rest : JSON.stringify(list);
}

/** The image has them as a set. */
function exposedPorts(rest: string): string {
  const ports = splitAtBlanks(rest);
  return (
    ports.every((port) => /^[0-9]+(?:-[0-9]+)?(?:\/[a-z]+)?$/.test(port)) ? [...new Set(ports)].sort() : ports
  ).join(" ");
}

/** `NAME=value`, or the old form `NAME value`. */
function assignments(rest: string, escapeChar: string): string {
  const words = envWords(rest, escapeChar).map(({ name, value }) => assignment({ name, value }, escapeChar));
  return words.length > 0 && words.every((word) => word !== undefined) ? words.join(" ") : rest;
}

function assignment({ name, value }: NameValue, escapeChar: string): string | undefined {
  if (value === undefined || !isPlainName(name.replace(/^"([^"]*)"$/, "$1"))) return undefined;
  const text = literal(value, escapeChar);
  if (text !== undefined) return `${name}=${JSON.stringify(text)}`;
  // Quotes around all of it change nothing, for no word is split; but BuildKit drops a byte order mark that no quote stands before.
  const [, inner = value] = /^"([^"'\\`\uFEFF]*)"$/.exec(value) ?? [];
  return `${name}=$${JSON.stringify(spellVariables(inner))}`;
}

function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9_.-]+$/.test(name) && !name.startsWith("--");
}

/** What a word stands for, where nothing in it depends on anything, and no version reads it in another way. */
function literal(word: string, escapeChar: string): string | undefined {
  if (/[$\\`\uFEFF]/.test(word)) return undefined;
  const expanded = expandWord(word, () => ({ kind: "unknown" }), escapeChar);
  return expanded.kind === "text" ? expanded.text : undefined;
}

/** The default of an arg that is given a value is not used. */
function argRest(rest: string, escapeChar: string, given: ReadonlySet<string>): string {
  const words = argWords(rest, escapeChar).map(({ name, value }) => {
    if (!isPlainName(name)) return undefined;
    if (value === undefined) return name;
    const text = literal(value, escapeChar);
    if (text !== undefined || isHarmless(value)) if (given.has(name) && isOrdinary(name)) return name;
    return text === undefined ? undefined : `${name}=${JSON.stringify(text)}`;
  });
  return words.length > 0 && words.every((word) => word !== undefined) ? words.join(" ") : spellVariables(rest);
}

/** Longer ones stay as they are written. */
const LONGEST_DEFAULT = 4096;

/** A default that no build can fail about. */
function isHarmless(value: string): boolean {
  if (value.length > LONGEST_DEFAULT) return false;
  return /^(?:"[^"'\\`$?]*"|[^"'\\`$?]|\$\w+(?!\w)|\$\{\w+\})*$/.test(value);
}

function isOrdinary(name: string): boolean {
  return !OWN_MEANING.test(name) && !PLATFORM_ARGS.includes(name);
}
