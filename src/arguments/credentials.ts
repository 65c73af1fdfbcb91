import { readJson } from "../oci/json.ts";
import { isRecord } from "../oci/manifest.ts";

/** Shorter ones are in too many harmless values: they count as a whole value alone. */
export const SHORTEST = 8;

/** A keystore has thousands of lines, and each is looked for in several forms. */
const MOST_PARTS = 100;

/** What a setting is called that holds a credential: `_authToken`, `aws_secret_access_key`. */
const SECRET_KEY = /auth|token|pass|pwd|secret|credential|key$|key_?id$/i;

/**
 * What of a secret's text is a credential: of a file with settings (.npmrc, .netrc, a service account's JSON, a private key) the values that
 * matter, and not each of its lines; of any other text the whole. The whole of a file counts beside its parts.
 * @param text what an input, a variable or a file holds.
 */
export function credentialsIn(text: string): readonly string[] {
  const whole = text.trim();
  if (whole === "") return [];
  const parts = [...new Set(partsOf(whole))].filter((part) => part !== whole).slice(0, MOST_PARTS);
  const isWhole = whole.includes("\n") ? parts.length > 0 : !isHarmlessSetting(whole);
  return isWhole ? [whole, ...parts] : parts;
}

function partsOf(text: string): readonly string[] {
  const json = /^[[{]/.test(text) ? readJson(text) : undefined;
  if (json !== undefined) return partsOfJson("", json);
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const parts: string[] = [];
  let isKey = false;
  for (const line of lines) {
    const [, mark] = /^-+ ?(BEGIN|END)\b/.exec(line) ?? [];
    if (mark !== undefined) isKey = mark === "BEGIN";
    else if (isKey) parts.push(...(line.length >= SHORTEST ? [line] : []));
    else if (!/^(?:[#;]|\[[^\]]*\]$|$)/.test(line)) parts.push(...partsOfLine(line));
  }
  return parts;
}

function partsOfJson(key: string, value: unknown): readonly string[] {
  if (typeof value === "string") return value.includes("\n") ? partsOf(value) : partsOfSetting(key, value);
  if (Array.isArray(value)) return value.flatMap((item: unknown) => partsOfJson(key, item));
  return isRecord(value) ? Object.entries(value).flatMap(([name, item]) => partsOfJson(name, item)) : [];
}

/** `NAME=value`, also with an address as a name (.npmrc), and `name: value`. */
const SETTING = /^(?:export\s+)?["']?([\w./@:-]*\w)["']?\s*(?:=|:\s)\s*(.*)$/;

function partsOfLine(line: string): readonly string[] {
  const logins = passwordsIn(line);
  const [, key, value] = SETTING.exec(line) ?? [];
  if (key !== undefined && value !== undefined)
    return [...logins, ...partsOfSetting(key, value.replace(/^(["'])(.*)\1,?$/, "$2"))];
  const words = line.split(/\s+/);
  if (words.length === 1) return isWord(line) || isAddress(line) ? logins : [...logins, line];
  // .netrc: machine … login … password …
  const named = words.filter((_, at) => words[at - 1] === "password");
  return [...logins, ...named, ...words.filter(looksRandom)];
}

function partsOfSetting(key: string, value: string): readonly string[] {
  const isSecret = SECRET_KEY.test(key) && !isHarmlessValue(value);
  return isSecret || looksRandom(value) ? [value, ...passwordsIn(value)] : passwordsIn(value);
}

/** The passwords of the addresses in a text, as they are written and unescaped. */
export function passwordsIn(text: string): readonly string[] {
  return [...text.matchAll(/:\/\/[^\s/?#:@]{0,200}:([^\s/?#@]{1,500})@/g)].flatMap(([, password = ""]) =>
    /^\$/.test(password) ? [] : [password, unescaped(password)],
  );
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isHarmlessSetting(line: string): boolean {
  const [, key, value = ""] = SETTING.exec(line) ?? [];
  return key !== undefined && /[a-z-]{3}/.test(key) && value !== "" && isHarmlessValue(value);
}

/** An address without a login, a switch, a number, or a variable that stands for something else. */
function isHarmlessValue(value: string): boolean {
  return /^(?:true|false|null|\d{1,6}|\$\{?\w+\}?|)$/.test(value) || isAddress(value);
}

/** One plain word, or a number: nobody can tell whether a text means the secret by it. */
export function isWord(text: string): boolean {
  return /^(?:[A-Za-z][a-z]{0,14}|[A-Z]{1,15}|\d[\d.]{0,14})$/.test(text);
}

/** A host, path, image or address made of words, without a login. */
export function isAddress(text: string): boolean {
  if (!/^(?:[a-z][a-z\d+.-]{0,30}:\/\/)?[\w.-]*(?::\d+)?(?:\/[\w.@:~+-]*)*$/i.test(text)) return false;
  if (!text.includes("/") && !/\.[a-z]{2,6}$/.test(text)) return false;
  return text.split(/[^A-Za-z\d]+/).every((word) => /^(?:[A-Za-z]?[a-z]*\d{0,3}|[A-Z]+|v?\d{1,6})$/.test(word));
}

/** A run of letters and digits as no word has it. */
function looksRandom(text: string): boolean {
  return (text.match(/[A-Za-z\d]{16,}/g) ?? []).some((run) => /\d/.test(run) && /[A-Za-z]/.test(run));
}
