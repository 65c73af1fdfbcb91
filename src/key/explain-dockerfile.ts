import { canonicalJson } from "./canonical.ts";
import {
  type Difference,
  inBrackets,
  type Known,
  type Places,
  placeOf,
  tellSource,
  tellVariables,
} from "./difference.ts";
import type { PlatformPlan } from "./ingredients.ts";
import { argumentsGiven, pathIn } from "./origins.ts";

const INSTRUCTIONS_TOLD = 10;
/** Comparing one by one takes time by the product of both lengths: beyond that it is told where they begin to differ. */
const MOST_COMPARED = 1_000_000;
const LONGEST_TEXT = 60;

type Written = { readonly text: string; readonly line: number | undefined };

type Step = { readonly before?: string; readonly now?: Written };

/** What differs between the instructions that count: each that changed, is new or is gone, with its line where it has one. */
export function compareDockerfiles(before: PlatformPlan, now: PlatformPlan, places: Known): Difference[] {
  const [was, is] = [before.yours.dockerfile, now.yours.dockerfile];
  if (!was || !is || places.dockerfile === undefined) return [];
  const file = places.dockerfile;
  const tell = (text: string, line?: number): Difference => ({
    part: "yours",
    ingredient: "dockerfile",
    text,
    at: { file, ...(line === undefined ? {} : { line }) },
  });
  const earlier = pathIn(places.origins, "dockerfile");
  if (earlier !== undefined && earlier !== file && canonicalJson(was) !== canonicalJson(is)) {
    const { dockerfile: source } = places.asked;
    const note = inBrackets([source && "input" in source ? tellSource(source) : undefined]);
    const text = `the Dockerfile is ${file} now, before ${earlier}${note}`;
    return [{ part: "yours", ingredient: "dockerfile", text, ...placeOf(source) }];
  }
  if (was.escape !== is.escape) return [tell(`${file}: the escape character changed`)];
  // Another target needs other stages: what it does not share with the last one is no change of the file.
  if (!isSameTarget(before, now, places)) return [];
  const lines = (places.instructions[now.yours.options.platform] ?? []).flat();
  const current = is.stages.flat().map((text, index) => ({ text: textOf(text), line: lines[index] }));
  const given = argumentsGiven(before, now, places);
  const steps = compareStages(was.stages.flat().map(textOf), current).filter((step) => !isByArgument(step, given));
  const note = inBrackets([tellVariables(places, "build.dockerfile_inline")?.replace(/^it /, "the Dockerfile ")]);
  const told = steps.slice(0, INSTRUCTIONS_TOLD).map((step) => tell(describe(step, file) + note, step.now?.line));
  const rest = steps.length - told.length;
  return rest > 0 ? [...told, tell(`${file}: and ${rest} more instructions`)] : told;
}

/**
 * Whether an instruction is told in another way for a build arg was given, or is no more: its ARG then has no default, and a base has its name
 * for the value.
 */
function isByArgument({ before, now }: Step, given: ReadonlySet<string>): boolean {
  const isArg = (text: string): boolean => given.has(/^ARG (\w+)(?:=.*)?$/s.exec(text)?.[1] ?? "");
  const texts = [before, now?.text].flatMap((text) => text ?? []);
  if (texts.every(isArg)) return true;
  const isValueOf = (text: string, pattern: string): boolean => {
    const [start = "", name = "", end = "", ...more] = pattern.split(/\$\{(\w+)\}/);
    const isLong = text.length >= start.length + end.length;
    return given.has(name) && more.length === 0 && isLong && text.startsWith(start) && text.endsWith(end);
  };
  if (before === undefined || now === undefined || !isImage(before) || !isImage(now.text)) return false;
  return isValueOf(before, now.text) || isValueOf(now.text, before);
}

/** Whether the stage that is built is the same one, whatever it is called: an earlier name that no stage has any more has been changed. */
export function isSameTarget({ yours: was }: PlatformPlan, { yours: is }: PlatformPlan, { stages }: Places): boolean {
  const [earlier, target] = [was.configuration.target, is.configuration.target];
  if (earlier === target) return true;
  if (!was.dockerfile || !is.dockerfile || was.dockerfile.named || is.dockerfile.named) return false;
  if (canonicalJson(was.dockerfile.stages) === canonicalJson(is.dockerfile.stages)) return true;
  const isTold = earlier !== undefined && target !== undefined && !earlier.startsWith("salted:");
  return isTold && !stages.has(earlier.toLowerCase());
}

