import { describe, expect, it } from "vitest";
import { readComposeService } from "../../src/compose/read.ts";
import { ActionError } from "../../src/errors.ts";
import { openFiles } from "../../src/host/files.ts";
import { askCompose, inWorkspace } from "../compose/oracle.ts";
import { requestFor, saidBy } from "../compose/project.ts";
import { DIFFERENCES, ROWS, type Row } from "../compose/rows.ts";
import { runScript } from "./script.ts";

/** The real one: on this machine, or from Debian's packages. */
const command = (await runScript("scripts/compose.sh")).join().split(" ");

async function askOurs(row: Pick<Row, "compose" | "env">, workspace: string) {
  try {
    return saidBy(await readComposeService(requestFor(row, workspace), openFiles(workspace).files), workspace);
  } catch (thrown) {
    if (thrown instanceof ActionError) return "refused";
    throw thrown;
  }
}

describe("docker compose config says the same", () => {
  it.concurrent.each(ROWS)("$name", async (row) => {
    await inWorkspace(row, async (workspace) => {
      const [theirs, ours] = await Promise.all([askCompose(command, row, workspace), askOurs(row, workspace)]);
      expect(theirs).toEqual(row.says);
      expect(ours).toEqual(theirs);
    });
  });
});

describe("docker compose config says something else", () => {
  it.concurrent.each(DIFFERENCES)("$name: $why", async (row) => {
    await inWorkspace(row, async (workspace) => {
      expect(await askCompose(command, row, workspace)).toEqual(row.theirs);
      expect(await askOurs(row, workspace)).toEqual(row.ours);
    });
  });
});
