import { ActionError, type Place, tellSome, type Warning } from "../errors.ts";
import { tellMeant } from "../nearest.ts";
import { readOpening } from "./heredoc.ts";
import { flagName, KNOWN } from "./instructions.ts";
import { type Dockerfile, type Instruction, readTrigger, type Stage, triggerText } from "./parse.ts";
import { sourceNames } from "./stages.ts";
import { lowerCase, splitAtBlanks, trimSpace } from "./text.ts";
import { isForeignFrontend } from "./undeclared.ts";
import { argWords, envWords, isMixedJson, jsonWords, listWords } from "./words.ts";
import { unknownInMount, wrongValue } from "./wrong-values.ts";

/** What is wrong with a line, as a sentence, and what to do. */
type Mistake = { readonly what: string; readonly fix: string };

/** Channels in which instructions stand before every frontend of Docker's has them. */
const TRIED_OUT = /dockerfile-upstream|:[^/]*(?:labs|master)/;

/**
 * Looks for lines that Docker's own frontends refuse, in every stage, for they read them all. A file for another frontend is left alone:
 * that one decides what it takes.
 * @param argument the build arg BUILDKIT_SYNTAX, which goes over the Dockerfile's own line.
 * @returns what the builder refuses unless it is newer than what is known here: flags, what experimental frontends may have got, and
 * triggers, which only fail who builds on the image.
 * @throws ActionError E_DOCKERFILE with the line of the first one that no version takes.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/instructions/parse.go
 */
export function findWrongLines(dockerfile: Dockerfile, argument: string | undefined): readonly Warning[] {
  if (isForeignFrontend(dockerfile, argument)) return [];
  const { file, syntax, stages, globalArgs } = dockerfile;
  const isTriedOut = TRIED_OUT.test(argument ?? syntax?.reference ?? "");
  const instructions = [...globalArgs, ...stages.flatMap((stage) => [stage.from, ...stage.instructions])];
  const sourceMistake = openSourceCheck(stages);
  return instructions.flatMap((instruction): readonly Warning[] => {
    const at: Place = { file, line: instruction.line };
    const mistake = mistakeIn(instruction) ?? sourceMistake(instruction);
    if (mistake && !isTriedOut) throw new ActionError("E_DOCKERFILE", { ...mistake, at });
    const told = mistake ? [`${mistake.what} Unless the frontend knows better, the build will fail`] : [];
    return [...told, ...unknownFlags(instruction), ...wrongTrigger(instruction)].map((text) => ({ text, at }));
  });
}

function mistakeIn(instruction: Instruction): Mistake | undefined {
  const { keyword } = instruction;
  if (!KNOWN.has(keyword))
    return {
      what: `There is no instruction ${cut(keyword)}${tellMeant(keyword, [...KNOWN.keys()])}.`,
      fix: "Check how it is written. Where it belongs to the command before it, that line has to end with the escape character, \\ by default. What another frontend knows needs its # syntax= line.",
    };
  const what = wrongFlag(instruction) ?? ARGUMENTS.get(keyword)?.(instruction);
  return what === undefined ? undefined : { what: `${what}.`, fix: `Check the line: ${FORMS.get(keyword) ?? keyword}` };
}

type Check = (instruction: Instruction) => string | undefined;

const ARGUMENTS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["FROM", wrongName],
  ["ARG", wrongNames],
  ["ENV", wrongPairs],
  ["LABEL", wrongPairs],
  ["COPY", lacksDestination],
  ["ADD", lacksDestination],
  ...["RUN", "CMD", "ENTRYPOINT"].map((keyword): [string, Check] => [keyword, mixedList]),
  ["SHELL", wrongShell],
  ["VOLUME", wrongVolume],
  ["HEALTHCHECK", wrongCheck],
  ["ONBUILD", wrongOnbuild],
  ...["EXPOSE", "USER", "WORKDIR", "STOPSIGNAL", "MAINTAINER"].map((keyword): [string, Check] => [keyword, isEmpty]),
]);

/** How each is written whose arguments can be wrong. */
const FORMS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    FROM: "FROM [--platform=<platform>] <image> [AS <name>], the name in letters, digits, -, _ and ., a letter first.",
    ARG: "ARG <name>[=<default>].",
    ENV: "ENV <name>=<value> …, a value with blanks in quotes.",
    LABEL: "LABEL <name>=<value> …, a value with blanks in quotes.",
    COPY: "COPY [--<flag>=<value> …] <source>… <destination>.",
    ADD: "ADD [--<flag>=<value> …] <source>… <destination>.",
    RUN: 'RUN [--<flag>=<value> …] <command>, or the command as ["<program>", "<argument>"].',
    CMD: 'CMD <command>, or the command as ["<program>", "<argument>"].',
    ENTRYPOINT: 'ENTRYPOINT <command>, or the command as ["<program>", "<argument>"].',
    SHELL: 'SHELL ["<program>", "<argument>"].',
    VOLUME: "VOLUME <path>….",
    HEALTHCHECK: "HEALTHCHECK [--<flag>=<value> …] CMD <command>, or HEALTHCHECK NONE.",
    ONBUILD: "ONBUILD <instruction>, any but FROM, MAINTAINER and ONBUILD.",
    EXPOSE: "EXPOSE <port>….",
    USER: "USER <user>[:<group>].",
    WORKDIR: "WORKDIR <path>.",
    STOPSIGNAL: "STOPSIGNAL <signal>.",
    MAINTAINER: "MAINTAINER <name>.",
  }),
);

