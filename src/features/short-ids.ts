/** Where the features went that were once known by a bare name: https://github.com/devcontainers/cli/blob/v0.88.0/src/spec-configuration/containerFeaturesConfiguration.ts (getBackwardCompatibleFeatureId) */
export const SHORT_IDS_NAMESPACE = "ghcr.io/devcontainers/features";
export const SHORT_IDS_TAG = "1";

const KEPT: ReadonlySet<string> = new Set([
  "aws-cli",
  "azure-cli",
  "desktop-lite",
  "docker-in-docker",
  "docker-from-docker",
  "dotnet",
  "git",
  "git-lfs",
  "github-cli",
  "java",
  "kubectl-helm-minikube",
  "node",
  "powershell",
  "python",
  "ruby",
  "rust",
  "sshd",
  "terraform",
]);

const RENAMED: ReadonlyMap<string, string> = new Map([
  ["golang", "go"],
  ["common", "common-utils"],
]);

/** Became an option of another feature. */
type Successor = { readonly name: string; readonly option: string };

const FOLDED: ReadonlyMap<string, Successor> = new Map([
  ["gradle", { name: "java", option: "installGradle" }],
  ["maven", { name: "java", option: "installMaven" }],
  ["jupyterlab", { name: "python", option: "installJupyterlab" }],
]);

/** Tells whether an id is a short one that has become an option of another feature. */
export function isFolded(id: string): boolean {
  return FOLDED.has(id);
}

/** The feature that a short id has become an option of. */
export function successorOf(id: string): Successor | undefined {
  return FOLDED.get(id);
}

/** The full id that a known short one stands for; every other id as it is. */
export function fullId(id: string): string {
  const name = KEPT.has(id) ? id : RENAMED.get(id);
  return name === undefined ? id : `${SHORT_IDS_NAMESPACE}/${name}:${SHORT_IDS_TAG}`;
}
