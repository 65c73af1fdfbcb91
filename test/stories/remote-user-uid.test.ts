import { beforeEach, expect, test } from "vitest";
import { put } from "../checkout.ts";
import type { FakeRegistry } from "../fakes/registry.ts";
import { type Play, play, type Told } from "./harness.ts";
import { openSample, seedBase } from "./sample.ts";

let registry: FakeRegistry;
let workspace: string;

beforeEach(async () => {
  const sample = await openSample();
  ({ registry, workspace } = sample);
  return sample.close;
});

/** What a build leaves of the labels that it is told. */
const imageOf = (more: Readonly<Record<string, string>> = {}): string =>
  JSON.stringify({ User: "root", Labels: { "devcontainer.metadata": '[{"remoteUser":"dev"}]', ...more } });
const IMAGE = imageOf();
const GIVEN = { "dev-container-cache.remote-user-uid": "dev:1001" };
const HOSTED = { RUNNER_ENVIRONMENT: "github-hosted", FAKE_DOCKER_IMAGE: IMAGE };

const run = (inputs: Readonly<Record<string, string>> = {}, more: Partial<Play> = {}): Promise<Told> =>
  play({ workspace, registry, inputs, env: HOSTED, ...more });

const optionsOf = ({ outputs }: Told) => outputs["container-options"];

test("the remote user gets the uid of a hosted job's folders, and later jobs work as that user; it is another image", async () => {
  const plain = await run();
  expect(optionsOf(plain)).toBe("--user root");
  const missed = await run({ "remote-user-uid": "1001", "on-miss": "fail" });
  expect(JSON.parse(missed.outputs["miss-reasons"] ?? "")).toEqual([
    { part: "yours", ingredient: "option", text: "the input remote-user-uid (not set) → 1001" },
  ]);
  expect([plain, missed].map(({ outputs }) => outputs["remote-user-uid"])).toEqual(["", "1001"]);
  const env = { ...HOSTED, FAKE_DOCKER_IMAGE: imageOf(GIVEN) };
  const built = await run({ "remote-user-uid": "auto" }, { env });
  expect(built.outputs["remote-user-uid"]).toBe("1001");
  expect(built.builds[0]?.dockerfile).toMatch(/^USER root\nRUN \["\/bin\/sh","-c",".*","dev","1001"\]\nUSER "root"$/m);
  expect(built.builds[0]?.args).not.toContain("--target");
  expect(built.builds[0]?.args.join(" ")).toContain("dev-container-cache.remote-user-uid=dev:1001");
  expect(optionsOf(built)).toBe("--user dev");
  const hit = await run({ "remote-user-uid": "1001" });
  expect(hit).toMatchObject({ docker: [], outputs: { result: "hit", image: built.outputs.image } });
  expect(optionsOf(hit)).toBe("--user dev");
  const again = await run({ "previous-image": built.outputs.image ?? "" });
  expect(again.outputs).toMatchObject({ result: "hit", image: built.outputs.image, "container-options": "--user dev" });
  expect((await run()).outputs).toMatchObject({ result: "hit", image: plain.outputs.image });
});

test("on a machine of one's own auto is the uid of the job, and for root nothing, with a warning", async () => {
  const uid = process.getuid?.() ?? 0;
  const own = { env: { ...HOSTED, RUNNER_ENVIRONMENT: "self-hosted" } };
  const told = await run({ "remote-user-uid": "auto" }, own);
  const text = told.builds[0]?.dockerfile ?? "";
  if (uid === 0) {
    expect(text).not.toContain("remote-user-uid");
    expect(told.log).toContain("::warning::The input remote-user-uid is auto and this job runs as root");
  } else expect(text).toContain(`"dev","${uid}"`);
});

test("where runners give the folders away auto changes nothing", async () => {
  const plain = await run();
  const gitea = await run({ "remote-user-uid": "auto" }, { env: { ...HOSTED, GITEA_ACTIONS: "true" } });
  expect(gitea.outputs).toMatchObject({ result: "hit", image: plain.outputs.image, "container-options": "--user dev" });
});

test("root, who may write anywhere, keeps the number, and that is said", async () => {
  put(workspace, ".devcontainer/devcontainer.json", '{"build": {"dockerfile": "Dockerfile"}, "remoteUser": "root"}');
  const told = await run({ "remote-user-uid": "1001" });
  expect(told.builds[0]?.dockerfile).not.toContain("remote-user-uid");
  expect(told.log).toContain("The input remote-user-uid changes nothing: root works in this dev container.");
});

test("whom runArgs start the container as gets the uid, and counts for it alone", async () => {
  const json = { build: { dockerfile: "Dockerfile", args: { GREETING: "hello" } } };
  const write = (user: string): void =>
    put(workspace, ".devcontainer/devcontainer.json", JSON.stringify({ ...json, runArgs: ["-u", user] }));
  const labels = { "dev-container-cache.remote-user-uid": "dev:1001" };
  const env = { ...HOSTED, FAKE_DOCKER_IMAGE: JSON.stringify({ User: "root", Labels: labels }) };
  write("dev");
  const plain = await run({}, { env: { ...HOSTED, FAKE_DOCKER_IMAGE: '{"User":"root"}' } });
  const built = await run({ "remote-user-uid": "1001" }, { env });
  expect(built.builds[0]?.dockerfile).toContain('"dev","1001"]');
  expect(built.outputs).toMatchObject({ "container-options": "--user dev", "remote-user": "dev" });
  write("ada");
  expect((await run()).outputs).toMatchObject({ result: "hit", image: plain.outputs.image, "remote-user": "ada" });
  const missed = await run({ "remote-user-uid": "1001", "on-miss": "fail" });
  expect(JSON.parse(missed.outputs["miss-reasons"] ?? "")).toMatchObject([
    {
      text: "the user of runArgs changed, and that user gets remote-user-uid",
      file: ".devcontainer/devcontainer.json",
    },
  ]);
});

