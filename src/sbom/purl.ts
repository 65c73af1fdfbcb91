/** What counts of a package's URL: `pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12` */
export type Purl = {
  /** The kind of package in lower case: `deb`, `apk`, `npm`, `pypi`, … */
  readonly type: string;
  /** Namespace and name, without the version, as written. */
  readonly path: string;
  readonly arch: string | undefined;
};

const PURL = /^pkg:\/*([a-z][a-z0-9.+-]*)\/+([^?#]+)(?:\?([^#]*))?/i;

/**
 * Reads a package URL.
 * @returns `undefined` for anything else.
 * @see https://github.com/package-url/purl-spec/blob/main/PURL-SPECIFICATION.rst
 */
export function parsePurl(text: string): Purl | undefined {
  const [, type, named, qualifiers = ""] = PURL.exec(text) ?? [];
  if (type === undefined || named === undefined) return undefined;
  // Some tools leave the @ of an npm scope as it is: only one in the last segment starts a version.
  const at = named.indexOf("@", named.lastIndexOf("/") + 1);
  const arch = new URLSearchParams(qualifiers).get("arch") ?? undefined;
  return { type: type.toLowerCase(), path: at < 0 ? named : named.slice(0, at), arch };
}