/**
 * Looks for a COPY from its own stage, or from a number that no stage has. Who counts stages from 1 writes either, and which it is depends on
 * where the line stands. BuildKit goes on counting with the images that instructions name, so that a number of theirs is left alone.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/dockerfile2llb/convert.go (toCommand), validations.go (validateCircularDependency)
 */
function openSourceCheck(stages: readonly Stage[]): (instruction: Instruction) => Mistake | undefined {
  const byName = new Map(stages.flatMap((stage) => (stage.name === undefined ? [] : [[stage.name, stage] as const])));
  const stageOf = new Map(stages.flatMap((stage) => stage.instructions.map((one) => [one, stage] as const)));
  const isNumber = (written: string): boolean => /^[+-]?[0-9]+$/.test(written) && Number.isSafeInteger(Number(written));
  const images = stages
    .flatMap(({ instructions }) => instructions.flatMap(sourceNames))
    .filter(({ by, written }) => !(by === "COPY" && isNumber(written)) && !byName.has(lowerCase(written)));
  return (instruction) => {
    const [source] = instruction.keyword === "COPY" ? sourceNames(instruction) : [];
    if (source === undefined) return undefined;
    const { written } = source;
    const number = isNumber(written) ? Number(written) : undefined;
    const stage = number === undefined ? byName.get(lowerCase(written)) : stages[number];
    const fix =
      "Name the stage that is meant; numbers count from 0, the first FROM's. Files of the build context need no --from.";
    if (stage !== undefined && stage === stageOf.get(instruction))
      return { what: `COPY --from=${cut(written)} copies from the stage that it stands in.`, fix };
    if (number === undefined || (number >= 0 && number < stages.length + images.length)) return undefined;
    return { what: `There is no stage ${cut(written)}: the last one is ${stages.length - 1}.`, fix };
  };
}

function isEmpty({ keyword, rest }: Instruction): string | undefined {
  return rest === "" ? `There is nothing behind ${keyword}` : undefined;
}

function wrongName({ rest }: Instruction): string | undefined {
  const name = splitAtBlanks(rest)[2];
  const isName = name === undefined || /^[a-z][a-z0-9\-_.]*$/.test(lowerCase(name));
  return isName ? undefined : `No build stage can be called ${cut(name)}`;
}

function wrongNames(instruction: Instruction): string | undefined {
  const words = argWords(instruction.rest, instruction.escape);
  if (words.length === 0) return `There is nothing behind ${instruction.keyword}`;
  return words.some(({ name }) => name === "") ? "An ARG has no name" : undefined;
}

function wrongPairs(instruction: Instruction): string | undefined {
  const { keyword, rest, escape: escapeChar } = instruction;
  const words = envWords(rest, escapeChar);
  if (words.length === 0) return `There is nothing behind ${keyword}`;
  const alone = words.find(({ value }) => value === undefined);
  if (alone) return `${keyword} gives ${cut(alone.name)} no value`;
  return words.some(({ name }) => name === "") ? `${keyword} gives a value to no name` : undefined;
}

function lacksDestination(instruction: Instruction): string | undefined {
  const words = listWords(instruction.rest);
  if (words.length < 2) return `${instruction.keyword} names no destination`;
  const isHeredoc = readOpening(words.at(-1) ?? "") !== undefined;
  return isHeredoc ? `The destination of ${instruction.keyword} is a here-document` : mixedList(instruction);
}

function mixedList({ keyword, rest }: Pick<Instruction, "keyword" | "rest">): string | undefined {
  return isMixedJson(rest) ? `The list behind ${keyword} holds something else than texts` : undefined;
}

function wrongShell(instruction: Instruction): string | undefined {
  const words = jsonWords(instruction.rest) ?? [];
  return words.length > 0 ? undefined : "What is behind SHELL is no list of texts in JSON";
}

function wrongVolume(instruction: Instruction): string | undefined {
  const words = listWords(instruction.rest);
  if (words.length === 0) return isEmpty({ ...instruction, rest: "" });
  return words.some((word) => trimSpace(word) === "") ? "VOLUME names an empty path" : mixedList(instruction);
}

