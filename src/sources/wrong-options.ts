import { NETWORKS, parseExtraHost } from "../arguments/options.ts";
import { type BuildOption, formatOption, OPTION_NAMES } from "../devcontainer/options.ts";
import type { Warning } from "../errors.ts";
import { tellMeant } from "../nearest.ts";

const ULIMIT =
  /^(?:core|cpu|data|fsize|locks|memlock|msgqueue|nice|nofile|nproc|rss|rtprio|rttime|sigpending|stack)=-?\d+(?::-?\d+)?$/;
const SIZE = /^\d+(?:\.\d+)? ?(?:[bkmgtp]i?b?)?$/i;

/** Of options that change the image, what buildx takes. */
const VALUES: ReadonlyMap<string, { readonly allowed: string; readonly fits: (value: string) => boolean }> = new Map([
  ["network", { allowed: NETWORKS.join(", "), fits: (value) => NETWORKS.some((one) => one === value) }],
  ["add-host", { allowed: "host=address", fits: (value) => !("wrong" in parseExtraHost(value)) }],
  ["ulimit", { allowed: "name=soft:hard, like nofile=1024:2048", fits: (value) => ULIMIT.test(value) }],
  ["shm-size", { allowed: "a size, like 512m", fits: (value) => SIZE.test(value) }],
]);

/** Warns of what buildx will not take in `build.options`, with the line, which buildx does not know. */
export function wrongOptions(counted: readonly BuildOption[], unknown: readonly BuildOption[]): readonly Warning[] {
  return [
    ...counted.flatMap((option): readonly Warning[] => {
      const kind = VALUES.get(option.name);
      if (kind === undefined || kind.fits(option.value ?? "")) return [];
      const text = `build.options holds ${formatOption(option)}, which buildx does not take (${kind.allowed}): a build will fail`;
      return [{ text, at: option.at }];
    }),
    ...unknown.map(({ name, at }) => {
      const text = `build.options: --${name} is not known here; it counts for the key as it is written, and buildx is told${tellMeant(name, OPTION_NAMES)}`;
      return { text, at };
    }),
  ];
}
