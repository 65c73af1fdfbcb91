import { lastSegment, pathWithin, resolvePath } from "../devcontainer/paths.ts";
import { formatRepository, parseReference, type Reference } from "../oci/reference.ts";
import { type AskedFeature, featureError, LONGEST_ID } from "./asked.ts";
import { fullId } from "./short-ids.ts";

/** Where a feature is, as its id alone tells it. */
export type FeatureReference =
  | {
      readonly kind: "oci";
      /** What the registry is asked for; a digest decides over a tag. */
      readonly reference: Reference;
      /** `registry/repository` as it is written, by which features are told to be the same one. */
      readonly resource: string;
      /** `registry/…` around the feature: where its other names are looked for. */
      readonly namespace: string;
      /** The last segment. */
      readonly name: string;
      /** `undefined` beside a digest. */
      readonly tag: string | undefined;
    }
  | { readonly kind: "tarball"; readonly url: string; readonly name: string }
  | { readonly kind: "local"; readonly folder: string; readonly name: string }
  /** `owner/repository/feature`: the reference CLI looks for it among GitHub's releases; nothing is published that way any more. */
  | { readonly kind: "release"; readonly name: string };

/** Absolute paths: the folder of devcontainer.json, from which local features count, the workspace, in which they are, and the checkout, which no link leaves. */
export type Folders = { readonly configFolder: string; readonly workspace: string; readonly checkout: string };

/** Local features are below this folder of the workspace. */
const HOME = ".devcontainer";

const FIND = "See https://containers.dev/features for what there is, and copy its id from there.";

/**
 * Reads a feature's id.
 * @throws E_CONFIG, or E_FEATURE for what another feature depends on, when it names no feature that could be fetched.
 * @see https://containers.dev/implementors/features/#referencing-a-feature
 */
export function identifyFeature(asked: AskedFeature, folders: Folders): FeatureReference {
  if (asked.id.length > LONGEST_ID)
    throw featureError(asked, { what: `has a name of ${asked.id.length} characters`, fix: FIND });
  const id = fullId(asked.id);
  if (!id.includes("/")) {
    throw featureError(asked, {
      what: "has a short name that is not known",
      fix: `${FIND} A local feature starts with ./`,
    });
  }
  if (id.startsWith("https://")) return tarball(asked, id);
  if (id.startsWith("http://")) {
    throw featureError(asked, {
      what: "would be fetched without TLS",
      fix: "Write https://, or publish it to a registry.",
    });
  }
  return /^\.{0,2}\//.test(id) ? localFolder(asked, id, folders) : published(asked, id.toLowerCase());
}

function tarball(asked: AskedFeature, id: string): FeatureReference {
  const url = URL.canParse(id) ? new URL(id) : undefined;
  const name = /devcontainer-feature-([\w-]+)\.tgz/.exec(lastSegment(url?.pathname ?? ""))?.[1];
  if (url && name !== undefined) return { kind: "tarball", url: url.href, name };
  throw featureError(asked, {
    what: "is an address that does not end in devcontainer-feature-<name>.tgz",
    fix: "Give the address of the archive itself; its file has to have that name.",
  });
}

function localFolder(
  asked: AskedFeature,
  id: string,
  { configFolder, workspace, checkout }: Folders,
): FeatureReference {
  if (id.startsWith("/")) {
    throw featureError(asked, {
      what: "is an absolute path",
      fix: "Put the feature below .devcontainer and start with ./",
    });
  }
  const folder = resolvePath(configFolder, id);
  if (pathWithin(resolvePath(workspace, HOME), folder) !== undefined)
    return { kind: "local", folder, name: lastSegment(id) };
  throw featureError(asked, {
    what: `is the folder ${pathWithin(checkout, folder) ?? folder}, which is not below ${pathWithin(checkout, resolvePath(workspace, HOME)) ?? HOME}`,
    fix: `Local features have to be there; paths count from the folder of devcontainer.json (${pathWithin(checkout, configFolder) ?? configFolder}).`,
  });
}

function published(asked: AskedFeature, id: string): FeatureReference {
  const [host = ""] = id.split("/", 1);
  if (!/[.:]/.test(host) && host !== "localhost") return release(asked, id);
  const written = readReference(asked, id);
  const { digest, ...named } = readReference(
    asked,
    id.replace(/^([^/]+)\/devcontainers-contrib\//, "$1/devcontainers-extra/"),
  );
  const path = named.repository.split("/");
  const tag = digest === undefined ? (named.tag ?? "latest") : undefined;
  return {
    kind: "oci",
    reference: digest === undefined ? { ...named, tag: named.tag ?? "latest" } : { ...named, digest },
    resource: formatRepository(written),
    namespace: [named.registry, ...path.slice(0, -1)].join("/"),
    name: path.at(-1) ?? "",
    tag,
  };
}

function readReference(asked: AskedFeature, id: string): Reference {
  const reference = parseReference(id);
  if (!("wrong" in reference)) return reference;
  throw featureError(asked, {
    what: `does not name a feature in a registry: ${reference.wrong}`,
    fix: `Write it as <registry>/<path>/<name>[:<tag>][@sha256:…]. ${FIND}`,
  });
}

function release(asked: AskedFeature, id: string): FeatureReference {
  const [name = ""] = id.split("@", 1);
  if (/^[^/]+\/[^/]+\/[^/]+$/.test(name)) return { kind: "release", name };
  throw featureError(asked, {
    what: "names no registry",
    fix: `Put the registry's host in front, for example ghcr.io/. ${FIND} A local feature starts with ./`,
  });
}
