import type { Place } from "./errors.ts";
import type { Digest } from "./oci/digest.ts";
import type { Descriptor, Served } from "./oci/manifest.ts";
import type { Reference, Repository } from "./oci/reference.ts";

/** The ports: everything the story may ask of the world, as types only. `host/`, `registry/` and `buildx/` hold what stands behind them. */
export type World = {
  readonly files: Files;
  readonly registry: Registry;
  readonly exec: Exec;
  readonly git: Git;
  readonly web: Web;
  readonly github: GitHub;
  /** Nothing where the host has none that is safe to read. */
  readonly jobCache?: JobCache | undefined;
  readonly host: Host;
  readonly log: Log;
  readonly clock: Clock;
  /** Waits so many milliseconds, or until it is told that nobody waits any more. */
  readonly pause: (milliseconds: number, early?: AbortSignal) => Promise<void>;
  readonly gunzip: Gunzip;
  readonly openGunzip: OpenUnpack;
  /** `undefined` where the runtime cannot: Node has zstd from 22.15 on. */
  readonly openUnzstd: OpenUnpack | undefined;
  readonly memory: Memory;
  readonly tools: Tools;
  /** How our own client trusts a registry's host; builders of ours are told the same. */
  readonly trust: (host: string) => Promise<HostTrust>;
  /** Whose the things are that outlive a process, like a builder's container. */
  readonly owner: Owner;
  /** Done when the run ends, also when it is stopped; the last one first. What a stop has interrupted is done again: it may find half of it done. */
  readonly atEnd: (undo: () => Promise<void>) => void;
  /** A new random text of 32 hexadecimal digits. */
  readonly salt: () => string;
  /** The login for a repository's registry, as our own client uses it; a builder is given the same. */
  readonly credentials: (name: Repository) => Promise<StoredLogin | undefined>;
};

/** Who has made something, so that a later run can tell what nobody will come back for. */
export type Owner = {
  /** This process, in a text without blanks and commas; `undefined` where the system does not tell enough. */
  readonly self: string | undefined;
  /** Whether the process of such a text is gone for certain: nothing is said of one on another machine, before a restart, in another container. */
  readonly isDead: (owner: string) => boolean;
};

/** PEM texts beside those that Node knows, whether certificates are looked at, and what we show of ourselves. */
export type HostTrust = {
  readonly certificates: readonly string[];
  readonly insecure: boolean;
  readonly client?: { readonly certificate: string; readonly key: string };
};

/** A login as Docker's configuration keeps it. */
export type StoredLogin =
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string }
  | { readonly registryToken: string };

/** What a path is, links not followed. `mode` holds the permission bits, `size` bytes. */
export type Entry = {
  readonly kind: "file" | "directory" | "link" | "other";
  readonly mode: number;
  readonly size: number;
};

/** Paths are absolute. What is not there is `undefined`; every other failure is thrown. */
export type Files = {
  readonly readText: (path: string) => Promise<string | undefined>;
  readonly stat: (path: string) => Promise<Entry | undefined>;
  readonly realPath: (path: string) => Promise<string | undefined>;
  /** Names in a directory, sorted by code unit; `undefined` where there is no directory. */
  readonly list: (path: string) => Promise<readonly string[] | undefined>;
  readonly readLink: (path: string) => Promise<string>;
  /** sha256 of a file's content, whatever its size. */
  readonly digest: (path: string) => Promise<Digest>;
  /** md5 of a text with a file's content behind it, in hexadecimal digits. */
  readonly md5: (path: string, before: string) => Promise<string>;
  /** A new private folder under the runner's temporary folder, removed at the end of the run, also when the run is stopped; with `keep` left to the runner. */
  readonly temporaryFolder: (name: string, options?: { readonly keep: boolean }) => Promise<string>;
  /** Begins to remove such a folder before the end of the run, beside whatever else is waited for; nobody waits for it now. */
  readonly discard: (folder: string) => void;
  /** Writes a file with exactly this mode, folders made as needed. */
  readonly write: (path: string, content: string | Uint8Array, mode?: number) => Promise<void>;
  /**
   * Copies one file with exactly this mode and modification time (seconds since 1970).
   * @returns the sha256 of what was written; `undefined` where no file can be read, or it has become longer than it was when its digest was asked for: a log that grows
   * by gigabytes is not waited for.
   */
  readonly copy: (
    from: string,
    to: string,
    as: { readonly mode: number; readonly mtime: number },
  ) => Promise<Digest | undefined>;
  readonly makeDirectory: (path: string, as: { readonly mode: number }) => Promise<void>;
  readonly makeLink: (path: string, target: string, as: { readonly mtime: number }) => Promise<void>;
  /** Sets the modification time of a file, or of a directory after everything in it has been written. */
  readonly touch: (path: string, mtime: number) => Promise<void>;
  /** Gives a file another name in its folder's file system, over one that has it: nobody ever sees half of it under that name. */
  readonly move: (from: string, to: string) => Promise<void>;
  /** Removes a file; that there is none is no failure. */
  readonly remove: (path: string) => Promise<void>;
};

