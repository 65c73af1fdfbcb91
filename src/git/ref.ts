/** What is asked for of a repository. */
export type GitRef =
  | { readonly kind: "head" }
  | { readonly kind: "commit"; readonly id: string }
  /** A whole name: `refs/heads/main`. */
  | { readonly kind: "ref"; readonly ref: string }
  /** A branch, or a tag where there is no such branch. */
  | { readonly kind: "name"; readonly name: string };

/** Whether a text is a commit's whole id, of SHA-1 or SHA-256. */
export function isCommitId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

const LONGEST = 255;

/**
 * Reads what the input git-ref asks for.
 * @returns the ref, or a sentence that says why git knows no such name.
 * @see https://git-scm.com/docs/git-check-ref-format
 */
export function parseGitRef(written: string): GitRef | { readonly wrong: string } {
  if (written === "HEAD") return { kind: "head" };
  if (isCommitId(written.toLowerCase())) return { kind: "commit", id: written.toLowerCase() };
  if (written.startsWith("-")) return { wrong: "it begins with a dash, and would be an option" };
  if (written.length > LONGEST) return { wrong: `it has more than ${LONGEST} characters` };
  if (/[\p{Cc}\s~^:?*[\\]/u.test(written)) return { wrong: "it holds a blank or one of ~ ^ : ? * [ \\" };
  const bad = written.split("/").find((part) => part === "" || part.startsWith(".") || part.endsWith(".lock"));
  if (bad !== undefined || /\.\.|@\{|\.$|^@$/.test(written)) return { wrong: "git takes no such name" };
  return written.startsWith("refs/") ? { kind: "ref", ref: written } : { kind: "name", name: written };
}

/** How a message names it. */
export function tellRef(ref: GitRef): string {
  switch (ref.kind) {
    case "head":
      return "the default branch";
    case "commit":
      return `commit ${ref.id}`;
    case "ref":
      return ref.ref;
    case "name":
      return `branch or tag ${ref.name}`;
  }
}

/** A commit, and the ref that it was found under: nothing for one that was asked for by its id. */
export type FoundCommit = { readonly commit: string; readonly ref: string | undefined };

/** The names to ask a server for, so that its answer tells of nothing else. */
export function namesToAsk(ref: Exclude<GitRef, { readonly kind: "commit" }>): readonly string[] {
  switch (ref.kind) {
    case "head":
      return ["HEAD"];
    case "ref":
      return [ref.ref, `${ref.ref}^{}`];
    case "name":
      return [`refs/heads/${ref.name}`, `refs/tags/${ref.name}`, `refs/tags/${ref.name}^{}`];
  }
}

/**
 * Finds a commit in what `git ls-remote --symref` printed. Of an annotated tag it is the commit that the tag is put on. A branch goes over
 * a tag of the same name.
 * @returns `undefined` where the server tells of no such ref.
 */
export function findCommit(
  printed: string,
  ref: Exclude<GitRef, { readonly kind: "commit" }>,
): FoundCommit | undefined {
  const told = printed.split("\n").map((line) => line.split("\t"));
  const ids = new Map(told.flatMap(([id = "", name = ""]) => (isCommitId(id) ? [[name, id] as const] : [])));
  const target = told.find(([value = "", name]) => name === "HEAD" && value.startsWith("ref: "))?.[0]?.slice(5);
  const names = ref.kind === "name" ? [`refs/heads/${ref.name}`, `refs/tags/${ref.name}`] : [namesToAsk(ref)[0] ?? ""];
  const found = names.find((name) => ids.has(name));
  const commit = found === undefined ? undefined : (ids.get(`${found}^{}`) ?? ids.get(found));
  if (commit === undefined) return undefined;
  return { commit, ref: found === "HEAD" ? target : found };
}
