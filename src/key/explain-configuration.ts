import { canonicalJson, type Json } from "./canonical.ts";
import {
  type Difference,
  inBrackets,
  type Known,
  memberOf,
  type Places,
  placeOf,
  type Source,
  tellSource,
  tellVariables,
  told,
} from "./difference.ts";
import { isSameTarget } from "./explain-dockerfile.ts";
import type { PlatformPlan } from "./ingredients.ts";
import { argumentsGiven, tellGone } from "./origins.ts";

/** What differs in what devcontainer.json, a compose file and the inputs say of the build as a whole. */
export function compareConfiguration(before: PlatformPlan, now: PlatformPlan, places: Known): Difference[] {
  const [was, is] = [before.yours.configuration, now.yours.configuration];
  const tell = (text: string, source: Source = propertyPlace(places, "")): Difference => {
    const note = "input" in source ? inBrackets([tellSource(source)]) : "";
    return { part: "yours", ingredient: "configuration", text: text + note, ...placeOf(source) };
  };
  const differences: Difference[] = [];
  if (was.kind !== is.kind)
    differences.push(
      tell(
        `the dev container comes from ${nameKind(is.kind)} now, before from ${nameKind(was.kind)}`,
        is.kind === "image" ? places.image : places.asked.dockerfile,
      ),
    );
  if (was.image !== is.image && was.kind === is.kind)
    differences.push(tell(movedValue("image", was.image, is.image, tellVariables(places, "image")), places.image));
  if (!isSameTarget(before, now, places)) {
    const reads = is.target === undefined ? undefined : tellVariables(places, "build.target");
    const text = movedValue("build target", was.target, is.target, reads);
    differences.push(is.target === undefined ? tellWithout(text, "target", places) : tell(text, places.target));
  }
  const [version, versionNow] = [before.yours.options.cacheVersion, now.yours.options.cacheVersion];
  const [uid, uidNow] = [before, now].map(({ yours }) => yours.options.remoteUserUid?.toString());
  const options = [
    ...(version === versionNow ? [] : [`the input cache-version ${told(version)} → ${told(versionNow)}`]),
    ...(uid === uidNow ? [] : [`the input remote-user-uid ${told(uid)} → ${told(uidNow)}`]),
  ];
  return [...differences, ...options.map((text): Difference => ({ part: "yours", ingredient: "option", text }))];
}

function tellWithout(text: string, name: string, places: Known): Difference {
  const { note, ...at } = tellGone(places.origins, name, places);
  return { part: "yours", ingredient: "configuration", text: text + note, ...at };
}

function movedValue(
  name: string,
  before: string | undefined,
  now: string | undefined,
  note: string | undefined,
): string {
  const [was, is] = [told(before), told(now)];
  return `${name} ${was === is ? "changed" : `${was} → ${is}`}${inBrackets([note])}`;
}

function nameKind(kind: string): string {
  return kind === "image" ? "an image" : "a Dockerfile";
}

function propertyPlace({ properties, configuration }: Places, name: string): NonNullable<Difference["at"]> {
  return memberOf(properties, name) ?? { file: configuration };
}

/** Members of the plan that are no properties of the configuration. */
const SHOWN: Readonly<Record<string, string>> = {
  serviceUser: "the service's user",
  runArgsUser: "the user of runArgs",
};

/** What features are installed with, and who gets another uid. */
export function compareInstallation(before: PlatformPlan, now: PlatformPlan, places: Places): Difference[] {
  const [was, is] = [before.yours.installation ?? {}, now.yours.installation ?? {}];
  const haveFeatures = before.upstream.features.length > 0 && now.upstream.features.length > 0;
  const haveUid = before.yours.options.remoteUserUid !== undefined && now.yours.options.remoteUserUid !== undefined;
  if (!haveFeatures && !haveUid) return [];
  const use = haveFeatures ? "with which features are installed" : "and that user gets remote-user-uid";
  return changedMembers(was, is).map((name): Difference => {
    const note = inBrackets([tellVariables(places, name)]);
    const shown = SHOWN[name] ?? name;
    const text = `${shown} changed, ${use}${note}`;
    return {
      part: "yours",
      ingredient: haveFeatures ? "feature" : "configuration",
      text,
      at: propertyPlace(places, name),
    };
  });
}

