/**
 * Begins to count the processor time of this process, in milliseconds: how long work took, whatever else keeps the machine busy.
 * @returns what has been spent since.
 */
export function startCpuTime(): () => number {
  const begun = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / 1000;
  };
}
