/**
 * How much a fuzz target does: little by itself, so that it runs with every other test, and by hand as much as is wanted.
 * `FUZZ_RUNS=100000 FUZZ_SEED=42 npx vitest run --project unit test/fuzz` repeats what `FUZZ_SEED` names, and prints what it does.
 */
export function budgetOf(target: string, runs: number): { readonly numRuns: number; readonly seed: number } {
  const { FUZZ_RUNS, FUZZ_SEED } = process.env;
  const numRuns = Number(FUZZ_RUNS ?? runs);
  const seed = Number(FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
  process.stdout.write(`fuzz ${target}: FUZZ_SEED=${seed} FUZZ_RUNS=${numRuns}\n`);
  return { numRuns, seed };
}

/** Milliseconds for a target that is given more runs than it has by itself. */
export function timeOf(runs: number, milliseconds: number): number {
  return Math.max(20_000, Math.ceil((Number(process.env.FUZZ_RUNS ?? runs) / runs) * milliseconds));
}
