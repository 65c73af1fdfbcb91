import { expect, test } from "vitest";
import { nameForBuildKit, readImageName } from "../../src/sources/image-name.ts";

const AT = { file: "Dockerfile", line: 1 };

test.each([
  ["node", "docker.io/library/node:latest"],
  ["node:20", "docker.io/library/node:20"],
  ["index.docker.io/library/node:20", "docker.io/library/node:20"],
  ["registry-1.docker.io/library/node:20", "registry-1.docker.io/library/node:20"],
  ["registry.hub.docker.com/library/node", "registry.hub.docker.com/library/node:latest"],
  ["localhost/x", "localhost/x:latest"],
  ["ghcr.io/team/app:1", "ghcr.io/team/app:1"],
  ["127.0.0.1:5000/x/y:2", "127.0.0.1:5000/x/y:2"],
])("%s is %s to BuildKit", (written, name) => {
  expect(nameForBuildKit(readImageName(written, written, AT))).toBe(name);
});

test.each([
  ["GHCR.IO/team/app:1", "ghcr.io"],
  ["Docker.IO/library/node", "docker.io"],
])("%s is refused: BuildKit does not know it by the name %s", (written, host) => {
  expect(() => readImageName(written, written, AT)).toThrow(
    expect.objectContaining({ code: "E_DOCKERFILE", at: AT, fix: `Write ${host} instead.` }),
  );
});
