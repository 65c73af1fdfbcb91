/** POSIX paths as plain text: what `node:path` would do, in a room that may not import it. Nothing here looks at a disk. */

/** The absolute path that `path` means when it is written in `folder`; `.`, `..`, doubled and trailing slashes are gone. */
export function resolvePath(folder: string, path: string): string {
  const full = path.startsWith("/") ? path : `${folder}/${path}`;
  const kept: string[] = [];
  for (const segment of full.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  return `/${kept.join("/")}`;
}

/** The folder that holds an absolute path; the root holds itself. */
export function folderOf(path: string): string {
  return resolvePath(path, "..");
}

/** The last segment of a path, trailing slashes passed over; empty for the root. */
export function lastSegment(path: string): string {
  const end = path.replace(/\/+$/, "");
  return end.slice(end.lastIndexOf("/") + 1);
}

/** How an absolute path is written from inside `folder`: `.` for the folder itself, `undefined` when it lies outside. */
export function pathWithin(folder: string, path: string): string | undefined {
  const [root, full] = [resolvePath("/", folder), resolvePath("/", path)];
  if (full === root) return ".";
  const prefix = root === "/" ? "/" : `${root}/`;
  return full.startsWith(prefix) ? full.slice(prefix.length) : undefined;
}

/** Where a dev container is read from, as absolute paths. */
export type Workspace = {
  /** The dev container's workspace, which may be a link inside of the checkout: what `${localWorkspaceFolder}` is, and where its configuration is looked for. */
  readonly folder: string;
  /** The repository that holds it, without links: everything in it is in the commit, nothing outside is read, and messages name files as seen from it. */
  readonly checkout: string;
};
