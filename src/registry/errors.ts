import type { RegistryError } from "../world.ts";
import type { HttpFailure, HttpResponse } from "./http.ts";

const WORDS_LENGTH = 300;

/** How a request is named in messages: method and address, without the query, in which storage hosts keep signatures. */
export function nameRequest(method: string, url: URL): string {
  return `${method} ${url.origin}${url.pathname}`;
}

/** A request to which nothing, or nothing whole, came back. */
export function failureOf(request: string, failure: HttpFailure): RegistryError {
  return { kind: "unavailable", request, words: oneLine(failure.words) };
}

/** An answer that is not what the protocol says. */
export function malformed(request: string, words: string, status?: number): RegistryError {
  return { kind: "malformed", request, words: oneLine(words), ...(status === undefined ? {} : { status }) };
}

/**
 * What an answer that is no success says. Only a registry's own 404 is absence: a page in HTML is somebody else's answer.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
 */
export function errorOf(request: string, response: HttpResponse): RegistryError {
  const { status } = response;
  const told = registryWords(response.body);
  const words = oneLine(told ?? `status ${status}`);
  const kind = kindOf(response, told !== undefined);
  const fix = kind === "limited" ? limitAdvice(response) : undefined;
  return {
    kind,
    request,
    status,
    words: kind === "malformed" && told === undefined ? `${words}, in a form that is no registry's` : words,
    ...(fix === undefined ? {} : { fix }),
  };
}

function kindOf({ status, body, headers }: HttpResponse, isRegistrys: boolean): RegistryError["kind"] {
  if (status === 401 || status === 403) return "denied";
  if (status === 429) return "limited";
  if (status === 404)
    return isRegistrys || (body.length === 0 && !isHtml(headers)) || isPlainNotFound(body, headers)
      ? "absent"
      : "malformed";
  if (status === 408 || status >= 500) return "unavailable";
  return "malformed";
}

function isHtml(headers: HttpResponse["headers"]): boolean {
  return String(headers["content-type"] ?? "").includes("html");
}

/** Some registries say it in one plain line. */
function isPlainNotFound(body: Uint8Array, headers: HttpResponse["headers"]): boolean {
  return (
    String(headers["content-type"] ?? "").startsWith("text/plain") &&
    /^[^<]{0,200}$/.test(new TextDecoder().decode(body))
  );
}

/** `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"…"}]}`, or a token server's `{"details":"…"}`. */
function registryWords(body: Uint8Array): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
  if (typeof json !== "object" || json === null) return undefined;
  if ("errors" in json && Array.isArray(json.errors)) {
    const told = json.errors.flatMap((error: unknown) => {
      if (typeof error !== "object" || error === null) return [];
      const code = "code" in error && typeof error.code === "string" ? error.code : "";
      const message = "message" in error && typeof error.message === "string" ? error.message : "";
      return [[code, message].filter((part) => part !== "").join(": ")];
    });
    if (told.length > 0) return told.join("; ");
  }
  if ("details" in json && typeof json.details === "string") return json.details;
  return "message" in json && typeof json.message === "string" ? json.message : undefined;
}

function limitAdvice({ headers }: HttpResponse): string {
  const left = headers["ratelimit-remaining"];
  const window = headers["ratelimit-limit"];
  const told =
    left === undefined ? "" : ` The registry says that ${String(left)} of ${String(window ?? "?")} are left.`;
  return `Log in to that registry, or wait and run the job again.${told}`;
}

function oneLine(words: string): string {
  const line = words.replace(/\s+/g, " ").trim();
  return line.length > WORDS_LENGTH ? `${line.slice(0, WORDS_LENGTH)}…` : line;
}
