import { ActionError } from "../errors.ts";
import { nearestName } from "../nearest.ts";
import { compareBytes } from "./go-json.ts";
import { parseGoBool, parseGoCsv, parseGoInt } from "./go-values.ts";
import {
  findOption,
  isSecretOption,
  OPTION_NAMES,
  type OptionKind,
  type OptionName,
  type Options,
  PREFIX,
} from "./options.ts";

/** What the builder image is to be run with, and what its options are then. */
export type BuilderEnvironment = {
  /** By name, sorted by bytes. */
  readonly variables: ReadonlyMap<string, string>;
  readonly options: Options;
  /** What is probably not meant, each a sentence. */
  readonly warnings: readonly string[];
};

/** Not to be set through `extra_env`, whatever stands there. */
const FIXED: ReadonlySet<string> = new Set(["ENVBUILDER_CACHE_REPO", "ENVBUILDER_GIT_URL"]);

type Value = Options[OptionName];

/**
 * Computes the environment as the Terraform resource `envbuilder_cached_image` does: the attributes as options, `extra_env` over them, and
 * of the options that something was set for their text.
 *
 * @param attributes the options that were set by an attribute of their own.
 * @param extra variables by name.
 * @throws ActionError E_INPUT for an option that is unknown, has a value of the wrong type or is set by both of its names, and for two ssh keys.
 * @see https://github.com/coder/terraform-provider-envbuilder/blob/446bafa/internal/provider/helpers.go
 */
export function computeEnvironment(attributes: Options, extra: ReadonlyMap<string, string>): BuilderEnvironment {
  // The provider's own default; envbuilder's is false.
  const values = new Map<string, Value>([["ENVBUILDER_REMOTE_REPO_BUILD_MODE", true], ...Object.entries(attributes)]);
  const warnings: string[] = [];
  refuseBothNames(extra);
  for (const [variable, text] of extra) {
    const option = findOption(variable);
    if (option === undefined) refuseUnknown(variable);
    else if (option === "later")
      warnings.push(
        `${variable} in extra-env is of a later envbuilder than the Terraform provider's, which drops it: it does nothing, and can be left out.`,
      );
    else {
      const value = parseValue(text, option.kind, variable);
      const isOther = textOf(value) !== textOf(attributes[option.name]);
      const input = inputOf(option.name);
      if (FIXED.has(variable)) {
        if (isOther) warnings.push(`${variable} in extra-env does nothing: set the input ${input}, and leave it out.`);
        continue;
      }
      if (isOther && Object.hasOwn(attributes, variable))
        warnings.push(
          `${variable} in extra-env says something else than the input ${input}, and counts: leave one of them out.`,
        );
      values.set(option.name, value);
    }
  }
  const options = Object.fromEntries(values);
  refuseTwoKeys(options);
  return { variables: variablesOf(values, extra), options, warnings };
}

/** The input for an option has the name of the resource's attribute. */
function inputOf(option: OptionName): string {
  return option.slice(PREFIX.length).toLowerCase().replaceAll("_", "-");
}

/** Go would take either, by chance. */
function refuseBothNames(extra: ReadonlyMap<string, string>): void {
  const old = [...extra.keys()].find((name) => findOption(name) !== undefined && extra.has(PREFIX + name));
  if (old === undefined) return;
  throw new ActionError("E_INPUT", {
    what: `The input extra-env sets ${PREFIX}${old} and ${old}, which are two names of one option.`,
    fix: `Leave ${old} out.`,
  });
}

function refuseUnknown(variable: string): void {
  if (!variable.startsWith(PREFIX)) return;
  const near = nearestName(variable, OPTION_NAMES);
  throw new ActionError("E_INPUT", {
    what: `The input extra-env sets ${variable}, and envbuilder has no such option.${near === undefined ? "" : ` Was ${near} meant?`}`,
    fix: "Write it as envbuilder's documentation does, or leave it out. Variables of other names go to the container as they are.",
  });
}

const ALLOWED: Readonly<Record<OptionKind, string>> = {
  text: "any text",
  flag: "true, false, 1, 0, t, f, or nothing for false",
  number: "a whole number",
  list: "one record of comma-separated values",
};

function parseValue(text: string, kind: OptionKind, variable: string): NonNullable<Value> {
  const parsed = parseAs(text, kind);
  if (parsed !== undefined) return parsed;
  const shown = isSecretOption(variable) ? "a value" : `"${text}"`;
  throw new ActionError("E_INPUT", {
    what: `The input extra-env sets ${variable} to ${shown}, which it cannot be.`,
    fix: `Allowed: ${ALLOWED[kind]}.`,
  });
}

function parseAs(text: string, kind: OptionKind): Value {
  if (kind === "flag") return parseGoBool(text);
  if (kind === "number") return parseGoInt(text);
  if (kind === "list") return text === "" ? [] : parseGoCsv(text);
  return text;
}

function refuseTwoKeys(options: Options): void {
  const { ENVBUILDER_GIT_SSH_PRIVATE_KEY_PATH: path, ENVBUILDER_GIT_SSH_PRIVATE_KEY_BASE64: content } = options;
  if (!path || !content) return;
  throw new ActionError("E_INPUT", {
    what: "The options ENVBUILDER_GIT_SSH_PRIVATE_KEY_PATH and ENVBUILDER_GIT_SSH_PRIVATE_KEY_BASE64 are both set: envbuilder takes one ssh key.",
    fix: "Leave one of git-ssh-private-key-path and git-ssh-private-key-base64 out, also in extra-env.",
  });
}

function variablesOf(
  values: ReadonlyMap<string, Value>,
  extra: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const options = [...values].map(([name, value]) => [name, textOf(value)] as const);
  const own = options.filter(([name, text]) => name.startsWith(PREFIX) && !["", "false", "0"].includes(text));
  const others = [...extra].filter(([name]) => !name.startsWith(PREFIX));
  return new Map([...own, ...others].sort(([one], [other]) => compareBytes(one, other)));
}

/** A list is joined without quotation marks, whatever its items hold. */
function textOf(value: Value): string {
  return Array.isArray(value) ? value.join(",") : String(value ?? "");
}
