import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { ActionError, asActionError } from "./errors.ts";
import { tellMaskedOutputs } from "./handover/masked.ts";
import { makeOutputs } from "./handover/outputs.ts";
import { type Door, openStandardDoor, publishOutputs, publishSummary, readInput } from "./host/actions.ts";
import { givenInputs, readHost } from "./host/context.ts";
import { openExec } from "./host/exec.ts";
import { type OpenFiles, openFiles } from "./host/files.ts";
import { openGit } from "./host/git.ts";
import { openGitHub } from "./host/github.ts";
import { openJobCache } from "./host/job-cache.ts";
import { openMemory } from "./host/memory.ts";
import { openOwner } from "./host/owner.ts";
import { openTools } from "./host/tools.ts";
import { gunzip, openGunzip, openUnzstd } from "./host/unpack.ts";
import { foreignRef } from "./inputs/git-inputs.ts";
import type { Inputs } from "./inputs/inputs.ts";
import { readInputs, SECRET_INPUTS } from "./inputs/read-inputs.ts";
import { noticeUnknownInputs } from "./inputs/unknown-inputs.ts";
import { openNetwork } from "./network.ts";
import { hideInReport } from "./report/hidden.ts";
import { describeEnd } from "./report/log.ts";
import { type Report, reportFailure } from "./report/report.ts";
import { summarise } from "./report/summary.ts";
import { run } from "./run.ts";
import { hostTokens } from "./sources/known-secrets.ts";
import type { Host, World } from "./world.ts";

const OLDEST_NODE = [20, 18] as const;

/** GitHub's runner sends SIGINT, 7.5 s later SIGTERM, and 2.5 s after that ends the process. Milliseconds. */
const TIME_TO_LEAVE = 6000;
/** How much of that the programs have which run at that moment. */
const GRACE = 2000;

/** Opens the world, runs the story, publishes what it said, and catches once. */
async function main({ log, fail, forgive, holdsMasked, hide }: Door, host: Host): Promise<void> {
  const started = Date.now();
  const owner = openOwner();
  const { files, removeTemporaryFolders, finishDiscarding, ...dead } = openFiles(
    host.env.RUNNER_TEMP || tmpdir(),
    owner,
  );
  const { exec, stopAll, killAll } = openExec(host.env);
  const { git, endAll: endGit } = openGit();
  const { atEnd, undoAll } = openUndos(log.warning);
  process.on("exit", () => {
    killAll();
    endGit();
    removeTemporaryFolders();
  });
  leaveWhenTold(async () => {
    endGit();
    await stopAll(GRACE);
    await undoAll();
  });
  let report: Report;
  let inFull: Inputs["summary"] = [];
  let secrets: Inputs["secretTexts"] = [];
  let close: () => Promise<void> = async () => {};
  try {
    refuseOldNode(process.versions.node);
    // What is wrong with an input may be that it holds what another one does.
    for (const secret of [...SECRET_INPUTS.map(readInput), ...hostTokens(host.env)]) log.mask(secret.trim());
    for (const { text } of noticeUnknownInputs(givenInputs(process.env))) log.warning(text);
    const { plainRegistry, folderOwner } = host.capabilities;
    const inputs = readInputs(readInput, {
      cacheRepository: host.defaultCacheRepository,
      plainRegistry,
      folderOwner,
      ...host.event,
    });
    for (const { text } of inputs.noticed) log.warning(text);
    inFull = inputs.summary;
    secrets = inputs.secretTexts;
    const event = { ...host.event, ...foreignRef(inputs.git) };
    const network = openNetwork(inputs, { files, exec, host: { ...host, event }, log });
    close = network.close;
    const salt = (): string => randomBytes(16).toString("hex");
    const jobCache = openJobCache(host);
    const tell = inputs.envbuilder ? (await import("./cached-image/story.ts")).findCachedImage : run;
    report = await tell(inputs, {
      files,
      exec,
      git,
      jobCache,
      log,
      host: { ...host, event },
      clock: Date.now,
      pause,
      salt,
      gunzip,
      openGunzip,
      openUnzstd,
      memory: openMemory(host.env, jobCache),
      tools: openTools(host.env),
      owner,
      atEnd,
      ...network,
      github: openGitHub(network.web),
    });
  } catch (error) {
    const failure = asActionError(error);
    for (const { text, at } of failure.noticed) log.warning(text, at);
    report = reportFailure(failure, Math.round(Date.now() - started) / 1000);
  }
  await clearAfterTheDead(dead, { files, exec, host, log });
  await undoAll();
  await close();
  // What docker was asked beside the network, for a build that never came: a builder may take minutes to start, and would keep the run from ending.
  await stopAll(GRACE);
  await finishDiscarding();
  removeTemporaryFolders();
  // The run is over when nothing of it is left.
  report = { ...hideInReport(report, hide), seconds: Math.round(Date.now() - started) / 1000 };
  const outputs = makeOutputs(report);
  // The host hides a secret that it was given, whether or not this run has had a use for it.
  const isHidden = (text: string): boolean => holdsMasked(text) || secrets.some(({ value }) => text.includes(value));
  tellMaskedOutputs(outputs, isHidden, { capabilities: host.capabilities, log });
  const summary = summarise(report, host.capabilities, inFull);
  publishSummary(summary, log);
  if (!host.capabilities.showsSummary && host.name !== "terminal") await tellSummary(summary, log);
  for (const line of describeEnd(report)) log.info(line);
  if (report.failure) (report.isFallback ? forgive : fail)(report.failure);
  if (report.failure && !report.isFallback) process.exitCode = 1;
  // Last: where the runner's file for them takes nothing, all else has been told.
  publishOutputs(outputs);
}

