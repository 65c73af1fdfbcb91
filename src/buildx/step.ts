import type { Vertex } from "./rawjson.ts";

/**
 * A step of a build, put together from all that BuildKit tells of it.
 *
 * `instruction`: one of the Dockerfile's, or the export, the push, the scan: it is told when it begins and when it ends.
 * `source`: a base image. BuildKit calls it completed after each layer, so it is over only when a step that needs it begins.
 * `import`: a layer cache. One that is not there is no failure, though BuildKit calls it an error.
 * `quiet`: what BuildKit does for itself; told when it fails.
 */
export type Step = Vertex & {
  readonly kind: "instruction" | "source" | "import" | "quiet";
  /** Milliseconds of the stretches before the one that it is in, or was in last. */
  readonly before: number;
  /** When the first of them began. */
  readonly begun: number | undefined;
};

/**
 * Adds a message to what is known: the last word counts. A step may begin and end more than once, each time with another beginning. One
 * that was found in a cache was not run: when its layers are fetched in the end, BuildKit tells of it again, without that word.
 * @see https://github.com/moby/buildkit/blob/v0.26.3/util/progress/controller/controller.go
 */
export function mergeVertex(step: Step | undefined, vertex: Vertex): Step {
  const isNewStretch = step !== undefined && vertex.started !== step.started;
  return {
    ...vertex,
    kind: kindOf(vertex.name),
    cached: vertex.cached || step?.cached === true,
    before: isNewStretch ? spent(step) : (step?.before ?? 0),
    begun: step?.begun ?? vertex.started,
  };
}

/** How long a step took, in all stretches that ended. */
export function secondsOf(step: Step): number {
  return spent(step) / 1000;
}

function spent({ started, completed, before }: Step): number {
  return before + (started === undefined || completed === undefined ? 0 : Math.max(0, completed - started));
}

/** Steps that run at the same time as one that failed are ended, and say so in the words of an error. */
export function isCancelled({ error }: Step): boolean {
  return error.includes("context canceled");
}

const IMPORT = "importing cache manifest from ";

/** The layer cache that such a step reads. */
export function importedFrom(name: string): string {
  return name.replace(IMPORT, "").trim();
}

/**
 * Whether the registry has no such layer cache, as on every first run. The words are those of BuildKit's resolver for a 404: nothing but the
 * name stands before "not found", with its host and tag. A login or a proxy that fails may say "not found" too, and is told as it is.
 */
export function isNotThereYet({ kind, name, error }: Step): boolean {
  const [, missing] = /^failed to configure registry cache importer: (\S+): not found$/.exec(error) ?? [];
  return kind === "import" && missing?.includes(importedFrom(name)) === true;
}

/** Whether it is an instruction of the Dockerfile that runs or not: `[builder 2/3] RUN …`, but no `FROM`. */
export function isCounted({ kind, name }: Step): boolean {
  return kind === "instruction" && POSITION.test(name);
}

/** Whether it prints nothing and is mostly over at once: a line at its end is enough. */
export function isSilent({ name }: Step): boolean {
  return /^\[[^\]]*\] (COPY|WORKDIR) /.test(name);
}

const POSITION = /^\[(?:[^\]]* )?\d+\/\d+\] /;

const QUIET =
  /^\[(?:[^\]]* )?(?:internal|auth)\]|^\[context [^\]]*\] load \.dockerignore|^(?:resolve|resolving) |^docker-image:/;

function kindOf(name: string): Step["kind"] {
  if (QUIET.test(name)) return "quiet";
  if (name.startsWith(IMPORT)) return "import";
  return POSITION.test(name) && /^\[[^\]]*\] FROM /.test(name) ? "source" : "instruction";
}

const LONGEST_NAME = 160;

/** A step's name in a line of the log: digests by their first digits, long commands cut. */
export function shortName(name: string): string {
  const short = name.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]{52}/g, "$1").replace(/\s+/g, " ");
  return short.length <= LONGEST_NAME ? short : `${short.slice(0, LONGEST_NAME)}…`;
}
