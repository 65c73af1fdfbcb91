import { systemReason } from "../errors.ts";
import type { Repository } from "../oci/reference.ts";
import type { Exec, Files, StoredLogin } from "../world.ts";
import { type DockerConfiguration, loginFrom, readDockerConfiguration } from "./docker-config.ts";

type FindLogin = (name: Repository) => Promise<StoredLogin | undefined>;

export type CredentialOptions = {
  readonly files: Files;
  readonly exec: Exec;
  readonly env: Readonly<Record<string, string>>;
  /** The inputs' own login, and the host that it is for. */
  readonly given: { readonly registry: string; readonly login: StoredLogin } | undefined;
  /** The input docker-config-base64, decoded to a Docker configuration. */
  readonly configuration: DockerConfiguration | undefined;
  readonly mask: (secret: string) => void;
  readonly warn: (line: string) => void;
};

/** The same question to a file or a program is asked once, and the same warning is given once. */
type Sources = {
  readonly env: CredentialOptions["env"];
  readonly list: (path: string) => Promise<readonly string[]>;
  readonly configurationAt: (path: string) => Promise<DockerConfiguration | undefined>;
  readonly loginIn: (configuration: DockerConfiguration, registry: string) => Promise<StoredLogin | undefined>;
};

/**
 * Opens the logins of a run, asked in this order, the first that knows something counts: the inputs, the input docker-config-base64,
 * buildx's scoped folders, Docker's own configuration, and the job's token for GitHub's own registry. Every secret is masked
 * as soon as it is known. Nothing here throws: a login that cannot be read is warned of, for the registry may be public.
 */
export function openCredentials(options: CredentialOptions): FindLogin {
  const { env, given, configuration } = options;
  const sources = openSources(options);
  const order: readonly FindLogin[] = [
    async ({ registry }) => (given?.registry === registry ? given.login : undefined),
    async ({ registry }) => (configuration ? sources.loginIn(configuration, registry) : undefined),
    (name) => scopedLogin(name, sources),
    async ({ registry }) => {
      const found = await sources.configurationAt(`${dockerFolder(env)}/config.json`);
      return found && sources.loginIn(found, registry);
    },
    async ({ registry }) => jobLogin(registry, env),
  ];
  return remembered(
    ({ registry, repository }) => `${registry}/${repository}`,
    async (name) => {
      for (const source of order) {
        const login = await source(name);
        if (!login) continue;
        maskLogin(login, options.mask);
        return login;
      }
      return undefined;
    },
  );
}

function openSources({ files, exec, env, warn }: CredentialOptions): Sources {
  const warned = new Set<string>();
  const warnOnce = (line: string): void => {
    if (!warned.has(line)) warn(line);
    warned.add(line);
  };
  const unreadable = (path: string) => async (thrown: unknown) => {
    const closed = await outermostClosed(path, { files, env });
    warnOnce(
      `${closed ?? path} cannot be read${whyNot(thrown)}: what docker keeps there, logins above all, is not used.`,
    );
    return undefined;
  };
  return {
    env,
    list: remembered(
      (path) => path,
      async (path) => (await files.list(path).catch(unreadable(path))) ?? [],
    ),
    configurationAt: remembered(
      (path) => path,
      async (path) => {
        const text = await files.readText(path).catch(unreadable(path));
        const configuration = text === undefined ? undefined : readDockerConfiguration(text, path);
        if (text !== undefined && !configuration) warnOnce(`${path} is no JSON object: its logins are not used.`);
        return configuration;
      },
    ),
    loginIn: remembered(
      ({ source }, registry) => `${source}\n${registry}`,
      (configuration, registry) => loginFrom(configuration, registry, { exec, warn: warnOnce }),
    ),
  };
}