function wrongCheck({ keyword, rest }: Instruction): string | undefined {
  const [, type = "", behind = ""] = /^([^\t\n\v\f\r ]*)[\t\n\v\f\r ]*([\s\S]*)$/.exec(rest) ?? [];
  switch (type.toUpperCase()) {
    case "":
      return "There is nothing behind HEALTHCHECK";
    case "NONE":
      return behind === "" ? undefined : "HEALTHCHECK NONE takes nothing more";
    case "CMD":
      if (behind === "" || jsonWords(behind)?.length === 0) return "HEALTHCHECK CMD names no command";
      return mixedList({ keyword: `${keyword} CMD`, rest: behind });
    default:
      return `HEALTHCHECK knows CMD and NONE, and no ${cut(type)}`;
  }
}

/** Of a trigger the builder only looks at what its parser needs; the rest it reads where somebody builds on the image. */
function wrongOnbuild(instruction: Instruction): string | undefined {
  if (instruction.rest === "") return "There is nothing behind ONBUILD";
  const trigger = readTrigger(triggerText(instruction), instruction);
  if (!trigger) return undefined;
  const { keyword, rest } = trigger;
  if (["FROM", "MAINTAINER", "ONBUILD"].includes(keyword)) return `ONBUILD takes no ${keyword}`;
  const isPairs = (keyword === "ENV" || keyword === "LABEL") && rest !== "";
  const alone = isPairs ? envWords(rest, trigger.escape).find(({ value }) => value === undefined) : undefined;
  return alone ? `${keyword} gives ${cut(alone.name)} no value` : undefined;
}

function wrongTrigger(instruction: Instruction): readonly string[] {
  if (instruction.keyword !== "ONBUILD") return [];
  const trigger = readTrigger(triggerText(instruction), instruction);
  const mistake = trigger && mistakeIn(trigger);
  if (!trigger) return [];
  const told = mistake ? [`${mistake.what} Nothing can be built on an image with this trigger`] : [];
  return [...told, ...unknownFlags(trigger)];
}

/** Of some BuildKit does not look at the flags. */
function readsFlags({ keyword, rest }: Instruction): boolean {
  return keyword !== "ARG" && keyword !== "STOPSIGNAL" && !(keyword === "HEALTHCHECK" && /^none$/i.test(rest));
}

/** A flag that stands alone for `true`. */
const SWITCHES: readonly string[] = ["link", "parents", "keep-git-dir", "unpack"];
const REPEATED: readonly string[] = ["mount", "exclude", "device"];

function wrongFlag(instruction: Instruction): string | undefined {
  const { keyword, flags } = instruction;
  const known = readsFlags(instruction) ? (KNOWN.get(keyword) ?? []) : [];
  const seen = new Set<string>();
  for (const flag of flags) {
    const name = flagName(flag);
    if (!known.includes(name)) continue;
    const wrong = wrongForm(name, flag.includes("=") ? flag.slice(flag.indexOf("=") + 1) : undefined);
    if (wrong !== undefined) return wrong;
    if (seen.has(name) && !REPEATED.includes(name)) return `--${name} stands twice`;
    seen.add(name);
  }
  return undefined;
}

function wrongForm(name: string, value: string | undefined): string | undefined {
  const isSwitch = SWITCHES.includes(name);
  if (isSwitch) return /^(?:true|false)$/i.test(value ?? "true") ? undefined : `--${name} is neither true nor false`;
  // Of --device alone the newest frontends know what is meant.
  if (value === undefined) return name === "device" ? undefined : `--${name} has no value, which stands behind a =`;
  const wrong = wrongValue(name, value);
  return wrong === undefined ? undefined : `${wrong}, and not ${JSON.stringify(cut(value))}`;
}

/** What ADD will mean by them is clear, and no frontend has them yet. */
const FORESEEN: readonly string[] = ["from", "parents"];

function unknownFlags(instruction: Instruction): readonly string[] {
  const { keyword, flags } = instruction;
  const known = KNOWN.get(keyword)?.filter((name) => keyword !== "ADD" || !FORESEEN.includes(name));
  if (known === undefined || !readsFlags(instruction)) return [];
  return flags.flatMap((flag) => {
    const name = flagName(flag);
    if (known.includes(name))
      return unknownInMount(flag).map(
        (what) => `${what}: unless the builder is newer, a build of this stage will fail`,
      );
    const all = known.map((one) => `--${one}`);
    const others = known.length === 0 ? "it has none" : `it has ${tellSome(all)}${tellMeant(name, all)}`;
    return [
      `${keyword} has no flag --${cut(name)} that is known here, ${others}: unless the builder is newer, the build will fail`,
    ];
  });
}

const LONGEST = 100;

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
