import type { BuildStep } from "../../src/buildx/build-record.ts";
import { ActionError } from "../../src/errors.ts";
import type { Difference } from "../../src/key/difference.ts";
import type { Digest } from "../../src/oci/digest.ts";
import type { Served } from "../../src/oci/manifest.ts";
import type { Plan } from "../../src/plan/keyed.ts";
import { type Report, reportFailure } from "../../src/report/report.ts";
import type { PlatformSbom } from "../../src/sbom/read.ts";
import type { Package } from "../../src/sbom/spdx.ts";
import { indexOf, sha } from "../plan-of.ts";

const AMD64 = { os: "linux", architecture: "amd64" };
const ARM64 = { os: "linux", architecture: "arm64" };

const INDEX: Served = indexOf({ "linux/amd64": "image amd64", "linux/arm64": "image arm64" });
const DIGEST: Digest = INDEX.descriptor.digest;
const REPOSITORY = { registry: "ghcr.io", repository: "octo-org/shop/devcontainer" };
const IMAGE = `ghcr.io/octo-org/shop/devcontainer@${DIGEST}`;
const COMMIT = "3f9c2d17a0b64e58c1d2e3f405162738495a6b7c";

const PLAN: Plan = {
  key: sha("key"),
  ownKey: sha("own"),
  unlabelledKey: sha("unlabelled"),
  platforms: [],
  bindings: [],
  addresses: [],
  features: [],
};

const found = (platform: Report["platforms"][number]["platform"], content: string) => ({
  platform,
  digest: sha(content),
  how: "found" as const,
});
const made = (platform: Report["platforms"][number]["platform"], content: string) => ({
  ...found(platform, content),
  how: "built" as const,
});
const built = (platform: Report["platforms"][number]["platform"], seconds: number) => ({
  platform,
  found: undefined,
  seconds,
  foundLate: false,
});

const BASE: Report = {
  ...reportFailure(new ActionError("E_BUG", { what: "" }), 0),
  failure: undefined,
  configuration: ".devcontainer/devcontainer.json",
  commit: COMMIT,
  repository: REPOSITORY,
  plan: PLAN,
  probe: { seconds: 0.412, traffic: { requests: 14, bytes: 8213, waves: 3 } },
  seconds: 0.873,
};

const run = (name: string, begun: number, seconds: number, how: BuildStep["how"] = "ran"): BuildStep => ({
  name,
  begun,
  seconds,
  isInstruction: /^\[[^\]]*\d+\/\d+\] (?!FROM)/.test(name),
  how,
});

const stepsOf = (platform: string, slow: number): readonly BuildStep[] => [
  run("[1/6] FROM mcr.microsoft.com/devcontainers/base:bookworm@sha256:8f4e7d3a91c2", 0, 9.4 * slow),
  run("[2/6] RUN apt-get update && apt-get install --yes --no-install-recommends libpq-dev", 0.2, 0, "cached"),
  run("[3/6] COPY requirements.txt /tmp/requirements.txt", 0.2, 0, "cached"),
  run("[4/6] RUN pip install --no-cache-dir -r /tmp/requirements.txt", 9.4 * slow, 21.7 * slow),
  run("[5/6] prepare the features", 31.2 * slow, 0.4),
  run("[5/6] feature ghcr.io/devcontainers/features/node:1", 31.6 * slow, 18.3 * slow),
  run("[6/6] feature ghcr.io/devcontainers/features/docker-in-docker:2", 49.9 * slow, 26.1 * slow),
  run(`[${platform}] generating sbom using docker.io/docker/buildkit-syft-scanner:stable-1`, 76 * slow, 4.2 * slow),
  run("exporting to image", 80.2 * slow, 7.9 * slow),
];

const packages = (extra: number): readonly Package[] =>
  (
    [
      ["deb", "GPL-2.0-only AND LGPL-2.1-only", 96 + extra],
      ["deb", "MIT", 31],
      ["deb", undefined, 25],
      ["npm", "MIT", 188],
      ["npm", "MIT OR Apache-2.0", 12],
      ["npm", "ISC", 44],
      ["pypi", "BSD-3-Clause", 17],
    ] as const
  ).flatMap(([type, license, count]) =>
    Array.from({ length: count }, (_, at) => ({ name: `${type}-${at}`, version: "1", type, purl: undefined, license })),
  );

