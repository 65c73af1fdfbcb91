import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { asActionError } from "../../src/errors.ts";
import { openFiles } from "../../src/host/files.ts";
import type { Files } from "../../src/world.ts";
import { makeCheckout } from "../checkout.ts";
import { hostOf, inputsOf, readFrom } from "../plan-of.ts";

// Every look that reading a checkout takes is refused once: a file of another user, a disk that fails. Whatever it was for, a message
// names the file and says what the system said, and nothing of ours is called a fault.

const DOCKERFILE = "ARG VARIANT=1\nFROM registry.test/base:1\nARG A\nCOPY folder link /x/\n";
const FILES = {
  ".devcontainer/devcontainer.json": JSON.stringify({
    build: { dockerfile: "Dockerfile", context: "..", args: { A: "1" } },
    features: { "./local": {} },
  }),
  ".devcontainer/Dockerfile": DOCKERFILE,
  ".devcontainer/Dockerfile.dockerignore": "node_modules\n",
  ".devcontainer/devcontainer-lock.json": '{ "features": {} }',
  ".devcontainer/local/devcontainer-feature.json": '{ "id": "local", "version": "1.0.0" }',
  ".devcontainer/local/install.sh": "true\n",
  ".devcontainer/local/link": { link: "install.sh" },
  "folder/a": "a",
  "folder/b/c": { script: "c" },
  link: { link: "folder/a" },
  "args.conf": "VARIANT=2\n",
};
const COMPOSE = {
  ".devcontainer/devcontainer.json": JSON.stringify({ dockerComposeFile: "compose.yml", service: "app" }),
  ".devcontainer/compose.yml": "services:\n  app:\n    build: { context: .., dockerfile: .devcontainer/Dockerfile }\n",
  ".devcontainer/.env": "A=1\n",
  ".devcontainer/Dockerfile": DOCKERFILE,
  ".dockerignore": "node_modules\n",
  "folder/a": "a",
  link: { link: "folder/a" },
};
const LOOKS = ["readText", "stat", "realPath", "list", "readLink", "digest"] as const;

const checkouts = [
  { what: "a Dockerfile and a feature", workspace: makeCheckout(FILES), inputs: { "build-arg-files": "*.conf" } },
  { what: "compose", workspace: makeCheckout(COMPOSE), inputs: {} },
];
afterAll(() => {
  for (const { workspace } of checkouts) rmSync(workspace, { recursive: true });
});

/** The same files, but of every look `refuse` is told first, and may throw. */
function refusing(files: Files, refuse: (call: string, path: string) => void): Files {
  const looking = (call: (typeof LOOKS)[number]) => async (path: string) => {
    refuse(call, path);
    return files[call](path);
  };
  return { ...files, ...Object.fromEntries(LOOKS.map((call) => [call, looking(call)])) };
}

// Without a branch there is only less to compare with, without attributes less to warn of, and docker's own login is nothing that this reads for
// the image.
const PASSED_OVER = /\.git\/HEAD$|\.gitattributes$|\.docker\/config\.json$/;

test.each(checkouts)("$what: a look that the system refuses is told with the file", async ({ workspace, inputs }) => {
  const { files } = openFiles(tmpdir());
  const read = (port: Files) =>
    readFrom(inputsOf({ workspace, images: {}, inputs }), { files: port, host: hostOf(workspace) });
  // By what is looked at: in which order is the file system's to say.
  const looks = new Map<string, string>();
  await read(refusing(files, (call, path) => looks.set(`${call} ${path}`, path)));
  const met = [...looks].filter(([, path]) => !PASSED_OVER.test(path));
  expect(met.length).toBeGreaterThan(20);
  for (const code of ["EACCES", "EIO"])
    for (const [look, path] of met) {
      const failing = refusing(files, (call, at) => {
        if (`${call} ${at}` === look)
          throw Object.assign(new Error(`${code}: no, '${path}'`), { code, path, syscall: "open" });
      });
      const refused = await read(failing).then(() => undefined, asActionError);
      expect(`${code} at ${look}: ${refused?.code}`).toMatch(/: E_(SYSTEM|CONTEXT|INPUT)$/);
      // The checkout itself is sought by its path.
      if (path !== workspace && !path.startsWith(join(workspace, ".git")))
        expect(refused?.message, look).not.toContain(workspace);
    }
});
