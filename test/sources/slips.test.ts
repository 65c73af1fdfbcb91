import { Buffer } from "node:buffer";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openFiles } from "../../src/host/files.ts";
import { makeCheckout } from "../checkout.ts";
import { refusalOf } from "../devcontainer/refusal.ts";
import { hostOf, inputsOf, readFrom } from "../plan-of.ts";

// Slips as people make them in a checkout and in the paths of inputs: what is told names what they have written, and what to do.

const { files, removeTemporaryFolders } = openFiles(tmpdir());
const folders: string[] = [];
afterAll(() => {
  removeTemporaryFolders();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

type Checkout = Readonly<Record<string, string>>;

const CONFIG = ".devcontainer/devcontainer.json";

function read(checkout: Checkout, inputs: Readonly<Record<string, string>> = {}) {
  const workspace = makeCheckout(checkout);
  folders.push(workspace);
  return readFrom(inputsOf({ workspace, images: {}, inputs }), { files, host: hostOf(workspace, {}) });
}

/** As an editor of Windows saves it. */
function saveAsUtf16(workspace: string, path: string, text: string): void {
  writeFileSync(join(workspace, path), Buffer.from(`\ufeff${text}`, "utf16le"));
}

const json = (text: string): Checkout => ({ [CONFIG]: text });
const built = (text: string, build = ""): Checkout => ({
  ...json(`{ "build": { "dockerfile": "Dockerfile"${build} } }`),
  ".devcontainer/Dockerfile": text,
});
const IMAGE = json('{ "image": "base.test/os:1" }');

test.each<[string, Checkout, Readonly<Record<string, string>>, RegExp]>([
  ["a mistyped name", json('{ "imge": "a" }'), {}, /names no image.* What it holds: imge; upper and lower case count/],
  ["a name in other letters", json('{ "build": { "dockerFile": "D" } }'), {}, /What it holds: build\.dockerFile/],
  ["an empty image", json('{ "image": "" }'), {}, /or "build": \{ "dockerfile": "…" \}\.$/],
  [
    "a variable without a value",
    built("ARG V\nFROM debian:$V\n"),
    {},
    /"debian:\$V" is "debian:" once its variables are replaced.* a build arg, or the default of its ARG/,
  ],
  ["a backslash", json('{ "build": { "dockerfile": "..\\\\D" } }'), {}, /no such file; a path is written with \/, and/],
  ["the same in an input", IMAGE, { "dockerfile-path": "a\\D" }, /no such file; a path is written with \//],
  ["the same for a folder", IMAGE, { "workspace-folder": ".\\a" }, /no such folder; a path is written with \//],
  ["the same for build args", built("FROM a\n"), { "build-arg-files": "C:\\a" }, /no such file; a path is written/],
  ["the same for a secret", built("FROM a\n"), { "build-secrets": "id=a,src=b\\c" }, /no such file; a path is written/],
  ["the same for a key", built("FROM a\n"), { ssh: "a=b\\c" }, /there is nothing; a path is written/],
  [
    "quotation marks",
    IMAGE,
    { "workspace-folder": '"a"' },
    /no such folder; the quotation marks count as a part of it/,
  ],
  ["a home", IMAGE, { "workspace-folder": "~/a" }, /no such folder; ~ stands for no folder here/],
  ["an address", IMAGE, { "dockerfile-path": "https://a.test/D" }, /no such file; nothing is fetched from an address/],
  ["a number for a list", built("FROM a\n", ', "cacheFrom": 1'), {}, /build\.cacheFrom is 1, which is not a text/],
])("refused: %s", async (_, checkout, inputs, words) => {
  const { message, fix } = await refusalOf(() => read(checkout, inputs));
  expect(`${message} ${fix}`).toMatch(words);
});

test.each([
  [CONFIG, '{ "image": "debian:12" }', "E_CONFIG"],
  [".devcontainer/Dockerfile", "FROM debian:12\n", "E_DOCKERFILE"],
])("a file in UTF-16 is told as one: %s", async (path, text, code) => {
  const workspace = makeCheckout(built("FROM a\n"));
  folders.push(workspace);
  saveAsUtf16(workspace, path, text);
  const error = await refusalOf(() =>
    readFrom(inputsOf({ workspace, images: {} }), { files, host: hostOf(workspace, {}) }),
  );
  expect(error).toMatchObject({ code, at: { file: path }, message: expect.stringMatching(/no text in UTF-8.*UTF-16/) });
});

test("names that are none, and what is passed over, are told with their lines, also when reading fails", async () => {
  const { warnings } = await read(json('{\n"image": "base.test/os:1",\n"build": { "arg": {} },\n"runArg": []\n}'));
  expect(warnings.map(({ text, at }) => `${at?.line}: ${text}`)).toEqual([
    "4: There is no property runArg: it does nothing. Was runArgs meant?",
    "3: There is no property build.arg: it does nothing. Was build.args meant?",
    "3: build counts for nothing beside image, as in the reference CLI's build",
  ]);
  const { noticed } = await refusalOf(() => read(json('{\n"imge": "a" }')));
  expect(noticed).toEqual([
    { text: "There is no property imge: it does nothing. Was image meant?", at: { file: CONFIG, line: 2 } },
  ]);
});

test("a variable that is not set is told where that is why an image has no name", async () => {
  const { message, noticed } = await refusalOf(() => read(json('{\n"image": "base.test/os:${localEnv:VERSION}" }')));
  expect(message).toContain('"base.test/os:" does not name an image');
  expect(noticed).toEqual([
    { text: expect.stringMatching(/^The variable VERSION is not set in this step/), at: { file: CONFIG, line: 2 } },
  ]);
});

test("properties of another type than they have are told, with their lines, and what becomes of them", async () => {
  const { warnings } = await read(
    json(`{
  "image": "base.test/os:1",
  "remoteUser": 1000,
  "runArgs": "--init",
  "init": "false",
  "overrideCommand": "no",
  "containerEnv": { "A": 1, "B": "x" },
  "remoteEnv": { "C": null, "D": true },
  "customizations": null,
  "forwardPorts": [3000]
}`),
  );
  expect(warnings.map(({ text, at }) => `${at?.line}: ${text}`)).toEqual([
    "3: remoteUser is 1000, and counts for nothing: it has to be a text in double quotes",
    '5: init is "false", and counts as true: it has to be true or false, without quotes',
    '6: overrideCommand is "no", and counts for nothing: it has to be true or false, without quotes',
    '4: runArgs is "--init", and counts for nothing: it has to be a list like ["…"]',
    "7: containerEnv.A is 1, and counts as that text: it has to be a text in double quotes",
    "8: remoteEnv.D is true, and counts as that text: it has to be a text in double quotes",
  ]);
});

test("an arg that is not what was meant is told where that is why a file is missing", async () => {
  const dockerfile = "FROM base.test/os:1\nARG FILE=none\nARG OTHER\nCOPY $FILE /\n";
  const inputs = { "build-args": "OTHER=1 FILE=there" };
  const { code, noticed } = await refusalOf(() => read({ ...built(dockerfile), ".devcontainer/there": "" }, inputs));
  expect(code).toBe("E_CONTEXT");
  expect(noticed.map(({ text }) => text)).toEqual([expect.stringMatching(/^Build arg OTHER .* has a blank and FILE=/)]);
});
