/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md: normalised, so that equal platforms are equal values. */
export type Platform = { readonly os: string; readonly architecture: string; readonly variant?: string };

/** What BuildKit can name; a typo is caught here because BuildKit's own answer to it is misleading ("no match for platform in manifest"). */
const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  linux: ["386", "amd64", "arm", "arm64", "loong64", "mips64", "mips64le", "ppc64le", "riscv64", "s390x"],
  windows: ["amd64", "arm64"],
};

const ALIASES: Readonly<Record<string, { architecture: string; variant?: string }>> = {
  i386: { architecture: "386" },
  x86_64: { architecture: "amd64" },
  "x86-64": { architecture: "amd64" },
  aarch64: { architecture: "arm64" },
  armhf: { architecture: "arm", variant: "v7" },
  armel: { architecture: "arm", variant: "v6" },
};

const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  arm: ["v5", "v6", "v7", "v8"],
  arm64: ["v8", "v9"],
  amd64: ["v1", "v2", "v3", "v4"],
};

/** The variant that is meant when none is written: https://github.com/containerd/platforms/blob/v1.0.0/database.go */
const DEFAULT_VARIANT: Readonly<Record<string, string>> = { arm64: "v8", amd64: "v1" };

/**
 * Reads `os/architecture[/variant]` and normalises it as containerd does: `linux/arm64/v8` is `linux/arm64`, `linux/arm` is `linux/arm/v7`.
 * @returns the platform, or a sentence that says what is wrong and what is allowed.
 */
export function parsePlatform(text: string): Platform | { readonly wrong: string } {
  const [os = "", written = "", writtenVariant, ...rest] = text.toLowerCase().split("/");
  const known = ARCHITECTURES[os];
  if (!known || rest.length > 0) return { wrong: "it is not written as linux/<architecture>[/<variant>]" };
  const alias = ALIASES[written];
  const architecture = alias?.architecture ?? written;
  if (!known.includes(architecture))
    return { wrong: `${os} has no architecture "${written}" (known: ${known.join(", ")})` };
  const variant = writtenVariant ?? alias?.variant;
  if (variant !== undefined && !(VARIANTS[architecture] ?? []).includes(variant))
    return { wrong: `${os}/${architecture} has no variant "${variant}"` };
  return normalisePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
}

/** Leaves out a variant that is the default one, and adds `v7` to a bare `arm`, so that equal platforms are equal values. */
export function normalisePlatform(platform: Platform): Platform {
  const { os, architecture } = platform;
  const variant = platform.variant === "" ? undefined : platform.variant;
  if (architecture === "arm") return { os, architecture, variant: variant ?? "v7" };
  return variant === undefined || variant === DEFAULT_VARIANT[architecture]
    ? { os, architecture }
    : { os, architecture, variant };
}

/** `os/architecture[/variant]` */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, ...(platform.variant === undefined ? [] : [platform.variant])].join("/");
}

/** `os-architecture[-variant]`, as it stands in a tag or a file name. */
export function platformSlug(platform: Platform): string {
  return formatPlatform(platform).replaceAll("/", "-");
}

/** Tells whether both name the same platform. Both must be normalised. */
export function samePlatform(a: Platform, b: Platform): boolean {
  return formatPlatform(a) === formatPlatform(b);
}
