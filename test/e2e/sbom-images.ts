import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { docker, makeBase, REGISTRY, unique } from "./harness.ts";

const folder = mkdtempSync(join(tmpdir(), "sbom-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Pushes the SBOM generator of the fixtures, for use as `--sbom=generator=…`. Another version under the same name moves the tag. */
export async function makeScanner(image = `${REGISTRY}/${unique("scanner")}:1`, version = "1"): Promise<string> {
  const { image: base } = await makeBase({ repository: unique("base/scanner") });
  const options = ["--build-arg", `BASE=${base}`, "--label", `version=${version}`, "--provenance=false"];
  await build("test/fixtures/scanner", image, ...options);
  return image;
}

/**
 * A small Debian for both platforms in which `dpkg -l` runs. On Debian its packages come from the machine's own sources, and nothing is
 * pulled; elsewhere it is Docker Hub's.
 */
export async function makeDebian(): Promise<string> {
  if (!/^ID=debian$/m.test(readFileSync("/etc/os-release", "utf8"))) return "debian:12-slim";
  const image = `${REGISTRY}/${unique("base/debian")}:12`;
  const busybox = process.env.TEST_BUSYBOX ?? "";
  const roots = join(folder, "debian");
  mkdirSync(roots);
  execFileSync("bash", ["test/fixtures/debian/unpack.sh", roots], { stdio: ["ignore", "ignore", "inherit"] });
  const options = ["--file", "test/fixtures/debian/Dockerfile", "--build-context", `busybox=${busybox}`];
  await build(roots, image, ...options, "--platform", "linux/amd64,linux/arm64", "--provenance=false");
  return image;
}

/** A build context of this Dockerfile alone. */
export function contextOf(dockerfile: string): string {
  const context = mkdtempSync(join(folder, "context-"));
  writeFileSync(join(context, "Dockerfile"), dockerfile);
  return context;
}

/** Builds and pushes. @throws with BuildKit's words when that fails. */
export async function build(context: string, image: string, ...options: readonly string[]): Promise<string> {
  return docker("buildx", "build", "--progress", "plain", "--tag", image, "--push", ...options, context);
}
