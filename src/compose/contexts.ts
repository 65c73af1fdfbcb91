import { ActionError } from "../errors.ts";
import { isRemote, resolveInside } from "./sources.ts";
import { type Scalar, wrongType } from "./tree.ts";
import { asText, type Section, type Sourced, sectionAt, sourced } from "./values.ts";

/** What a name in a Dockerfile may mean beside its stages and images. */
export type NamedContext = Named & Omit<Sourced, "value">;

type Named =
  /** Absolute, inside the checkout. */
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "image"; readonly image: string }
  /** A URL or git repository, as BuildKit takes it. */
  | { readonly kind: "remote"; readonly url: string };

const IMAGE = "docker-image://";

/** @throws E_CONFIG for a path that leaves the checkout, and for a name that docker would read as another one. */
export function additionalContexts(build: Section, checkout: string): ReadonlyMap<string, NamedContext> {
  const contexts = sectionAt(build, "additional_contexts");
  if (!contexts) return new Map();
  return new Map(
    [...contexts.mapping.entries].map(([name, tree]) => {
      const path = `${contexts.path}.${name}`;
      const scalar = asText(tree, path);
      const { at } = scalar;
      if (name.includes("="))
        throw new ActionError("E_CONFIG", {
          what: `${contexts.path} names the context ${JSON.stringify(name)}: docker would take what stands behind the = for where it is.`,
          fix: "Take the = out of the name.",
          at,
        });
      const { value: _, ...from } = sourced(scalar, path);
      return [name, { ...readContext(scalar, path, checkout), ...from }];
    }),
  );
}

function readContext(scalar: Scalar, path: string, checkout: string): Named {
  const { text } = scalar;
  if (text === "") throw wrongType(scalar, path, "a path or a URL");
  if (text.startsWith(IMAGE)) return { kind: "image", image: text.slice(IMAGE.length) };
  if (isRemote(text)) return { kind: "remote", url: text };
  return { kind: "folder", path: resolveInside(scalar, path, checkout) };
}
