import type { Instruction } from "./parse.ts";

/**
 * The instructions of Docker's own frontends up to now, with their flags.
 * @see https://docs.docker.com/reference/dockerfile/
 */
export const KNOWN: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    ADD: ["from", "chown", "chmod", "link", "parents", "exclude", "checksum", "keep-git-dir", "unpack"],
    COPY: ["from", "chown", "chmod", "link", "parents", "exclude"],
    RUN: ["mount", "network", "security", "device"],
    ARG: [],
    CMD: [],
    ENTRYPOINT: [],
    ENV: [],
    EXPOSE: [],
    FROM: ["platform"],
    HEALTHCHECK: ["interval", "timeout", "start-period", "start-interval", "retries"],
    LABEL: [],
    MAINTAINER: [],
    ONBUILD: [],
    SHELL: [],
    STOPSIGNAL: [],
    USER: [],
    VOLUME: [],
    WORKDIR: [],
  }),
);

/**
 * Whether an instruction means what it means to Docker's frontends up to now. What another one may mean by an instruction or a flag nobody
 * knows here: it may read any stage and all of the context.
 */
export function isUnderstood({ keyword, flags }: Instruction): boolean {
  const known = KNOWN.get(keyword);
  return known !== undefined && flags.every((flag) => known.includes(flagName(flag)));
}

/** `from` of `--from=x`. */
export function flagName(flag: string): string {
  return /^--([^=]*)/.exec(flag)?.[1] ?? "";
}
