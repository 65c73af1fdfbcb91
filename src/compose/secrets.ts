import { ActionError, type Place, tellSome } from "../errors.ts";
import { resolveInside } from "./sources.ts";
import { type Mapping, type Scalar, type Tree, tellText, wrongType } from "./tree.ts";
import { asText, itemsOf, type Section, type Sourced, scalarAt, textAt } from "./values.ts";

/** A secret that a build's steps may ask for by its id. */
export type BuildSecret = {
  readonly id: string;
  readonly from: /** Absolute, inside the checkout. */
  { readonly kind: "file"; readonly path: string } | { readonly kind: "environment"; readonly name: string };
  readonly at: Place;
};

/**
 * The secrets of a build, with what the project's `secrets` say of them.
 * @throws E_CONFIG for one that is not defined there, or by neither a file nor a variable.
 */
export function buildSecrets(build: Section, secrets: Mapping, checkout: string): readonly BuildSecret[] {
  const path = `${build.path}.secrets`;
  return itemsOf(build.mapping.entries.get("secrets"), path).map((item) => {
    const { source, target } = readReference(item, `An item of ${path}`);
    const definition = secrets.entries.get(source.text);
    if (definition?.kind !== "mapping") throw undefinedSecret(source, secrets);
    const from = readSource({ mapping: definition, path: `secrets.${source.text}` }, checkout);
    return { id: target?.value ?? source.text, from, at: source.at };
  });
}

function readReference(item: Tree, path: string): { readonly source: Scalar; readonly target?: Sourced | undefined } {
  if (item.kind !== "mapping") return { source: asText(item, path) };
  const section: Section = { mapping: item, path };
  const source = scalarAt(section, "source");
  if (!source) throw wrongType(item, path, "the name of a secret");
  return { source, target: textAt(section, "target") };
}

function readSource(secret: Section, checkout: string): BuildSecret["from"] {
  const variable = textAt(secret, "environment");
  if (variable) return { kind: "environment", name: variable.value };
  const file = scalarAt(secret, "file");
  if (file) return { kind: "file", path: resolveInside(file, `${secret.path}.file`, checkout) };
  throw new ActionError("E_CONFIG", {
    what: `${secret.path} says neither file nor environment, and a build can take nothing else.`,
    fix: "Add environment: and the name of a variable of this step.",
    at: secret.mapping.at,
  });
}

function undefinedSecret(source: Scalar, secrets: Mapping): ActionError {
  const names = [...secrets.entries.keys()];
  return new ActionError("E_CONFIG", {
    what: `A build wants the secret ${tellText(source)}, and the compose files have none of that name.`,
    fix: names.length > 0 ? `Those there are: ${tellSome(names)}.` : "Define it under secrets: at the top of the file.",
    at: source.at,
  });
}
