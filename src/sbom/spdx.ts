import { isRecord } from "../oci/manifest.ts";
import { parsePurl } from "./purl.ts";

/** One package that an image holds. */
export type Package = {
  readonly name: string;
  readonly version: string | undefined;
  /** As its package URL says (`deb`, `npm`, …); `other` where it has none. */
  readonly type: string;
  readonly purl: string | undefined;
  /** An SPDX licence expression: the declared one, else the concluded one. */
  readonly license: string | undefined;
};

export type SpdxDocument = {
  readonly name: string;
  /** `Tool: syft-v1.51.0`, `Tool: buildkit-v0.32.2`, … */
  readonly creators: readonly string[];
  /** Without what only stands for the image as a whole, for its operating system, or for sources. */
  readonly packages: readonly Package[];
};

/**
 * Reads an SPDX document in JSON, of any 2.x.
 * @returns the document, or a sentence that says why it is none. Packages that are not as they should be are left out.
 * @see https://spdx.github.io/spdx-spec/v2.3/package-information/
 */
export function readSpdx(json: unknown): SpdxDocument | { readonly wrong: string } {
  if (!isRecord(json)) return { wrong: "it is not a JSON object" };
  const { spdxVersion } = json;
  if (typeof spdxVersion !== "string") return { wrong: "it does not say which version of SPDX it is" };
  if (!spdxVersion.startsWith("SPDX-2.")) return { wrong: `it is ${spdxVersion}, and SPDX-2.x is read` };
  const creation = isRecord(json.creationInfo) ? json.creationInfo : {};
  const described = describedElements(json);
  const elements = recordsOf(json.packages).filter(({ SPDXID }) => !described.has(SPDXID));
  return {
    name: textOf(json.name) ?? "",
    creators: listOf(creation.creators).filter((creator) => typeof creator === "string"),
    packages: elements.flatMap(readPackage),
  };
}

/** What the document is about: the image itself, which scanners list as one more package. */
function describedElements(document: Readonly<Record<string, unknown>>): ReadonlySet<unknown> {
  const { SPDXID = "SPDXRef-DOCUMENT" } = document;
  const related = recordsOf(document.relationships).flatMap(
    ({ relationshipType, spdxElementId, relatedSpdxElement }) => {
      if (relationshipType === "DESCRIBES" && spdxElementId === SPDXID) return [relatedSpdxElement];
      return relationshipType === "DESCRIBED_BY" && relatedSpdxElement === SPDXID ? [spdxElementId] : [];
    },
  );
  // The short form of 2.2: https://spdx.github.io/spdx-spec/v2.2.2/relationships-between-SPDX-elements/
  return new Set([...related, ...listOf(document.documentDescribes)]);
}

const NO_PACKAGE: readonly unknown[] = ["SOURCE", "OPERATING-SYSTEM"];

function readPackage(element: Readonly<Record<string, unknown>>): Package[] {
  const name = textOf(element.name);
  if (name === undefined || NO_PACKAGE.includes(element.primaryPackagePurpose)) return [];
  const purl = purlOf(element);
  const parsed = purl === undefined ? undefined : parsePurl(purl);
  if (parsed?.arch === "source") return [];
  const license = claimOf(element.licenseDeclared) ?? claimOf(element.licenseConcluded);
  return [{ name, version: claimOf(element.versionInfo), type: parsed?.type ?? "other", purl, license }];
}

function purlOf(element: Readonly<Record<string, unknown>>): string | undefined {
  const reference = recordsOf(element.externalRefs).find(({ referenceType }) => referenceType === "purl");
  return textOf(reference?.referenceLocator);
}

/** A field in which SPDX wants a word even where there is nothing to say. */
function claimOf(value: unknown): string | undefined {
  return value === "NOASSERTION" || value === "NONE" ? undefined : textOf(value);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function recordsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return listOf(value).filter(isRecord);
}
