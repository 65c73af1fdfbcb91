/** Shorter values are not hidden: `1` or `on` would be found in every second line, and are nobody's secret. */
const SHORTEST = 4;

/**
 * Hides the values of build args in a text: `RUN make KEY=hunter22` becomes `RUN make KEY=$KEY` again. BuildKit expands ARG and ENV in the
 * names of steps, RUN too, and in what it says of a COPY that fails.
 * @param values name to value. They are hidden as they are and as Go quotes them in an error.
 */
export function hideValues(values: Readonly<Record<string, string>>): (text: string) => string {
  const names = new Map<string, string>();
  for (const [name, value] of Object.entries(values))
    for (const form of [value, JSON.stringify(value).slice(1, -1)]) if (form.length >= SHORTEST) names.set(form, name);
  if (names.size === 0) return (text) => text;
  const longestFirst = [...names.keys()].sort((one, other) => other.length - one.length);
  const pattern = new RegExp(longestFirst.map((form) => form.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|"), "g");
  return (text) => text.replace(pattern, (form) => `$${names.get(form)}`);
}
