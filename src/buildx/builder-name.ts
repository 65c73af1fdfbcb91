import { formatPlatform, parsePlatform } from "../oci/platform.ts";

/**
 * Reads one line of the input builders: `linux/arm64=name`.
 * @returns the platform as `formatPlatform` writes it and the builder's name, or a sentence that says what is wrong.
 */
export function parsePlatformBuilder(
  line: string,
): { readonly platform: string; readonly name: string } | { readonly wrong: string } {
  const [written = "", name = "", ...rest] = line.split("=").map((part) => part.trim());
  if (written === "" || name === "" || rest.length > 0) return { wrong: "it is not written as linux/arm64=name" };
  const platform = parsePlatform(written);
  if ("wrong" in platform) return platform;
  if (!isBuilderName(name)) return { wrong: `"${name}" is not a builder's name` };
  return { platform: formatPlatform(platform), name };
}

/** Tells whether a text can name a builder or a docker context. What begins with a dash would be read as an option. */
export function isBuilderName(text: string): boolean {
  return /^[A-Za-z0-9][\w.+/-]*$/.test(text);
}
