import { ActionError, type Place } from "../errors.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { parseReference } from "../oci/reference.ts";
import { type ImagePattern, imageAllowed } from "../registry/allowed.ts";
import type { Definition } from "../sources/definition-shape.ts";
import type { Doubt } from "../sources/doubt.ts";

type Named = { readonly what: string; readonly written: string; readonly at: Place };

/**
 * Refuses what a build would fetch from elsewhere than `allowed-images` says, beside bases, frontends and features: named contexts, used
 * or not, layer caches, and proxies, through which everything could come from anywhere.
 * @param doubt why it cannot be told what a build reads: then nobody can say that it is allowed.
 * @throws ActionError E_INPUT with the place.
 */
export function refuseForeignSources(
  { contexts, cacheFrom, args }: Pick<Definition, "contexts" | "cacheFrom" | "args">,
  doubt: Doubt | undefined,
  patterns: Inputs["allowedImages"],
): void {
  if (patterns.length === 0) return;
  const named: readonly Named[] = [
    ...[...contexts].flatMap(([name, { kind, value, at }]) =>
      kind === "image" ? [{ what: `the build context ${name}`, written: value, at }] : [],
    ),
    ...cacheFrom.map(({ entry, at }) => ({ what: "a layer cache", written: entry.attributes.get("ref") ?? "", at })),
  ];
  const foreign = named.find(({ written }) => !isAllowed(written, patterns));
  if (foreign)
    throw refusal(`The image ${foreign.written} of ${foreign.what} is not among those`, foreign.at, patterns);
  const proxy = [...args].find(([name]) => /^(https?|ftp|all)_proxy$/i.test(name));
  if (proxy)
    throw new ActionError("E_INPUT", {
      what: `The configuration names a proxy (${proxy[0]}), and through a proxy anything can come from anywhere, whatever the input allowed-images allows.`,
      fix: "Name it in the input build-args instead.",
      at: proxy[1].at,
    });
  if (doubt?.kind === "plan")
    throw new ActionError("E_INPUT", {
      what: `${doubt.what}, so that nobody can say whether the input allowed-images allows it.`,
      fix: doubt.fix,
      ...(doubt.at ? { at: doubt.at } : {}),
    });
}

function isAllowed(written: string, patterns: readonly ImagePattern[]): boolean {
  const reference = parseReference(written);
  return !("wrong" in reference) && imageAllowed(patterns, reference);
}

function refusal(what: string, at: Place, patterns: readonly ImagePattern[]): ActionError {
  return new ActionError("E_INPUT", {
    what: `${what} that the input allowed-images allows.`,
    fix: `Use one that matches one of ${patterns.map(({ written }) => written).join(", ")}, or add a pattern for it.`,
    at,
  });
}
