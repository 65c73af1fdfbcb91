import type { Digest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import type { Platform } from "../oci/platform.ts";
import { formatRepository, type Repository } from "../oci/reference.ts";
import type { Answer, Registry, RegistryError } from "../world.ts";
import { type ImageInIndex, LARGEST_STATEMENT, listStatements, SPDX_PREDICATE, seek } from "./attestations.ts";
import { type Package, readSpdx, type SpdxDocument } from "./spdx.ts";
import { readStatement } from "./statement.ts";

/** One platform's SBOM as the registry serves it. */
export type PlatformSbom = { readonly platform: Platform } & (
  | { readonly kind: "sbom"; readonly document: string; readonly packages: readonly Package[] }
  | { readonly kind: "none"; readonly why: string }
  | { readonly kind: "doubt"; readonly error: RegistryError }
);

type Task = { readonly repository: Repository; readonly found: readonly ImageInIndex[] };

/**
 * Reads the SBOM of each platform's image back from the registry, all at once: two small waves. A document is given as BuildKit stored
 * it, without the statement around it.
 */
export async function readSboms({ repository, found }: Task, registry: Registry): Promise<readonly PlatformSbom[]> {
  return Promise.all(found.map((image) => readSbom(repository, image, registry)));
}

async function readSbom(repository: Repository, image: ImageInIndex, registry: Registry): Promise<PlatformSbom> {
  const { platform, manifest } = image;
  const sought = seek("sbom", await listStatements(repository, image, registry));
  if (sought.kind !== "there") return { platform, ...sought };
  const answers = await Promise.all(sought.layers.map((layer) => fetchDocument(repository, layer, manifest, registry)));
  const failed = answers.filter((answer) => answer.kind !== "found");
  const doubt = failed.find(({ kind }) => kind !== "absent");
  if (doubt) return { platform, kind: "doubt", error: doubt };
  const own = documentOfImage(answers.flatMap((answer) => (answer.kind === "found" ? [answer.value] : [])));
  if (!own) return { platform, kind: "none", why: "it is gone from the registry" };
  return { platform, kind: "sbom", document: own.text, packages: own.spdx.packages };
}

type SpdxText = { readonly text: string; readonly spdx: SpdxDocument };

async function fetchDocument(
  repository: Repository,
  layer: Descriptor,
  subject: Digest,
  registry: Registry,
): Promise<Answer<SpdxText>> {
  const answer = await registry.blob(repository, layer, LARGEST_STATEMENT);
  if (answer.kind !== "found") return answer;
  const statement = readStatement(answer.value, { subject, predicateType: SPDX_PREDICATE });
  const document = "wrong" in statement ? statement : readDocument(statement.predicate);
  if ("wrong" in document)
    return { kind: "malformed", request: `GET ${formatRepository(repository)}@${layer.digest}`, words: document.wrong };
  return { kind: "found", value: document };
}

function readDocument(predicate: unknown): SpdxText | { readonly wrong: string } {
  const spdx = readSpdx(predicate);
  return "wrong" in spdx ? spdx : { text: JSON.stringify(predicate), spdx };
}

/**
 * A scanner may have been told to look at build stages too, and their documents lie beside the image's, in an order that nobody
 * promises. The image's is the one that BuildKit has completed, and it is named as a creator of it.
 * @see https://github.com/moby/buildkit/blob/v0.26.3/docs/attestations/sbom-protocol.md
 */
function documentOfImage(documents: readonly SpdxText[]): SpdxText | undefined {
  const isCompleted = ({ spdx }: SpdxText): boolean =>
    spdx.creators.some((creator) => creator.startsWith("Tool: buildkit-"));
  return documents.find(isCompleted) ?? documents.find(({ spdx }) => spdx.name === "sbom") ?? documents[0];
}
