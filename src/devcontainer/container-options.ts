import type { Json } from "./json.ts";
import type { MergedMetadata } from "./merge.ts";
import { formatMount, type Mount, parseMount } from "./mount.ts";
import { type RunArg, usableRunArgs } from "./run-args.ts";

/** The options of a container as one text, and what of the metadata is not among them, in words. */
export type ContainerOptions = {
  readonly text: string;
  /** Their names, each once. */
  readonly names: readonly string[];
  /** The dev container's user, where root works in its place. */
  readonly insteadOfUser?: string;
  /** What would be wrong to hand on. */
  readonly leftOut: readonly string[];
  /** What no job's container can have. */
  readonly notHere: readonly string[];
};

type Surroundings = {
  readonly isForeign: boolean;
  /** Who works in the container, where anybody says so. */
  readonly user?: string | undefined;
  readonly imageUser: string;
  readonly folderOwner: number | "anyone";
  /** Who was given a uid in the image. */
  readonly renumbered?: { readonly user: string; readonly uid: number } | undefined;
  readonly runArgs?: readonly RunArg[];
};

/** The socket of the runner's own engine: the one path of the host that a job's container can count on. */
const ENGINE_SOCKET = "/var/run/docker.sock";

/**
 * The options of `docker create` that follow from the metadata, as one text for `jobs.<job>.container.options`. Folders of the host are
 * left out: on a runner they are not there.
 * @param isForeign whether a fork's code made the image: then it gets nothing with which it could reach the machine or other jobs.
 * @param imageUser who works there where nobody is named.
 * @param folderOwner whose the folders are that a job's container gets, where they stay one user's.
 * @see https://containers.dev/implementors/json_reference/#general-properties
 */
export function containerOptions(
  merged: MergedMetadata,
  { isForeign, runArgs = [], ...users }: Surroundings,
): ContainerOptions {
  const user = userOption(users);
  const rights = [
    ...(merged.privileged ? [["--privileged"]] : []),
    ...merged.capAdd.map((capability) => ["--cap-add", capability]),
    ...merged.securityOpt.map((option) => ["--security-opt", option]),
  ];
  const own = usableRunArgs(runArgs, { isForeign });
  const mounts = [...merged.mounts, ...own.mounts].map((mount) => mountOption(mount, isForeign));
  const options = [
    ...(user.name === undefined ? [] : [["--user", user.name]]),
    ...(merged.init ? [["--init"]] : []),
    ...(isForeign ? [] : rights),
    ...mounts.flatMap((mount) => ("option" in mount && mount.option !== undefined ? [["--mount", mount.option]] : [])),
    ...own.options,
  ];
  const isTold = (option: readonly string[]): boolean => option.every((part) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(part));
  const told = options.filter(isTold);
  return {
    text: told.flat().map(quoteOption).join(" "),
    names: [...new Set(told.flatMap(([name]) => name ?? []))],
    ...(user.instead === undefined ? {} : { insteadOfUser: user.instead }),
    leftOut: [
      ...(isForeign ? rights : []).map((option) => `${option.join(" ")}: a fork's code made the image`),
      ...options.filter((option) => !isTold(option)).map(([name]) => `a ${name} that holds a control character`),
      ...mounts.flatMap((mount) => ("wrong" in mount ? [`a mount: ${mount.wrong}`] : [])),
    ],
    notHere: [...own.leftOut, ...mounts.flatMap((mount) => ("notHere" in mount ? mount.notHere : []))],
  };
}

/** Root writes in everybody's folders; any other user than their owner fails at the first file that a step writes. */
function userOption({ user: told, imageUser, folderOwner, renumbered }: Omit<Surroundings, "isForeign" | "runArgs">): {
  readonly name: string | undefined;
  readonly instead?: string;
} {
  const user = told ?? (imageUser || "root");
  const [name = ""] = user.split(":", 1);
  const isOwner = name === `${folderOwner}` || (renumbered?.user === name && renumbered.uid === folderOwner);
  const isAtHome = folderOwner === "anyone" || name === "root" || name === "0" || isOwner;
  return isAtHome ? { name: told } : { name: "root", instead: user };
}

/** `notHere`: what of it is not handed on, in words. */
type MountOption = { readonly option?: string; readonly notHere: readonly string[] } | { readonly wrong: string };

function mountOption(written: Json, isForeign: boolean): MountOption {
  const mount = parseMount(written);
  if ("wrong" in mount) return mount;
  const used = usableMount(mount);
  if (used === undefined) return { notHere: [`a mount at ${mount.target}: what it is of is not on this machine`] };
  if (isForeign && used.type === "bind")
    return { wrong: "a fork's code made the image, and it is the engine's socket" };
  const notHere = mount.leftOut.map(
    (field) => `${field} of the mount at ${mount.target}: a job's container does not take it`,
  );
  // Another job's volume may have the same name.
  if (!isForeign) return { option: formatMount(used), notHere };
  const options = used.options.filter((option) => !option.startsWith("volume-"));
  return { option: formatMount({ ...used, source: undefined, options }), notHere };
}

function usableMount(mount: Mount): Mount | undefined {
  const { type, source, target } = mount;
  if (target.includes("${")) return undefined;
  if (type === "bind") return source === ENGINE_SOCKET ? mount : undefined;
  // A volume that is named after the dev container has no name here; a new one serves as well.
  const isNamed = type === "volume" && source !== undefined && !source.includes("${");
  return { ...mount, source: isNamed ? source : undefined };
}

/** Runners take the text apart at blanks outside of double quotes. */
function quoteOption(text: string): string {
  return /^[^\s"'\\]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
