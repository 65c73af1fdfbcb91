import { afterAll, beforeAll, expect, test } from "vitest";
import { askAsGitea } from "../fakes/gitea-registry.ts";
import { type FakeRegistry, openFakeRegistry } from "../fakes/registry.ts";
import { type Play, play, type Told } from "./harness.ts";
import { openSample } from "./sample.ts";

let gitea: FakeRegistry;
let workspace: string;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ workspace, close } = await openSample());
  gitea = await openFakeRegistry();
  askAsGitea(gitea, { "of-writing": "write:package", "of-reading": "read:package", "of-code": "write:repository" });
});
afterAll(async () => {
  await gitea.close();
  await close();
});

const run = (password: string, inputs: Play["inputs"] = {}): Promise<Told> =>
  play({
    workspace,
    registry: gitea,
    inputs: { "registry-username": "me", "registry-password": password, ...inputs },
    env: { GITEA_ACTIONS: "true", GITHUB_SERVER_URL: `http://${gitea.host}` },
  });
const SCOPE = /registry-password has to be a personal access token with the scope write:package/;

test.each<[string, string]>([
  ["a personal token without a scope for packages", "of-code"],
  ["a token that is none", "of-nobody"],
])("%s is an error of the first look, and told with the scope that it takes", async (_, password) => {
  const told = await run(password, { "on-miss": "continue" });
  expect(told, told.log).toMatchObject({ code: 1, outputs: { result: "unknown", image: "" } });
  expect(told.log).toMatch(/^Error: .*\[E_AUTH\]/m);
  expect(told.log).toMatch(SCOPE);
  expect(told.log.replace(/^::add-mask::.*$/gm, "")).not.toContain(password);
});

test("a personal token that may only read finds what is there, and its push is refused before anything is built", async () => {
  const demanded = await run("of-reading", { push: "true" });
  expect(demanded, demanded.log).toMatchObject({ code: 1, builds: [] });
  expect(demanded.log).toMatch(/\[E_PUSH\]/);
  expect(demanded.log).toMatch(SCOPE);
  const unpushed = await run("of-reading");
  expect(unpushed.outputs, unpushed.log).toMatchObject({ result: "built", pushed: "false", image: "" });
  expect(unpushed.log).toMatch(SCOPE);
  const built = await run("of-writing");
  expect(built.outputs, built.log).toMatchObject({ result: "built", pushed: "true" });
  expect((await run("of-reading")).outputs).toMatchObject({ result: "hit", digest: built.outputs.digest });
});
