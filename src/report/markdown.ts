/** What comes from files, registries and BuildKit is text and never markup. */
export function asText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replace(/([\\`*_|[\]])/g, "\\$1");
}

const CELL_LENGTH = 100;

/** The same for a cell of a table: one line, and not a long one. */
export function asCell(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return asText(line.length > CELL_LENGTH ? `${line.slice(0, CELL_LENGTH)}…` : line);
}

/** A table whose cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Markdown that is shown only to those who ask for it. The title is HTML. */
export function folded(title: string, body: string): string {
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
}