/** What a registry said when it did not serve what was asked. */
export type RegistryError = {
  readonly kind: "absent" | "denied" | "limited" | "unavailable" | "malformed";
  /** Method and address, without query: `GET https://ghcr.io/v2/team/app/manifests/k1-…` */
  readonly request: string;
  readonly status?: number;
  /** The registry's own words, or the network's, cut to a line. */
  readonly words: string;
  /** What the person should do, where we know it. */
  readonly fix?: string;
};

/**
 * `absent` only when the registry itself says "not found" to a request that it let in. `denied`: 401, 403. `limited`: 429.
 * `unavailable`: network, time-out, 5xx. `malformed`: an answer that is not what the protocol says (HTML, wrong digest, truncated).
 */
export type Answer<T> = { readonly kind: "found"; readonly value: T } | RegistryError;

/** What was spent so far. `waves`: the longest chain of requests that can have waited for one another. `bytes`: bodies received and sent. */
export type Traffic = { readonly requests: number; readonly bytes: number; readonly waves: number };

/** Nothing here throws for what a registry or a network does. Tags and digests: `reference.digest` decides where both are there. */
export type Registry = {
  /** The descriptor of a manifest (type, digest, size): by HEAD where pulls are counted, else by GET. */
  readonly describe: (reference: Reference) => Promise<Answer<Descriptor>>;
  /** A manifest or index with its bytes, digest computed by us and checked where one was asked for. */
  readonly manifest: (reference: Reference) => Promise<Answer<Served>>;
  /** Whether a blob is there: proved by its length, or by its first byte; `malformed` where an answer proves nothing. */
  readonly hasBlob: (repository: Repository, blob: Descriptor) => Promise<Answer<true>>;
  /** A blob's bytes; size and digest checked. For small blobs: `malformed` past `limit` bytes (default 4 MiB). */
  readonly blob: (repository: Repository, blob: Descriptor, limit?: number) => Promise<Answer<Uint8Array>>;
  /**
   * Hands a blob's bytes on as they come, and keeps none: for a large one, of which a part may be enough. Size and digest are checked where it is
   * read to its end.
   * @param open makes a reader for each try: what breaks off half-way begins anew.
   */
  readonly readThrough: (repository: Repository, blob: Descriptor, open: () => BlobReader) => Promise<Answer<true>>;
  /** Whether a push would be let in: an upload is opened and cancelled. */
  readonly acceptsPush: (repository: Repository) => Promise<Answer<true>>;
  /** Uploads a small blob (POST, then PUT). What will be there later has its upload opened meanwhile, which is cancelled where nothing comes: then that is thrown. */
  readonly putBlob: (
    repository: Repository,
    bytes: Uint8Array | Promise<Uint8Array>,
    mediaType: string,
  ) => Promise<Answer<Descriptor>>;
  /** Puts a manifest under a tag, or by its digest where `tag` is undefined. Before what failed in passing is sent again, `isWanted` is asked. */
  readonly putManifest: (
    repository: Repository,
    bytes: Uint8Array,
    mediaType: string,
    tag: string | undefined,
    isWanted?: () => Promise<boolean>,
  ) => Promise<Answer<Descriptor>>;
  readonly tags: (repository: Repository) => Promise<Answer<readonly string[]>>;
  /** Puts a blob of another repository of the same registry into this one, without sending it where the registry can. */
  readonly mountBlob: (repository: Repository, from: Repository, blob: Descriptor) => Promise<Answer<Descriptor>>;
  /** Deletes a manifest by digest, or a tag; `denied` or `malformed` where the registry does not do that. */
  readonly deleteManifest: (reference: Reference) => Promise<Answer<true>>;
  /** What an https address serves, asked for without any login; `malformed` past `limit` bytes, `absent` where its server says 404 or 410. */
  readonly download: (url: string, limit: number) => Promise<Answer<Uint8Array>>;
  /** What tells one version of what an address serves from another; nothing of it is read, and no login is sent. HEAD is left out where GET is named. */
  readonly validator: (url: string, by?: "GET") => Promise<Answer<string>>;
  /** Reads what an address serves, and keeps none of it. */
  readonly content: (url: string) => Promise<Answer<AddressContent>>;
  /** Opens so many connections to a repository's registry, for what will be asked soon: it waits for no handshake then. */
  readonly connect: (repository: Repository, count: number) => void;
  /** From now on all requests together may take this many milliseconds; past that every answer is `unavailable`. Without a number, only those that hold for the whole run. */
  readonly limitTime: (milliseconds: number | undefined) => void;
  readonly traffic: () => Traffic;
  /** Closes idle connections, so that the process can end. */
  readonly close: () => Promise<void>;
};

