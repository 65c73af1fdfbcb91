import { readJson } from "../oci/json.ts";
import { isRecord } from "../oci/manifest.ts";
import { tellsAboutSecret } from "./secret-names.ts";

/** Shorter ones are in too many harmless values: they count as a whole value alone. */
export const SHORTEST = 8;

/** A keystore has thousands of lines, and each is looked for in several forms. */
const MOST_PARTS = 100;

/** What a setting is called that holds a credential: `_authToken`, `aws_secret_access_key`; and not `author`, `COMPASS`, `tokenizer`. */
const SECRET_KEY =
  /auth(?!or(?!i[sz]))|token(?!i[sz])|(?<!com|by)pass(?!enger|ive)|pwd|secret|credential|key$|key_?id$/i;
const PUBLIC_KEY = /(?:^|[_.-])(?:public|version)(?:[_.-]|$)/i;

/**
 * What of a secret's text is a credential: of a file with settings (.npmrc, .netrc, a service account's JSON, a private key) the values that
 * matter, and not each of its lines; of any other text the whole. The whole of a file counts beside its parts.
 * @param text what an input, a variable or a file holds.
 */
export function credentialsIn(text: string): readonly string[] {
  const whole = text.trim();
  if (whole === "") return [];
  const parts = [...new Set(partsOf(whole))].filter((part) => part !== whole).slice(0, MOST_PARTS);
  const isWhole = whole.includes("\n") ? parts.length > 0 : !isHarmlessSetting(whole) && !isPublicKey(whole);
  return isWhole ? [whole, ...parts] : parts;
}

function partsOf(text: string): readonly string[] {
  const json = /^[[{]/.test(text) ? readJson(text) : undefined;
  if (json !== undefined) return partsOfJson("", json);
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const parts: string[] = [];
  let partsIn = partsOfLine;
  for (const line of lines) {
    const [, mark, what = ""] = /^-+ ?(BEGIN|END)\b(.*)/.exec(line) ?? [];
    if (mark === undefined) parts.push(...partsIn(line));
    else partsIn = mark === "BEGIN" ? partsOfBlock(what) : partsOfLine;
  }
  return parts;
}

/** What is between BEGIN and END: a certificate, a public key or a list of what is revoked is made to be shown. */
function partsOfBlock(what: string): (line: string) => readonly string[] {
  const isPublic = /\b(?:CERTIFICATE|PUBLIC|CRL|PARAMETERS)\b/.test(what) && !what.includes("PRIVATE");
  return (line) => (isPublic || line.length < SHORTEST ? [] : [line]);
}

function partsOfJson(key: string, value: unknown): readonly string[] {
  if (typeof value === "string") return value.includes("\n") ? partsOf(value) : partsOfSetting(key, value);
  if (Array.isArray(value)) return value.flatMap((item: unknown) => partsOfJson(key, item));
  return isRecord(value) ? Object.entries(value).flatMap(([name, item]) => partsOfJson(name, item)) : [];
}

/** `NAME=value`, also with an address as a name (.npmrc), and `name: value`. */
const SETTING = /^(?:export\s+)?["']?([\w./@:-]*\w)["']?\s*(?:=|:\s)\s*(.*)$/;

function partsOfLine(line: string): readonly string[] {
  if (/^(?:[#;]|$)/.test(line) || isPublicKey(line)) return [];
  const logins = loginsIn(line);
  // [registry], [url "https://user:password@host/"]
  if (/^\[[^\]]*\]$/.test(line)) return logins;
  if (/^<[^!]/.test(line) && !line.includes("<![")) return [...logins, ...partsOfTags(line)];
  const [, key, value] = SETTING.exec(line) ?? [];
  if (key !== undefined && value !== undefined)
    return [...logins, ...partsOfSetting(key, value.replace(/^(["'])(.*)\1,?$/, "$2"))];
  const words = line.split(/\s+/);
  if (words.length === 1) return isWord(line) || isAddress(line) || isFrame(line) ? logins : [...logins, line];
  // .netrc: machine … login … password …
  const named = words.filter((_, at) => words[at - 1] === "password");
  return [...logins, ...named, ...words.filter(looksRandom)];
}

/** What holds other lines of a file and says nothing by itself: a brace, a document's beginning, a section of YAML. */
function isFrame(line: string): boolean {
  return /^(?:[^A-Za-z\d]{1,7}|"?[\w.-]+"?:)$/.test(line) && !looksRandom(line);
}

/** `<password>…</password>`, and `<add key="ClearTextPassword" value="…"/>`, where one attribute says what the other is. */
function partsOfTags(line: string): readonly string[] {
  const texts = [...line.matchAll(/<([\w.:-]+)(?:\s[^<>]*)?>([^<>]+)(?=<|$)/g)].map(
    ([, name = "", text = ""]) => [name, text.trim()] as const,
  );
  const attributes = [...line.matchAll(/(?<![\w.:-])([\w.:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(
    ([, name = "", double, single]) => [name.toLowerCase(), double ?? single ?? ""] as const,
  );
  const naming = attributes.find(([name]) => name === "key" || name === "name");
  const settings = attributes.filter((one) => one !== naming);
  return [
    ...texts.flatMap(([name, text]) => partsOfSetting(name, text)),
    ...settings.flatMap(([name, value]) => partsOfSetting(name === "value" ? (naming?.[1] ?? name) : name, value)),
  ];
}

function partsOfSetting(key: string, value: string): readonly string[] {
  const isNamed = SECRET_KEY.test(key) && !PUBLIC_KEY.test(key) && !tellsAboutSecret(key);
  return (isNamed && !isHarmlessValue(value)) || looksRandom(value) ? [value, ...loginsIn(value)] : loginsIn(value);
}

/** The passwords of the addresses in a text, and users of theirs that can only be tokens: `https://<token>@host`. */
function loginsIn(text: string): readonly string[] {
  const users = [...text.matchAll(/:\/\/([^\s/?#:@]{16,200})(?::[^\s/?#@]{0,500})?@/g)].flatMap(
    ([, user = ""]) => user,
  );
  return [...passwordsIn(text), ...users.filter(looksRandom)];
}

/** A line of `known_hosts` or of an `id_….pub`. */
function isPublicKey(line: string): boolean {
  return /(?:^|\s)(?:ssh-|ecdsa-|sk-)[\w@.-]{1,60}\s+AAAA[\w+/]+=*(?:\s|$)/.test(line);
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

/** An address without a login, a switch, a number, or a variable without a default that stands for something else. */
function isHarmlessValue(value: string): boolean {
  return /^(?:true|false|null|\d{1,6}|\$\w+|\$\{[\w.]+(?::?[-?])?\}|%\w+%|)$/.test(value) || isAddress(value);
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

/**
 * A short word, a number or an address without a login: outputs and half a log are made of them, and a host that is told to hide one drops
 * every output of a job that holds it.
 */
export function isEverywhere(text: string): boolean {
  return isAddress(text) || (text.length < SHORTEST && isWord(text));
}

/** A run of letters and digits as no word has it, and no word with a year behind it. */
function looksRandom(text: string): boolean {
  return (text.match(/[A-Za-z\d]{16,}/g) ?? []).some(
    (run) => /\d/.test(run) && /[A-Za-z]/.test(run) && !/^[A-Za-z][a-z]*\d{1,4}$/.test(run),
  );
}
