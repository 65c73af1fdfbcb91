import { splitFlags } from "../dockerfile/flags.ts";
import { parseGoDuration } from "../dockerfile/go-duration.ts";
import { readOpening } from "../dockerfile/heredoc.ts";
import { cutAtBlanks, lowerCase, splitAtBlanks, trimSpace } from "../dockerfile/text.ts";
import { argWords, envWords, type NameValue } from "../dockerfile/words.ts";
import type { Place } from "../errors.ts";
import { readFlags } from "./command-flags.ts";
import type { HealthConfig } from "./image-json.ts";
import { readWords } from "./json-words.ts";
import { refuse } from "./unprobeable.ts";
import { wrongLine } from "./wrong-line.ts";

export type Pair = { readonly name: string; readonly value: string };

/** What an instruction says, variables not yet replaced. */
export type Command =
  | { readonly kind: "from"; readonly base: string; readonly stage: string }
  | { readonly kind: "arg"; readonly args: readonly NameValue[] }
  | { readonly kind: "env" | "label"; readonly pairs: readonly Pair[] }
  | { readonly kind: "run" | "maintainer" }
  | ({ readonly kind: "copy"; readonly from: string } & Transfer)
  | ({ readonly kind: "add" } & Transfer)
  /** In the shell's form there is one word. */
  | { readonly kind: "cmd" | "entrypoint"; readonly words: readonly string[]; readonly isShell: boolean }
  | { readonly kind: "shell" | "expose" | "volume"; readonly words: readonly string[] }
  | { readonly kind: "user" | "workdir" | "stopsignal" | "onbuild"; readonly value: string }
  | { readonly kind: "healthcheck"; readonly health: HealthConfig };

/** What COPY and ADD take, and where they put it. */
export type Transfer = { readonly sources: readonly string[]; readonly target: string };

export type Written = {
  /** Upper-case. */
  readonly keyword: string;
  readonly flags: readonly string[];
  readonly rest: string;
  /** The whole instruction in one line. */
  readonly line: string;
  readonly at: Place;
};

type Reader = (written: Written) => Command;

const STAGE_NAME = /^[a-z][a-z0-9\-_.]*$/;
/** Go's `\s` is narrower than JavaScript's. */
const ONBUILD = /^[\t\n\f\r ]*ONBUILD[\t\n\f\r ]*/i;

/**
 * Reads what stands behind an instruction's keyword.
 * @throws ActionError E_DOCKERFILE for what the parser refuses, with its words.
 * @see https://github.com/moby/buildkit/blob/v0.16.0/frontend/dockerfile/instructions/parse.go, ../parser/line_parsers.go
 */
export function readCommand(written: Written): Command {
  const reader = READERS.get(written.keyword);
  if (!reader) throw wrongLine(written.at, `unknown instruction: ${written.keyword}`);
  return reader(written);
}

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["FROM", readFrom],
  ["ARG", readArg],
  ["ENV", (written) => ({ kind: "env", pairs: readPairs(written) })],
  ["LABEL", (written) => ({ kind: "label", pairs: readPairs(written) })],
  ["RUN", readRun],
  ["COPY", readCopy],
  ["ADD", readAdd],
  ["CMD", (written) => ({ kind: "cmd", ...readProgram(written) })],
  ["ENTRYPOINT", (written) => ({ kind: "entrypoint", ...readProgram(written) })],
  ["SHELL", readShell],
  ["EXPOSE", (written) => ({ kind: "expose", words: readList(written) })],
  ["VOLUME", readVolume],
  ["USER", (written) => ({ kind: "user", value: readOne(written) })],
  ["WORKDIR", (written) => ({ kind: "workdir", value: readOne(written) })],
  // Its flags are not looked at.
  ["STOPSIGNAL", (written) => ({ kind: "stopsignal", value: readOne({ ...written, flags: [] }) })],
  ["ONBUILD", readOnBuild],
  ["HEALTHCHECK", readHealthcheck],
  ["MAINTAINER", readMaintainer],
]);

