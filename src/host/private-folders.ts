import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ActionError, systemReason } from "../errors.ts";
import type { Entry, Owner } from "../world.ts";
import { asEntry, naming } from "./file-system.ts";

/** The folders of this run alone, and those that runs have left which were killed. */
export type PrivateFolders = {
  /**
   * Makes one.
   * @param keep it outlives the run.
   * @throws ActionError E_SYSTEM where the temporary folder takes none.
   */
  readonly make: (name: string, options?: { readonly keep?: boolean }) => string;
  /** Begins to remove one, with all that is in it. */
  readonly discard: (folder: string) => void;
  /** Waits until what was discarded is gone. */
  readonly finishDiscarding: () => Promise<void>;
  /** Removes those that are left. */
  readonly removeTemporaryFolders: () => void;
  /** The private folders that runs have left which were killed: nobody comes back for them. */
  readonly findDeadFolders: () => readonly string[];
  /** Removes a folder with all that is in it. */
  readonly removeFolder: (path: string) => void;
};

const PREFIX = "dev-container-cache-";
/** A note beside a private folder that goes with its run, and says whose that is: it goes after the folder, for a removal may be broken off. */
const NOTE = ".owner";

/** @param temporary the folder in which they are made: the runner's own, which some runners empty themselves. */
export function openPrivateFolders(temporary: string, owner: Owner): PrivateFolders {
  const folders = new Set<string>();
  const discarding: Promise<void>[] = [];
  return {
    make: (name, options) => {
      const folder = makePrivateFolder(temporary, name);
      if (options?.keep) return folder;
      folders.add(folder);
      const [note, { self }] = [`${folder}${NOTE}`, owner];
      if (self !== undefined) naming(note, () => writeFileSync(note, self, { mode: 0o600 }));
      return folder;
    },
    discard: (folder) => {
      // What of it is left, where that fails or the run ends before, goes with the other folders.
      const removing = rm(folder, { recursive: true, force: true }).then(
        () => {
          folders.delete(folder);
          removeFolder(folder);
        },
        () => undefined,
      );
      discarding.push(removing);
    },
    finishDiscarding: async () => {
      await Promise.all(discarding);
    },
    removeTemporaryFolders: () => {
      for (const folder of folders) removeFolder(folder);
      folders.clear();
    },
    findDeadFolders: () => findDeadFolders(temporary, owner),
    removeFolder,
  };
}

function makePrivateFolder(temporary: string, name: string): string {
  try {
    // At once: a run that is told to stop while one of Node's threads makes a folder does not know of it, and leaves it behind.
    return mkdtempSync(join(temporary, `${PREFIX}${name}-`));
  } catch (error) {
    throw noTemporaryFolder(temporary, error);
  }
}

function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true });
  rmSync(`${path}${NOTE}`, { force: true });
}

/** Only what this user has made, with a name and a note of ours: in a folder for everybody anybody may have put the rest. */
function findDeadFolders(temporary: string, { isDead }: Owner): string[] {
  const notes = readdirOf(temporary).filter((name) => name.startsWith(PREFIX) && name.endsWith(NOTE));
  const isOwn = (path: string, kind: Entry["kind"]): boolean => {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats === undefined || (asEntry(stats).kind === kind && stats.uid === process.getuid?.());
  };
  return notes
    .map((name) => join(temporary, name.slice(0, -NOTE.length)))
    .filter((path) => {
      try {
        const note = `${path}${NOTE}`;
        return isOwn(note, "file") && isOwn(path, "directory") && isDead(readFileSync(note, "utf8"));
      } catch {
        return false;
      }
    });
}

function readdirOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function noTemporaryFolder(temporary: string, cause: unknown): unknown {
  const why = systemReason(cause);
  if (why === undefined) return cause;
  return new ActionError("E_SYSTEM", {
    what: `No folder can be made in the runner's temporary folder ${temporary} (RUNNER_TEMP): ${why}.`,
    fix: "Point RUNNER_TEMP to a folder that is there, that this user may write to, and that has space.",
    cause,
  });
}
