import { expect } from "vitest";
import type { Difference, Row } from "./row.ts";

/** Deviations for which the reference CLI would have to ask servers that no test may ask: only ours is seen. */
export type Undriven = Difference & Omit<Row, "reference"> & { readonly undriven: string };

export const UNDRIVEN: readonly Undriven[] = [
  {
    name: "a feature of GitHub's releases",
    what: "a feature of GitHub's releases (`owner/repository/feature`)",
    cli: "is fetched from there",
    here: "is refused",
    why: "nothing is published that way any more",
    undriven: "the CLI asks github.com",
    config: { image: "a:1", features: { "owner/repository/feature": {} } },
    ours: { kind: "error", words: expect.stringContaining("released on GitHub") },
  },
];
