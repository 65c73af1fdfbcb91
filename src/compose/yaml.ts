import { type Document, LineCounter, type Node, parseAllDocuments, visit } from "yaml";
import { ActionError, type Place } from "../errors.ts";
import { type Mapping, placeOf } from "./tree.ts";
import {
  LARGEST_YAML,
  MOST_DOCUMENTS,
  type Reading,
  readNode,
  startReading,
  tooLarge,
  type YamlSource,
} from "./yaml-tree.ts";

/** What a character of YAML costs beside the text: files that include one another are read again and again. */
const TREE = 112;

/**
 * Reads a compose file: one tree for each YAML document in it, with anchors, merge keys and variables resolved as compose does it. Names
 * keep their `$`.
 * @throws E_CONFIG for what is not YAML, a name that occurs twice or is not a text, an anchor that is not there or contains itself, and
 * for variables that cannot be replaced.
 * @see https://github.com/compose-spec/compose-go/blob/v2.9.1/loader/loader.go (loadYamlFile)
 */
export function readYaml(source: YamlSource): readonly Mapping[] {
  if (source.text.length > LARGEST_YAML) throw tooLarge({ file: source.file });
  source.effort.spend(TREE * source.text.length, { file: source.file });
  const lines = new LineCounter();
  const documents = parseDocuments(source, lines);
  if (documents.length > MOST_DOCUMENTS) throw tooLarge({ file: source.file });
  const reading = startReading(source, lines);
  return [...documents].map((document) => readDocument(document, reading));
}

/**
 * The failsafe schema leaves every scalar the text it is: which of them are numbers is compose's to say.
 *
 * The parser goes down a level of its own for some of what is wrong with a text, and only the stack ends that.
 */
function parseDocuments({ text, file }: YamlSource, lineCounter: LineCounter) {
  try {
    return parseAllDocuments(text, {
      schema: "failsafe",
      lineCounter,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: "silent",
    });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge({ file });
    throw error;
  }
}

function readDocument(document: Document.Parsed, reading: Reading): Mapping {
  const { file } = reading.source;
  const [error] = document.errors;
  if (error?.code === "RESOURCE_EXHAUSTION") throw tooLarge({ file });
  if (error) {
    throw new ActionError("E_CONFIG", {
      what: `${file} is not YAML: ${error.message}.`,
      fix: "Correct the line; indentation counts.",
      at: { file, line: reading.lines.linePos(error.pos[0]).line },
    });
  }
  rememberAnchors(document, reading);
  const tree = readNode(document.contents, { file, line: 1 }, reading);
  if (tree.kind === "mapping") return tree;
  throw new ActionError("E_CONFIG", {
    what: `${file} does not hold a mapping at its top.`,
    fix: "A compose file begins with services: and its services below.",
    at: placeOf(tree),
  });
}

/** An alias means the last anchor of its name before it. */
function rememberAnchors(document: Document.Parsed, { targets, source, lines }: Reading): void {
  const anchors = new Map<string, Node>();
  visit(document, {
    Alias: (_, alias) => {
      const target = anchors.get(alias.source);
      if (target) targets.set(alias, target);
      else throw noAnchor(alias.source, { file: source.file, line: lines.linePos(alias.range?.[0] ?? 0).line });
    },
    Value: (_, node) => {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
}

function noAnchor(name: string, at: Place): ActionError {
  return new ActionError("E_CONFIG", {
    what: `There is no anchor &${name} before the alias *${name}.`,
    fix: `Put &${name} on the value that is meant, above this line.`,
    at,
  });
}
