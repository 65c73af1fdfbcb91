import { type ReadInput, separated, wrong } from "./read-input.ts";

/** The results that a summary tells of. A failure always gets a whole one. */
const RESULTS = ["hit", "built", "partial", "stale", "miss", "unknown"] as const;

export type Summarised = (typeof RESULTS)[number];

/**
 * The input `summary`: which results get a whole summary, the others get a line.
 * @throws ActionError E_INPUT for what is neither `full` nor `line` nor a result.
 */
export function readSummary(read: ReadInput): readonly Summarised[] {
  const words = separated(read, "summary");
  const [only = "full"] = words;
  if (words.length <= 1 && only === "full") return RESULTS;
  if (words.length === 1 && only === "line") return [];
  return words.map((word) => {
    const result = RESULTS.find((one) => one === word);
    if (result === undefined) throw wrong("summary", word, `Allowed: full, line, or some of ${RESULTS.join(", ")}.`);
    return result;
  });
}
