import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { runScript } from "./script.ts";

test("shellcheck finds nothing in the scripts", async () => {
  const [program = ""] = await runScript("scripts/programs.sh", "shellcheck");
  const names = readdirSync("scripts").filter((name) => name.endsWith(".sh"));
  const scripts = [".ci/run", "test/e2e/machine.sh", ...names.map((name) => `scripts/${name}`)];
  const { status, stdout, stderr } = spawnSync(program, ["--external-sources", "--format=gcc", ...scripts], {
    encoding: "utf8",
  });
  expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: "" });
});
