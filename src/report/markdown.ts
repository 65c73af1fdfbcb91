import { asLine, visible } from "../line.ts";

declare const MARKUP: unique symbol;

/** What may stand in the summary: markup of ours, and text only as `asText` and its like make it. */
export type Markdown = string & { readonly [MARKUP]: true };

/** Markup with what stands in it; a text that nobody has made Markdown of does not fit in. */
export function md(markup: TemplateStringsArray, ...parts: readonly (Markdown | number)[]): Markdown {
  return trusted(String.raw({ raw: markup }, ...parts));
}

/** The one place that calls a text markup: what comes here was written in this folder, or escaped. */
function trusted(markup: string): Markdown {
  return markup as Markdown;
}

/** What begins a heading, a list, a quotation or a command at a line's start. */
const BEGINS_BLOCK = /^(?=[#+=:>-])|^(\d+)(?=[.)](?:\s|$))/;
/** What GitHub and Gitea make links of where it stands as mere text. */
const BEGINS_LINK = /(?:https?|ftp):(?=\/\/)|www(?=\.)/gi;
/** An address is looked for in the text that is left when backslashes are gone: only markup that shows nothing parts it. */
const BEGINS_DOMAIN = /(?<=[\w.+-])@(?=[\w-]+\.)/g;

/**
 * What comes from files, registries and BuildKit is text and never markup: one line, in which nothing is Markdown, HTML or a link.
 * @see https://github.github.com/gfm/#backslash-escapes
 */
export function asText(text: string): Markdown {
  return trusted(
    visible(text.trim())
      .replace(/[\\`*_|[\]~$]/g, "\\$&")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replace(BEGINS_LINK, "$&\\")
      .replace(BEGINS_DOMAIN, "@<!-- -->")
      .replace(BEGINS_BLOCK, "$1\\"),
  );
}

const LABEL_LENGTH = 60;

/**
 * A text as a label in a diagram: words, and of the other signs those that mean nothing there. Nothing in it ends the label, the diagram
 * or its fence, or is a comment or HTML; what parts a name from its tag is written as an entity.
 * @see https://github.com/mermaid-js/mermaid/blob/mermaid%4011.12.0/packages/mermaid/src/diagrams/gantt/parser/gantt.jison
 */
export function asLabel(text: string): Markdown {
  const plain = text
    .replace(/[^\p{L}\p{N} ._/@=+:-]+/gu, " ")
    .replace(/ +/g, " ")
    .trim();
  const label = plain.length > LABEL_LENGTH ? `${plain.slice(0, LABEL_LENGTH).trim()}…` : plain;
  return trusted(label.replaceAll(":", "#58;"));
}

/** A whole number with at least so many digits. */
export function asDigits(number: number, width: number): Markdown {
  return trusted(String(number).padStart(width, "0"));
}

/** Lines as a diagram that the page draws. */
export function diagram(lines: readonly Markdown[]): Markdown {
  return trusted(["```mermaid", ...lines, "```"].join("\n"));
}

const CELL_LENGTH = 100;

/** The same for a cell of a table: not a long one. */
export function asCell(text: string): Markdown {
  const line = text.replace(/\s+/g, " ").trim();
  return asText(line.length > CELL_LENGTH ? `${line.slice(0, CELL_LENGTH)}…` : line);
}

/** A name as code, in a fence that it cannot close. */
export function asCode(text: string): Markdown {
  const line = asLine(text);
  const fence = longerThan(line, 0);
  const space = /^`|`$/.test(line) ? " " : "";
  return trusted(`${fence}${space}${line}${space}${fence}`);
}

const CODE_LENGTH = 400;

/** Lines as a block of code, none of them a very long one. */
export function asCodeBlock(lines: readonly string[]): Markdown {
  const cut = (line: string): string => (line.length > CODE_LENGTH ? `${line.slice(0, CODE_LENGTH)}…` : line);
  const body = lines.map((line) => asLine(cut(line))).join("\n");
  const fence = longerThan(body, 2);
  return trusted(`${fence}\n${body}\n${fence}`);
}

function longerThan(text: string, least: number): string {
  const runs = text.match(/`+/g) ?? [];
  return "`".repeat(Math.max(least, ...runs.map((run) => run.length)) + 1);
}

/** Pieces one below the other: paragraphs, or lines of one. */
export function stack(parts: readonly Markdown[], between: "\n\n" | "\n" = "\n\n"): Markdown {
  return trusted(parts.join(between));
}

export function table(head: readonly Markdown[], rows: readonly (readonly Markdown[])[]): Markdown {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return trusted([line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n"));
}

/** Markdown that is shown only to those who ask for it. The title is text, and stands in HTML. */
export function folded(title: string, body: Markdown): Markdown {
  const html = visible(title).replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return trusted(`<details><summary>${html}</summary>\n\n${body}\n\n</details>`);
}