/**
 * What is to be undone at the end of a run, the last first. A second call, when the run is stopped while it ends, does again what the first
 * has not done yet: what the first has started was stopped with the rest.
 */
function openUndos(warn: (line: string) => void): {
  readonly atEnd: World["atEnd"];
  readonly undoAll: () => Promise<void>;
} {
  const undos = new Set<() => Promise<void>>();
  return {
    atEnd: (undo) => void undos.add(undo),
    undoAll: async () => {
      for (const undo of [...undos].reverse()) {
        await undo().catch((error) =>
          warn(`Something could not be undone at the end: ${asActionError(error).message}`),
        );
        undos.delete(undo);
      }
    },
  };
}

/** What killed runs have left goes with the next one, whatever that one does. That it cannot be removed is no failure of this run. */
async function clearAfterTheDead(
  { findDeadFolders, removeFolder }: Pick<OpenFiles, "findDeadFolders" | "removeFolder">,
  world: Pick<World, "files" | "exec" | "host" | "log">,
): Promise<void> {
  const folders = findDeadFolders();
  if (folders.length === 0) return;
  try {
    await (await import("./buildx/leftovers.ts")).removeLeftovers(folders, removeFolder, world);
    world.log.info(`Removed what a killed run had left: ${folders.join(", ")}`);
  } catch (error) {
    world.log.warning(`What a killed run has left could not be removed: ${asActionError(error).message}`);
  }
}

/**
 * Ends the process on SIGINT and SIGTERM, with the exit code that says so: stopped programs first, then undone what is to be undone,
 * and nothing left behind, whatever hangs. A second signal waits for nothing.
 */
function leaveWhenTold(undo: () => Promise<void>): void {
  let isLeaving = false;
  const leaveWith = (code: number) => async (): Promise<void> => {
    const isFirst = !isLeaving;
    isLeaving = true;
    if (isFirst) await Promise.race([undo(), new Promise((late) => setTimeout(late, TIME_TO_LEAVE))]);
    process.exit(code);
  };
  process.on("SIGINT", leaveWith(130)).on("SIGTERM", leaveWith(143));
}

/** A pause that nobody waits for any more must not keep the step from ending. */
function pause(milliseconds: number, early?: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, milliseconds);
    early?.addEventListener("abort", () => done(clearTimeout(timer)), { once: true });
  });
}

function refuseOldNode(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new ActionError("E_INPUT", {
    what: `This runner started the action with Node ${version}; it needs ${OLDEST_NODE.join(".")} or newer.`,
    fix: "Use a job image with a newer Node, or put actions/setup-node before this action (Gitea's runner takes the node on PATH).",
  });
}

/** Where the host shows no summary, the log has it. */
async function tellSummary(summary: string, log: World["log"]): Promise<void> {
  await log.group("Summary", async () => {
    for (const line of summary.trimEnd().split("\n")) log.info(line);
  });
}

/**
 * What nothing caught is told as every other fault is: Node would print it as it stands.
 * @returns what is to be called when the run is over: where nothing is left to wait for before that, it would never be.
 */
function leaveOnFault({ fail }: Door): () => void {
  process.on("uncaughtException", (error) => {
    fail(asActionError(error));
    process.exit(1);
  });
  const tellUnfinished = (): void => {
    fail(asActionError(new Error("what the run waits for can never come")));
    process.exit(1);
  };
  process.on("beforeExit", tellUnfinished);
  return () => void process.off("beforeExit", tellUnfinished);
}

const host = readHost(process.env, process.cwd(), process.argv[1] ?? "");
const door = openStandardDoor(host.capabilities, host.workspace);
// Not awaited: of a module that waits the bundler makes functions in functions, each of which is read and compiled anew, a tenth of what a hit takes to start.
void main(door, host).then(leaveOnFault(door));
