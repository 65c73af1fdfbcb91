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

/** Only what hangs is to meet it, on a machine as busy as it may be: milliseconds for the runs that a target has by itself, and more for more. */
const PATIENT = 300_000;

export function timeOf(runs: number): number {
  return Math.ceil(PATIENT * Math.max(1, Number(process.env.FUZZ_RUNS ?? runs) / runs));
}
