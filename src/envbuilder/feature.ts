import { isJsonObject, type Json } from "../devcontainer/json.ts";
import { lastSegment } from "../devcontainer/paths.ts";
import { ActionError } from "../errors.ts";
import { parseReference } from "../oci/reference.ts";
import { goQuote, goSprint } from "./go-format.ts";
import { compareBytes } from "./go-json.ts";
import { md5Of } from "./hashes.ts";
import { fieldsOf, isTexts, jsonValue, membersOf, parseTyped, type Refuse, readText, readTexts } from "./typed-json.ts";

/** What envbuilder takes from a feature's devcontainer-feature.json. */
export type FeatureSpecification = {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** Declared options with their defaults; `undefined` where one has none. */
  readonly options: ReadonlyMap<string, Json | undefined>;
  readonly containerEnv: ReadonlyMap<string, string>;
};

const FIELDS = [
  ...["id", "version", "name", "description", "documentationURL", "licenseURL", "keywords", "options"],
  "containerEnv",
];
const OPTION_FIELDS = ["type", "proposals", "enum", "default", "description"];

/**
 * Reads a devcontainer-feature.json as envbuilder does.
 * @param reference how the configuration names the feature.
 * @throws ActionError E_FEATURE for what envbuilder refuses.
 * @see https://github.com/coder/envbuilder/blob/v1.3.0/devcontainer/features/features.go (Extract)
 */
export function parseFeature(text: string, reference: string): FeatureSpecification {
  const refuse: Refuse = (why) => refuseFeature(reference, `${why}, in its devcontainer-feature.json`);
  const fields = fieldsOf(parseTyped(text, refuse), "the feature", FIELDS, refuse);
  const own = (name: string): string => readText(fields.get(name), name, refuse);
  for (const name of ["id", "version", "name"]) if (own(name) === "") throw refuse(`has no ${name}`, 0);
  own("documentationURL");
  own("licenseURL");
  refuseNoTexts(fields.get("keywords"), "keywords", refuse);
  const options = membersOf(fields.get("options"), "options", refuse).map(([name, node]) => {
    const option = fieldsOf(node, `options.${name}`, OPTION_FIELDS, refuse);
    for (const field of ["type", "description"]) readText(option.get(field), `options.${name}.${field}`, refuse);
    for (const field of ["proposals", "enum"]) refuseNoTexts(option.get(field), `options.${name}.${field}`, refuse);
    const standard = option.get("default");
    return [name, standard && jsonValue(standard)] as const;
  });
  return {
    name: own("name"),
    version: own("version"),
    description: own("description"),
    options: new Map(options),
    containerEnv: readTexts(fields.get("containerEnv"), "containerEnv", refuse),
  };
}

function refuseNoTexts(node: Parameters<typeof jsonValue>[0] | undefined, name: string, refuse: Refuse): void {
  if (node && !isTexts(node)) throw refuse(`has something else than a list of texts as ${name}`, node.offset);
}

/** The error about a feature that envbuilder cannot install. */
export function refuseFeature(reference: string, why: string): ActionError {
  return new ActionError("E_FEATURE", {
    what: `The feature ${reference} ${why}: envbuilder cannot build with it.`,
    fix: "Correct it, or take another version of it.",
  });
}

/**
 * The folder in which envbuilder unpacks a feature: it stands in the Dockerfile, and so in every key behind it.
 * @throws ActionError E_FEATURE for a reference that names nothing.
 */
export function featureFolder(reference: string): string {
  return `/.envbuilder/features/${nameOf(reference)}-${md5Of(reference).slice(0, 8)}`;
}

function nameOf(reference: string): string {
  // Go's `strings.Cut`: wherever it stands.
  const dot = reference.indexOf("./");
  if (dot >= 0) return lastSegment(reference.slice(dot + 2)) || ".";
  const parsed = parseReference(reference);
  if ("wrong" in parsed) throw refuseFeature(reference, `is no image's name: ${parsed.wrong}`);
  return lastSegment(parsed.repository);
}

type Users = { readonly container: string; readonly remote: string };

/**
 * The lines of the Dockerfile by which envbuilder installs a feature.
 * @param given what the configuration gives it: options, or a text that is its version; everything else is nothing.
 * @throws ActionError E_FEATURE for an option that the feature does not declare.
 * @see https://github.com/coder/envbuilder/blob/v1.3.0/devcontainer/features/features.go (Compile)
 */
export function featureLines(
  reference: string,
  { name, version, description, options, containerEnv }: FeatureSpecification,
  given: Json | undefined,
  users: Users,
): readonly string[] {
  const values = new Map(Object.entries(isJsonObject(given) ? given : {}));
  if (typeof given === "string") values.set("version", given);
  const unknown = [...values.keys()].find((option) => !options.has(option));
  if (unknown !== undefined) throw refuseFeature(reference, `has no option ${unknown}`);
  const assignments = [
    `_CONTAINER_USER=${goQuote(users.container)}`,
    `_REMOTE_USER=${goQuote(users.remote)}`,
    ...[...options].map(([option, standard]) => {
      const value = values.has(option) ? values.get(option) : standard;
      return `${upper(option)}=${goQuote(goSprint(value))}`;
    }),
  ];
  const environment = [...containerEnv].sort(([one], [other]) => compareBytes(one, other));
  return [
    `# ${name} ${version}${description === "" ? "" : ` - ${description}`}`,
    `WORKDIR ${featureFolder(reference)}`,
    ...environment.map(([variable, value]) => `ENV ${variable}=${value}`),
    `RUN ${[...assignments.sort(compareBytes), "./install.sh"].join(" ")}`,
  ];
}

/** Go knows capitals of one letter for one letter alone. */
function upper(text: string): string {
  return [...text]
    .map((char) => {
      const capital = char.toUpperCase();
      return [...capital].length === 1 ? capital : char;
    })
    .join("");
}
