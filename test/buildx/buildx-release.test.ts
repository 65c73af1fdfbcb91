import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fetchBuildx, parseBuildxVersion } from "../../src/buildx/buildx-release.ts";
import { openFiles } from "../../src/host/files.ts";
import { openTools } from "../../src/host/tools.ts";
import type { Tools } from "../../src/world.ts";

/** A server in place of the one that has the releases: what it serves, by path, and what it was asked. */
const served = new Map<string, string>();
const asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.url ?? "");
  const body = served.get(request.url ?? "");
  response.writeHead(body === undefined ? 404 : 200).end(body);
});
const address = await new Promise<string>((done) => {
  server.listen(0, "127.0.0.1", () => {
    const bound = server.address();
    done(`http://127.0.0.1:${typeof bound === "object" && bound ? bound.port : 0}`);
  });
});
afterAll(() => void server.close());

const PROGRAM = "#!/bin/sh\necho v0.29.1\n";
const sum = (text: string): string => createHash("sha256").update(text).digest("hex");

let root: string;
let open: ReturnType<typeof openFiles>;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "release-"));
  open = openFiles(root);
  // The library reads the environment by itself.
  vi.stubEnv("RUNNER_TOOL_CACHE", join(root, "tools"));
  vi.stubEnv("RUNNER_TEMP", root);
  // It talks to the runner on standard output.
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  served.clear();
  asked.length = 0;
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

const log = {
  info: () => undefined,
  warning: () => undefined,
  error: () => undefined,
  debug: () => undefined,
  notice: () => undefined,
  mask: () => undefined,
  detach: () => undefined,
  group: <T>(_: string, body: () => Promise<T>) => body(),
};

function fetchFrom(tools: Tools, version = "0.29.1"): Promise<string> {
  return fetchBuildx(version, { tools, files: open.files, log, releases: address });
}

const LINUX = { os: "linux", architecture: "x64" };
const toolsOn = (machine: Tools["machine"], cache = "yes"): Tools => ({
  ...openTools({ RUNNER_TOOL_CACHE: cache }),
  machine,
});

function release(asset: string, list: string): void {
  served.set("/v0.29.1/checksums.txt", list);
  served.set(`/v0.29.1/${asset}`, PROGRAM);
}

test("fetched, checked, kept, and the next time only found", async () => {
  release(
    "buildx-v0.29.1.linux-amd64",
    `${"0".repeat(64)} *buildx-v0.29.1.linux-arm64\n${sum(PROGRAM)} *buildx-v0.29.1.linux-amd64\n`,
  );
  const path = await fetchFrom(toolsOn(LINUX));
  expect(path).toMatch(/\/tools\/buildx\/0\.29\.1\/[^/]+\/docker-buildx$/);
  expect(readFileSync(path, "utf8")).toBe(PROGRAM);
  expect(statSync(path).mode & 0o111).toBe(0o111);
  expect(asked).toEqual(["/v0.29.1/checksums.txt", "/v0.29.1/buildx-v0.29.1.linux-amd64"]);
  open.removeTemporaryFolders();
  expect(await fetchFrom(toolsOn(LINUX))).toBe(path);
  expect(asked).toHaveLength(2);
});

test("without a tool cache it lives as long as the run", async () => {
  release("buildx-v0.29.1.linux-amd64", `${sum(PROGRAM)}  buildx-v0.29.1.linux-amd64\n`);
  const path = await fetchFrom(toolsOn(LINUX, ""));
  expect(statSync(path).mode & 0o111).toBe(0o111);
  open.removeTemporaryFolders();
  expect(existsSync(path)).toBe(false);
});

describe("the file for a machine", () => {
  test.each([
    ["linux", "arm64", "buildx-v0.29.1.linux-arm64"],
    ["linux", "arm", "buildx-v0.29.1.linux-arm-v7"],
    ["linux", "s390x", "buildx-v0.29.1.linux-s390x"],
    ["darwin", "arm64", "buildx-v0.29.1.darwin-arm64"],
    ["win32", "x64", "buildx-v0.29.1.windows-amd64.exe"],
  ])("%s %s", async (os, architecture, asset) => {
    release(asset, `${sum(PROGRAM)} ${asset}\n`);
    await fetchFrom(toolsOn({ os, architecture }));
    expect(asked.at(-1)).toBe(`/v0.29.1/${asset}`);
  });
});

describe("refused, and nothing is kept", () => {
  const asset = "buildx-v0.29.1.linux-amd64";
  test.each<[string, () => void, RegExp]>([
    ["a release that is not there", () => undefined, /checksums\.txt: Unexpected HTTP response: 404/],
    [
      "another file than the list says",
      () => release(asset, `${"0".repeat(64)} *${asset}\n`),
      /its checksum is sha256:/,
    ],
    ["a list without the file", () => release(asset, `${sum(PROGRAM)} *${asset}.sbom.json\n`), /does not name it/],
    ["a list that is no list", () => release(asset, "<html>login</html>"), /does not name it/],
    [
      "a list with a file that is not there",
      () => served.set("/v0.29.1/checksums.txt", `${sum(PROGRAM)} *${asset}\n`),
      /linux-amd64: Unexpected HTTP response: 404/,
    ],
  ])("%s", async (_, prepare, words) => {
    prepare();
    const tools = toolsOn(LINUX);
    await expect(fetchFrom(tools)).rejects.toMatchObject({
      code: "E_DOCKER",
      message: expect.stringMatching(words),
      fix: expect.stringContaining("buildx-version"),
    });
    expect(await tools.find({ name: "buildx", version: "0.29.1", program: "docker-buildx" })).toBeUndefined();
  });
});

test.each([
  ["0.29.1", "0.29.1"],
  ["v0.29.1", "0.29.1"],
  ["0.30.0-rc1", "0.30.0-rc1"],
])("the version %s", (text, version) => {
  expect(parseBuildxVersion(text)).toBe(version);
});

test.each(["latest", "", "0.29", "v", "0.29.1/../../x", "0.29.1 ", "https://github.com/docker/buildx"])(
  "%j is no version",
  (text) => {
    expect(parseBuildxVersion(text)).toEqual({ wrong: expect.stringMatching(/0\.29\.1/) });
  },
);
