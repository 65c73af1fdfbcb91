import { parseJson } from "../oci/json.ts";
import { isRecord } from "../oci/manifest.ts";
import type { RegistryError } from "../world.ts";
import type { HttpFailure, HttpResponse } from "./http.ts";

const WORDS_LENGTH = 300;

/** How a request is named in messages: method and address, without the query, in which storage hosts keep signatures. */
export function nameRequest(method: string, url: URL): string {
  return `${method} ${url.origin}${url.pathname}`;
}

const FAILURE_FIXES: Partial<Readonly<Record<HttpFailure["why"], string>>> = {
  certificate:
    "Give its certificate authority in the input ssl-cert-base64, or name the registry in the input insecure.",
  "no-tls": "If it speaks plain http, name it in the input insecure.",
  "no-host": "Check the name, and the proxy's variables where there is a proxy.",
  "proxy-login":
    "The proxy wants a login, or another one: write it into HTTPS_PROXY (HTTP_PROXY for plain http) as http://user:password@host:port, with %40 for an @ in it.",
};

/** A request to which nothing, or nothing whole, came back. */
export function failureOf(request: string, { words, why }: HttpFailure): RegistryError {
  const fix = FAILURE_FIXES[why];
  return { kind: "unavailable", request, words: oneLine(words), ...(fix === undefined ? {} : { fix }) };
}

/** An answer that is not what the protocol says. */
export function malformed(request: string, words: string, status?: number): RegistryError {
  return { kind: "malformed", request, words: oneLine(words), ...(status === undefined ? {} : { status }) };
}

/** An answer, what it was asked, and whether another host than the one that was asked gave it, behind a redirect. */
export type Said = { readonly name: string; readonly response: HttpResponse; readonly isElsewhere: boolean };

/**
 * What an answer that is no success says. Only a registry's own 404, with the specification's words for it, is absence: a page in HTML, a
 * proxy that knows no such route, an empty body or the host that a redirect leads to is somebody else's answer, or none. (An answer to HEAD
 * never has a body, so never says it.)
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
 */
export function errorOf({ name, response, isElsewhere }: Said): RegistryError {
  const { status } = response;
  const told = readWords(response.body);
  const said = kindOf(response, told);
  const kind = said === "absent" && isElsewhere ? "malformed" : said;
  const fix = kind === "limited" ? limitAdvice(response) : told.codes.includes("NAME_INVALID") ? OTHER_NAME : undefined;
  const words = told.words ?? [`status ${status}`, ...readPlainText(response)].join(": ");
  const doubt =
    said === "malformed" && told.words === undefined
      ? ", in a form that is no registry's"
      : said === kind
        ? ""
        : ", and it is another host that says so";
  return {
    kind,
    request: name,
    status,
    words: oneLine(`${words}${doubt}`),
    ...(fix === undefined ? {} : { fix }),
  };
}

/** https://github.com/go-gitea/gitea/blob/v1.27.3/routers/api/packages/container/container.go (imageNamePattern) */
const OTHER_NAME =
  "The registry takes no repository of this name; Gitea and Forgejo want single dots, dashes and underscores between small letters and digits. Choose another one, for the cache repository in the input cache-repo.";

/** `codes`: those of the specification's list of errors, a text of nothing for an error without one. */
type Told = { readonly codes: readonly string[]; readonly words: string | undefined };

/**
 * The specification's codes for what is not there, and Harbor's own (https://github.com/goharbor/harbor/issues/20764). A gateway in front
 * of a registry lists errors too: what it does not know is a service.
 */
const ABSENCE = new Set([
  "BLOB_UNKNOWN",
  "BLOB_UPLOAD_UNKNOWN",
  "MANIFEST_BLOB_UNKNOWN",
  "MANIFEST_UNKNOWN",
  "NAME_UNKNOWN",
  "NOT_FOUND",
]);

function kindOf({ status }: HttpResponse, { codes, words = "" }: Told): RegistryError["kind"] {
  if (status === 429 || codes.some((code) => /^TOOMANYREQUESTS$/i.test(code))) return "limited";
  if (status === 401 || status === 403) return "denied";
  if (status === 408 || status >= 500) return "unavailable";
  // Immutable tags are told with 400 and in words alone: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
  if (codes.some((code) => /^(?:DENIED|UNAUTHORIZED)$/i.test(code)) || /\bimmutable\b/i.test(words)) return "denied";
  // ACR says "not found" of a manifest that is there in a type that was not asked for: https://github.com/Azure/acr/issues/764
  const isThere = /found, but/i.test(words);
  const isAbsence = codes.length > 0 && codes.every((code) => ABSENCE.has(code));
  return status === 404 && isAbsence && !isThere ? "absent" : "malformed";
}

/** `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"…"}]}`, or the looser forms of token servers. */
function readWords(body: Uint8Array): Told {
  const json = parseJson(body);
  if (!isRecord(json)) return { codes: [], words: undefined };
  const listed: readonly unknown[] = Array.isArray(json.errors) ? json.errors : [];
  const codes = listed.map((one) => (isRecord(one) && isText(one.code) ? one.code : ""));
  const errors = listed.filter(isRecord);
  const lines = errors.map(({ code, message }) => [code, message].filter(isText).join(": ")).filter(isText);
  const words = lines.length > 0 ? lines.join("; ") : [json.details, json.message, json.error].find(isText);
  return { codes, words };
}

/** Proxies, and registries that have had enough, say it without JSON. */
function readPlainText({ headers, body }: HttpResponse): readonly string[] {
  const isPlain = String(headers["content-type"] ?? "").startsWith("text/plain");
  const text = isPlain ? new TextDecoder().decode(body).trim() : "";
  return text === "" ? [] : [text];
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** https://docs.docker.com/docker-hub/usage/pulls/#view-hourly-pull-rate-and-limit: `100;w=21600` are a hundred in six hours. */
function limitAdvice({ headers }: HttpResponse): string {
  const first = (name: string): string | undefined => String(headers[name] ?? "").split(/[;,]/, 1)[0] || undefined;
  const [left, limit, after] = [first("ratelimit-remaining"), first("ratelimit-limit"), first("retry-after")];
  const told = left === undefined ? "" : ` The registry says that ${left} of ${limit ?? "?"} are left.`;
  const wait = after !== undefined && /^\d+$/.test(after) ? ` It asks to wait ${after} seconds.` : "";
  return `Log in to that registry, or wait and run the job again.${told}${wait}`;
}

function oneLine(words: string): string {
  const line = words.replace(/\s+/g, " ").trim();
  return line.length > WORDS_LENGTH ? `${line.slice(0, WORDS_LENGTH)}…` : line;
}
