import { matchPath } from "../dockerfile/go-match.ts";

/** What `.gitattributes` says of a file that makes git write something else than it keeps. */
export type Attributes = { readonly filtersOf: (path: string) => Promise<readonly string[]> };

type Rule = { readonly pattern: string; readonly filters: readonly string[] };

const FILTER = /^(?:filter=.*|eol=crlf|ident|working-tree-encoding=.*)$/;

/**
 * Reads `.gitattributes` where it stands. A file counts as soon as its last name fits to the last name of a pattern: too many are taken for
 * filtered, and none too few.
 * @param read a file's text, its path relative to the checkout.
 * @see https://git-scm.com/docs/gitattributes
 */
export function openAttributes(read: (path: string) => Promise<string | undefined>): Attributes {
  const known = new Map<string, Promise<readonly Rule[]>>();
  const rulesOf = (folder: string): Promise<readonly Rule[]> => {
    const rules = known.get(folder) ?? read(`${folder}.gitattributes`).then((text) => readRules(text ?? ""));
    known.set(folder, rules);
    return rules;
  };
  return {
    filtersOf: async (path) => {
      const names = path.split("/");
      const name = names.at(-1) ?? "";
      const found: string[] = [];
      for (let depth = 0; depth < names.length; depth++) {
        const folder = names
          .slice(0, depth)
          .map((one) => `${one}/`)
          .join("");
        for (const { pattern, filters } of await rulesOf(folder))
          if (matchPath(pattern, name) !== false) found.push(...filters);
      }
      return found;
    },
  };
}

function readRules(text: string): readonly Rule[] {
  return text.split("\n").flatMap((line) => {
    const [written = "", ...attributes] = line.trim().split(/\s+/);
    const filters = attributes.filter((attribute) => FILTER.test(attribute));
    if (filters.length === 0 || written.startsWith("#")) return [];
    // A quoted pattern may hold anything, and what a macro stands for may be set anywhere.
    const last = /^"|^\[attr\]/.test(written) ? "*" : (written.replace(/\/+$/, "").split("/").at(-1) ?? "*");
    return [{ pattern: last === "**" ? "*" : last, filters }];
  });
}
