import type { Warning } from "../errors.ts";
import type { Defaults } from "./inputs.ts";
import { type ReadInput, text, wrong } from "./read-input.ts";

/** What an engine takes for a uid: https://github.com/moby/sys/blob/user/v0.4.0/user/user.go (maxID) */
const LARGEST = 2 ** 31 - 1;

/**
 * The uid that the image's remote user gets. `auto` is the owner of the folders that a job's container gets, and nobody where these are given
 * to whoever works in it, nor where they are root's.
 * @throws ActionError E_INPUT for what is no number of a user's.
 */
export function readRemoteUserUid(
  read: ReadInput,
  { folderOwner = "anyone" }: Pick<Defaults, "folderOwner">,
): { readonly uid: number | undefined; readonly noticed: readonly Warning[] } {
  const value = text(read, "remote-user-uid");
  if (value === undefined) return { uid: undefined, noticed: [] };
  if (value === "auto") return ofTheJob(folderOwner);
  const uid = /^[1-9]\d{0,9}$/.test(value) ? Number(value) : 0;
  if (uid >= 1 && uid <= LARGEST) return { uid, noticed: [] };
  throw wrong("remote-user-uid", value, `Allowed: auto, or a whole number from 1 to ${LARGEST}, like 1001.`);
}

function ofTheJob(owner: number | "anyone"): ReturnType<typeof readRemoteUserUid> {
  if (owner === "anyone") return { uid: undefined, noticed: [] };
  if (owner !== 0) return { uid: owner, noticed: [] };
  const text = "The input remote-user-uid is auto and this job runs as root, so the image's user keeps its own uid.";
  return { uid: undefined, noticed: [{ text: `${text} Write the number that the user is to have, where one is.` }] };
}
