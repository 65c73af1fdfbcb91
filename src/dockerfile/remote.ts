import { openScopes, type Scoped } from "./environment.ts";
import { expandWord } from "./expand.ts";
import { flagValues } from "./flags.ts";
import { readOpening } from "./heredoc.ts";
import type { Dockerfile, Stage } from "./parse.ts";
import type { Scope } from "./scope.ts";
import { listWords } from "./words.ts";

/**
 * An ADD of something that is not in the build context. `checksum` only where it settles the content for good; `address` where it is no
 * git repository, has no checksum at all, and every reader of addresses reads the same one.
 */
export type RemoteAdd = {
  readonly source: string;
  readonly line: number;
  readonly checksum: string | undefined;
  readonly address: string | undefined;
};

/** ADD of an address or a git repository in some stages. What only the build knows counts as one. */
export function remoteAdds(dockerfile: Dockerfile, stages: readonly Stage[], scope: Scope): readonly RemoteAdd[] {
  const scopes = openScopes(dockerfile, scope);
  return stages.flatMap((stage) => scopes(stage).flatMap((scoped) => remoteSources(scoped, dockerfile.escape)));
}

function remoteSources({ instruction, lookup }: Scoped, escapeChar: string): RemoteAdd[] {
  const { keyword, flags, rest, line } = instruction;
  if (keyword !== "ADD") return [];
  const [written] = flagValues(flags, "checksum");
  const flag = written === undefined ? undefined : expandWord(written, lookup, escapeChar);
  return listWords(rest)
    .slice(0, -1)
    .filter((source) => readOpening(source) === undefined)
    .flatMap((source) => {
      const expanded = expandWord(source, lookup, escapeChar);
      if (expanded.kind === "unresolved") return [{ source, line, checksum: undefined, address: undefined }];
      const remote = readRemote(expanded.text);
      if (!remote) return [];
      const checksum = flag === undefined ? remote.checksum : flag.kind === "text" ? flag.text : undefined;
      const settled = checksum !== undefined && isWhole(checksum) ? checksum : undefined;
      return [
        { source, line, checksum: settled, address: written === undefined ? addressIn(expanded.text) : undefined },
      ];
    });
}

/**
 * A builder and this program take an address apart each in its own way: one that is not in its plainest form already may be two. What old
 * and new builders take for a repository of git, as it is written or behind a percent sign, is none.
 */
function addressIn(text: string): string | undefined {
  if (!/^https?:\/\/[^\s\\]+$/.test(text) || !URL.canParse(text)) return undefined;
  const [written = ""] = text.split("#", 1);
  const [plain] = new URL(text).href.split("#", 1);
  if (plain !== written && plain !== `${written}/`) return undefined;
  const decoded = text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return /\.git(?:[?#]|$)/i.test(decoded) ? undefined : text;
}

/** A part of a commit's name is a checksum to BuildKit, but not for good. */
function isWhole(checksum: string): boolean {
  return /^(?:[a-z0-9+._-]+:[0-9a-f]{32,}|[0-9a-f]{40}|[0-9a-f]{64})$/.test(checksum);
}

/** `user@host:path`, as git and ssh write it; the user may be anyone. */
const SCP = /^[a-zA-Z0-9_-]+@[a-zA-Z0-9.-]+:/;

/**
 * Tells an address from a path of the context, and the commit where a git address holds one. `github.com/…` without a scheme is a path.
 * @see https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/dfgitutil/git_ref.go (ParseGitRef)
 */
export function readRemote(source: string): { readonly checksum: string | undefined } | undefined {
  if (/^\.\.?\//.test(source)) return undefined;
  const scheme = /^([a-zA-Z0-9]+):\/\//.exec(source)?.[1]?.toLowerCase();
  if (scheme === undefined) return SCP.test(source) ? { checksum: commitOf(source) } : undefined;
  if (scheme === "git" || scheme === "ssh") return { checksum: commitOf(source) };
  if (scheme !== "http" && scheme !== "https") return undefined;
  const path = /^[^/]*\/\/[^/?#]*([^?#]*)/.exec(source)?.[1] ?? "";
  if (path.endsWith(".git")) return { checksum: commitOf(source) };
  // In capitals it is an address for git alone, else a path.
  return /^https?:\/\//.test(source) || /%/.test(path) ? { checksum: undefined } : undefined;
}

function commitOf(source: string): string | undefined {
  const [, query, fragment] = /^[^?#]*(?:\?([^#]*))?(?:#(.*))?$/s.exec(source) ?? [];
  const asked = (name: string) => new RegExp(`(?:^|&)${name}=([^&]*)`).exec(query ?? "")?.[1];
  return asked("checksum") ?? asked("commit") ?? asked("ref") ?? fragment?.split(":", 1)[0];
}
