/** Words of a switch, as YAML and people write them. Names of variables are upper-case, and one may be called ON. */
const SWITCH = /^(?:[Tt]rue|TRUE|[Ff]alse|FALSE|[Yy]es|[Nn]o|on|off|none|null|undefined|auto|all)$/;

/** Whether a value is meant for a switch: where a name is wanted, nobody has called anything so. */
export function isSwitch(value: string): boolean {
  return SWITCH.test(value);
}

/** What a value shows of how it was written, where that may be why it is wrong: a sentence and a blank, or nothing. */
export function hintOf(value: string): string {
  if (/^(["'“”‘’]).*["'“”‘’]$/s.test(value)) return "The quotation marks are part of the value: take them away. ";
  if (/^-\s/.test(value)) return "The dash is part of the value: an input is a text and no list of YAML. ";
  if (/^[[{]/.test(value)) return "JSON is not read here. ";
  if (/^[A-Za-z]:\\|^[^/]*\\/.test(value)) return "Paths are written with /. ";
  if (value.includes("${{"))
    return "The host has not replaced the expression: it stands in the value as it is written. ";
  if (/\$\(|\$\{?[A-Za-z_]/.test(value))
    return `Variables of a shell are not replaced in an input: write \${{ env.NAME }} or \${{ github.… }}. `;
  const [odd] = value.match(/[^\t\n\r -~]/u) ?? [];
  return odd === undefined ? "" : tellOdd(odd);
}

/** What cannot be seen, or looks like another letter, comes with a text that was copied. */
function tellOdd(char: string): string {
  const code = `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
  const isSeen = /[\p{L}\p{N}\p{P}\p{S}]/u.test(char);
  return isSeen
    ? `The character ${char} in it (${code}) is not one of ASCII: write it anew. `
    : `A character in it (${code}) cannot be seen: write it anew. `;
}
