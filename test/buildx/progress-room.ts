import { type BuildEnd, openProgress, type ProgressOptions } from "../../src/buildx/progress.ts";

/** What is told of a build whose standard error is this, on a clock that stands unless a test moves it. */
export function play(
  lines: readonly string[],
  { clock = () => 0, reword = (text) => text, ...more }: Partial<Omit<ProgressOptions, "title">> = {},
): { readonly log: readonly string[]; readonly end: BuildEnd } {
  const progress = openProgress({ title: "linux/arm64", clock, reword, ...more });
  const log = lines.flatMap((line) => progress.line(line));
  const end = progress.end();
  return { log: [...log, ...end.lines], end };
}

/** The time of a second of the build, as BuildKit writes it. */
export function time(second: number): string {
  return new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();
}

type Told = {
  readonly from?: number;
  readonly to?: number;
  readonly cached?: boolean;
  readonly error?: string;
  readonly inputs?: readonly string[];
};

/** A line that tells of a step: from which second to which it ran, as far as is known. */
export function vertex(digest: string, name: string, { from, to, ...rest }: Told = {}): string {
  return JSON.stringify({
    vertexes: [
      {
        digest,
        name,
        ...rest,
        ...(from === undefined ? {} : { started: time(from) }),
        ...(to === undefined ? {} : { completed: time(to) }),
      },
    ],
  });
}

/** A line that holds a piece of what a step printed. */
export function output(digest: string, data: string | Uint8Array, stream = 1): string {
  return JSON.stringify({
    logs: [{ vertex: digest, stream, data: Buffer.from(data).toString("base64"), timestamp: time(0) }],
  });
}
