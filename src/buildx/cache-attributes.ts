import { nearestName } from "../nearest.ts";
import { joinFields, splitFields } from "./csv.ts";

/** https://pkg.go.dev/strconv#ParseBool */
const SWITCH = { allowed: "true, false", fits: /^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/ };
const NUMBER = { allowed: "a whole number", fits: /^-?\d+$/ };

/** What BuildKit reads as something else than a text. Of `mode` and `ignore-error` it takes its default where it does not know the value. */
const VALUES: Readonly<Record<string, { readonly allowed: string; readonly fits: RegExp }>> = {
  mode: { allowed: "min, max", fits: /^(?:min|max)$/ },
  compression: { allowed: "uncompressed, gzip, estargz, zstd", fits: /^(?:uncompressed|gzip|estargz|zstd|nydus)$/ },
  "compression-level": NUMBER,
  "force-compression": SWITCH,
  "oci-mediatypes": SWITCH,
  "image-manifest": SWITCH,
  "ignore-error": SWITCH,
  "registry.insecure": SWITCH,
  use_path_style: SWITCH,
  disable_accept_encoding: SWITCH,
  upload_parallelism: NUMBER,
  retry_max_attempts: NUMBER,
};

const NAMES: readonly string[] = [
  ...Object.keys(VALUES),
  ...["ref", "src", "dest", "digest", "tag", "tar", "scope", "url", "url_v2", "token", "ghtoken", "timeout", "version"],
  ...["repository", "region", "bucket", "name", "prefix", "blobs_prefix", "manifests_prefix", "endpoint_url"],
  ...["access_key_id", "secret_access_key", "session_token", "touch_refresh", "retry_mode"],
  ...["account_url", "account_name", "container"],
];

/** Nobody has more of them that are wrong. */
const MOST_COMPARED = 100;

/** What stands on a command line can be read by everybody on the machine, and what to do instead. */
const SECRETS: Readonly<Record<string, string>> = {
  secret_access_key: "set AWS_SECRET_ACCESS_KEY or AZURE_STORAGE_ACCOUNT_KEY as env of the step",
  session_token: "set AWS_SESSION_TOKEN as env of the step",
  token: "set ACTIONS_RUNTIME_TOKEN as env of the step",
  ghtoken: "leave it out, for it only lets BuildKit ask GitHub's API more often",
};

/** Which secret stands among the attributes, be it mistyped: who is told its right name would be refused that next. */
export function secretAmong(attributes: ReadonlyMap<string, string>): string | undefined {
  for (const [at, name] of [...attributes.keys()].entries()) {
    const near = NAMES.includes(name) || at >= MOST_COMPARED ? name : nearestName(name, NAMES);
    if (near !== undefined && Object.hasOwn(SECRETS, near))
      return `it holds ${name}, which everybody on the machine could read; ${SECRETS[near]}`;
  }
  return undefined;
}

/** A line of a layer cache as it can be told, however wrong it is: without the values of what is called like a secret. */
export function withoutSecrets(line: string): string {
  const fields = (splitFields(line) ?? line.split(",")).map((field) => {
    const at = field.indexOf("=");
    return /token|key|secret/i.test(field.slice(0, Math.max(0, at))) ? `${field.slice(0, at)}=…` : field;
  });
  return fields.some((field) => field.endsWith("=…")) ? joinFields(fields) : line;
}

/**
 * What is wrong with the attributes of a layer cache, as half a sentence: a value that cannot be, or a name that no backend has and that looks
 * like one. BuildKit passes over a name that it does not know, so that one of a later version stays.
 * @see https://github.com/moby/buildkit/tree/v0.34.2/cache/remotecache
 */
export function wrongAttribute(attributes: ReadonlyMap<string, string>): string | undefined {
  for (const [name, value] of [...attributes].slice(0, MOST_COMPARED)) {
    const kind = Object.hasOwn(VALUES, name) ? VALUES[name] : undefined;
    if (kind && !kind.fits.test(value)) return `its ${name} is "${value}", and can be ${kind.allowed}`;
    const near = NAMES.includes(name) ? undefined : nearestName(name, NAMES);
    if (near !== undefined) return `there is no attribute ${name} of a layer cache; ${near} was probably meant`;
  }
  return undefined;
}
