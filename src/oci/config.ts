import { readJson } from "./json.ts";
import { isRecord, readPlatform } from "./manifest.ts";
import type { Platform } from "./platform.ts";

/** What an image's config says that matters to whoever builds on it or runs it. */
export type ImageConfig = {
  /** Empty where the image names none. */
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** What the image runs on, where it says so. */
  readonly platform?: Platform;
  /** `OnBuild`, which is Docker's own. */
  readonly triggers: readonly string[];
};

/**
 * Reads an image's config; what is not there, or not what it should be, says nothing.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
 */
export function readImageConfig(text: string): ImageConfig {
  const json = readJson(text);
  const config = isRecord(json) && isRecord(json.config) ? json.config : {};
  const labels = isRecord(config.Labels) ? Object.entries(config.Labels) : [];
  // An index may leave the system out, for the entry's platform is a hint; a config states it.
  const platform = isRecord(json) && typeof json.os === "string" && json.os !== "" ? readPlatform(json) : undefined;
  return {
    user: typeof config.User === "string" ? config.User : "",
    env: Object.fromEntries(texts(config.Env).map(splitVariable)),
    labels: Object.fromEntries(labels.filter((label): label is [string, string] => typeof label[1] === "string")),
    triggers: texts(config.OnBuild),
    ...(platform ? { platform } : {}),
  };
}

function texts(list: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(list) ? list : [];
  return items.filter((item) => typeof item === "string");
}

function splitVariable(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
