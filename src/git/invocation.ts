import type { GitUrl } from "./url.ts";

/** What a git is told that speaks to a server: nothing of it is kept anywhere. */
export type Invocation = {
  /** In front of a command. No secret is among them. */
  readonly args: readonly string[];
  /** All that its process gets. */
  readonly env: Readonly<Record<string, string>>;
};

export type Connection = {
  readonly url: GitUrl;
  readonly login: { readonly username: string; readonly password: string } | undefined;
  /** Files in a private folder that is there as long as git runs. */
  readonly keyFile: string | undefined;
  readonly certificateFile: string | undefined;
  /** The only hosts that are known; where there is none, those of the machine. */
  readonly knownHostsFile: string | undefined;
  readonly insecure: boolean;
  readonly proxy: string | undefined;
  /** An empty folder in which git runs too: its own, the user's and a checkout's configuration must not send it elsewhere or run anything. */
  readonly home: string;
};

type Environment = Readonly<Record<string, string>>;

/** What programs need to run at all; tokens of the step are none of that. */
const KEPT = ["PATH", "TMPDIR", "LD_LIBRARY_PATH", "USER", "LOGNAME", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSH_AUTH_SOCK"];

const USERNAME = "DEV_CONTAINER_CACHE_GIT_USERNAME";
const PASSWORD = "DEV_CONTAINER_CACHE_GIT_PASSWORD";

/** Bytes a second, and for how many seconds at least: what is slower counts as hung. */
const SLOWEST = { bytes: "1000", seconds: "60" };

/** Runs nothing of the repository's, and nothing beside what is asked for. */
const ALWAYS: Readonly<Record<string, string>> = {
  "core.hooksPath": "/dev/null",
  "core.fsmonitor": "",
  "core.attributesFile": "/dev/null",
  "core.excludesFile": "/dev/null",
  "core.autocrlf": "false",
  "core.askPass": "",
  "credential.helper": "",
  "init.templateDir": "",
  "gc.auto": "0",
  "maintenance.auto": "false",
  "submodule.recurse": "false",
  "fetch.recurseSubmodules": "false",
  // One pack, whatever its size: that is what is kept for later runs.
  "fetch.unpackLimit": "1",
  // A login never follows to another origin, and a server cannot send the clone elsewhere.
  "http.followRedirects": "false",
  "transfer.bundleURI": "false",
};

/** For commands on a clone that speak to nobody. */
export function localGit(env: Environment, home: string): Invocation {
  return {
    // A step runs in the job's checkout, whose configuration holds the job's login and may send every address elsewhere.
    args: ["-C", home, ...configuration({ ...ALWAYS, "protocol.allow": "never" })],
    env: {
      ...pick(env, KEPT),
      HOME: home,
      // What lies around it may be a repository as well.
      GIT_CEILING_DIRECTORIES: home.slice(0, home.lastIndexOf("/")),
      XDG_CONFIG_HOME: home,
      LC_ALL: "C",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
      GIT_LFS_SKIP_SMUDGE: "1",
    },
  };
}

/**
 * For commands that speak to one server: over one protocol, with one login, which git asks for through its credential helper and only
 * where this server wants one. A job image's git may be of 2021 (2.30), which takes no configuration from its environment.
 * @see https://git-scm.com/docs/gitcredentials#_custom_helpers
 */
export function remoteGit(connection: Connection, env: Environment): Invocation {
  const { url, login, insecure, certificateFile } = connection;
  const local = localGit(env, connection.home);
  return {
    args: [
      ...local.args,
      ...configuration({
        [`protocol.${url.scheme}.allow`]: "always",
        ...(login && url.scheme !== "ssh" ? { [`credential.${url.scheme}://${url.host}.helper`]: HELPER } : {}),
      }),
    ],
    env: {
      ...local.env,
      ...proxies(connection.proxy, env),
      GIT_ALLOW_PROTOCOL: url.scheme,
      GIT_HTTP_LOW_SPEED_LIMIT: SLOWEST.bytes,
      GIT_HTTP_LOW_SPEED_TIME: SLOWEST.seconds,
      GIT_SSH_COMMAND: sshCommand(connection, env),
      ...(login ? { [USERNAME]: login.username, [PASSWORD]: login.password } : {}),
      ...(insecure ? { GIT_SSL_NO_VERIFY: "1" } : {}),
      ...(certificateFile === undefined
        ? {}
        : { GIT_SSL_CAINFO: certificateFile, GIT_PROXY_SSL_CAINFO: certificateFile }),
    },
  };
}

/**
 * For laying files out whose content Git LFS keeps: its program asks the repository's own host for them, by git's login, proxy and trust.
 * What the repository's .lfsconfig says (another host, files to leave out) does not count: our own configuration goes over it.
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/man/git-lfs-config.adoc
 */
export function lfsGit(connection: Connection, env: Environment): Invocation {
  const remote = remoteGit(connection, env);
  const { GIT_LFS_SKIP_SMUDGE: _, ...own } = remote.env;
  return {
    args: [
      ...remote.args,
      ...configuration({
        "filter.lfs.process": "git-lfs filter-process",
        "filter.lfs.smudge": "git-lfs smudge -- %f",
        "filter.lfs.clean": "git-lfs clean -- %f",
        "filter.lfs.required": "true",
        "lfs.url": lfsAddress(connection.url),
        "lfs.fetchinclude": "",
        "lfs.fetchexclude": "",
        "lfs.skipdownloaderrors": "false",
      }),
    ],
    env: own,
  };
}

/** https://github.com/git-lfs/git-lfs/blob/main/docs/api/server-discovery.md: over ssh the server tells it. */
function lfsAddress({ scheme, url }: GitUrl): string {
  return scheme === "ssh" ? url : `${url.replace(/\/+$/, "").replace(/\.git$/, "")}.git/info/lfs`;
}

/** What is asked for is the first word, `get`; what is printed are variables that only this git has. */
const HELPER = `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$${USERNAME}" "$${PASSWORD}"; }; f`;

function pick(env: Environment, names: readonly string[]): Environment {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value ? [[name, value] as const] : [];
    }),
  );
}

