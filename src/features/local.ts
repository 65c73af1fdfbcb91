import { pathWithin } from "../devcontainer/paths.ts";
import type { ActionError } from "../errors.ts";
import { digestOf } from "../oci/digest.ts";
import { type AskedFeature, featureError } from "./asked.ts";
import type { FeaturePorts, FoundFeature, LocalEntry } from "./found.ts";
import type { FeatureReference } from "./identify.ts";
import { isGenerated, METADATA_FILE, parseMetadata } from "./metadata.ts";
import { readInside } from "./workspace.ts";

type LocalReference = Extract<FeatureReference, { kind: "local" }>;

/** A feature is a handful of scripts; far more is a folder that was named by mistake. */
const MAX_ENTRIES = 10_000;

/**
 * Reads a feature in the workspace: its metadata, and all of its folder by digest.
 * @param checkout absolute path, which no link on the way to the folder may leave.
 * @throws E_CONFIG or E_FEATURE where there is no folder with metadata, or something in it is neither file, folder nor link.
 */
export async function readLocalFeature(
  files: FeaturePorts["files"],
  asked: AskedFeature,
  { reference, checkout }: { readonly reference: LocalReference; readonly checkout: string },
): Promise<FoundFeature> {
  const folder = await realFolderOf(files, asked, { reference, checkout });
  const text = await readInside(files, folder, `${folder}/${METADATA_FILE}`);
  if (typeof text === "object") {
    throw featureError(asked, {
      what: `has a ${METADATA_FILE} that is a link out of its folder`,
      fix: "Put the file itself there: only the feature's folder reaches the build.",
    });
  }
  if (text === undefined) throw withoutMetadata(asked, pathWithin(checkout, reference.folder) ?? reference.folder);
  const metadata = parseMetadata(text, asked);
  if (!metadata) {
    throw featureError(asked, {
      what: `has a ${METADATA_FILE} that holds no JSON object`,
      fix: `Write at least { "id": "${reference.name}", "version": "1.0.0" }.`,
    });
  }
  const entries = await readEntries(files, folder, asked);
  const digest = digestOf(JSON.stringify(entries));
  return { kind: "found", reference, digest, source: { kind: "local", folder, entries }, metadata };
}

async function realFolderOf(
  files: FeaturePorts["files"],
  asked: AskedFeature,
  { reference, checkout }: { readonly reference: LocalReference; readonly checkout: string },
): Promise<string> {
  const [home, folder] = await Promise.all([files.realPath(checkout), files.realPath(reference.folder)]);
  if (folder === undefined) throw withoutMetadata(asked, pathWithin(checkout, reference.folder) ?? reference.folder);
  if (pathWithin(home ?? checkout, folder) !== undefined) return folder;
  throw featureError(asked, {
    what: "is reached through a link that leaves the checkout",
    fix: "Put the feature itself into the repository.",
  });
}

function withoutMetadata(asked: AskedFeature, folder: string): ActionError {
  return featureError(asked, {
    what: `has no file ${METADATA_FILE} in ${folder}`,
    fix: "Correct the path; upper and lower case count. It names the feature's folder, as seen from devcontainer.json.",
  });
}

/** Sorted by path, by code unit; what the build writes over does not count. */
async function readEntries(
  files: FeaturePorts["files"],
  root: string,
  asked: AskedFeature,
): Promise<readonly LocalEntry[]> {
  const entries: LocalEntry[] = [];
  const folders = [""];
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    const all = (await files.list(`${root}/${folder}`)) ?? [];
    const names = all.filter((name) => !isGenerated(`${folder}${name}`));
    if (entries.length + names.length > MAX_ENTRIES) throw tooMuch(asked);
    const read = await Promise.all(names.map((name) => readEntry(files, root, `${folder}${name}`, asked)));
    entries.push(...read);
    folders.push(...read.filter(({ kind }) => kind === "directory").map(({ path }) => `${path}/`));
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function readEntry(
  files: FeaturePorts["files"],
  root: string,
  path: string,
  asked: AskedFeature,
): Promise<LocalEntry> {
  const full = `${root}/${path}`;
  switch ((await files.stat(full))?.kind) {
    case "directory":
      return { path, kind: "directory" };
    case "link":
      return { path, kind: "link", target: await files.readLink(full) };
    case "file":
      return { path, kind: "file", content: await files.digest(full) };
    default:
      throw featureError(asked, {
        what: `has in its folder ${path}, which cannot be read or is neither a file, a folder nor a link`,
        fix: "Remove it; a name that is not UTF-8 has to be changed.",
      });
  }
}

function tooMuch(asked: AskedFeature): ActionError {
  return featureError(asked, {
    what: `has more than ${MAX_ENTRIES} files in its folder`,
    fix: "Name the folder of the feature alone: all of it is part of the build.",
  });
}