/** The sha256 of what an address served, and the validator that came with it. */
export type AddressContent = { readonly validator: string; readonly digest: Digest };

/** Takes the next bytes of a blob, and tells whether it wants more. */
export type BlobReader = (bytes: Uint8Array) => Promise<"more" | "enough">;

export type Finished = {
  /** Of a program that a signal has ended, 128 and the signal's number, as a shell tells it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What has ended a program that did not end by itself. */
  readonly endedBy?: EndedBy;
};

/** A signal, or a limit that its caller had set. */
export type EndedBy = `SIG${string}` | "time limit" | "size limit";

/** Runs a program without a shell. `undefined` when there is no such program. Secrets go through `env` or `input`, never through `args`. */
export type Exec = (
  program: string,
  args: readonly string[],
  options?: {
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly input?: string;
    readonly onLine?: (line: string) => void;
    /** Milliseconds, after which the program is stopped and counts as failed. */
    readonly timeout?: number;
  },
) => Promise<Finished | undefined>;

/**
 * Runs git with this environment and nothing of the step's; `undefined` where there is no git. What it prints is told nowhere, and kept up to
 * a megabyte. Secrets go through `env`. Past a limit it is ended with all that it has started.
 */
export type Git = (
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  limits?: GitLimits,
) => Promise<Finished | undefined>;

export type GitLimits = {
  /** Milliseconds. */
  readonly timeout?: number;
  /** How much it may print, in the place of the megabyte that is kept of everything else. */
  readonly longest?: number;
  /** Asked twice a second while it runs: whether what it leaves on the disk is too much. */
  readonly isTooMuch?: () => Promise<boolean>;
};

/** What a server that is no registry answers to GET. Redirects are not followed, and `truncated` says that the body was longer than asked for. */
export type WebAnswer =
  | {
      readonly kind: "response";
      readonly status: number;
      /** By names in small letters. */
      readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
      readonly body: Uint8Array;
      readonly truncated: boolean;
    }
  | { readonly kind: "failure"; readonly words: string };

/** Asks an address, by the proxy and the trust that git has too. Never throws for what a network or a server does. */
export type Web = (
  url: string,
  options: { readonly headers: Readonly<Record<string, string>>; readonly limit: number },
) => Promise<WebAnswer>;

/** Asks GitHub's API, or that of an Enterprise server, for a branch. Never throws for what a network or a server does. */
export type GitHub = (
  repository: { readonly base: string; readonly owner: string; readonly repository: string },
  branch: string,
  token: string,
) => Promise<WebAnswer>;

/** Folders that the host keeps between jobs, by a key under which one is never changed. Nothing here throws. */
export type JobCache = {
  /** Puts a folder back to where it was. @returns false where there is none. */
  readonly restore: (folder: string, key: string) => Promise<boolean>;
  readonly save: (folder: string, key: string) => Promise<void>;
};

/** A program that is fetched once for a machine. `version` is exact. */
export type Tool = { readonly name: string; readonly version: string; readonly program: string };

/** The runner's tool cache. Where the host has none, what is fetched lives as long as the run. */
export type Tools = {
  /** The machine's own words: Node's `process.platform` and `process.arch`. */
  readonly machine: { readonly os: string; readonly architecture: string };
  /** The path of a program that has been kept. */
  readonly find: (tool: Tool) => Promise<string | undefined>;
  /** Fetches a file over http to a path. Throws with the server's words. */
  readonly download: (url: string, to: string) => Promise<void>;
  /** Keeps a program for later runs and tells where it can be run from. */
  readonly keep: (file: string, tool: Tool) => Promise<string>;
};

/** What the run is about, told by the host: nothing here is asked for over the network. */
export type Host = {
  readonly name: "github" | "gitea" | "forgejo" | "act" | "terminal";
  /** The variables of the step, `INPUT_*` left out. */
  readonly env: Readonly<Record<string, string>>;
  /** A digest of this very program: what another one has found out by reading may be another thing. */
  readonly program: () => string;
  readonly workspace: string;
  /** What git-url names, once it is cloned: it is built in the place of the workspace. */
  readonly clone?: Clone;
  /** Where the cache repository is when none is named; `undefined` where the host does not tell. */
  readonly defaultCacheRepository: string | undefined;
  readonly event: Event;
  readonly capabilities: Capabilities;
  /** Normalised: `linux/amd64`. */
  readonly platform: string;
};

