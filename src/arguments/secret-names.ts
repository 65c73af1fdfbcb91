/** What a name ends in that only tells about a secret: how it is called, where it lies, of which kind it is. */
const ABOUT: ReadonlySet<string> = new Set([
  ...["mode", "type", "kind", "method", "scheme", "provider", "format", "algorithm", "alg", "version", "policy"],
  ...["name", "user", "username", "email", "realm", "issuer", "prefix"],
  ...["path", "file", "filename", "dir", "folder", "url", "uri", "endpoint", "host", "hostname", "port", "server"],
  ...["domain", "region", "length", "size", "count", "limit"],
  ...["ttl", "expiry", "expires", "expiration", "timeout", "lifetime", "enabled", "required"],
]);

/** Whether a setting only tells about a secret by its name: `AUTH_MODE`, `secretName`, `TOKEN_URL`. */
export function tellsAboutSecret(name: string): boolean {
  const words = name.split(/[^A-Za-z\d]+|(?<=[a-z\d])(?=[A-Z])/);
  return words.length > 1 && ABOUT.has((words.at(-1) ?? "").toLowerCase());
}
