import { ActionError, type Place } from "../errors.ts";

/** What variables hold, by name. */
export type Variables = Pick<ReadonlyMap<string, string>, "get"> & {
  /** The variables without a value that took part in the value of this one, as in a line of an env file. */
  readonly missingIn?: (name: string) => readonly string[];
  /** Where an env file sets it; nothing for one of the step. */
  readonly placeOf?: (name: string) => Place | undefined;
};

/** A variable that a value names, and the line of the env file that sets it. */
export type Reading = { readonly name: string; readonly at?: Place };

/** A text whose variables are replaced. */
export type Filled = {
  readonly text: string;
  /** A variable took part, set or not. */
  readonly fromEnvironment: boolean;
  /** Variables that are not set and have no default: compose puts nothing in their place. */
  readonly unset: readonly string[];
  /** Variables that are not set, with a default or without. */
  readonly missing: readonly string[];
  /** The variables that took part, set or not. */
  readonly reads: readonly Reading[];
};

const NAME = /[_a-z][_a-z0-9]*/iy;
/** What makes a default of what stands behind a name. */
const OPERATOR = /:?[-+?]/y;
const BRACED = /^\$\{([_a-z][_a-z0-9]*)(?:(:?)([-+?])([^\n]*))?\}$/i;

/** A default in a default, and so on: nobody writes that many, and each takes room on the stack. */
const MAX_DEPTH = 100;

/**
 * Characters of one value. Lines of an env file that double one another reach any size, and the system takes 128 KiB in an argument. What
 * is written out at that length may stay.
 */
const MAX_LENGTH = 1024 * 1024;

/**
 * Replaces `$NAME`, `${NAME}` and the forms with `-`, `+`, `?` and a colon; `$$` is a dollar sign, any other `$` stays. What is put in is
 * not looked at again. A default is read even where it is not needed, as compose does.
 * @throws E_CONFIG for a form that does not exist, for `${NAME:?words}` without a value, and for a value that grows past all use.
 * @see https://github.com/compose-spec/compose-go/blob/v2.9.1/template/template.go
 */
export function fillTemplate(template: string, variables: Variables, at: Place): Filled {
  return fill(template, { variables, at, depth: 0 });
}

type Scope = { readonly variables: Variables; readonly at: Place; readonly depth: number };

function fill(template: string, scope: Scope): Filled {
  if (scope.depth > MAX_DEPTH) throw tooDeep(scope.at);
  const pieces: Filled[] = [];
  const lastBrace = lastBraces(template);
  let next = 0;
  for (let at = template.indexOf("$"); at >= 0; at = template.indexOf("$", at)) {
    const expression = expressionAt(template, at, lastBrace);
    if (expression === "") {
      at++;
      continue;
    }
    pieces.push(asIs(template.slice(next, at)), fillOne(expression, scope));
    at += expression.length;
    next = at;
  }
  pieces.push(asIs(template.slice(next)));
  const length = pieces.reduce((sum, { text }) => sum + text.length, 0);
  if (length > MAX_LENGTH && length > template.length) throw tooLong(scope.at);
  return join(pieces);
}

/**
 * What stands at a dollar sign: nothing where it has no meaning, `${` alone where a brace begins no variable. What follows an operator
 * reaches to the last closing brace of the line, and is cut where its own closes.
 */
function expressionAt(template: string, at: number, lastBrace: (from: number) => number): string {
  if (template[at + 1] === "$") return "$$";
  const isBraced = template[at + 1] === "{";
  const name = matchAt(NAME, template, isBraced ? at + 2 : at + 1);
  if (!isBraced) return name === "" ? "" : `$${name}`;
  const behind = at + 2 + name.length;
  if (name !== "" && template[behind] === "}") return template.slice(at, behind + 1);
  const operator = name === "" ? "" : matchAt(OPERATOR, template, behind);
  const last = operator === "" ? -1 : lastBrace(behind);
  return last < behind + operator.length ? "${" : untilClosingBrace(template.slice(at, last + 1));
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}

/** Where the last closing brace is in the line that a place is in, looked for once a line; places are asked about in ascending order. */
function lastBraces(template: string): (from: number) => number {
  let lineEnd = -1;
  let brace = -1;
  return (from) => {
    if (from > lineEnd) {
      const end = template.indexOf("\n", from);
      lineEnd = end < 0 ? template.length : end;
      brace = template.lastIndexOf("}", lineEnd);
    }
    return brace;
  };
}

