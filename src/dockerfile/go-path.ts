/** Go's `filepath.Clean` on Unix. */
export function cleanPath(path: string): string {
  const root = path.startsWith("/") ? "/" : "";
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== ".." || (root === "" && (kept.length === 0 || kept.at(-1) === ".."))) kept.push(segment);
    else kept.pop();
  }
  return root + kept.join("/") || ".";
}

/** Go's `filepath.Join` on Unix: what is empty does not count, and all of it empty is empty. */
export function joinPath(...elements: readonly string[]): string {
  const written = elements.filter((element) => element !== "");
  return written.length === 0 ? "" : cleanPath(written.join("/"));
}
