import { describe, expect, it } from "vitest";
import { refusalOf } from "../devcontainer/refusal.ts";
import { read, saidBy } from "./project.ts";
import { DIFFERENCES, ROWS } from "./rows.ts";

describe("as docker compose config says it", () => {
  it.each(ROWS)("$name", async (row) => {
    if (row.says === "refused") expect((await refusalOf(() => read(row))).code).toBe("E_CONFIG");
    else expect(saidBy(await read(row))).toEqual(row.says);
  });
});

describe("unlike docker compose config", () => {
  it.each(DIFFERENCES)("$name: $why", async (row) => {
    if (row.ours === "refused") expect((await refusalOf(() => read(row))).code).toBe("E_CONFIG");
    else expect(saidBy(await read(row))).toEqual(row.ours);
  });
});
