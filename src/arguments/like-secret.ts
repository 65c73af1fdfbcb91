import { type Origin, tellOrigin, type Warning, warn } from "./argument.ts";
import { tellsAboutSecret } from "./secret-names.ts";

// The words of BuildKit's own check: frontend/dockerfile/dockerfile2llb/validations.go (getSecretsRegex)
const SECRET_WORD = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const HARMLESS_WORD = /(?:_|^)(?:public|file|version)(?:_|$)/i;

/**
 * Secrets that their makers have given a form of their own, so that nothing else looks like them: wherever in a value they stand.
 * @see https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns
 */
const FORMS: readonly (readonly [what: string, form: RegExp])[] = [
  ["a token of GitHub", /\bgh[oprsu]_[A-Za-z0-9]{36}|\bgithub_pat_\w{22}/],
  ["a key of Amazon", /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
  ["a key of Anthropic", /\bsk-ant-[\w-]{20}/],
  ["a key of OpenAI", /\bsk-(?:proj|svcacct|admin)-[\w-]{20}/],
  ["a token of RubyGems", /\brubygems_[0-9a-f]{48}/],
  ["a token of DigitalOcean", /\bdo[opr]_v1_[0-9a-f]{64}/],
  ["a signed token (JWT)", /\beyJ[\w-]{10,250}\.eyJ[\w-]{10}/],
  ["a token of GitLab", /\bgl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|oas)-[\w-]{20}/],
  ["a token of npm", /\bnpm_[A-Za-z0-9]{36}/],
  ["a token of Docker", /\bdckr_(?:pat|oat)_[\w-]{24}/],
  ["a token of PyPI", /\bpypi-AgE[\w-]{20}/],
  ["a token of Slack", /\bxox[abeoprs]-[\w-]{10}/],
  ["a key of Google", /\bAIza[\w-]{35}/],
  ["a token of Hugging Face", /\bhf_[A-Za-z]{34}/],
  ["a key of Stripe", /\b[rs]k_live_[A-Za-z0-9]{16}/],
  // Whoever has such an address may do what it is for, and its variable is mostly called URL.
  [
    "a webhook's address",
    /\bhooks\.slack\.com\/\w{1,20}\/\w{6}|\bdiscord(?:app)?\.com\/api\/webhooks\/\d{6,30}\/[\w-]{20}/i,
  ],
  ["a signed address", /[?&](?:sig|x-amz-signature|x-goog-signature)=[\w%+/-]{20}/i],
  ["a private key", /-----BEGIN (?:[A-Z]{1,20} ){0,3}PRIVATE KEY-----/],
  // Of a user with its own name for a password everybody knows it: a database for trying things out.
  ["a password in an address", /\b[a-z][a-z\d+.-]{0,30}:\/\/([^\s/?#:@]{0,200}):(?!\1@)[^\s/?#@$]{1,500}@/i],
];

/** Of which kind a secret is that stands in a text by the form that its maker has given it; `undefined` where none does. */
export function secretFormIn(text: string): string | undefined {
  return FORMS.find(([, form]) => form.test(text))?.[0];
}

/**
 * Says of a build arg that its name or its value is that of a secret, which nothing here knows to be one.
 * @returns a warning, without the value, where it is.
 */
export function tellLikeSecret(
  name: string,
  { value, origin }: { readonly value: string; readonly origin: Origin },
): readonly Warning[] {
  const form = secretFormIn(value);
  const isName = SECRET_WORD.test(name) && !HARMLESS_WORD.test(name) && !tellsAboutSecret(name);
  if (form === undefined && !isName) return [];
  const why = form === undefined ? "has the name of a secret" : `holds what looks like ${form}`;
  const text = `Build arg ${name} (${tellOrigin(origin)}) ${why}: whoever can pull the image can read its build args. A secret belongs into the input build-secrets`;
  return [warn(origin, text)];
}