/** Build args by their names; their values are nobody's business. One that is given as before and comes or goes with its ARG is told by that. */
export function compareArguments(before: PlatformPlan, now: PlatformPlan, places: Known): Difference[] {
  const [was, is] = [before.yours.arguments, now.yours.arguments];
  const [declared, declaredNow] = [before, now].map(declaredArgs);
  const given = argumentsGiven(before, now, places);
  return changedMembers(was, is).flatMap((name): Difference[] => {
    const comesOrGoes = Object.hasOwn(was, name) !== Object.hasOwn(is, name) && !given.has(name);
    if (comesOrGoes && declared?.has(name) !== declaredNow?.has(name)) return [];
    if (!Object.hasOwn(is, name)) return [goneArgument(name, places)];
    const source = memberOf(places.arguments, name);
    const notes = [source && tellSource(source), tellVariables(places, `build.args.${name}`)];
    const text = `build arg ${name} ${what(was, is, name)}${inBrackets(notes)}`;
    return [{ part: "yours", ingredient: "argument", text, ...placeOf(source) }];
  });
}

function goneArgument(name: string, places: Known): Difference {
  if (places.ignored.arguments.has(name)) {
    const text = `build arg ${name} no longer counts (the input ignore-args names it)`;
    return { part: "yours", ingredient: "argument", text };
  }
  const { note, ...at } = tellGone(places.origins, `build arg ${name}`, places);
  return { part: "yours", ingredient: "argument", text: `build arg ${name} is gone${note}`, ...at };
}

/** The names that ARGs of the stages that count declare. */
function declaredArgs({ yours }: PlatformPlan): ReadonlySet<string> {
  const texts = (yours.dockerfile?.stages ?? []).flat().filter((text) => typeof text === "string");
  return new Set(texts.filter((text) => /^ARG\s/.test(text)).flatMap((text) => text.match(/\w+(?=\s|=|$)/g) ?? []));
}

/** Secrets and ssh keys by their ids: what they hold no key sees. */
export function compareSecrets(before: PlatformPlan, now: PlatformPlan, places: Known): Difference[] {
  const members = (ids: unknown) => Object.fromEntries((Array.isArray(ids) ? ids : []).map((id) => [String(id), true]));
  const [was, is] = [members(before.yours.options.secrets), members(now.yours.options.secrets)];
  return changedMembers(was, is).map((id) => {
    const name = id.startsWith("ssh:") ? `ssh key ${id.slice("ssh:".length)}` : `secret ${id}`;
    const source = memberOf(places.secrets, id);
    const isGone = !Object.hasOwn(is, id);
    const { note, ...at } = isGone
      ? tellGone(places.origins, `secret ${id}`, places)
      : { note: inBrackets([source && tellSource(source)]), ...placeOf(source) };
    return { part: "yours", ingredient: "option", text: `build ${name} ${what(was, is, id)}${note}`, ...at };
  });
}

function what(before: object, now: object, name: string): string {
  if (!Object.hasOwn(before, name)) return "is new";
  return Object.hasOwn(now, name) ? "changed" : "is gone";
}

/** What stands in the image's metadata label, where it is not told already that more depends on it. */
export function compareLabels(
  before: PlatformPlan,
  now: PlatformPlan,
  installation: readonly Difference[],
  places: Places,
): Difference[] {
  const isTold = (name: string): boolean => installation.some(({ text }) => text.startsWith(`${name} changed, `));
  return changedLabels(before.label, now.label)
    .filter((name) => !isTold(name))
    .map((name) => ({
      part: "label",
      ingredient: "label",
      text: `${name} changed, which stands in the image's metadata label`,
      at: propertyPlace(places, name),
    }));
}

function changedLabels(before: Json, now: Json): readonly string[] {
  const variables = (label: Json): Json =>
    typeof label === "object" && label !== null && "containerEnv" in label ? (label.containerEnv ?? {}) : {};
  return changedMembers(before, now).flatMap((name) => {
    const within = name === "containerEnv" ? changedMembers(variables(before), variables(now)) : [];
    return within.length === 0 ? [name] : within.map((variable) => `containerEnv.${variable}`);
  });
}

export function compareRecipes(before: PlatformPlan, now: PlatformPlan): Difference[] {
  if (before.recipe === now.recipe) return [];
  const text = "a newer version of this action builds the image in another way";
  return [{ part: "recipe", ingredient: "recipe", text }];
}

/** The names of members that differ, sorted. */
export function changedMembers(before: Json, now: Json): string[] {
  const members = (value: Json): ReadonlyMap<string, Json | undefined> =>
    new Map(typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : []);
  const [old, current] = [members(before), members(now)];
  return [...new Set([...old.keys(), ...current.keys()])]
    .filter((name) => canonicalJson(old.get(name) ?? null) !== canonicalJson(current.get(name) ?? null))
    .sort();
}
