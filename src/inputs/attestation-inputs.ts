import { ActionError } from "../errors.ts";
import { parseReference, type Reference } from "../oci/reference.ts";
import type { Attestation } from "../sbom/attestations.ts";
import { choice, type ReadInput, separated, text, wrong } from "./read-input.ts";
import { isSwitch } from "./slips.ts";

/** What the user asked for about what is attached to an image. */
export type AttestationInputs = {
  /** The image that makes SBOMs; nothing where none are asked for. */
  readonly generator: Reference | undefined;
  /** `max` publishes the values of all build args. */
  readonly provenance: "min" | "max";
  /** Without these an image does not count as there. */
  readonly required: readonly Attestation[];
  /** Where SBOMs are written to, as written: relative to the host's workspace, or absolute. */
  readonly folder: string | undefined;
};

/** What buildx itself takes. */
const DOCKERS_OWN: Reference = { registry: "docker.io", repository: "docker/buildkit-syft-scanner", tag: "stable-1" };

/**
 * Reads the inputs about SBOM and provenance.
 * @throws ActionError E_INPUT naming the input, the value and what is allowed.
 */
export function readAttestationInputs(read: ReadInput): AttestationInputs {
  return {
    generator: readGenerator(read),
    provenance: readProvenance(read),
    required: readRequired(read),
    folder: readFolder(read),
  };
}

function readGenerator(read: ReadInput): Reference | undefined {
  const value = text(read, "sbom");
  if (value === undefined || /^(false|False|FALSE)$/.test(value)) return undefined;
  if (/^(true|True|TRUE)$/.test(value)) return DOCKERS_OWN;
  const reference = parseReference(value);
  // A bare word would be an image of Docker's own library, and there is no generator: it is a slip like `yes`.
  if (value.includes("/") && !("wrong" in reference)) return reference;
  throw wrong(
    "sbom",
    value,
    "Allowed: true, false, or a generator's image, like docker/buildkit-syft-scanner:stable-1.",
  );
}

/** What is the word of a switch would become a folder of that name in the checkout. */
function readFolder(read: ReadInput): string | undefined {
  const value = text(read, "sbom-dir");
  if (value === undefined || !isSwitch(value)) return value;
  throw wrong("sbom-dir", value, "Name a folder, or leave it out for a temporary one. The switch is the input sbom.");
}

function readProvenance(read: ReadInput): "min" | "max" {
  if (!/^(false|False|FALSE)$/.test(read("provenance").trim())) return choice(read, "provenance", ["min", "max"]);
  throw new ActionError("E_INPUT", {
    what: "The input provenance is false, and without provenance nothing shows that an image was built from what its key names.",
    fix: "Leave it out: min, the default, publishes no build args.",
  });
}

const ATTESTATIONS: readonly Attestation[] = ["sbom", "provenance"];

function readRequired(read: ReadInput): readonly Attestation[] {
  const items = separated(read, "require");
  const bad = items.find((item) => !ATTESTATIONS.some((one) => one === item));
  if (bad !== undefined) throw wrong("require", bad, `Allowed: ${ATTESTATIONS.join(", ")}, one a line or with commas.`);
  return ATTESTATIONS.filter((one) => items.includes(one));
}
