import { baseEntries, METADATA_LABEL } from "../devcontainer/label.ts";
import { mergeMetadata } from "../devcontainer/merge.ts";
import { readRunArgs, userOfRunArgs } from "../devcontainer/run-args.ts";
import type { ImageConfig } from "../oci/config.ts";
import type { Gathered } from "./sources.ts";

/** Who an image is for: who its container runs as, and who works in it. Names or numbers, without groups. */
export type ImageUsers = { readonly containerUser: string; readonly remoteUser: string };

type About = Pick<Gathered, "configuration" | "definition">;
type UserOf = Pick<ImageConfig, "labels" | "user">;

/**
 * For whom features are installed: the last user that anybody names, the configuration after the label.
 * @param image the base, or what was built on it: both name the same users.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-node/containerFeatures.ts (getFeaturesBuildOptions)
 */
export function imageUsers(about: About, image: UserOf): ImageUsers {
  const { containerUser = ownUser(about, image), remoteUser = containerUser } = namedUsers(about, image);
  return { containerUser, remoteUser };
}

/**
 * Who works in the container. `--user` of `runArgs` goes over who it is said to run as; features know nothing of it.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-node/singleContainer.ts (openDockerfileDevContainer)
 */
function workingUser(about: About, image: UserOf): string {
  const { containerUser, remoteUser } = namedUsers(about, image);
  const started = userOfRunArgs(readRunArgs(about.configuration))?.name;
  return remoteUser ?? started ?? containerUser ?? ownUser(about, image);
}

/** A user in the label that holds a variable is passed over: it would be another one on every machine. */
function namedUsers({ configuration }: About, { labels }: UserOf): Partial<ImageUsers> {
  const labelled = baseEntries(labels[METADATA_LABEL]).map((entry) => ({
    containerUser: isPlain(entry.containerUser) ? entry.containerUser : undefined,
    remoteUser: isPlain(entry.remoteUser) ? entry.remoteUser : undefined,
  }));
  const all = [...labelled, configuration.json];
  const last = (name: "containerUser" | "remoteUser"): Partial<ImageUsers> => {
    const value = all.findLast((entry) => typeof entry[name] === "string" && entry[name] !== "")?.[name];
    return typeof value === "string" ? { [name]: value } : {};
  };
  return { ...last("containerUser"), ...last("remoteUser") };
}

/** A group behind the user is none of a feature's business. */
function ownUser({ definition }: About, { user }: UserOf): string {
  return (definition.user?.value ?? user).replace(/:.*$/, "");
}

function isPlain(value: unknown): value is string {
  return typeof value === "string" && !value.includes("${");
}

/** Whether the remote user of an image gets the uid that was asked for, or in words why nobody does. */
export type Renumbering = Renumbered | { readonly kind: "as it is"; readonly why: string };
type Renumbered = { readonly kind: "renumbered"; readonly user: string; readonly uid: number };

/** In which label an image says who was given which uid in it: the build fails where that cannot be done. */
const UID_LABEL = "dev-container-cache.remote-user-uid";

/** The label of a build; empty where a base says something that does not hold for what is built on it. */
export function uidLabel(
  outcome: Renumbering | undefined,
  base: Pick<ImageConfig, "labels">,
): Readonly<Record<string, string>> {
  if (outcome?.kind === "renumbered") return { [UID_LABEL]: `${outcome.user}:${outcome.uid}` };
  return base.labels[UID_LABEL] ? { [UID_LABEL]: "" } : {};
}

/** Reads that label. */
export function readUidLabel({ labels }: Pick<ImageConfig, "labels">): Omit<Renumbered, "kind"> | undefined {
  const [, user, uid] = /^(.+):(\d{1,10})$/s.exec(labels[UID_LABEL] ?? "") ?? [];
  return user === undefined ? undefined : { user, uid: Number(uid) };
}

/**
 * What becomes of the input `remote-user-uid`: nothing, of root and of a user that is told by number nothing, as with the reference CLI.
 * @param image the base with the user that the build leaves, or what was built: both say the same.
 * @returns nothing where no uid is asked for.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-node/containerFeatures.ts (getRemoteUserUIDUpdateDetails)
 */
export function renumberingOf(
  gathered: Pick<Gathered, "configuration" | "definition" | "remoteUserUid">,
  image: Pick<ImageConfig, "labels" | "user">,
): Renumbering | undefined {
  const { remoteUserUid: uid } = gathered;
  if (uid === undefined) return undefined;
  const asItIs = (why: string): Renumbering => ({ kind: "as it is", why });
  const { others } = mergeMetadata([...baseEntries(image.labels[METADATA_LABEL]), gathered.configuration.json]);
  if (others.updateRemoteUserUID === false) return asItIs("the image's metadata says updateRemoteUserUID: false");
  const [user = ""] = workingUser(gathered, image).split(":", 1);
  if (user === "" || user === "root" || user === "0") return asItIs("root works in this dev container");
  if (user === String(uid)) return asItIs(`${uid} works in this dev container already`);
  if (/^\d+$/.test(user))
    return asItIs(
      `who works in this dev container is the number ${user}, and only a user with a name gets another one`,
    );
  return { kind: "renumbered", user, uid };
}