function configuration(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** curl reads the proxy for http from small letters alone. */
function proxies(given: string | undefined, env: Environment): Environment {
  if (given !== undefined) return { http_proxy: given, https_proxy: given };
  const read = (name: string): string => env[name] || env[name.toUpperCase()] || "";
  const names = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"];
  return Object.fromEntries(names.flatMap((name) => (read(name) === "" ? [] : [[name, read(name)]])));
}

/**
 * A key of ours is the only one that is shown, and the user's own configuration is not read: it may know another host by this name. Without
 * one the machine logs in as it does for its user, whose configuration says with which key and through what; it does not say whom to believe,
 * and no connection of the user's is taken, or left behind.
 * @see https://man.openbsd.org/ssh_config
 */
function sshCommand({ keyFile, insecure, knownHostsFile }: Connection, env: Environment): string {
  const words = [
    "ssh",
    ...(keyFile === undefined ? [] : ["-F", "/dev/null", "-i", keyFile]),
    ...(keyFile === undefined ? [] : ["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]),
    ...["-o", "BatchMode=yes", "-o", "ClearAllForwardings=yes", "-o", "PermitLocalCommand=no"],
    ...["-o", "ForwardAgent=no", "-o", "ForwardX11=no", "-o", "ControlMaster=no", "-o", "ControlPath=none"],
    // OpenSSH knows the last of them since 8.5.
    ...["-o", "VerifyHostKeyDNS=no", "-o", "UpdateHostKeys=no", "-o", "IgnoreUnknown=KnownHostsCommand"],
    ...["-o", "KnownHostsCommand=none"],
    ...["-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"],
    ...hostKeys(knownHostsFile, insecure, env),
  ];
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

/** Nobody is asked, and no key is believed because it is the first one that is seen. */
function hostKeys(file: string | undefined, insecure: boolean, env: Environment): readonly string[] {
  if (file !== undefined)
    return ["-o", "StrictHostKeyChecking=yes", "-o", "GlobalKnownHostsFile=/dev/null", "-o", knownHosts(file)];
  if (insecure) return ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"];
  // In a job's container HOME is not the folder that ssh reads by itself.
  const own = env.HOME ? ["-o", `${knownHosts("~/.ssh/known_hosts")} "${literal(env.HOME)}/.ssh/known_hosts"`] : [];
  return ["-o", "StrictHostKeyChecking=yes", ...own];
}

/** ssh replaces what stands behind a percent sign. */
const literal = (path: string): string => path.replaceAll("%", "%%");
const knownHosts = (path: string): string => `UserKnownHostsFile=${path.startsWith("~") ? path : `"${literal(path)}"`}`;
