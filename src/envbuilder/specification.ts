import type { Json } from "../devcontainer/json.ts";
import { ActionError, type Place } from "../errors.ts";
import {
  type Fields,
  fieldsOf,
  isTexts,
  jsonValue,
  membersOf,
  parseTyped,
  type Refuse,
  readText,
  readTexts,
} from "./typed-json.ts";

/** What envbuilder takes from a devcontainer.json; what is not written is empty. */
export type Specification = {
  readonly image: string;
  /** Old properties are at their new place, where they go over what stands there. */
  readonly dockerfile: string;
  readonly context: string;
  readonly args: ReadonlyMap<string, string>;
  readonly containerUser: string;
  readonly remoteUser: string;
  /** By reference, as written. */
  readonly features: ReadonlyMap<string, Json>;
};

const FIELDS = [
  ...[
    "image",
    "build",
    "remoteUser",
    "containerUser",
    "containerEnv",
    "remoteEnv",
    "features",
    "dockerFile",
    "context",
  ],
  ...["onCreateCommand", "updateContentCommand", "postCreateCommand", "postStartCommand"],
];
const BUILD_FIELDS = ["dockerfile", "context", "args", "target", "cache_from"];

/**
 * Reads a devcontainer.json as envbuilder does: JSON with comments and commas behind the last item, and every property that it knows of the
 * type that it wants. Names count in any case of their letters.
 * @param file how messages name it.
 * @throws ActionError E_CONFIG for what envbuilder refuses: it would build its fallback image, which nobody has asked for.
 * @see https://github.com/coder/envbuilder/blob/v1.3.0/devcontainer/devcontainer.go (Parse)
 */
export function parseSpecification(text: string, file: string): Specification {
  const refuse = refuser(text, file);
  const fields = fieldsOf(parseTyped(text, refuse), "the configuration", FIELDS, refuse);
  const build = fieldsOf(fields.get("build"), "build", BUILD_FIELDS, refuse);
  refuseWrongTypes(fields, build, refuse);
  const [own, inBuild] = [textsOf(fields, "", refuse), textsOf(build, "build.", refuse)];
  const features = membersOf(fields.get("features"), "features", refuse);
  return {
    image: own("image"),
    dockerfile: own("dockerFile") || inBuild("dockerfile"),
    context: own("context") || inBuild("context"),
    args: readTexts(build.get("args"), "build.args", refuse),
    containerUser: own("containerUser"),
    remoteUser: own("remoteUser"),
    features: new Map(features.map(([name, node]) => [name, jsonValue(node)])),
  };
}

function textsOf(fields: Fields, prefix: string, refuse: Refuse): (name: string) => string {
  return (name) => readText(fields.get(name), prefix + name, refuse);
}

function refuser(text: string, file: string): Refuse {
  return (why, offset) => {
    const at: Place = { file, line: text.slice(0, offset).split("\n").length };
    return new ActionError("E_CONFIG", {
      what: `${file} ${why}: envbuilder does not read it, and would build its fallback image.`,
      fix: "Correct it; envbuilder is stricter than other tools.",
      at,
    });
  };
}

/** What envbuilder reads for other ends than the image, and refuses the whole file for. */
function refuseWrongTypes(fields: Fields, build: Fields, refuse: Refuse): void {
  for (const name of ["target", "cache_from"]) readText(build.get(name), `build.${name}`, refuse);
  for (const name of ["containerEnv", "remoteEnv"]) readTexts(fields.get(name), name, refuse);
  for (const name of ["onCreateCommand", "updateContentCommand", "postCreateCommand", "postStartCommand"]) {
    const node = fields.get(name);
    const commands = node?.type === "object" ? membersOf(node, name, refuse).map(([, command]) => command) : [node];
    const bad = commands.find(
      (command) => command?.type === "array" && !(isTexts(command) && command.children?.length),
    );
    if (bad) throw refuse(`has an empty list, or one with something else than texts, in ${name}`, bad.offset);
  }
}
