/** One challenge of a `WWW-Authenticate` header: scheme and parameter names in lower case. */
export type Challenge = { readonly scheme: string; readonly params: Readonly<Record<string, string>> };

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y;

/**
 * Reads all challenges of one or more `WWW-Authenticate` headers: several in one header, commas in quotes, parameters in any order.
 * What cannot be read is passed over: a broken challenge beside a good one must not hide it.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 */
export function parseChallenges(headers: readonly string[]): Challenge[] {
  return headers.flatMap(parseHeader);
}

/** The challenge that is answered: Bearer, where it says where to ask, before Basic, whatever else there is. */
export function chooseChallenge(header: string | readonly string[] | undefined): Challenge | undefined {
  const challenges = parseChallenges(header === undefined ? [] : typeof header === "string" ? [header] : header);
  const [bearer, basic] = ["bearer", "basic"].map((wanted) => challenges.filter(({ scheme }) => scheme === wanted));
  // One without a realm is answered only where there is no other, so that the error says what is missing.
  return bearer?.find(({ params }) => params.realm) ?? basic?.[0] ?? bearer?.[0];
}

function parseHeader(header: string): Challenge[] {
  const challenges: { readonly scheme: string; readonly params: Map<string, string> }[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(header)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  while (at < header.length) {
    match(/[\s,]*/y);
    const word = match(TOKEN);
    if (word === undefined) {
      at++;
      continue;
    }
    const equals = match(/\s*=\s*/y);
    const open = challenges.at(-1);
    if (equals !== undefined && open) {
      const value = readValue(header, at);
      at = value.end;
      // The first of two counts, so that nothing behind can change what was said.
      if (!open.params.has(word.toLowerCase())) open.params.set(word.toLowerCase(), value.text);
    } else if (equals === undefined) {
      challenges.push({ scheme: word.toLowerCase(), params: new Map() });
      match(/\s+/y);
      at += lengthOfToken68(header, at);
    }
  }
  return challenges.map(({ scheme, params }) => ({ scheme, params: Object.fromEntries(params) }));
}

/** A scheme may carry one bare value, as Negotiate does: it is nothing that we use. */
function lengthOfToken68(header: string, at: number): number {
  TOKEN68.lastIndex = at;
  const found = TOKEN68.exec(header)?.[0] ?? "";
  return /^[A-Za-z]+$/.test(found) ? 0 : found.length;
}

function readValue(header: string, from: number): { readonly text: string; readonly end: number } {
  if (header[from] !== '"') {
    const end = header.slice(from).search(/[\s,]/);
    const stop = end < 0 ? header.length : from + end;
    return { text: header.slice(from, stop), end: stop };
  }
  let text = "";
  let at = from + 1;
  for (; at < header.length && header[at] !== '"'; at++)
    text += header[at] === "\\" ? (header[++at] ?? "") : header[at];
  return { text, end: at + 1 };
}
