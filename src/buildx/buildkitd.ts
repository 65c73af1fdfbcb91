/** What our own client was told about one registry, as BuildKit's daemon can be told it too. */
export type KnownRegistry = {
  /** As references name it: `docker.io`, `127.0.0.1:5000`. */
  readonly host: string;
  /** `host[/path]`, asked in this order before the registry itself. */
  readonly mirrors: readonly string[];
  /** PEM, trusted beside those that the daemon's image brings. */
  readonly certificates: readonly string[];
  /** Shown to a registry that wants to see a certificate. PEM. */
  readonly client?: { readonly certificate: string; readonly key: string };
  /** Certificates are not looked at, and where nobody speaks TLS plain http will do. */
  readonly insecure: boolean;
};

/** The network as our own client knows it. */
export type BuilderNetwork = {
  readonly registries: readonly KnownRegistry[];
  /** `http_proxy`, `HTTPS_PROXY`, `no_proxy` …: those that are set, as they are written. */
  readonly proxies: Readonly<Record<string, string>>;
  /** The inputs that said any of this, by name, for messages. */
  readonly inputs: readonly string[];
};

export type Entitlement = "network.host" | "security.insecure";

/** Content by path below a folder. */
export type DaemonFiles = Readonly<Record<string, string>>;

/** The name of the daemon's configuration among its files. */
export const DAEMON_CONFIGURATION = "buildkitd.toml";

/**
 * Writes what a BuildKit daemon of ours has to know. `docker buildx create` reads the certificates from the paths that the
 * configuration names and puts them into the daemon's container, so the paths are those of this machine.
 * @param folder where the files will lie: absolute.
 * @returns the files; none where there is nothing to say.
 * @see https://github.com/moby/buildkit/blob/v0.26.3/docs/buildkitd.toml.md
 */
export function daemonFiles(
  { registries }: Pick<BuilderNetwork, "registries">,
  entitlements: readonly Entitlement[],
  folder: string,
): DaemonFiles {
  const parts = registries
    .map((registry, index) => registryPart(registry, folder, `certificates-${index}`))
    .filter(({ text }) => text !== "");
  const text = [
    ...(entitlements.length > 0 ? [`insecure-entitlements = ${list(entitlements)}\n`] : []),
    ...parts.map((part) => part.text),
  ].join("\n");
  if (text === "") return {};
  const certificates = parts.flatMap(({ files }) => Object.entries(files));
  return { [DAEMON_CONFIGURATION]: text, ...Object.fromEntries(certificates) };
}

type Part = { readonly text: string; readonly files: DaemonFiles };

function registryPart(registry: KnownRegistry, folder: string, own: string): Part {
  const { host, mirrors, certificates, client, insecure } = registry;
  const table = `registry.${quote(host)}`;
  const path = (name: string): string => quote(`${folder}/${own}/${name}`);
  const lines = [
    ...(mirrors.length > 0 ? [`mirrors = ${list(mirrors)}`] : []),
    // Both together are TLS without a look at the certificate and then plain http, which is what our client does.
    ...(insecure ? ["http = true", "insecure = true"] : []),
    // On loopback the daemon would speak plain http even to a registry whose certificate it was given.
    ...(!insecure && (client || certificates.length > 0) ? ["http = false"] : []),
    ...(certificates.length > 0 ? [`ca = [${path("ca.pem")}]`] : []),
    ...(client ? [`[[${table}.keypair]]`, `key = ${path("key.pem")}`, `cert = ${path("cert.pem")}`] : []),
  ];
  if (lines.length === 0) return { text: "", files: {} };
  return {
    text: [`[${table}]`, ...lines, ""].join("\n"),
    files: {
      ...(certificates.length > 0 ? { [`${own}/ca.pem`]: certificates.map((pem) => `${pem.trim()}\n`).join("") } : {}),
      ...(client ? { [`${own}/key.pem`]: client.key, [`${own}/cert.pem`]: client.certificate } : {}),
    },
  };
}

function list(items: readonly string[]): string {
  return `[${items.map(quote).join(", ")}]`;
}

/** JSON's strings are TOML's basic strings, but for one control character that JSON leaves as it is. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}

/**
 * Whether something that the daemon has to reach is on this machine itself: a daemon in a container of its own network would look for it
 * inside that container.
 */
export function needsHostNetwork({ registries, proxies }: BuilderNetwork): boolean {
  const hosts = registries.flatMap(({ host, mirrors }) => [host, ...mirrors]);
  const proxied = Object.entries(proxies).flatMap(([name, value]) => (/no_proxy/i.test(name) ? [] : [value]));
  return [...hosts, ...proxied].some(isLoopback);
}

/** Of a registry or a mirror, or of a proxy with its scheme and its login. */
function isLoopback(address: string): boolean {
  const [authority = ""] = address.replace(/^[a-z]+:\/\//i, "").split("/");
  const host = authority.slice(authority.lastIndexOf("@") + 1).toLowerCase();
  return /^(?:localhost|[^:]+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/.test(host);
}

/**
 * One line about what a builder that is not ours will not know, for before the build.
 * @returns `undefined` where nothing was told that it could miss.
 */
export function describeUntold(builder: string, { inputs, proxies }: BuilderNetwork): string | undefined {
  const variables = Object.keys(proxies).filter((name) => !/no_proxy/i.test(name));
  const told = [...inputs.map((name) => `the input ${name}`), ...variables.map((name) => `the variable ${name}`)];
  if (told.length === 0) return undefined;
  return `The builder ${builder} is not made by this action: what ${told.join(" and ")} ${told.length === 1 ? "says" : "say"} does not reach it, and its own configuration has to say the same. With the input buildkit-image a builder is made that is told.`;
}
