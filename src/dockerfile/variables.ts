// Only ASCII: what else is part of a name the builder decides.
const PLAIN = /^(?:[ -#%-&(-[\]-_a-~\t]|\$[A-Za-z_]\w*(?!\w)|\$\{[A-Za-z_]\w*\})*$/;

/** Whether nothing in a text is quoted with `'` or escaped, and all variables in it are `$NAME` or `${NAME}`. */
export function hasPlainVariables(text: string): boolean {
  return PLAIN.test(text);
}

/** One of the spellings of the variables in words that BuildKit expands: `${NAME}` for `$NAME`. */
export function spellVariables(text: string): string {
  return hasPlainVariables(text) ? text.replace(/\$([A-Za-z_]\w*)/g, (_, name: string) => `\${${name}}`) : text;
}
