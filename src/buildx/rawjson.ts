import { isRecord } from "../oci/manifest.ts";

/** A step as one message of BuildKit tells it: what is known of it so far. Times are milliseconds since 1970, by the builder's clock. */
export type Vertex = {
  readonly digest: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly started: number | undefined;
  readonly completed: number | undefined;
  readonly cached: boolean;
  /** Empty where nothing went wrong. */
  readonly error: string;
};

/** A piece of what a step printed, cut anywhere: also within a line, also within a character. */
export type Output = { readonly vertex: string; readonly stream: number; readonly bytes: Uint8Array };

/** A part of a step: a layer that is pulled, the layers that are exported or pushed. `total` is in bytes, where it is known. */
export type Part = {
  readonly vertex: string;
  readonly id: string;
  readonly total: number;
  readonly started: number | undefined;
  readonly completed: number | undefined;
};

/** A remark of the Dockerfile's frontend. `line` counts from 1, in the Dockerfile that was sent. */
export type BuildWarning = {
  readonly short: string;
  readonly url: string | undefined;
  readonly line: number | undefined;
};

/** One line of buildx's standard error: BuildKit's status, or text for people. */
export type Message =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "status";
      readonly vertexes: readonly Vertex[];
      readonly outputs: readonly Output[];
      readonly parts: readonly Part[];
      readonly warnings: readonly BuildWarning[];
    };

/** Makes messages of lines. `end` gives what was begun and never finished, as text. */
export type MessageReader = {
  readonly line: (line: string) => readonly Message[];
  readonly end: () => readonly Message[];
};

/**
 * Reads `--progress rawjson`. Newer buildx writes an object a line; 0.13 indents it over several, from a lone `{` to a lone `}`.
 * Whatever is not such an object is text: buildx ends a failed build with its words and an excerpt of the Dockerfile.
 * @see https://github.com/moby/buildkit/blob/v0.26.3/client/graph.go
 */
export function openMessageReader(): MessageReader {
  let begun: string[] = [];
  const drop = (): Message[] => {
    const dropped = begun.map(asText);
    begun = [];
    return dropped;
  };
  return {
    line(line) {
      if (begun.length === 0 && line !== "{") return [readStatus(line) ?? asText(line)];
      begun.push(line);
      if (line !== "}") return [];
      const status = readStatus(begun.join("\n"));
      if (status === undefined) return drop();
      begun = [];
      return [status];
    },
    end: drop,
  };
}

function asText(text: string): Message {
  return { kind: "text", text };
}

const KEYS = ["vertexes", "statuses", "logs", "warnings"];

function readStatus(text: string): Message | undefined {
  if (!text.startsWith("{")) return undefined;
  let status: unknown;
  try {
    status = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(status) || !KEYS.some((key) => key in status)) return undefined;
  return {
    kind: "status",
    vertexes: records(status.vertexes).flatMap(readVertex),
    outputs: records(status.logs).flatMap(readOutput),
    parts: records(status.statuses).flatMap(readPart),
    warnings: records(status.warnings).flatMap(readWarning),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function records(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function readVertex({ digest, name, inputs, started, completed, cached, error }: Fields): Vertex[] {
  if (typeof digest !== "string" || typeof name !== "string") return [];
  return [
    {
      digest,
      name,
      inputs: Array.isArray(inputs) ? inputs.filter((input) => typeof input === "string") : [],
      started: readTime(started),
      completed: readTime(completed),
      cached: cached === true,
      error: typeof error === "string" ? error : "",
    },
  ];
}

function readOutput({ vertex, stream, data }: Fields): Output[] {
  const bytes = readBase64(data);
  if (typeof vertex !== "string" || bytes === undefined) return [];
  return [{ vertex, stream: typeof stream === "number" ? stream : 1, bytes }];
}

function readPart({ vertex, id, total, started, completed }: Fields): Part[] {
  if (typeof vertex !== "string" || typeof id !== "string") return [];
  return [
    {
      vertex,
      id,
      total: typeof total === "number" ? total : 0,
      started: readTime(started),
      completed: readTime(completed),
    },
  ];
}

function readWarning({ short, url, range }: Fields): BuildWarning[] {
  const words = readBase64(short);
  if (words === undefined) return [];
  const start = records(range)[0]?.start;
  const line = isRecord(start) ? start.line : undefined;
  return [
    {
      short: new TextDecoder().decode(words),
      url: typeof url === "string" && url !== "" ? url : undefined,
      line: typeof line === "number" && line > 0 ? line : undefined,
    },
  ];
}

function readTime(value: unknown): number | undefined {
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

function readBase64(value: unknown): Uint8Array | undefined {
  if (typeof value !== "string") return undefined;
  let binary: string;
  try {
    binary = atob(value);
  } catch {
    return undefined;
  }
  // Not Uint8Array.from: all that a build prints goes through here, and this is many times as fast.
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
