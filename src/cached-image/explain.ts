import { type Context, MAGIC } from "../envbuilder/context.ts";
import {
  changedFiles,
  type Divergence,
  findDivergence,
  type LayerContent,
  readEarlier,
  type TakenFile,
} from "../envbuilder/earlier.ts";
import { openMd5 } from "../envbuilder/hashes.ts";
import { readIgnored } from "../envbuilder/ignored.ts";
import type { GoDescriptor } from "../envbuilder/image-json.ts";
import type { Keyed, KeyRequest } from "../envbuilder/keys.ts";
import type { Step } from "../envbuilder/step.ts";
import { isFile, type TarMember, type Wanted } from "../envbuilder/tar-reader.ts";
import { openTree } from "../envbuilder/tree.ts";
import { ActionError } from "../errors.ts";
import type { Difference } from "../key/difference.ts";
import { textOf } from "../oci/json.ts";
import type { Repository } from "../oci/reference.ts";
import { within } from "../registry/patience.ts";
import type { World } from "../world.ts";
import { readMembers } from "./layers.ts";
import { LAST, type LastPushed } from "./names.ts";

type Ports = Pick<World, "registry" | "openGunzip" | "openUnzstd">;

export type Missed = {
  readonly build: Pick<Keyed, "target" | "targetSteps">;
  /** The step whose layer is not there. */
  readonly step: Step;
  readonly repository: Repository;
  readonly context: Context;
  readonly ignore: KeyRequest["ignore"];
  readonly last: Pick<LastPushed, "orAsk">;
};

/** Milliseconds. What the answer is, is known: nobody waits for long to hear why. */
const PATIENCE = 20_000;

/**
 * Says what has changed since the image that the builder pushed last, as far as that tells: its history has the instructions, and its layers
 * the files.
 * @returns nothing where there is none, where the registry is in trouble or slow, or where the layer that is missing belongs to another stage.
 */
export async function explainMiss(missed: Missed, ports: Ports): Promise<readonly Difference[]> {
  const told = await within(PATIENCE, explain(missed, ports));
  return told === "late" ? [] : told;
}

async function explain(missed: Missed, ports: Ports): Promise<readonly Difference[]> {
  const { build, step, repository, last } = missed;
  if (!build.targetSteps.includes(step)) return [];
  const served = await last.orAsk({ ...repository, tag: LAST });
  if (served.kind !== "found" || served.value.body.kind !== "manifest") return [];
  const config = await ports.registry.blob(repository, served.value.body.config);
  if (config.kind !== "found") return [];
  const earlier = readEarlier(textOf(served.value.bytes), textOf(config.value));
  return earlier ? tell(findDivergence(earlier, build, step), missed, ports) : [];
}

async function tell(divergence: Divergence, missed: Missed, ports: Ports): Promise<readonly Difference[]> {
  const { build, step } = missed;
  const [first] = build.targetSteps;
  switch (divergence.kind) {
    case "base":
      return [
        {
          part: "upstream",
          ingredient: "base",
          text: "the base is another image",
          ...(first ? { at: { file: first.at.file } } : {}),
        },
      ];
    case "instruction": {
      const { before, step: at } = divergence;
      const text =
        before === undefined ? `${shown(at.text)} is new` : `${shown(at.text)} stands where ${shown(before)} stood`;
      return [{ part: "yours", ingredient: "dockerfile", text, at: at.at }];
    }
    case "same":
      return tellSame(step, divergence.layer, missed, ports);
  }
}

async function tellSame(
  step: Step,
  layer: GoDescriptor | undefined,
  missed: Missed,
  ports: Ports,
): Promise<readonly Difference[]> {
  const { at, taken } = step;
  if (taken.includes(`${MAGIC}/envbuilder`))
    return [{ part: "upstream", ingredient: "base", text: "the builder image has another program" }];
  if (taken.includes(`${MAGIC}/image`))
    return [{ part: "yours", ingredient: "configuration", text: "the container's user is another one" }];
  if (taken.length > 0) {
    const files = layer && (await compareFiles(step, layer, missed, ports));
    return files ?? [{ part: "yours", ingredient: "context", text: "a file that it copies has changed", at }];
  }
  const text = step.text.toUpperCase().startsWith("COPY")
    ? "what it copies from is another image or stage"
    : "the line is the same: a build arg or a proxy that it sees has another value, or the registry has removed its layer";
  return [{ part: "yours", ingredient: "argument", text, at }];
}

/** What is downloaded to tell which file it was, and the files that are told. */
const LARGEST = 64 * 1024 * 1024;
const MOST_COMPARED = 20_000;
const MOST_TOLD = 10;

async function compareFiles(
  { taken, at }: Step,
  layer: GoDescriptor,
  { context, ignore, repository }: Missed,
  ports: Ports,
): Promise<readonly Difference[] | undefined> {
  const content = await readContent(repository, layer, ports);
  const files = content && (await filesOf(taken, at, context, ignore));
  if (!files) return undefined;
  const changed = changedFiles(files, content);
  if (changed.length === 0)
    return [
      {
        part: "yours",
        ingredient: "context",
        text: "a file or folder that it copies has other rights or another name",
        at,
      },
    ];
  const told = changed.slice(0, MOST_TOLD).map(({ path, how }): Difference => {
    const text = how === "changed" ? `${path} has changed` : how === "new" ? `${path} is new` : `/${path} is gone`;
    return { part: "yours", ingredient: "context", text, at };
  });
  const more = changed.length - told.length;
  return more === 0 ? told : [...told, { part: "yours", ingredient: "context", text: `and ${more} more`, at }];
}

async function readContent(name: Repository, layer: GoDescriptor, ports: Ports): Promise<LayerContent | undefined> {
  if (layer.size > LARGEST) return undefined;
  const read = await readMembers({ name, layer }, openContent, ports);
  return read instanceof Map ? read : undefined;
}

function openContent() {
  const content = new Map<string, string>();
  const visit = ({ path, type }: TarMember): Wanted => {
    if (!isFile(type) || content.size >= MOST_COMPARED) return {};
    const hash = openMd5();
    return { take: hash.add, end: () => void content.set(path, hash.digest()) };
  };
  return { visit, files: () => content };
}

/** @returns `undefined` where there are more than anybody waits for, or where it cannot be told what the builder sees. */
async function filesOf(
  taken: readonly string[],
  at: Step["at"],
  context: Context,
  ignore: Missed["ignore"],
): Promise<readonly TakenFile[] | undefined> {
  const tree = openTree(context, readIgnored(ignore));
  const files: TakenFile[] = [];
  try {
    for (const source of taken)
      for await (const path of tree.walk(source, at)) {
        if (tree.isIgnored(path) || (await tree.stat(path, at))?.kind !== "file") continue;
        if (files.length >= MOST_COMPARED) return undefined;
        files.push({ path, below: placeBelow(source, path), md5: await context.md5(path, "") });
      }
  } catch (thrown) {
    if (thrown instanceof ActionError) return undefined;
    throw thrown;
  }
  return files;
}

/** A folder is copied without its own name, a file with it. */
function placeBelow(source: string, path: string): string {
  if (source === ".") return path;
  return path === source ? (path.split("/").at(-1) ?? path) : path.slice(source.length + 1);
}

const LONGEST_SHOWN = 120;

function shown(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}