const sbom = (platform: PlatformSbom["platform"], extra: number): PlatformSbom => ({
  platform,
  kind: "sbom",
  document: " ".repeat(1_840_000 + extra),
  packages: packages(extra),
});

const MOVED: Difference = {
  part: "upstream",
  ingredient: "base",
  text: "base mcr.microsoft.com/devcontainers/base:bookworm sha256:8f4e7d3a91c2… → sha256:51b0c9e2d7aa…",
  at: { file: ".devcontainer/Dockerfile", line: 1 },
};

const REASONS: readonly Difference[] = [
  {
    part: "yours",
    ingredient: "dockerfile",
    text: ".devcontainer/Dockerfile:6 RUN changed",
    at: { file: ".devcontainer/Dockerfile", line: 6 },
  },
  { part: "yours", ingredient: "context", text: "requirements.txt changed", at: { file: "requirements.txt" } },
  {
    part: "yours",
    ingredient: "feature",
    text: "feature ghcr.io/devcontainers/features/node:1 option version changed",
  },
];

const FAILED_STEPS: readonly BuildStep[] = [
  run("[1/4] FROM mcr.microsoft.com/devcontainers/base:bookworm@sha256:8f4e7d3a91c2", 0, 9.4),
  run("[2/4] COPY requirements.txt /tmp/requirements.txt", 9.4, 0.1),
  run("[3/4] RUN pip install --no-cache-dir -r /tmp/requirements.txt", 9.5, 12.8, "failed"),
  run("[tools 2/2] RUN make -C /src/tools", 9.5, 12.9, "cancelled"),
];

const OUTPUT = [
  "Collecting psycopg2==2.9.11 (from -r /tmp/requirements.txt (line 3))",
  "  Preparing metadata (setup.py): started",
  "  Preparing metadata (setup.py): finished with status 'error'",
  "  error: subprocess-exited-with-error",
  "  × python setup.py egg_info did not run successfully.",
  "  ╰─> Error: pg_config executable not found.",
  "```",
  "ERROR: Failed to build 'psycopg2' when getting requirements to build wheel",
];

const failureFor = (platform: string, also: readonly ActionError[] = []): ActionError =>
  new ActionError("E_BUILD", {
    what: `The build for ${platform} failed at [3/4] RUN pip install --no-cache-dir -r /tmp/requirements.txt: failed to solve: the command did not complete successfully: exit code: 1`,
    details: { title: "The last lines of that step:", lines: OUTPUT },
    fix: "The build's own output stands in the log of this step.",
    at: { file: ".devcontainer/Dockerfile", line: 6 },
    also,
  });

