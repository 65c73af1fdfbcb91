import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, expect, test } from "vitest";
import { readEvent } from "../../src/host/event.ts";
import { openFiles } from "../../src/host/files.ts";
import { branchToMove } from "../../src/plan/branches.ts";
import { whyNeverPushed } from "../../src/publish/push.ts";
import { grantedOptions } from "../../src/sources/rights.ts";
import type { Event } from "../../src/world.ts";
import { makeCheckout } from "../checkout.ts";
import { hostOf, inputsOf, readFrom } from "../plan-of.ts";
import { type Reach, ROWS, type Run, SHA } from "./rows.ts";

const { files, removeTemporaryFolders } = openFiles(tmpdir());
/** A commit that asks for all that a configuration can ask for. */
const workspace = makeCheckout({
  ".devcontainer/devcontainer.json": JSON.stringify({
    build: {
      dockerfile: "Dockerfile",
      args: { ASKED: "${localEnv:PLAIN:none} ${localEnv:NAMED:none} ${localEnv:GITHUB_TOKEN:none}" },
      options: [
        "--secret=id=plain,env=PLAIN",
        "--secret=id=token,env=GITHUB_TOKEN",
        "--ssh=default=key",
        "--allow=security.insecure",
      ],
    },
  }),
  ".devcontainer/Dockerfile": "FROM base.test/os:1\nARG ASKED\nRUN echo $ASKED\n",
  key: "k",
});
afterAll(() => {
  removeTemporaryFolders();
  rmSync(workspace, { recursive: true });
});

const ENV = { PLAIN: "plain", NAMED: "named", GITHUB_TOKEN: "canary-70ce2" };

const eventOf = ({ name, ref, payload, host }: Run): Event =>
  readEvent(
    { ...host, GITHUB_EVENT_NAME: name, GITHUB_SHA: SHA, ...(ref === undefined ? {} : { GITHUB_REF: ref }) },
    payload,
  );

async function read(event: Event, localEnv: string) {
  const inputs = inputsOf({ workspace, images: {}, inputs: { "local-env": localEnv } });
  return (await readFrom(inputs, { files, host: { ...hostOf(workspace, ENV), event } })).build;
}

/** What a run really may do, in the words of the table; what has no words there is told as it is. */
async function reachOf(event: Event): Promise<Readonly<Record<keyof Reach, string>>> {
  const [free, named] = [await read(event, ""), await read(event, "NAMED")];
  const [all = "", some = ""] = [free.arguments.args.ASKED, named.arguments.args.ASKED];
  const secrets = free.arguments.secretOptions.join(" ").replaceAll(`${workspace}/`, "");
  const rights = grantedOptions(free)
    .map(({ name, value }) => `${name}=${value}`)
    .join(" ");
  return {
    pushes: pushesOf(event),
    variables:
      { "plain named none": "all but tokens", "none none none": "what `local-env` names, no token" }[all] ?? all,
    ...(some === "none named none" ? {} : { variables: `with local-env: ${some}` }),
    secrets: { "--secret id=plain,env=PLAIN --ssh default=key": "that are no tokens", "": "none" }[secrets] ?? secrets,
    rights: { "allow=security.insecure": "what it asks for", "": "none" }[rights] ?? rights,
  };
}

function pushesOf(event: Event): string {
  if (whyNeverPushed({ push: "auto" }, event) !== undefined) return "never";
  return event.isPullRequest && branchToMove("auto", event) === undefined ? "yes, but moves no branch's alias" : "yes";
}

test.each(
  ROWS.flatMap(({ event, counts: _, runs, ...reach }) =>
    runs.map((run) => ({ event, run, reach, as: run.name || "no event" })),
  ),
)("$event: $as", async ({ run, reach }) => {
  expect(await reachOf(eventOf(run))).toEqual(reach);
});