test("the configuration's updateRemoteUserUID: false has the last word", async () => {
  const json = { build: { dockerfile: "Dockerfile", args: { GREETING: "hello" } }, remoteUser: "dev" };
  put(workspace, ".devcontainer/devcontainer.json", JSON.stringify({ ...json, updateRemoteUserUID: false }));
  const plain = await run();
  const told = await run({ "remote-user-uid": "1001" });
  expect(told.outputs).toMatchObject({ result: "hit", image: plain.outputs.image });
  expect(optionsOf(told)).toBe("--user root");
  expect(told.log).toMatch(
    /::warning file=\.devcontainer\/devcontainer\.json,line=1::The input remote-user-uid changes nothing: the configuration says/,
  );
});

test("the base says who works in an image that is only relabelled", async () => {
  seedBase(registry, "base/labelled", "1", "one", { User: "vscode" });
  put(workspace, ".devcontainer/devcontainer.json", JSON.stringify({ image: `${registry.host}/base/labelled:1` }));
  const image = { User: "vscode", Labels: { "dev-container-cache.remote-user-uid": "vscode:1001" } };
  const env = { ...HOSTED, FAKE_DOCKER_IMAGE: JSON.stringify(image) };
  const told = await run({ "remote-user-uid": "1001" }, { env });
  expect(told.builds[0]?.dockerfile).toMatch(/"vscode","1001"\]\nUSER "vscode"\n$/);
  // The image's own user works in it, and no option has to say so.
  expect(optionsOf(told)).toBe("");
});

test("a user that no argument of a program can hold is an error in words", async () => {
  put(
    workspace,
    ".devcontainer/devcontainer.json",
    '{"build": {"dockerfile": "Dockerfile"}, "remoteUser": "a\\u0000b"}',
  );
  const told = await run({ "remote-user-uid": "1001" });
  expect(told.code).toBe(1);
  expect(told.log).toMatch(/^::error.*The remote user, a\\x00b, holds a control character.*\[E_DOCKERFILE\]/m);
});

test("a compose service's user works in the image and gets the uid, where the configuration names nobody", async () => {
  const json = { dockerComposeFile: "compose.yml", service: "app" };
  const compose = (user: string): void =>
    put(
      workspace,
      ".devcontainer/compose.yml",
      `services: { app: { image: "${registry.host}/base/os:1", user: "${user}" } }`,
    );
  put(workspace, ".devcontainer/devcontainer.json", JSON.stringify(json));
  compose("web:web");
  const labels = { "dev-container-cache.remote-user-uid": "web:1001" };
  const env = { ...HOSTED, FAKE_DOCKER_IMAGE: JSON.stringify({ User: "root", Labels: labels }), WHO: "web" };
  const told = await run({ "remote-user-uid": "1001" }, { env });
  expect(told.builds[0]?.dockerfile).toContain('"web","1001"]');
  expect([optionsOf(told), told.outputs["remote-user"]]).toEqual(["--user web:web", "web:web"]);
  expect(optionsOf(await run({ "remote-user-uid": "1001" }, { env }))).toBe("--user web:web");
  compose("${WHO}");
  const read = await run({ "remote-user-uid": "1001" }, { env });
  expect([optionsOf(read), read.outputs["remote-user"]]).toEqual(["--user web", "web"]);
  put(workspace, ".devcontainer/devcontainer.json", JSON.stringify({ ...json, remoteUser: "dev" }));
  compose("web");
  expect(optionsOf(await run({}, { env: { ...HOSTED, GITEA_ACTIONS: "true", FAKE_DOCKER_IMAGE: IMAGE } }))).toBe(
    "--user dev",
  );
});

test("a user whose variable nobody has set is nobody, and the image's own works", async () => {
  put(
    workspace,
    ".devcontainer/devcontainer.json",
    '{"build": {"dockerfile": "Dockerfile"}, "remoteUser": "${localEnv:NOBODY_SET_THIS}"}',
  );
  const told = await run({}, { env: { RUNNER_ENVIRONMENT: "github-hosted" } });
  expect(told.outputs["remote-user"]).toBe("root");
});

test("a value that is no uid is refused before anything is asked for", async () => {
  const told = await run({ "remote-user-uid": "vscode" });
  expect(told).toMatchObject({ code: 1, requests: [] });
  expect(told.log).toContain('The input remote-user-uid is "vscode", which is not allowed. [E_INPUT]');
});

test("a user that only the build would know is an error with its line", async () => {
  put(
    workspace,
    ".devcontainer/Dockerfile",
    `FROM ${registry.host}/base/os:1\nARG BUILDARCH\nCOPY setup.sh /\nUSER $BUILDARCH\n`,
  );
  const told = await run({ "remote-user-uid": "1001" });
  expect(told.code).toBe(1);
  expect(told.log).toMatch(/\.devcontainer\/Dockerfile,line=4.*USER holds.*\[E_DOCKERFILE\].*remote-user-uid/);
});

test("who is a number already is not told of the input, which changes nothing there", async () => {
  put(
    workspace,
    ".devcontainer/devcontainer.json",
    '{ "build": { "dockerfile": "Dockerfile" }, "remoteUser": "1000:1000" }',
  );
  const image = imageOf({ "devcontainer.metadata": '[{"remoteUser":"1000:1000"}]' });
  const { log, outputs } = await run({}, { env: { ...HOSTED, FAKE_DOCKER_IMAGE: image } });
  expect(outputs["container-options"]).toBe("--user root");
  expect(log).toContain("and not 1000:1000: the folders of a job are the user 1001's on this host");
  expect(log).not.toContain("remote-user-uid");
});