/** What people meet, each with all that a run of its kind knows. */
export const REPORTS: Readonly<Record<string, Report>> = {
  hit: {
    ...BASE,
    result: "hit",
    image: IMAGE,
    digest: DIGEST,
    platforms: [found(AMD64, "image amd64"), found(ARM64, "image arm64")],
    saved: 372.4,
  },
  miss: {
    ...BASE,
    result: "miss",
    verdict: { kind: "miss", damaged: [] },
    missing: [AMD64, ARM64],
    reasons: REASONS,
    previous: "branch-main-7e268f37",
    failure: new ActionError("E_MISS", {
      what: "The image for linux/amd64, linux/arm64 is not in ghcr.io/octo-org/shop/devcontainer.",
      fix: "Let a run with on-miss: build make it (a push to a branch of this repository, or the scheduled warm-up), then run this again.",
      at: { file: ".devcontainer/Dockerfile", line: 6 },
    }),
  },
  built: {
    ...BASE,
    result: "built",
    verdict: { kind: "miss", damaged: [] },
    image: IMAGE,
    digest: DIGEST,
    pushed: true,
    platforms: [made(AMD64, "image amd64"), made(ARM64, "image arm64")],
    built: [built(AMD64, 91.3), built(ARM64, 128.6)],
    steps: [
      { platform: AMD64, steps: stepsOf("linux/amd64", 1) },
      { platform: ARM64, steps: stepsOf("linux/arm64", 1.4) },
    ],
    reasons: REASONS,
    previous: "branch-main-7e268f37",
    sboms: {
      sboms: [sbom(AMD64, 3), sbom(ARM64, 0)],
      folder: "/tmp/sbom",
      files: [],
      changes: {
        since: "branch-main-7e268f37",
        platforms: [AMD64, ARM64].map((platform) => ({
          platform,
          changes: [
            { kind: "changed", type: "deb", name: "libssl3", from: ["3.0.17-1"], to: ["3.0.18-1"] },
            { kind: "added", type: "pypi", name: "httpx", to: ["0.28.1"] },
            { kind: "removed", type: "pypi", name: "requests", from: ["2.32.5"] },
          ],
        })),
      },
    },
    seconds: 141.9,
  },
  stale: {
    ...BASE,
    result: "stale",
    verdict: { kind: "stale", image: { ...REPOSITORY, digest: DIGEST }, index: INDEX, found: [], reusable: [] },
    image: IMAGE,
    digest: DIGEST,
    platforms: [found(AMD64, "image amd64"), found(ARM64, "image arm64")],
    reasons: [MOVED],
    previous: "sources-2c1f0b9a7d3e",
    saved: 372.4,
  },
  unknown: {
    ...BASE,
    result: "unknown",
    plan: undefined,
    verdict: { kind: "unknown", doubt: doubt() },
    missing: [AMD64, ARM64],
    failure: new ActionError("E_UNKNOWN", {
      what: "Whether the image is there cannot be told: asked for the base image mcr.microsoft.com/devcontainers/base:bookworm, the answer was unavailable (503): Service Unavailable. The request: GET https://mcr.microsoft.com/v2/devcontainers/base/manifests/bookworm.",
      fix: "Check that the registry is up and can be reached from this machine, then run the job again.",
      at: { file: ".devcontainer/Dockerfile", line: 1 },
    }),
  },
  failed: {
    ...BASE,
    result: "failed",
    verdict: { kind: "miss", damaged: [] },
    missing: [AMD64, ARM64],
    reasons: REASONS,
    previous: "branch-main-7e268f37",
    steps: [
      { platform: AMD64, steps: FAILED_STEPS },
      { platform: ARM64, steps: FAILED_STEPS },
    ],
    failure: failureFor("linux/amd64", [failureFor("linux/arm64")]),
    seconds: 26.4,
  },
  fork: {
    ...BASE,
    result: "built",
    verdict: { kind: "miss", damaged: [] },
    localImage: `ghcr.io/octo-org/shop/devcontainer:k1-${sha("key").slice("sha256:".length)}-linux-amd64`,
    notPushed: {
      why: "this run counts as a fork's, which never causes a push",
      isRefused: false,
      fix: "Nothing, if this was meant as a check: a push to a branch of the repository itself makes the image for everybody.",
    },
    platforms: [{ platform: AMD64, digest: undefined, how: "built" }],
    missing: [ARM64],
    built: [built(AMD64, 91.3)],
    steps: [{ platform: AMD64, steps: stepsOf("linux/amd64", 1) }],
    reasons: REASONS,
    previous: "branch-main-7e268f37",
    seconds: 94.2,
  },
  refused: {
    ...BASE,
    result: "built",
    verdict: { kind: "miss", damaged: [] },
    localImage: `ghcr.io/octo-org/shop/devcontainer:k1-${sha("key").slice("sha256:".length)}-linux-amd64`,
    notPushed: {
      why: "ghcr.io/octo-org/shop/devcontainer does not take a push from this login (denied: permission_denied: write_package)",
      isRefused: true,
      fix: "Give the login the right to push; on GitHub's own registry that is permissions: packages: write for the job.",
    },
    platforms: [{ platform: AMD64, digest: undefined, how: "built" }],
    built: [built(AMD64, 91.3)],
    seconds: 94.2,
  },
};

function doubt() {
  return {
    kind: "registry",
    what: "base image mcr.microsoft.com/devcontainers/base:bookworm",
    error: {
      kind: "unavailable",
      request: "GET https://mcr.microsoft.com/v2/devcontainers/base/manifests/bookworm",
      status: 503,
      words: "Service Unavailable",
    },
  } as const;
}
