const UNITS: ReadonlyMap<string, number> = new Map([
  ["ns", 1],
  ["us", 1e3],
  ["\u00b5s", 1e3],
  ["\u03bcs", 1e3],
  ["ms", 1e6],
  ["s", 1e9],
  ["m", 60e9],
  ["h", 3600e9],
]);

/**
 * Go's `time.ParseDuration`.
 * @returns nanoseconds, not exact beyond a hundred days; `undefined` for what it refuses.
 */
export function parseGoDuration(text: string): number | undefined {
  const [, sign, written = ""] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (written === "0") return 0;
  const parts = written.match(/(?:[0-9]+\.?[0-9]*|\.[0-9]+)[^0-9.]+/gy);
  if (!parts || parts.join("") !== written) return undefined;
  let total = 0;
  for (const part of parts) {
    const [, whole = "", fraction = "", name = ""] = /^([0-9]*)\.?([0-9]*)([^0-9.]+)$/s.exec(part) ?? [];
    const unit = UNITS.get(name);
    if (unit === undefined) return undefined;
    total += Number(whole) * unit + Math.trunc(Number(fraction) * (unit / 10 ** fraction.length));
  }
  if (total >= 2 ** 63) return undefined;
  return sign === "-" ? 0 - total : total;
}
