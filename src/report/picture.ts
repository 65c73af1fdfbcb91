import type { PlatformSteps } from "../build/task.ts";
import type { BuildStep } from "../buildx/build-record.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { Capabilities } from "../world.ts";
import { tellSeconds } from "./duration.ts";
import { count } from "./log.ts";
import { asCell, asDigits, asLabel, asText, diagram, folded, type Markdown, md, stack, table } from "./markdown.ts";

/** What a picture can show and still be one; the log has all of them. */
const PLATFORMS = 6;
const SLOWEST = 8;
const CACHED = 4;
const ROWS = 40;

/** What the builds of a run consisted of: a chart of their slowest and their cached steps where the host draws one, else a table of them. */
export function pictureOf(
  builds: readonly PlatformSteps[],
  { drawsMermaid }: Pick<Capabilities, "drawsMermaid">,
): readonly Markdown[] {
  const told = builds.filter(({ steps }) => steps.length > 0).slice(0, PLATFORMS);
  if (told.length === 0) return [];
  const spent = stack(told.map(tellBuild));
  if (!drawsMermaid) return [spent, stepTable(told, choose)];
  return [
    spent,
    chart(told),
    folded(
      "All steps",
      stepTable(told, (steps) => steps.slice(0, ROWS)),
    ),
  ];
}

function tellBuild({ platform, steps }: PlatformSteps): Markdown {
  const counted = steps.filter(({ isInstruction }) => isInstruction);
  const cached = counted.filter(({ how }) => how === "cached").length;
  const words = `${count(counted.length, "step")}, ${cached} cached, ${tellSeconds(longest([{ platform, steps }]))}`;
  return md`**The build for ${asText(formatPlatform(platform))}:** ${asText(words)}`;
}

/** The slowest, and of the cached ones the first, in the order in which they began. */
function choose(steps: readonly BuildStep[]): readonly BuildStep[] {
  const slowest = steps.filter(({ how }) => how !== "cached").sort((one, other) => other.seconds - one.seconds);
  const cached = steps.filter(({ how }) => how === "cached");
  const chosen = new Set([...slowest.slice(0, SLOWEST), ...cached.slice(0, CACHED)]);
  return steps.filter((step) => chosen.has(step)).sort((one, other) => one.begun - other.begun);
}

/** @see https://mermaid.js.org/syntax/gantt.html */
function chart(builds: readonly PlatformSteps[]): Markdown {
  return diagram([
    md`gantt`,
    md`    dateFormat HH:mm:ss.SSS`,
    longest(builds) < 10 ? md`    axisFormat %S.%L s` : md`    axisFormat %M:%S`,
    md`    todayMarker off`,
    ...builds.flatMap(({ platform, steps }) => [
      md`    section ${asLabel(formatPlatform(platform))}`,
      ...choose(steps).map(bar),
    ]),
  ]);
}

const STATES: Readonly<Record<BuildStep["how"], Markdown>> = {
  ran: md`active, `,
  cached: md`done, milestone, `,
  failed: md`crit, `,
  cancelled: md``,
};

const WORDS: Readonly<Record<BuildStep["how"], string>> = {
  ran: "",
  cached: "cached",
  failed: "failed",
  cancelled: "cancelled",
};

/** Beginning with the time a label is none of the chart's own words, whatever the step is called. */
function bar({ name, begun, seconds, how }: BuildStep): Markdown {
  const time = how === "cached" ? "cached" : tellSeconds(seconds);
  const length = Math.max(1, Math.round(seconds * 1000));
  return md`    ${asLabel(`${time} ${labelOf(name)}`)} :${STATES[how]}${clock(begun)}, ${length}ms`;
}

/** Without its number, which the order tells, and without digests and the platform, under which it stands. */
function labelOf(name: string): string {
  const [, place = "", what = name] = /^\[([^\]]*)\] (.*)$/.exec(name) ?? [];
  const stage = place.replace(/^linux\/\S+ ?/, "").replace(/ ?\d+\/\d+$/, "");
  return `${stage === "" ? "" : `${stage}: `}${what.replace(/@sha256:[0-9a-f]+/g, "")}`;
}

/** A point in time of the day on which the build began at midnight: the axis shows it in no zone of anybody's. */
function clock(begun: number): Markdown {
  const ms = Math.max(0, Math.min(Math.round(begun * 1000), 24 * 3600 * 1000 - 1));
  const part = (unit: number, size: number, width: number): Markdown => asDigits(Math.floor(ms / unit) % size, width);
  return md`${part(3_600_000, 24, 2)}:${part(60_000, 60, 2)}:${part(1000, 60, 2)}.${part(1, 1000, 3)}`;
}

function longest(builds: readonly PlatformSteps[]): number {
  return Math.max(...builds.flatMap(({ steps }) => steps.map(({ begun, seconds }) => begun + seconds)));
}

function stepTable(
  builds: readonly PlatformSteps[],
  chosen: (steps: readonly BuildStep[]) => readonly BuildStep[],
): Markdown {
  const rows = builds.flatMap(({ platform, steps }) =>
    chosen(steps).map(({ name, seconds, how }) => [
      asCell(formatPlatform(platform)),
      asCell(name),
      asText(WORDS[how] === "" ? tellSeconds(seconds) : WORDS[how]),
    ]),
  );
  const left = builds.reduce((sum, { steps }) => sum + steps.length, 0) - rows.length;
  const more = left > 0 ? [md`And ${asText(count(left, "more step"))}, in the log.`] : [];
  return stack([table([md`Platform`, md`Step`, md`Time`], rows), ...more]);
}
