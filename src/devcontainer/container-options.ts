import type { Json } from "./json.ts";
import type { MergedMetadata } from "./merge.ts";
import { formatMount, type Mount, parseMount } from "./mount.ts";

/** The options of a container as one text, and what of the metadata is not among them, in words. */
export type ContainerOptions = {
  readonly text: string;
  /** The dev container's user, where root works in its place. */
  readonly insteadOfUser?: string;
  readonly leftOut: readonly string[];
};

type Surroundings = {
  readonly isForeign: boolean;
  readonly imageUser: string;
  readonly folderOwner: number | "anyone";
};

/** The socket of the runner's own engine: the one path of the host that a job's container can count on. */
const ENGINE_SOCKET = "/var/run/docker.sock";

/**
 * The options of `docker create` that follow from the metadata, as one text for `jobs.<job>.container.options`. Folders of the host are
 * left out: on a runner they are not there.
 * @param isForeign whether a fork's code made the image: then it gets nothing with which it could reach the machine or other jobs.
 * @param imageUser who works in the image where no option says so.
 * @param folderOwner whose the folders are that a job's container gets, where they stay one user's.
 * @see https://containers.dev/implementors/json_reference/#general-properties
 */
export function containerOptions(
  merged: MergedMetadata,
  { isForeign, imageUser, folderOwner }: Surroundings,
): ContainerOptions {
  const user = userOption(merged, { imageUser, folderOwner });
  const rights = [
    ...(merged.privileged ? [["--privileged"]] : []),
    ...merged.capAdd.map((capability) => ["--cap-add", capability]),
    ...merged.securityOpt.map((option) => ["--security-opt", option]),
  ];
  const mounts = merged.mounts.map((mount) => mountOption(mount, isForeign));
  const options = [
    ...(user.name === undefined ? [] : [["--user", user.name]]),
    ...(merged.init ? [["--init"]] : []),
    ...(isForeign ? [] : rights),
    ...mounts.flatMap((mount) => ("option" in mount ? [["--mount", mount.option]] : [])),
  ];
  const isTold = (option: readonly string[]): boolean => option.every((part) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(part));
  return {
    text: options.filter(isTold).flat().map(quoteOption).join(" "),
    ...(user.instead === undefined ? {} : { insteadOfUser: user.instead }),
    leftOut: [
      ...(isForeign ? rights : []).map((option) => `${option.join(" ")}: a fork's code made the image`),
      ...options.filter((option) => !isTold(option)).map(([name]) => `a ${name} that holds a control character`),
      ...mounts.flatMap((mount) => ("wrong" in mount ? [`a mount: ${mount.wrong}`] : [])),
    ],
  };
}

/** Root writes in everybody's folders; any other user than their owner fails at the first file that a step writes. */
function userOption(
  { remoteUser, containerUser }: MergedMetadata,
  { imageUser, folderOwner }: Pick<Surroundings, "imageUser" | "folderOwner">,
): { readonly name: string | undefined; readonly instead?: string } {
  const told = [remoteUser, containerUser].find((user) => user !== undefined && !user.includes("${"));
  const user = told ?? (imageUser || "root");
  const isAtHome =
    folderOwner === "anyone" || /^(root|0)(:|$)/.test(user) || user.split(":", 1)[0] === `${folderOwner}`;
  return isAtHome ? { name: told } : { name: "root", instead: user };
}

type MountOption = { readonly option: string } | { readonly wrong: string } | { readonly kind: "none" };

function mountOption(written: Json, isForeign: boolean): MountOption {
  const mount = parseMount(written);
  if ("wrong" in mount) return mount;
  const used = usableMount(mount);
  if (used === undefined) return { kind: "none" };
  if (isForeign && used.type === "bind")
    return { wrong: "a fork's code made the image, and it is the engine's socket" };
  // Another job's volume may have the same name.
  return { option: formatMount(isForeign ? { ...used, source: undefined } : used) };
}

function usableMount({ type, source, target }: Mount): Mount | undefined {
  if (target.includes("${")) return undefined;
  if (type === "bind") return source === ENGINE_SOCKET ? { type, source, target } : undefined;
  // A volume that is named after the dev container has no name here; a new one serves as well.
  const isNamed = type === "volume" && source !== undefined && !source.includes("${");
  return { type, source: isNamed ? source : undefined, target };
}

/** Runners take the text apart at blanks outside of double quotes. */
function quoteOption(text: string): string {
  return /^[^\s"'\\]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
