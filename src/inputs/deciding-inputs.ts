import { canonicalJson } from "../key/canonical.ts";
import { type Digest, digestOf } from "../oci/digest.ts";
import { INPUTS } from "./names.ts";
import { type ReadInput, text } from "./read-input.ts";

/**
 * Inputs that decide neither what is in an image nor how a configuration is read: how something is come by, who logs in, what is done with
 * an answer. What is not among them counts, whatever it is.
 */
const INDIFFERENT: ReadonlySet<string> = new Set([
  ...["cache-repo", "verify", "on-miss", "on-drift", "on-unknown", "push", "alias", "require", "force"],
  ...["cache-ttl-days", "previous-image", "tags", "release", "load", "summary", "exit-on-build-failure"],
  ...["git-url", "git-ref", "git-username", "git-password", "git-ssh-private-key-path", "git-ssh-private-key-base64"],
  ...[
    "git-ssh-known-hosts",
    "git-http-proxy-url",
    "git-clone-depth",
    "git-clone-single-branch",
    "git-clone-max-size",
    "source-cache-dir",
    "allowed-sources",
  ],
  ...["builder", "builders", "builder-restart", "buildkit-image", "buildx-version", "no-cache", "cache-from"],
  ...["cache-to", "runners", "sbom-dir", "registry-username", "registry-password", "docker-config-base64"],
  ...["ssl-cert-base64"],
]);

/** Of all inputs that may decide, as they are written. None of them is a secret. */
export function decidingInputs(read: ReadInput): Digest {
  // With submodules it counts for what .gitmodules names, which only a clone tells.
  const hasModules = !/^(false|False|FALSE)$/.test(text(read, "git-submodules") ?? "false");
  const decides = (name: string): boolean => !INDIFFERENT.has(name) || (hasModules && name === "allowed-sources");
  const written = INPUTS.filter(decides).map((name) => [name, text(read, name) ?? ""]);
  return digestOf(canonicalJson(written));
}
