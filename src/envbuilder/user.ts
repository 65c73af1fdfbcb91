import { type Dockerfile, parseDockerfile, type Stage } from "../dockerfile/parse.ts";
import { lexShell } from "../dockerfile/shell.ts";
import { argWords } from "../dockerfile/words.ts";
import { ActionError } from "../errors.ts";

/** Who works in the container: as the Dockerfile says, or as the config of the image does that its last stage stands on. */
export type Users =
  | { readonly kind: "user"; readonly user: string }
  | { readonly kind: "image"; readonly image: string; readonly line: number };

/**
 * Finds the user as envbuilder does: the last USER of the last stage or of the stages that it stands on, as it is written.
 * @param args the build args, by name.
 * @throws ActionError E_DOCKERFILE for what envbuilder's parser refuses.
 * @see https://github.com/coder/envbuilder/blob/v1.3.0/devcontainer/devcontainer.go (UserFromDockerfile)
 */
export function findUser(text: string, args: ReadonlyMap<string, string>, file: string): Users {
  const dockerfile = parseDockerfile(text, file);
  const values = argumentValues(dockerfile, args);
  const bases = dockerfile.stages.map((stage) => baseOf(stage, values, file));
  // Of two stages of one name the later counts.
  const named = new Map(dockerfile.stages.flatMap(({ name, index }) => (name === undefined ? [] : [[name, index]])));
  let at = dockerfile.stages.length - 1;
  for (;;) {
    const stage = dockerfile.stages[at];
    const base = bases[at] ?? "";
    if (!stage) return { kind: "user", user: "" };
    const said = stage.instructions.findLast(({ keyword }) => keyword === "USER");
    if (said) return { kind: "user", user: said.rest };
    if (base === "scratch") return { kind: "user", user: "" };
    const next = base === "" ? undefined : named.get(base);
    if (next === undefined) return { kind: "image", image: base.trim(), line: stage.from.line };
    // It goes up only: a stage that stands on itself, or on a later one, has no user.
    if (next >= at) return { kind: "user", user: "" };
    at = next;
  }
}

/** Every ARG of the file, in any stage; only the first name of each, and values with the quotation marks that they are written with. */
function argumentValues(
  { globalArgs, stages, escape: escapeChar }: Dockerfile,
  given: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const all = [...globalArgs, ...stages.flatMap(({ instructions }) => instructions)];
  return new Map(
    all
      .filter(({ keyword }) => keyword === "ARG")
      .flatMap(({ rest }) => {
        const [first] = argWords(rest, escapeChar);
        const value = first && (given.get(first.name) ?? first.value);
        return first && value !== undefined ? [[first.name, value] as const] : [];
      }),
  );
}

function baseOf({ from }: Stage, values: ReadonlyMap<string, string>, file: string): string {
  const lookup = (name: string) => {
    const value = values.get(name);
    return value === undefined ? ({ kind: "unset" } as const) : ({ kind: "value", value } as const);
  };
  const lexed = lexShell(from.base, { escape: "\\", lookup, dialect: "0.26" });
  if (lexed.kind === "lexed") return lexed.text;
  throw new ActionError("E_DOCKERFILE", {
    what: `The variables in FROM ${from.base} cannot be replaced${lexed.kind === "wrong" ? `: ${lexed.what}` : ""}.`,
    fix: "Write the name of the image in a simpler way.",
    at: { file, line: from.line },
  });
}
