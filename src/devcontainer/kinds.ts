import { ActionError, tellSlip } from "../errors.ts";
import { nearestName } from "../nearest.ts";
import type { Entry, Files } from "../world.ts";
import { folderOf, lastSegment } from "./paths.ts";

/**
 * Of a text that was read as UTF-8 and is written in UTF-16 nothing could be told but odd characters: each letter has a 0 beside it.
 * @throws ActionError with the code of the file.
 */
export function refuseUtf16(text: string, file: string, code: "E_CONFIG" | "E_DOCKERFILE"): void {
  if (!text.slice(0, 4).includes("\0")) return;
  throw new ActionError(code, {
    what: `${file} is no text in UTF-8: it begins as one in UTF-16 does, which Windows PowerShell writes.`,
    fix: "Save it as UTF-8.",
    at: { file },
  });
}

type Looking = Pick<Files, "stat" | "realPath" | "list">;

/** Why there is no file at a path, as the second half of a sentence that has named it. */
export async function whyNoFile(files: Looking, path: string): Promise<string> {
  const kind = await kindAt(files, path);
  return kind === undefined
    ? `and there is no such file${await tellAbsent(files, path)}`
    : `which is ${NAMES[kind]}, and no file`;
}

/** The same where a folder is wanted. */
export async function whyNoFolder(files: Looking, path: string): Promise<string> {
  const kind = await kindAt(files, path);
  return kind === undefined
    ? `and there is no such folder${await tellAbsent(files, path)}`
    : `which is ${NAMES[kind]}, and no folder`;
}

/** In a folder with more names nobody has looked for one letter by letter. */
const MOST_COMPARED = 1000;

/** What the path shows of how it was written, or what lies in its folder under a name that is nearly the same. */
async function tellAbsent(files: Looking, path: string): Promise<string> {
  const slip = tellSlip(path);
  if (slip !== "") return slip;
  const names = (await files.list(folderOf(path))) ?? [];
  const near = nearestName(lastSegment(path), names.slice(0, MOST_COMPARED));
  return near === undefined ? "" : `; there is ${near}`;
}

const NAMES: Readonly<Record<Entry["kind"], string>> = {
  file: "a file",
  directory: "a folder",
  link: "a link to nothing",
  other: "a pipe, a socket or a device",
};

/** What a path leads to; of a link that leads nowhere the link itself. */
async function kindAt(files: Looking, path: string): Promise<Entry["kind"] | undefined> {
  return (await files.stat((await files.realPath(path)) ?? path))?.kind;
}
