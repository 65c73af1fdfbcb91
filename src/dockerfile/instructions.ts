import { ActionError } from "../errors.ts";
import type { Dockerfile } from "./parse.ts";

/** @see https://docs.docker.com/reference/dockerfile/ */
const KEYWORDS: ReadonlySet<string> = new Set([
  ...["ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"],
  ...["ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"],
]);

/**
 * Refuses an instruction that does not exist, in any stage: the builder reads them all. Not for a Dockerfile that names its frontend,
 * which may know more.
 * @throws ActionError E_DOCKERFILE with the line.
 */
export function refuseUnknownInstructions({ file, syntax, stages }: Dockerfile): void {
  if (syntax) return;
  const unknown = stages.flatMap(({ instructions }) => instructions).find(({ keyword }) => !KEYWORDS.has(keyword));
  if (!unknown) return;
  throw new ActionError("E_DOCKERFILE", {
    what: `There is no instruction ${unknown.keyword}.`,
    fix: "Check how it is written. What only a newer frontend knows needs a # syntax= line.",
    at: { file, line: unknown.line },
  });
}
