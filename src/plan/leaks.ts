import { secretFormIn } from "../arguments/like-secret.ts";
import { ActionError, joinErrors, type Place, tellPlace, type Warning } from "../errors.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { FindSecret } from "../sources/known-secrets.ts";
import type { Gathered } from "../sources/sources.ts";
import type { Event } from "../world.ts";
import { type PublishedText, publishedTexts } from "./published.ts";

/** Nobody reads more of them, and one is enough to be refused. */
const MOST_TOLD = 20;

/** A secret of the run that somebody has written out. */
export type Leak = { readonly leaves: PublishedText["leaves"]; readonly error: ActionError };

type Judged = { readonly leaks: readonly Leak[]; readonly warnings: readonly Warning[] };

/**
 * Looks through everything that a run publishes for the run's own secrets, and for what has the form of one. To a fork nothing is said of
 * the run's own: it publishes nothing, and would be told whether it has guessed one.
 */
export function judgePublished(inputs: Inputs, gathered: Gathered): Judged {
  const { leaks, warnings } = judgeTexts(publishedTexts(inputs, gathered), inputs, gathered);
  return { leaks: [...leaks, ...takenSecrets(gathered)], warnings };
}

/** Files that a build takes from a context, and that hold a secret and nothing else. */
function takenSecrets({ context, contextFolder, namedContexts, readable }: Gathered): readonly Leak[] {
  if (readable.isFork) return [];
  const taken = [
    ...[...(context?.entries.values() ?? [])].map((entries) => ({ folder: contextFolder, entries })),
    ...[...namedContexts.values()].map(({ seen, entries }) => ({ folder: seen, entries })),
  ];
  const found = new Map<string, string>();
  for (const { folder, entries } of taken)
    for (const entry of entries) {
      const name = entry.kind === "file" ? readable.secretOf(entry.content) : undefined;
      if (name !== undefined) found.set(folder === "." ? entry.path : `${folder}/${entry.path}`, name);
    }
  return [...found].slice(0, MOST_TOLD).map(([file, name]) => ({
    leaves: "image",
    error: new ActionError("E_CONTEXT", {
      what: `The build would take ${file} from its context, and that holds a secret of this run (${name}): ${EVERYBODY}.`,
      fix: `Name it in .dockerignore. ${FIX}.`,
      at: { file },
    }),
  }));
}

/** Looks through texts of a build for the run's own secrets, and for what has the form of one. */
export function judgeTexts(texts: readonly PublishedText[], inputs: Inputs, gathered: Gathered): Judged {
  const { readable, arguments: args } = gathered;
  const words = publicWords(inputs, gathered);
  const looking = { own: args.secretValues, behindProxy: false, isPublic: (word: string) => words.has(word) };
  return judgeWith(texts, readable.isFork ? () => undefined : readable.openFinder({ ...looking, all: joined(texts) }));
}

/** Everything that will be asked about, as one text. */
export function joined(texts: readonly PublishedText[]): string {
  return texts.map(({ text }) => text).join("\n");
}

/** The first secret of a place is told, and the first form of one. */
export function judgeWith(texts: readonly PublishedText[], find: FindSecret): Judged {
  const leaks = new Map<string, Leak>();
  const warnings = new Map<string, Warning>();
  for (const one of texts) {
    const name = find(one.text, one.values);
    const holds = name === undefined ? likeSecret(one.text) : `a secret of this run (${name})`;
    if (holds === undefined) continue;
    const { what, at } = one.tell();
    // What is called by a name that is the secret itself is told by its place alone.
    const isTold = find(what, []) === undefined && secretFormIn(what) === undefined;
    const text = `${isTold ? what : "A name"} holds ${holds}`;
    const place = at === undefined ? text : tellPlace(at);
    if (name === undefined) warnings.set(place, { text: `${text}: ${EVERYBODY}. ${FIX}`, ...(at ? { at } : {}) });
    else if (leaks.size < MOST_TOLD && !leaks.has(place)) leaks.set(place, leakOf(text, one, at));
  }
  return { leaks: [...leaks.values()], warnings: [...warnings.values()] };
}

function likeSecret(text: string): string | undefined {
  const form = secretFormIn(text);
  return form === undefined ? undefined : `what looks like ${form}`;
}

const EVERYBODY = "whoever can pull the image, or read its plan and this run, can read it";
const FIX = "What a build needs goes to it by the input build-secrets, and RUN --mount=type=secret reads it";

function leakOf(text: string, { code, leaves }: PublishedText, at: Place | undefined): Leak {
  const what = `${text}, and ${EVERYBODY}.`;
  return { leaves, error: new ActionError(code, { what, fix: `Take it out. ${FIX}.`, ...(at ? { at } : {}) }) };
}

/**
 * Refuses what a run that may build and push would publish, before any request.
 * @returns warnings about the rest: what is only looked for is published by nobody.
 * @throws ActionError with the code of the place of the first secret, and all others beside it.
 */
export function refuseLeaks(leaks: readonly Leak[], inputs: Inputs, event: Pick<Event, "isFork">): readonly Warning[] {
  const mayBuild = inputs.onMiss === "build" || inputs.force;
  const mayPush = inputs.push !== "false" && !event.isFork;
  const isDue = ({ leaves }: Leak): boolean =>
    leaves === "name" ? mayPush : mayBuild && (leaves === "command" || mayPush);
  const refused = joinErrors(leaks.filter(isDue).map(({ error }) => error));
  if (refused) throw refused;
  return warningsOf(leaks);
}

/** What was only a warning while nothing but a look was asked for. @throws ActionError as `refuseLeaks` does. */
export function refuseToBuild(leaks: readonly Leak[], { pushes }: { readonly pushes: boolean }): void {
  const refused = joinErrors(leaks.filter(({ leaves }) => pushes || leaves === "command").map(({ error }) => error));
  if (refused) throw refused;
}

export function warningsOf(leaks: readonly Leak[]): readonly Warning[] {
  return leaks.map(({ error: { message, fix, at } }) => ({ text: `${message} ${fix}`, ...(at ? { at } : {}) }));
}

/** The words of names that are no secret wherever they stand: those of images, users, features, stages and platforms. */
function publicWords(
  { cacheRepository, registryLogin, git, platforms }: Inputs,
  gathered: Gathered,
): ReadonlySet<string> {
  const { definition, dockerfile, configuration, features } = gathered;
  const { source, target, user } = definition;
  const { name, image, remoteUser, containerUser } = configuration.raw;
  const names = [
    ...[cacheRepository.registry, cacheRepository.repository, registryLogin?.username, git?.login?.username],
    ...[git?.url.host, ...platforms.map(({ architecture }) => architecture)],
    ...[source.kind === "image" ? source.image.value : undefined, target?.value, user?.value],
    ...[name, image, remoteUser, containerUser],
    ...dockerfile.stages.flatMap((stage) => [stage.from.base, stage.name]),
    ...(features?.written.map(({ id }) => id) ?? []),
  ];
  return new Set(names.flatMap((one) => (typeof one === "string" ? one.split(/[^A-Za-z\d]+/) : [])));
}
