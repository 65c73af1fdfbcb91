// Whether an image that was found is the one that this commit would build: it is built once more, without any cache, and compared.
//
//   node scripts/soundness.mjs IMAGE SCRATCH WORKSPACE [INPUT=VALUE]…
//
// IMAGE is the output `image` of a hit (`repository@sha256:…`); SCRATCH a repository that may be written to and thrown away; WORKSPACE the
// checkout of the hit's commit; the rest the inputs that the hit's step had. Docker with buildx and a login for both has to be there.
//
// Platform by platform all paths are compared with their kind, mode, owner, link target, extended attributes and content, and the config with
// environment, user, labels and what runs. Ends with 1 and a line a difference where there is one, with 2 where it could not be found out.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { configOf, filesOf, platformsOf } from "./image-content.mjs";

/** What two builds of the same commit need not have in common. Times of files are never looked at: each build has its own. */
const CONTENT_OF_ITS_OWN = [
  [/^var\/log\//, "logs tell times"],
  [/^var\/cache\/ldconfig\/aux-cache$/, "inodes and times of libraries"],
  [/^var\/(?:cache\/apt|lib\/apt\/lists)\//, "what the package sources served, with times"],
  [/^etc\/(?:shadow|gshadow)-?$/, "the day on which a password was set"],
  [/^etc\/machine-id$/, "a number that is made up"],
  [/\.pyc$/, "the time of its source"],
];
/** Labels that tell of the run that built first: src/arguments/volatile-labels.ts. */
const LABELS_OF_A_RUN = ["created", "revision", "version", "ref.name", "source", "url"].map(
  (name) => `org.opencontainers.image.${name}`,
);
const MOST_TOLD = 50;

const [image, scratch, workspace, ...inputs] = process.argv.slice(2);
if (
  !image?.includes("@") ||
  scratch === undefined ||
  workspace === undefined ||
  !inputs.every((one) => one.includes("="))
) {
  console.error("soundness: node scripts/soundness.mjs REPOSITORY@DIGEST SCRATCH WORKSPACE [INPUT=VALUE]…");
  process.exit(2);
}

/** The same step once more, with a key of its own, so that nothing is found, and no layer of an earlier build. */
function rebuild() {
  const folder = mkdtempSync(join(tmpdir(), "soundness-"));
  try {
    const file = (name, text = "") => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const asked = {
      ...Object.fromEntries(inputs.map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)])),
      "cache-repo": scratch,
      "cache-version": `soundness-${randomBytes(8).toString("hex")}`,
      "on-miss": "build",
      "no-cache": "true",
      push: "true",
      alias: "false",
      tags: "",
      release: "",
      "cache-from": "",
      "cache-to": "",
      "fallback-image": "",
    };
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("INPUT_")));
    const bundle = join(dirname(fileURLToPath(import.meta.url)), "../dist/index.js");
    const { status } = spawnSync(process.execPath, [bundle], {
      cwd: workspace,
      // The log of a build is no result: what is compared goes to standard output alone.
      stdio: ["ignore", 2, 2],
      env: {
        ...env,
        GITHUB_WORKSPACE: resolve(workspace),
        GITHUB_OUTPUT: file("output"),
        GITHUB_STEP_SUMMARY: file("summary"),
        GITHUB_EVENT_NAME: "push",
        GITHUB_EVENT_PATH: file("event.json", JSON.stringify({ repository: {} })),
        RUNNER_TEMP: folder,
        ...Object.fromEntries(Object.entries(asked).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
      },
    });
    const built = /^image<<(\S+)\n(.*)\n\1$/m.exec(readFileSync(join(folder, "output"), "utf8"))?.[2];
    if (status !== 0 || !built) throw new Error(`the build ended with ${status}`);
    return built;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function compareFiles(found, built) {
  const differences = [];
  for (const path of [...new Set([...found.keys(), ...built.keys()])].sort()) {
    const [one, other] = [found.get(path), built.get(path)];
    if (!one || !other) {
      differences.push(`/${path} is only in the image that was ${one ? "found" : "built"}`);
      continue;
    }
    const isOwn = CONTENT_OF_ITS_OWN.some(([pattern]) => pattern.test(path));
    for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
      if (one[name] === other[name] || (name === "content" && isOwn)) continue;
      differences.push(`/${path} has another ${name}: found ${one[name] ?? "none"}, built ${other[name] ?? "none"}`);
    }
  }
  return differences;
}

/** Values are not told: an environment may hold what a log should not. */
function compareConfigs(found, built) {
  const flat = ({ Labels, Env, ...config }) => {
    const labels = Object.entries(Labels ?? {}).filter(([name]) => !LABELS_OF_A_RUN.includes(name));
    const variables = (Env ?? []).map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)]);
    return new Map([
      ...Object.entries(config).map(([name, value]) => [name, JSON.stringify(value)]),
      ...labels.map(([name, value]) => [`label ${name}`, value]),
      ...variables.map(([name, value]) => [`variable ${name}`, value]),
    ]);
  };
  const [one, other] = [flat(found), flat(built)];
  const names = [...new Set([...one.keys(), ...other.keys()])].sort();
  return names.filter((name) => one.get(name) !== other.get(name)).map((name) => `the config's ${name} is another one`);
}

try {
  const rebuilt = rebuild();
  const [found, built] = [platformsOf(image), platformsOf(rebuilt)];
  const differences = [];
  for (const platform of [...new Set([...found.keys(), ...built.keys()])].sort()) {
    const [one, other] = [found.get(platform), built.get(platform)];
    if (!one || !other) {
      differences.push(`${platform}: only the image that was ${one ? "found" : "built"} is for it`);
      continue;
    }
    const [files, filesNow] = [await filesOf(one, platform), await filesOf(other, platform)];
    const all = [...compareConfigs(configOf(one), configOf(other)), ...compareFiles(files, filesNow)];
    console.log(`${platform}: ${files.size} paths, ${all.length === 0 ? "the same" : `${all.length} differences`}`);
    differences.push(...all.map((text) => `${platform}: ${text}`));
  }
  for (const text of differences.slice(0, MOST_TOLD)) console.log(JSON.stringify(text).slice(1, -1));
  if (differences.length > MOST_TOLD) console.log(`and ${differences.length - MOST_TOLD} more`);
  if (differences.length > 0) process.exitCode = 1;
} catch (error) {
  console.error(`soundness: ${error.message}`);
  process.exitCode = 2;
}
