import type { EndedBy } from "../world.ts";

/** What a signal mostly comes of, by its name and its number. */
const CAUSES: Readonly<Record<string, { readonly number: number; readonly cause: string }>> = {
  SIGINT: { number: 2, cause: "somebody interrupted it" },
  SIGILL: { number: 4, cause: "it has instructions that this processor, or its emulation, does not know" },
  SIGABRT: { number: 6, cause: "it gave up by itself" },
  SIGBUS: { number: 7, cause: "it met a fault in memory, or a file that had become shorter" },
  SIGKILL: { number: 9, cause: "most often because there was too little memory" },
  SIGSEGV: { number: 11, cause: "it met a fault in memory, which under emulation happens to sound programs too" },
  SIGPIPE: { number: 13, cause: "nobody read on what it wrote" },
  SIGTERM: { number: 15, cause: "somebody told it to stop" },
};

/** What has ended a program, as the end of a sentence that begins with it. */
export function tellEnder(by: EndedBy): string {
  if (by === "time limit") return "did not end in time, and was ended";
  const known = CAUSES[by];
  return known === undefined ? `was ended by ${by}` : `was ended by ${by}: ${known.cause}`;
}

/**
 * The signal that an exit code stands for, as shells count: 128 and its number. Nothing for a code of a program's own.
 * @see https://www.gnu.org/software/bash/manual/html_node/Exit-Status.html
 */
export function signalOf(code: number): EndedBy | undefined {
  const name = Object.entries(CAUSES).find(([, { number }]) => code === 128 + number)?.[0];
  return name === undefined ? undefined : `SIG${name.slice("SIG".length)}`;
}
