import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { ActionError } from "../../src/errors.ts";
import { openFiles } from "../../src/host/files.ts";
import { makeCheckout } from "../checkout.ts";
import { startCpuTime } from "../cpu-time.ts";
import { hostOf, inputsOf, readFrom } from "../plan-of.ts";
import { ROWS } from "./checkouts.ts";

/** Milliseconds of the processor. Before, each took minutes, all the memory there is, or the stack. */
const PATIENCE = 15_000;

async function outcomeOf(workspace: string): Promise<string | undefined> {
  const inputs = inputsOf({ workspace, images: {} });
  try {
    await readFrom(inputs, { files: openFiles(tmpdir()).files, host: hostOf(workspace, { HOME: "/root" }) });
    return undefined;
  } catch (error) {
    if (error instanceof ActionError) return error.code;
    throw error;
  }
}

test.each(ROWS)(
  "hostile: $name",
  async ({ hostile, code }) => {
    const workspace = makeCheckout(hostile);
    try {
      const spent = startCpuTime();
      expect(await outcomeOf(workspace)).toBe(code);
      expect(spent()).toBeLessThan(PATIENCE);
    } finally {
      rmSync(workspace, { recursive: true });
    }
  },
  20 * PATIENCE,
);
