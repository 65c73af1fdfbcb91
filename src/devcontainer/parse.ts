import { type JSONVisitor, type ParseErrorCode, parse, printParseErrorCode, visit } from "jsonc-parser";
import { ActionError, type Place } from "../errors.ts";
import {
  isJsonObject,
  type Json,
  type JsonObject,
  type JsonPath,
  openPathMap,
  type PathMap,
  putAt,
  stepInto,
} from "./json.ts";
import { moveOldProperties, newPlaceOf } from "./old-properties.ts";

/** A devcontainer.json as it stands: what the label carries, before any variable is replaced. */
export type Configuration = {
  /** How messages name the file. */
  readonly file: string;
  /** Old properties are at their new place. */
  readonly raw: JsonObject;
  /** The line, from 1, of each property and array item. */
  readonly lines: PathMap<number>;
  /** Syntax errors that were read over, at most one a line, and what else is odd about it. */
  readonly warnings: readonly Warning[];
};

export type Warning = { readonly text: string; readonly at: Place };

/** Deeper nesting is no configuration, and would exhaust the stack of every recursive reader. */
const MAX_DEPTH = 200;

/**
 * Reads JSON with comments exactly as the reference CLI does: jsonc-parser with its defaults, which reads over syntax errors.
 * @param file how messages name it, best as seen from the workspace.
 * @throws E_CONFIG for an empty file, for one that is not an object, and for nesting beyond reason.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-node/configContainer.ts
 */
export function parseConfiguration(text: string, file: string): Configuration {
  const empty = text.trim() === "";
  if (empty)
    throw new ActionError("E_CONFIG", {
      what: `${file} is empty.`,
      fix: `Write at least { "image": "debian:12" }.`,
      at: { file },
    });
  const positions = readPositions(text, file);
  const root: Json | undefined = parse(text);
  if (!isJsonObject(root)) {
    throw new ActionError("E_CONFIG", {
      what: `${file} does not hold a JSON object.`,
      fix: "The file has to start with { and end with }.",
      at: { file, line: 1 },
    });
  }
  return { file, raw: moveOldProperties(root, file), ...positions };
}

/** The lines of any other document of that kind. @throws E_CONFIG for nesting beyond reason. */
export function readLines(text: string, file: string): Pick<Configuration, "lines"> {
  return readPositions(text, file);
}

/** The line of a property, or of the nearest one around it that is written in the file; `undefined` when nothing of the path is. */
export function lineOf(configuration: Pick<Configuration, "lines">, path: JsonPath): number | undefined {
  let line: number | undefined;
  let next: PathMap<number> | undefined = configuration.lines;
  for (const step of path) {
    next = next.below?.get(step);
    if (!next) break;
    line = next.value ?? line;
  }
  return line;
}

/** Where a person finds a property. */
export function placeOf(configuration: Pick<Configuration, "file" | "lines">, path: JsonPath): Place {
  const line = lineOf(configuration, path);
  return line === undefined ? { file: configuration.file } : { file: configuration.file, line };
}

function readPositions(text: string, file: string): Pick<Configuration, "lines" | "warnings"> {
  const lines = openPathMap<number>();
  const warnings = new Map<number, Warning>();
  // The objects and lists that are open, by their depth: what is in one is noted there, without a way down from the root.
  const open: PathMap<number>[] = [lines];
  const note = (path: JsonPath, startLine: number): PathMap<number> => {
    if (path.length > MAX_DEPTH) throw nestedTooDeep(file, startLine + 1);
    const around = open[path.length - 1];
    const step = path.at(-1);
    if (around === undefined || step === undefined) return lines;
    const place = stepInto(around, step);
    if (typeof step === "number") place.value = startLine + 1;
    return place;
  };
  const visitor: JSONVisitor = {
    onObjectProperty: (name, _offset, _length, startLine, _column, parent) => {
      const depth = parent().length;
      const around = open[depth];
      if (around) stepInto(around, name).value = startLine + 1;
      for (const moved of depth === 0 ? newPlaceOf(name) : []) putAt(lines, moved, startLine + 1);
    },
    onObjectBegin: (_offset, _length, startLine, _column, path) => {
      open[path().length] = note(path(), startLine);
    },
    onArrayBegin: (_offset, _length, startLine, _column, path) => {
      open[path().length] = note(path(), startLine);
    },
    onLiteralValue: (_value, _offset, _length, startLine, _column, path) => void note(path(), startLine),
    onError: (code, offset, _length, startLine) => {
      const isByteOrderMark = offset === 0 && text.startsWith("\uFEFF");
      const line = startLine + 1;
      if (isByteOrderMark || warnings.has(line)) return;
      const what = `${describeError(code)}; read over, as the reference implementation does`;
      warnings.set(line, { text: what, at: { file, line } });
    },
  };
  // A trailing comma is legal here; to `parse` it is an error that changes nothing.
  visit(text, visitor, { allowTrailingComma: true });
  return { lines, warnings: [...warnings.values()] };
}

function nestedTooDeep(file: string, line: number): ActionError {
  return new ActionError("E_CONFIG", {
    what: `${file} is nested more than ${MAX_DEPTH} levels deep.`,
    fix: "No dev container configuration needs that; look for a bracket that is never closed.",
    at: { file, line },
  });
}

const WORDS: Readonly<Record<string, string>> = {
  InvalidSymbol: "Something here is neither a value nor a name in double quotes",
  InvalidNumberFormat: "A number is not written as JSON wants it",
  PropertyNameExpected: "A property name in double quotes is missing",
  ValueExpected: "A value is missing",
  ColonExpected: "A colon is missing",
  CommaExpected: "A comma is missing",
  CloseBraceExpected: "A closing } is missing",
  CloseBracketExpected: "A closing ] is missing",
  EndOfFileExpected: "There is something after the end of the configuration",
  UnexpectedEndOfComment: "A comment is never closed",
  UnexpectedEndOfString: "A text is never closed",
  InvalidUnicode: "A \\u escape is not four hexadecimal digits",
  InvalidEscapeCharacter: "A backslash stands before a character that JSON does not escape",
  InvalidCharacter: "A control character stands in a text",
};

function describeError(code: ParseErrorCode): string {
  const name = printParseErrorCode(code);
  return WORDS[name] ?? name;
}