/** compose does not look at the character behind an opening brace, so that `{}` in a default opens and never closes. */
function untilClosingBrace(expression: string): string {
  let open = 0;
  for (let at = 0; at < expression.length; at++) {
    if (expression[at] === "}" && --open === 0) return expression.slice(0, at + 1);
    if (expression[at] === "{") {
      open++;
      at++;
    }
  }
  return expression;
}

function fillOne(expression: string, scope: Scope): Filled {
  if (expression === "$$") return asIs("$");
  if (!expression.startsWith("${")) return variableIn(expression.slice(1), scope);
  const [, name, colon, operator, words = ""] = BRACED.exec(expression) ?? [];
  if (name === undefined) throw malformed(scope.at);
  if (operator === undefined) return variableIn(name, scope);
  const alternative = fill(words, { ...scope, depth: scope.depth + 1 });
  const value = scope.variables.get(name);
  const counts = value !== undefined && !(colon === ":" && value === "");
  if (operator === "?" && !counts) throw required(name, words, scope.at);
  const usesAlternative = operator === "+" ? counts : !counts;
  const missing = missingIn(name, scope.variables);
  const reads = [readingOf(name, scope.variables)];
  if (usesAlternative)
    return {
      ...alternative,
      fromEnvironment: true,
      missing: firstNames([missing, alternative.missing]),
      reads: firstReadings([reads, alternative.reads]),
    };
  return { text: value ?? "", fromEnvironment: true, unset: [], missing, reads };
}

function variableIn(name: string, { variables }: Scope): Filled {
  const value = variables.get(name);
  const missing = missingIn(name, variables);
  const reads = [readingOf(name, variables)];
  return { text: value ?? "", fromEnvironment: true, unset: value === undefined ? [name] : [], missing, reads };
}

/** Which variable that is, and who sets it. */
export function readingOf(name: string, variables: Variables): Reading {
  const at = variables.placeOf?.(name);
  return at === undefined ? { name } : { name, at };
}

function missingIn(name: string, variables: Variables): readonly string[] {
  return variables.get(name) === undefined ? [name] : (variables.missingIn?.(name) ?? []);
}

function asIs(text: string): Filled {
  return { text, fromEnvironment: false, unset: [], missing: [], reads: [] };
}

function join(pieces: readonly Filled[]): Filled {
  return {
    text: pieces.map(({ text }) => text).join(""),
    fromEnvironment: pieces.some(({ fromEnvironment }) => fromEnvironment),
    unset: firstNames(pieces.map(({ unset }) => unset)),
    missing: firstNames(pieces.map(({ missing }) => missing)),
    reads: firstReadings(pieces.map(({ reads }) => reads)),
  };
}

/** Names told of one value. Lines of an env file that double one another double these as well. */
const MOST_NAMES = 100;

function firstNames(lists: readonly (readonly string[])[]): readonly string[] {
  const names = new Set<string>();
  for (const list of lists)
    for (const name of list) {
      if (names.size >= MOST_NAMES) return [...names];
      names.add(name);
    }
  return [...names];
}

function firstReadings(lists: readonly (readonly Reading[])[]): readonly Reading[] {
  const readings = new Map<string, Reading>();
  for (const list of lists)
    for (const reading of list) {
      if (readings.size >= MOST_NAMES) return [...readings.values()];
      readings.set(reading.name, reading);
    }
  return [...readings.values()];
}

function malformed(at: Place): ActionError {
  return new ActionError("E_CONFIG", {
    what: "A ${ in this value does not begin a variable.",
    fix: `Write \${NAME} or \${NAME:-default}, and $$ for a dollar sign.`,
    at,
  });
}

function tooDeep(at: Place): ActionError {
  return new ActionError("E_CONFIG", {
    what: `Defaults of variables are nested more than ${MAX_DEPTH} levels deep.`,
    fix: "Name the variables one after the other, in values of their own.",
    at,
  });
}

function tooLong(at: Place): ActionError {
  return new ActionError("E_CONFIG", {
    what: `With its variables replaced this value has more than ${MAX_LENGTH} characters.`,
    fix: "Look for variables that are made of one another several times over.",
    at,
  });
}

/** The words stand in the file; what their own variables hold is not told. */
function required(name: string, words: string, at: Place): ActionError {
  return new ActionError("E_CONFIG", {
    what: `The variable ${name} has to be set${words.trim() === "" ? "" : `: ${words.trim()}`}.`,
    fix: `Set ${name} for this step (env:), or in the .env file beside the first compose file.`,
    at,
  });
}
