import { parseDockerfile, readTrigger } from "../dockerfile/parse.ts";
import { type RemoteAdd, remoteAdds } from "../dockerfile/stages.ts";
import { type Place, tellPlace } from "../errors.ts";
import type { Inputs } from "../inputs/inputs.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { imageAllowed } from "../registry/allowed.ts";
import type { Doubt } from "../sources/doubt.ts";
import { openEffort } from "../sources/effort.ts";
import { scopeOf, stagesOf } from "../sources/scopes.ts";
import type { Gathered } from "../sources/sources.ts";
import { nameOfAddress } from "./feature-ports.ts";

/** An address whose content an ADD puts into the image, before anything was asked. `written` is how messages name it. */
export type AddressSource = { readonly address: string; readonly written: string; readonly at: Place };

/** `validator` is what its server said of the content that counts. */
export type BoundAddress = AddressSource & { readonly validator: string };

/** The addresses that a platform's build reads, or why what they hold cannot be told before any request. */
export type ReadAddresses = { readonly addresses: readonly AddressSource[]; readonly doubt?: Doubt };

/**
 * What ADD takes from elsewhere than the build context, in the stages that the target may need and in the triggers of what they stand on. A
 * checksum settles the content, and an address can be asked for what it serves; all else is in doubt.
 */
export function readAddresses(
  gathered: Gathered,
  platform: Platform,
  patterns: Inputs["allowedImages"],
): ReadAddresses {
  const addresses: AddressSource[] = [];
  for (const { add, at } of addsIn(gathered, platform)) {
    const { address, source, checksum } = add;
    if (checksum !== undefined) continue;
    const why = address === undefined ? "" : whyNotAsked(address, gathered, patterns);
    if (address === undefined || why !== undefined) return { addresses: [], doubt: doubtOf(source, at, why ?? "") };
    addresses.push({ address, written: shownAs(source), at });
  }
  return { addresses };
}

function addsIn(gathered: Gathered, platform: Platform): readonly { readonly add: RemoteAdd; readonly at: Place }[] {
  const { file, dockerfile, definition } = gathered;
  const { source } = definition;
  const written =
    file === undefined
      ? []
      : remoteAdds(dockerfile, stagesOf(gathered, platform), scopeOf(gathered, platform)).map((add) => ({
          add,
          at: { file, line: add.line },
        }));
  const triggered = addsOfTriggers(gathered, gathered.triggers.get(formatPlatform(platform)) ?? []);
  const ofBase = source.kind === "image" ? source.image.at : { file: file ?? gathered.relative };
  return [...written, ...triggered.map((add) => ({ add, at: ofBase }))];
}

/** What the triggers of a base take from elsewhere: they run with what this build is told. */
export function addsOfTriggers(
  { arguments: told, file, relative }: Gathered,
  triggers: readonly string[],
): readonly RemoteAdd[] {
  if (triggers.length === 0) return [];
  const dockerfile = parseDockerfile("FROM base\n", file ?? relative);
  const instructions = triggers.flatMap((text) => readTrigger(text, { line: 1, endLine: 1 }) ?? []);
  const stages = dockerfile.stages.map((stage) => ({ ...stage, instructions }));
  const { args, uncounted } = told;
  // A base is a stranger's as much as a checkout: its variables may put one another in without end.
  const { effort } = openEffort(() => 0);
  const scope = { args: new Map(Object.entries({ ...uncounted, ...args })), platform: undefined, effort };
  return remoteAdds({ ...dockerfile, stages }, stages, scope);
}

/** The end of a sentence; nothing for an address that may be asked. */
function whyNotAsked(
  address: string,
  { arguments: { secretIds } }: Gathered,
  patterns: Inputs["allowedImages"],
): string | undefined {
  // https://github.com/moby/buildkit/blob/v0.34.2/source/http/source.go (newHTTPRequest)
  if (secretIds.some((id) => id.startsWith("HTTP_AUTH_")))
    return ", and what it fetches with a secret of the build is not asked for without it";
  if (patterns.length === 0) return undefined;
  const name = nameOfAddress(address);
  return name !== undefined && imageAllowed(patterns, name)
    ? undefined
    : ", and its server is not asked, because the input allowed-images does not allow it";
}

/** A query may hold a token, and what stands before the host is a login. */
function shownAs(source: string): string {
  return source.replace(/\?.*$/s, "?…").replace(/(:\/\/)[^/]*@/, "$1…@");
}

/** What nobody can tell of an ADD; `why` goes on with the sentence. */
export function doubtOf(source: string, at: Place, why: string): Extract<Doubt, { readonly kind: "plan" }> {
  return {
    kind: "plan",
    what: `${tellPlace(at)}: ADD ${shownAs(source)} fetches something that can change without the Dockerfile changing${why}`,
    fix: "Add --checksum=sha256:… to it (for git: --checksum=<commit>).",
    at,
  };
}