/** A stored plan may hold anything. */
function textOf(written: unknown): string {
  return typeof written === "string" ? written : "";
}

function describe({ before, now }: Step, file: string): string {
  if (now === undefined) return `${file}: ${shorten(before ?? "")} is gone`;
  const where = now.line === undefined ? file : `${file}:${now.line}`;
  if (before === undefined) return `${where} ${keywordOf(now.text)} is new`;
  if (isImage(before) && isImage(now.text)) return `${where} ${shorten(before)} → ${shorten(now.text)}`;
  return `${where} ${keywordOf(now.text)} changed`;
}

/** Of these the text is an image's name, which says what changed. */
function isImage(text: string): boolean {
  return /^(?:FROM|# syntax=)/.test(text);
}

function keywordOf(text: string): string {
  if (text.startsWith("salted:")) return "an instruction";
  return /^(?:# syntax|\S*)/.exec(text)?.[0] ?? "";
}

function shorten(text: string): string {
  if (text.startsWith("salted:")) return "an instruction";
  // A stored text may be long, and made to be slow to search.
  const line = withoutSecrets(text.slice(0, 10 * LONGEST_TEXT).replace(/\s+/g, " "));
  return line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT)}…` : line;
}

/** What stands before an address's host is a login, and its query may hold a token: the plan has them, and whoever reads this run need not. */
function withoutSecrets(line: string): string {
  return line.replace(/(:\/\/)[^\s"'/?#]*@/g, "$1…@").replace(/(:\/\/[^\s"'?]*\?)[^\s"']*/g, "$1…");
}

/** A stage more moves the places by which all others are told: that is no change of who refers to them. */
function compareStages(before: readonly string[], now: readonly Written[]): Step[] {
  const plain = (text: string): string => text.replace(/\bstage \d+/g, "another stage");
  const steps = compareTexts(
    before.map(plain),
    now.map(({ text, line }) => ({ text: plain(text), line })),
  );
  return steps.length > 0 ? steps : compareTexts(before, now);
}

/** What stands before and behind the first and the last difference is the same, and left out first. */
function compareTexts(before: readonly string[], now: readonly Written[]): Step[] {
  let start = 0;
  while (start < before.length && start < now.length && before[start] === now[start]?.text) start++;
  let [end, endNow] = [before.length, now.length];
  while (end > start && endNow > start && before[end - 1] === now[endNow - 1]?.text)
    [end, endNow] = [end - 1, endNow - 1];
  const [gone, added] = [before.slice(start, end), now.slice(start, endNow)];
  if (gone.length * added.length > MOST_COMPARED) return pair(gone, added);
  return compareOneByOne(gone, added);
}

/** By the longest common subsequence; what is gone and what is new between two kept ones belongs together. */
function compareOneByOne(before: readonly string[], now: readonly Written[]): Step[] {
  const width = now.length + 1;
  const common = new Uint32Array((before.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--)
      common[i * width + j] = before[i] === now[j]?.text ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const steps: Step[] = [];
  let [gone, added]: [string[], Written[]] = [[], []];
  let [i, j] = [0, 0];
  while (i < before.length || j < now.length) {
    const [old, current] = [before[i], now[j]];
    if (old !== undefined && current !== undefined && old === current.text) {
      steps.push(...pair(gone, added));
      [gone, added] = [[], []];
      [i, j] = [i + 1, j + 1];
    } else if (current === undefined || (old !== undefined && at(i + 1, j) >= at(i, j + 1))) {
      if (old !== undefined) gone.push(old);
      i++;
    } else {
      added.push(current);
      j++;
    }
  }
  return [...steps, ...pair(gone, added)];
}

/** An instruction in the place of another one of its kind is the same one, changed. */
function pair(gone: readonly string[], added: readonly Written[]): Step[] {
  const left = new Map<string, string[]>();
  for (const text of [...gone].reverse()) {
    const texts = left.get(keywordOf(text)) ?? [];
    texts.push(text);
    left.set(keywordOf(text), texts);
  }
  const steps = added.map((now): Step => {
    const before = left.get(keywordOf(now.text))?.pop();
    return before === undefined ? { now } : { before, now };
  });
  return [...steps, ...[...left.values()].flatMap((texts) => texts.reverse().map((before) => ({ before })))];
}
