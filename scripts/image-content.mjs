// What is in an image, so that two of them can be compared: every path with its kind, mode, owner and content, and the config.
//
// Read by buildx, which has the logins and knows the registries that the build itself has used. Of a `FROM image` alone it makes a tar of the whole file
// system: no container is made, which would put files of its own in, and no emulation is needed for another platform.
import { execFileSync, spawn } from "node:child_process";
import { readTar } from "./tar.mjs";

/** `docker buildx` with these arguments: what it prints. */
function buildx(...args) {
  return execFileSync("docker", ["buildx", ...args], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
}

/** The platforms of an image, each with the name of its manifest. Attestations are for no platform. */
export function platformsOf(image) {
  const repository = image.slice(0, image.lastIndexOf("@"));
  const { manifests } = JSON.parse(buildx("imagetools", "inspect", "--raw", image));
  if (!manifests) throw new Error(`${image} is no index`);
  const images = manifests.filter(({ platform }) => platform && platform.os !== "unknown");
  return new Map(
    images.map(({ digest, platform: { os, architecture, variant } }) => [
      [os, architecture, ...(variant ? [variant] : [])].join("/"),
      `${repository}@${digest}`,
    ]),
  );
}

/** The config of one platform's image: environment, user, labels, what runs. */
export function configOf(manifest) {
  const {
    config = {},
    os,
    architecture,
    variant,
  } = JSON.parse(buildx("imagetools", "inspect", "--format", "{{json .Image}}", manifest));
  return { ...config, os, architecture, variant };
}

/** Path to what stands there, of the whole file system. */
export async function filesOf(manifest, platform) {
  const args = [
    "buildx",
    "build",
    "--quiet",
    "--platform",
    platform,
    "--provenance=false",
    "--output",
    "type=tar,dest=-",
    "-",
  ];
  const child = spawn("docker", args, { stdio: ["pipe", "pipe", "pipe"] });
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (chunk) => {
    words += chunk;
  });
  const ended = new Promise((done, fail) => child.on("error", fail).on("close", done));
  child.stdin.on("error", () => undefined).end(`FROM ${manifest}\n`);
  const entries = await readTar(child.stdout);
  const code = await ended;
  if (code !== 0) throw new Error(`docker ${args.join(" ")} ended with ${code}: ${words}`);
  return entries;
}