/** A folder that another user has made, as `sudo docker` does, is told once, and not each file that would be looked for in it. */
async function outermostClosed(
  path: string,
  { files, env }: Pick<CredentialOptions, "files" | "env">,
): Promise<string | undefined> {
  const own = [dockerFolder(env), buildxFolder(env), `${buildxFolder(env)}/config`];
  for (const folder of own.filter((one) => path === one || path.startsWith(`${one}/`))) {
    const isOpen = await files.list(folder).then(
      () => true,
      () => false,
    );
    if (!isOpen) return folder;
  }
  return undefined;
}

function whyNot(thrown: unknown): string {
  const reason = systemReason(thrown);
  return reason === undefined ? "" : `, for ${reason}`;
}

function remembered<A extends readonly unknown[], T>(
  keyOf: (...asked: A) => string,
  work: (...asked: A) => Promise<T>,
): (...asked: A) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (...asked) => {
    const answer = known.get(keyOf(...asked)) ?? work(...asked);
    known.set(keyOf(...asked), answer);
    return answer;
  };
}

function dockerFolder(env: Readonly<Record<string, string>>): string {
  return env.DOCKER_CONFIG || `${env.HOME ?? ""}/.docker`;
}

function buildxFolder(env: Readonly<Record<string, string>>): string {
  return env.BUILDX_CONFIG || `${dockerFolder(env)}/buildx`;
}

/** The base64 form of a Basic login is as good as the login. */
function maskLogin(login: StoredLogin, mask: (secret: string) => void): void {
  if ("identityToken" in login) mask(login.identityToken);
  else if ("registryToken" in login) mask(login.registryToken);
  else for (const secret of [login.password, encodeBase64(`${login.username}:${login.password}`)]) mask(secret);
}

function encodeBase64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/**
 * Looks into buildx's folders for one repository and then for the whole registry, `<registry>[/<repository>][@<action>,…]`, which
 * docker/login-action makes for its input `scope`. One that is for pushing counts before one that is for pulling, for only what we push to
 * has both; one for no action in particular comes last.
 * @see https://docs.docker.com/build/building/registry-auth/
 */
async function scopedLogin({ registry, repository }: Repository, sources: Sources): Promise<StoredLogin | undefined> {
  const { env } = sources;
  const root = `${buildxFolder(env)}/config`;
  // docker/login-action names Docker Hub by the host of its API.
  const hosts = registry === "docker.io" ? ["registry-1.docker.io", "docker.io"] : [registry];
  for (const path of [...hosts.map((host) => `${host}/${repository}`), ...hosts]) {
    const slash = path.lastIndexOf("/");
    const [parent, name] = [slash < 0 ? root : `${root}/${path.slice(0, slash)}`, path.slice(slash + 1)];
    for (const folder of scopedFolders(name, await sources.list(parent))) {
      const configuration = await sources.configurationAt(`${parent}/${folder}/config.json`);
      const login = configuration && (await sources.loginIn(configuration, registry));
      if (login) return login;
    }
  }
  return undefined;
}

function scopedFolders(name: string, there: readonly string[]): readonly string[] {
  const rank = (folder: string): number => {
    const actions = folder.slice(name.length + 1).split(",");
    if (folder === name) return 2;
    return actions.includes("push") ? 0 : 1;
  };
  return there.filter((one) => one === name || one.startsWith(`${name}@`)).sort((a, b) => rank(a) - rank(b));
}

/** The job's own token opens GitHub's own registry; those of Gitea and Forgejo answer 401 to it, and let in who has none. */
function jobLogin(registry: string, env: Readonly<Record<string, string>>): StoredLogin | undefined {
  const username = env.GITHUB_ACTOR || "token";
  const url = env.GITHUB_SERVER_URL;
  const server = url !== undefined && URL.canParse(url) ? new URL(url).host : "github.com";
  const isOwn =
    server === "github.com"
      ? registry === "ghcr.io"
      : server.endsWith(".ghe.com") && registry === `containers.${server}`;
  return isOwn && env.GITHUB_TOKEN ? { username, password: env.GITHUB_TOKEN } : undefined;
}
