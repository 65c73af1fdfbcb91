import { goString } from "./go-json.ts";
import { md5Of } from "./hashes.ts";

/**
 * What is at a place of the build context, links not followed. `mode` holds the permission bits and setuid, setgid and sticky; `other` is a
 * pipe, a socket or a device, `unknown` what the builder may see otherwise than we do.
 */
export type ContextEntry =
  | { readonly kind: "file" | "directory" | "link"; readonly mode: number }
  | { readonly kind: "other" | "unknown" };

/**
 * The build context as the builder sees it. Paths are relative to its folder and clean, `.` is the folder itself. A link in front of the
 * last name is followed.
 */
export type Context = {
  readonly stat: (path: string) => Promise<ContextEntry | undefined>;
  /** The names in a folder, in any order. */
  readonly list: (path: string) => Promise<readonly string[]>;
  /** The md5, in hexadecimal digits, of a text with a file's content, or what a link holds, behind it. */
  readonly md5: (path: string, before: string) => Promise<string>;
};

/** What envbuilder adds to every Dockerfile: https://github.com/coder/envbuilder/blob/v1.3.0/internal/workingdir/workingdir.go */
export const DIRECTIVES = `
COPY --chmod=0755 .envbuilder.tmp/envbuilder /.envbuilder/bin/envbuilder
COPY --chmod=0644 .envbuilder.tmp/image /.envbuilder/image
USER root
WORKDIR /
ENTRYPOINT ["/.envbuilder/bin/envbuilder"]
`;

/** Its folder in the context. */
export const MAGIC = ".envbuilder.tmp";
/** How kaniko hashes a file that is root's and that everybody may run, or read: its md5 begins with this. */
export const BINARY_PREFIX = "-rwxr-xr-x0,0";

export type Magic = {
  /** The md5 of `BINARY_PREFIX` with the builder's binary behind it. */
  readonly binaryMd5: string;
  /** The user of the container, which the builder writes down for itself. */
  readonly user: string;
};

/**
 * The context with what envbuilder lays into it before it builds: its own binary, and the user's name as JSON.
 * @see https://github.com/coder/envbuilder/blob/v1.3.0/envbuilder.go (copyFile, writeMagicImageFile)
 */
export function withMagic(context: Context, { binaryMd5, user }: Magic): Context {
  const image = `{\n  "container_user": ${goString(user)}\n}\n`;
  const modes: ReadonlyMap<string, ContextEntry> = new Map<string, ContextEntry>([
    [MAGIC, { kind: "directory", mode: 0o755 }],
    [`${MAGIC}/envbuilder`, { kind: "file", mode: 0o755 }],
    [`${MAGIC}/image`, { kind: "file", mode: 0o644 }],
  ]);
  return {
    stat: async (path) => modes.get(path) ?? (path.startsWith(`${MAGIC}/`) ? undefined : context.stat(path)),
    list: async (path) => {
      if (path === MAGIC) return ["envbuilder", "image"];
      const names = await context.list(path);
      return path === "." ? [...names.filter((name) => name !== MAGIC), MAGIC] : names;
    },
    md5: async (path, before) => {
      // It is on no disk here, and a folder has no content.
      if (path === MAGIC) return md5Of(before);
      if (path === `${MAGIC}/image`) return md5Of(before + image);
      return path === `${MAGIC}/envbuilder` ? binaryMd5 : context.md5(path, before);
    },
  };
}