function readFrom({ flags, rest, at }: Written): Command {
  readFlags(flags, { platform: "text" }, at);
  const [base = "", as, name, ...more] = rest === "" ? [] : splitAtBlanks(rest);
  const isNamed = as?.toLowerCase() === "as" && name !== undefined && more.length === 0;
  if (base === "" || (as !== undefined && !isNamed)) throw wrongLine(at, "FROM requires either one or three arguments");
  const stage = lowerCase(name ?? "");
  if (name !== undefined && !STAGE_NAME.test(stage)) throw wrongLine(at, `invalid name for build stage: ${name}`);
  return { kind: "from", base, stage };
}

/** Its flags are not looked at. */
function readArg({ rest, at }: Written): Command {
  const args = argWords(rest, "\\");
  if (args.length === 0) throw wrongLine(at, "ARG requires at least one argument");
  if (args.some(({ name }) => name === "")) throw wrongLine(at, "ARG names can not be blank");
  return { kind: "arg", args };
}

function readPairs({ keyword, flags, rest, at }: Written): readonly Pair[] {
  readFlags(flags, {}, at);
  const pairs = envWords(rest, "\\").map(({ name, value }) => {
    if (value === undefined) throw wrongLine(at, `${keyword} wants name=value`);
    if (name === "") throw wrongLine(at, `${keyword} names can not be blank`);
    return { name, value };
  });
  if (rest === "") throw wrongLine(at, `${keyword} requires at least one argument`);
  return pairs;
}

function readRun({ flags, rest, at }: Written): Command {
  readFlags(flags, { mount: "texts", network: "text", security: "text" }, at);
  readWords(rest, at);
  return { kind: "run" };
}

function readCopy({ flags, rest, at }: Written): Command {
  const { from = "" } = readFlags(flags, { chown: "text", from: "text", chmod: "text", link: "flag" }, at);
  return { kind: "copy", from, ...readTransfer("COPY", rest, at) };
}

function readAdd({ flags, rest, at }: Written): Command {
  const known = { chown: "text", chmod: "text", link: "flag", "keep-git-dir": "flag", checksum: "text" } as const;
  readFlags(flags, known, at);
  return { kind: "add", ...readTransfer("ADD", rest, at) };
}

function readTransfer(keyword: string, rest: string, at: Place): Transfer {
  const words = readWords(rest, at)?.words ?? (rest === "" ? [] : splitAtBlanks(rest));
  const target = words.at(-1);
  if (target === undefined || words.length < 2) throw wrongLine(at, `${keyword} requires at least two arguments`);
  if (words.some(readOpening))
    refuse(at, `envbuilder's build fails at ${keyword} with a here-document: write the file with RUN, or copy one.`);
  return { sources: words.slice(0, -1), target };
}

function readProgram({ flags, rest, at }: Written): { readonly words: readonly string[]; readonly isShell: boolean } {
  readFlags(flags, {}, at);
  const list = readWords(rest, at);
  return list ? { words: list.words, isShell: false } : { words: [rest], isShell: true };
}

function readShell({ flags, rest, at }: Written): Command {
  readFlags(flags, {}, at);
  const words = readWords(rest, at)?.words ?? [];
  if (words.length === 0) throw wrongLine(at, "SHELL wants a list of texts in JSON");
  return { kind: "shell", words };
}

function readList({ keyword, flags, rest, at }: Written): readonly string[] {
  if (rest === "") throw wrongLine(at, `${keyword} requires at least one argument`);
  readFlags(flags, {}, at);
  return splitAtBlanks(rest);
}

function readVolume(written: Written): Command {
  const list = readWords(written.rest, written.at)?.words;
  const words = list && list.length > 0 ? list : readList({ ...written, rest: list ? "" : written.rest });
  readFlags(written.flags, {}, written.at);
  if (words.some((word) => trimSpace(word) === "")) throw wrongLine(written.at, "VOLUME can not be an empty string");
  return { kind: "volume", words };
}

function readOne({ keyword, flags, rest, at }: Written): string {
  if (rest === "") throw wrongLine(at, `${keyword} requires exactly one argument`);
  readFlags(flags, {}, at);
  return rest;
}