/** One commit of another repository, as files. */
export type Clone = {
  /** Called like the repository, and without `.git` in it. */
  readonly folder: string;
  /** Where git keeps what it knows of it. */
  readonly gitFolder: string;
  /** The repository's page, without a login; `undefined` where it has none. */
  readonly page: string | undefined;
  /** How one repository is told from another, whoever asks for it; `undefined` for the one that the run is about. */
  readonly identity: string | undefined;
  readonly commit: string;
  /** The branch or tag that was asked for, as a whole name. */
  readonly ref: string | undefined;
  /** Whether all submodules are there that somebody has who clones it by hand; else it was told. */
  readonly isWhole: boolean;
  /** Whether the repository keeps files in Git LFS, and their pointers stand in. */
  readonly hasPointers: boolean;
};

/** In what the hosts differ, by what each can do. */
export type Capabilities = {
  /** Whose the folders are that a job's container gets: this user's and nobody else's, or whoever works in it is made their owner. */
  readonly folderOwner: number | "anyone";
  /** The only options of a job's container that the runner takes, the others it drops without a word; `undefined` where it takes all. */
  readonly takesOptions?: readonly string[] | undefined;
  /** Whether the runner brings along the Node with which it starts actions in a job's container; else the image has to have one. */
  readonly bringsNode: boolean;
  /** Whether the job's own token is a login to the host's registry. */
  readonly jobTokenLogsIn: boolean;
  /** Whether the runner makes annotations of `::error` and `::warning`, and decodes them. */
  readonly annotates: boolean;
  /** Whether the page of a run, or its log, shows what a step writes as its summary. */
  readonly showsSummary: boolean;
  /** Whether what shows a summary makes pictures of Mermaid's text. */
  readonly drawsMermaid: boolean;
  /** Whether an output of a job that holds something masked is left out; elsewhere it is stored as it is. */
  readonly dropsMaskedOutputs: boolean;
  /** The address of a server that has a registry itself, and asks for tokens as Gitea does. */
  readonly ownRegistry: string | undefined;
  /** The host's own registry, where its server speaks plain http. */
  readonly plainRegistry: string | undefined;
};

export type Event = {
  /** `push`, `pull_request`, …; empty where there is none. Read from the payload where the name lies (Gitea's `workflow_call`). */
  readonly name: string;
  /** The branch that was pushed; for a pull request its head branch. */
  readonly branch: string | undefined;
  readonly baseBranch: string | undefined;
  readonly defaultBranch: string | undefined;
  readonly isPullRequest: boolean;
  /** True where nothing says that the code to build is from the repository whose rights the run has. */
  readonly isFork: boolean;
  /** Why it counts as a fork's, where it does; a payload's own words may stand in it. */
  readonly whyFork?: string;
  /** Why the host gives the run no secrets, where it may be so. */
  readonly whyNoSecrets?: string;
};

/** Each text is one line, whatever it holds: nobody has to make it fit to be told. */
export type Log = {
  readonly info: (line: string) => void;
  readonly warning: (line: string, at?: { readonly file: string; readonly line?: number }) => void;
  /** What is worth to be seen at a place of the user's files, and nothing to worry about. */
  readonly notice: (line: string, at: { readonly file: string; readonly line?: number }) => void;
  /** One foldable group per step of the story. */
  readonly group: <T>(title: string, body: () => Promise<T>) => Promise<T>;
  readonly debug: (line: string) => void;
  /** Hides a value from every later line of the log. */
  readonly mask: (secret: string) => void;
  /** From here on places are in another repository than the job's, where no host shows anything: they are told in words. */
  readonly detach: () => void;
};

/** Small results that outlive the run. What cannot be kept, or read again, is worked out anew: nothing here throws. */
export type Memory = {
  readonly recall: (name: string) => Promise<string | undefined>;
  readonly remember: (name: string, text: string) => Promise<void>;
};

/** Milliseconds since 1970. */
export type Clock = () => number;

/**
 * What reading a checkout may cost before anything is asked: a few hundred bytes of a stranger's can ask for gigabytes.
 * `spend` is told of work that is out of proportion to what was read, in bytes of memory or steps that take as long, where it is done.
 * It throws E_LIMIT past a limit, or when the time is over.
 */
export type Effort = { readonly spend: (amount: number, at: Place) => void };

/** Unpacks what comes piece by piece: takes packed bytes, gives what follows from all of them so far, and says what is wrong where it cannot. */
export type OpenUnpack = () => (packed: Uint8Array) => Promise<readonly Uint8Array[] | { readonly wrong: string }>;

/** Unpacks gzip; never gives more than `limit` bytes, and says what is wrong where it would or cannot. */
export type Gunzip = (packed: Uint8Array, limit: number) => Promise<Uint8Array | { readonly wrong: string }>;
