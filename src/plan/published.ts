import { formatPath, isJsonObject, type Json, type JsonPath } from "../devcontainer/json.ts";
import { formatOption } from "../devcontainer/options.ts";
import { placeOf } from "../devcontainer/parse.ts";
import type { Dockerfile, Instruction } from "../dockerfile/parse.ts";
import { argWords, envWords } from "../dockerfile/words.ts";
import type { ErrorCode, Place } from "../errors.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { Gathered } from "../sources/sources.ts";

/**
 * Where a text gets to. `image`: with a build, into the image, its plan or its provenance. `command`: a build's command line shows it to
 * everybody on the machine, too. `name`: a tag is put on a hit as well.
 */
type Leaves = "image" | "command" | "name";

/** A text that somebody has written and that a run publishes, with the values in it. */
export type PublishedText = {
  readonly text: string;
  readonly values: readonly string[];
  readonly leaves: Leaves;
  readonly code: ErrorCode;
  /** How a sentence about it begins, and where a person finds it. */
  readonly tell: () => { readonly what: string; readonly at?: Place };
};

/** Inputs whose values reach tags, and those that a command line gets as they are. All others stand at most in a plan or an output. */
const NAMES: ReadonlySet<string> = new Set(["tags", "release"]);
const COMMANDS: ReadonlySet<string> = new Set([
  ...["labels", "target", "build-contexts", "add-hosts", "cache-from", "cache-to", "builder", "builders"],
  ...["buildkit-image", "sbom"],
]);

/** Everything that inputs, the configuration and the Dockerfile say as it stands there. Build args are judged where they are merged. */
export function publishedTexts(inputs: Pick<Inputs, "written">, gathered: Gathered): readonly PublishedText[] {
  return [
    ...Object.entries(inputs.written).flatMap(([name, text]) => textsOfInput(name, text)),
    ...textsOfConfiguration(gathered),
    ...textsOfDefinition(gathered),
    ...textsOfDockerfile(gathered),
  ];
}

function textsOfInput(name: string, written: string): readonly PublishedText[] {
  const lines = written.split("\n");
  const leaves = NAMES.has(name) ? "name" : COMMANDS.has(name) ? "command" : "image";
  return lines.map((text, index) => ({
    text,
    values: [...valuesOf(text), ...text.split(",")],
    leaves,
    code: "E_INPUT",
    tell: () => ({ what: lines.length === 1 ? `The input ${name}` : `Line ${index + 1} of the input ${name}` }),
  }));
}

/** A text as a whole, what stands behind its first `=`, and each text in quotation marks. */
function valuesOf(text: string): readonly string[] {
  const quoted = [...text.matchAll(/"([^"]*)"|'([^']*)'/g)].map(([, double, single]) => double ?? single ?? "");
  const equals = text.indexOf("=");
  return [text, ...(equals < 0 ? [] : [text.slice(equals + 1)]), ...quoted];
}

function textsOfConfiguration({ configuration }: Gathered): readonly PublishedText[] {
  return textsOfJson(configuration.raw, [], (path) => ({
    leaves: path[0] === "build" && path[1] === "options" ? "command" : "image",
    code: "E_CONFIG",
    tell: () => ({ what: formatPath(path), at: placeOf(configuration, path) }),
  })).filter(({ path }) => !(path[0] === "build" && path[1] === "args"));
}

type AtPath = PublishedText & { readonly path: JsonPath };

/** All texts of a document, and the names in it. */
export function textsOfJson(
  value: Json,
  path: JsonPath,
  place: (path: JsonPath) => Omit<PublishedText, "text" | "values">,
): readonly AtPath[] {
  const text = (one: string, at: JsonPath): AtPath => ({ text: one, values: valuesOf(one), path: at, ...place(at) });
  if (typeof value === "string") return [text(value, path)];
  if (Array.isArray(value)) return value.flatMap((item: Json, index) => textsOfJson(item, [...path, index], place));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, item]) => [
    text(name, path),
    ...textsOfJson(item, [...path, name], place),
  ]);
}

/** What compose files say, and variables once they are replaced. What an input says is judged as it is written. */
function textsOfDefinition({ definition, configuration }: Gathered): readonly PublishedText[] {
  const { source, target, contexts, counted, uncounted, user, cacheFrom } = definition;
  const image = source.kind === "image" ? [{ what: "The image", value: source.image.value, at: source.image.at }] : [];
  const written = [
    ...image,
    ...(target && target.input === undefined ? [{ what: "The build's target", ...target }] : []),
    ...(user ? [{ what: "The user", ...user }] : []),
    ...[...contexts].flatMap(([name, one]) =>
      one.input === undefined ? [{ what: "A build context", value: `${name}=${one.value}`, at: one.at }] : [],
    ),
    ...cacheFrom.map(({ entry, at }) => ({
      what: "A layer cache",
      value: [...entry.attributes.values()].join(","),
      at,
    })),
    ...[...counted, ...uncounted].flatMap((option) => {
      const isInput = "input" in option && option.input !== undefined;
      return isInput ? [] : [{ what: `The option --${option.name}`, value: formatOption(option), at: option.at }];
    }),
  ];
  return written
    .filter(({ at }) => at.file !== configuration.file)
    .map(({ what, value, at }) => ({
      text: value,
      values: [...valuesOf(value), ...valuesOf(value.slice(value.indexOf("=") + 1))],
      leaves: "command",
      code: "E_CONFIG",
      tell: () => ({ what, at }),
    }));
}

/** Line by line, for what is found in one stands in that line; instruction by instruction, for a line may go on in the next. */
function textsOfDockerfile({ dockerfile, dockerfileText, file, definition }: Gathered): readonly PublishedText[] {
  const { source } = definition;
  if (file === undefined || source.kind !== "dockerfile") return [];
  const inline = "text" in source.dockerfile ? source.dockerfile.at : undefined;
  const text = (one: string, values: readonly string[], line: number): PublishedText => ({
    text: one,
    values,
    leaves: "image",
    code: "E_DOCKERFILE",
    tell: () => ({ what: "The Dockerfile", at: inline ?? { file, line } }),
  });
  return [
    ...dockerfileText.split("\n").map((line, index) => text(line, [], index + 1)),
    ...instructionsOf(dockerfile).map((one) => text(one.rest, instructionValues(one), one.line)),
  ];
}

function instructionsOf({ globalArgs, stages }: Dockerfile): readonly Instruction[] {
  return [...globalArgs, ...stages.flatMap(({ from, instructions }) => [from, ...instructions])];
}

/** What ENV, LABEL and ARG set, without quotation marks. */
function instructionValues({ keyword, rest, escape: escapeChar }: Instruction): readonly string[] {
  const words =
    keyword === "ARG" ? argWords(rest, escapeChar) : /^(?:ENV|LABEL)$/.test(keyword) ? envWords(rest, escapeChar) : [];
  return words.flatMap(({ value }) => (value === undefined ? [] : [value, value.replace(/^(["'])(.*)\1$/s, "$2")]));
}

/** A file line by line, where nothing more is known of what it says. */
export function linesOf(text: string, file: string, code: ErrorCode): readonly PublishedText[] {
  return text.split("\n").map((line, index) => ({
    text: line,
    values: valuesOf(line),
    leaves: "image",
    code,
    tell: () => ({ what: `A line of ${file}`, at: { file, line: index + 1 } }),
  }));
}