/** The trigger is read once here, for its own errors, and again when a base image with it is built on. */
function readOnBuild({ flags, rest, line, at }: Written): Command {
  if (rest === "") throw wrongLine(at, "ONBUILD requires at least one argument");
  readFlags(flags, {}, at);
  const [name, behind = ""] = cutAtBlanks(rest);
  const keyword = name.toUpperCase();
  if (["ONBUILD", "MAINTAINER", "FROM"].includes(keyword))
    throw wrongLine(at, `${keyword} isn't allowed as an ONBUILD trigger`);
  refuseTrigger(keyword, splitFlags(behind, "\\").rest, at);
  return { kind: "onbuild", value: line.replace(ONBUILD, "") };
}

/** What the parser refuses in a trigger before anybody runs it. */
function refuseTrigger(keyword: string, rest: string, at: Place): void {
  if (["RUN", "COPY", "ADD", "CMD", "ENTRYPOINT", "SHELL", "VOLUME"].includes(keyword)) readWords(rest, at);
  if (keyword === "HEALTHCHECK") readWords(cutType(rest).behind, at);
  if (keyword === "ENV" || keyword === "LABEL")
    if (envWords(rest, "\\").some(({ value }) => value === undefined) && rest !== "")
      throw wrongLine(at, `${keyword} wants name=value`);
}

function readMaintainer({ flags, rest, at }: Written): Command {
  if (rest === "") throw wrongLine(at, "MAINTAINER requires exactly one argument");
  readFlags(flags, {}, at);
  return { kind: "maintainer" };
}

function readHealthcheck({ flags, rest, at }: Written): Command {
  const { type: written, behind } = cutType(rest);
  const list = readWords(behind, at);
  const none = { interval: 0, timeout: 0, startPeriod: 0, retries: 0 };
  const type = written.toUpperCase();
  if (type === "NONE") {
    if (list ? list.words.length > 0 : behind !== "") throw wrongLine(at, "HEALTHCHECK NONE takes no arguments");
    return { kind: "healthcheck", health: { test: [type], ...none } };
  }
  if (type !== "CMD") throw wrongLine(at, "HEALTHCHECK wants NONE or CMD");
  const known = {
    interval: "text",
    timeout: "text",
    "start-period": "text",
    "start-interval": "text",
    retries: "text",
  } as const;
  const values = readFlags(flags, known, at);
  const program = list ? list.words : behind === "" ? [] : [behind];
  if (program.length === 0) throw wrongLine(at, "HEALTHCHECK CMD lacks a command");
  readInterval(values["start-interval"], at);
  const health: HealthConfig = {
    test: [list ? "CMD" : "CMD-SHELL", ...program],
    interval: readInterval(values.interval, at),
    timeout: readInterval(values.timeout, at),
    startPeriod: readInterval(values["start-period"], at),
    retries: readRetries(values.retries ?? "", at),
  };
  return { kind: "healthcheck", health };
}

/** Its first word, and what is behind it. Bytes are looked at, so that no character outside of ASCII is a blank. */
function cutType(rest: string): { readonly type: string; readonly behind: string } {
  const [, type = "", behind = ""] = /^([^\t\n\v\f\r ]*)[\t\n\v\f\r ]*([\s\S]*)$/.exec(rest) ?? [];
  return { type, behind };
}

const MILLISECOND = 1_000_000;

function readInterval(text: string | undefined, at: Place): number {
  const duration = text === undefined || text === "" ? 0 : (parseGoDuration(text) ?? Number.NaN);
  // The config holds the exact number.
  if (!Number.isSafeInteger(duration) || (duration !== 0 && duration < MILLISECOND))
    throw wrongLine(at, `${text} is no interval of at least a millisecond`);
  return duration;
}

function readRetries(text: string, at: Place): number {
  const retries = Number(text);
  if (!/^(?:[+-]?[0-9]+)?$/.test(text) || retries < 0 || retries > 0x7fffffff)
    throw wrongLine(at, `${text} is no number of retries`);
  return retries;
}
