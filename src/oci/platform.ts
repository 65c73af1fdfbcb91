/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md: normalised, so that equal platforms are equal values. */
export type Platform = { readonly os: string; readonly architecture: string; readonly variant?: string };

/** What BuildKit can name; a typo is caught here because BuildKit's own answer to it is misleading ("no match for platform in manifest"). */
const ARCHITECTURES: ReadonlyMap<string, readonly string[]> = new Map([
  ["linux", ["386", "amd64", "arm", "arm64", "loong64", "mips64", "mips64le", "ppc64le", "riscv64", "s390x"]],
  ["windows", ["amd64", "arm64"]],
]);

const ALIASES: ReadonlyMap<string, { readonly architecture: string; readonly variant?: string }> = new Map([
  ["i386", { architecture: "386" }],
  ["x86_64", { architecture: "amd64" }],
  ["x86-64", { architecture: "amd64" }],
  ["aarch64", { architecture: "arm64" }],
  ["armhf", { architecture: "arm", variant: "v7" }],
  ["armel", { architecture: "arm", variant: "v6" }],
]);

const VARIANTS: ReadonlyMap<string, readonly string[]> = new Map([
  ["arm", ["v5", "v6", "v7", "v8"]],
  ["arm64", ["v8", "v9"]],
  ["amd64", ["v1", "v2", "v3", "v4"]],
]);

/** What variants are called beside their own names, and which of them is meant when none is written. */
const VARIANT_NAMES: ReadonlyMap<string, ReadonlyMap<string, string | undefined>> = new Map<
  string,
  ReadonlyMap<string, string | undefined>
>([
  [
    "arm",
    new Map([
      ["", "v7"],
      ["5", "v5"],
      ["6", "v6"],
      ["7", "v7"],
      ["8", "v8"],
    ]),
  ],
  [
    "arm64",
    new Map([
      ["8", undefined],
      ["v8", undefined],
    ]),
  ],
  ["amd64", new Map([["v1", undefined]])],
]);

/**
 * Reads `os/architecture[/variant]` and normalises it as containerd does: `linux/arm64/v8` is `linux/arm64`, `linux/arm` is `linux/arm/v7`.
 * @returns the platform, or a sentence that says what is wrong and what is allowed.
 */
export function parsePlatform(text: string): Platform | { readonly wrong: string } {
  const [os = "", written = "", writtenVariant, ...rest] = text.toLowerCase().split("/");
  const known = ARCHITECTURES.get(os);
  if (!known || rest.length > 0) return { wrong: "it is not written as linux/<architecture>[/<variant>]" };
  const alias = ALIASES.get(written);
  const architecture = alias?.architecture ?? written;
  if (!known.includes(architecture))
    return { wrong: `${os} has no architecture "${written}" (known: ${known.join(", ")})` };
  const variant = writtenVariant ?? alias?.variant;
  if (variant !== undefined && !(VARIANTS.get(architecture) ?? []).includes(variant))
    return { wrong: `${os}/${architecture} has no variant "${variant}"` };
  return normalisePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
}

/**
 * One spelling for each platform, so that equal platforms are equal values: `aarch64` is `arm64`, `armhf` is `arm/v7`, a variant that is the
 * default one is left out. Indexes hold every spelling, and containerd, which chooses from them, reads them all.
 * @see https://github.com/containerd/platforms/blob/v1.0.0/database.go (normalizeArch)
 */
export function normalisePlatform(platform: Platform): Platform {
  const written = platform.architecture.toLowerCase();
  const alias = ALIASES.get(written);
  const architecture = alias?.architecture ?? written;
  // The 32-bit names say their variant; with the others it stands beside the name.
  const given = alias?.variant ?? (written === "i386" ? "" : (platform.variant ?? "").toLowerCase());
  const names = VARIANT_NAMES.get(architecture);
  const variant = names?.has(given) ? names.get(given) : given;
  return { os: platform.os.toLowerCase(), architecture, ...(variant ? { variant } : {}) };
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
