import { type Digest, isDigest } from "./digest.ts";

/** `registry/repository`, both as the registry's own API wants them: Docker Hub is `docker.io`, official images are under `library/`. */
export type Repository = { readonly registry: string; readonly repository: string };

/** An image by name, as docker reads it. With both, the digest decides and the tag is decoration. */
export type Reference = Repository & { readonly tag?: string; readonly digest?: Digest };

/** An image by content: what the outputs name. */
export type Pinned = Repository & { readonly digest: Digest };

const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const HOST =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const MAX_NAME = 255;

/** The hosts that docker takes for Docker Hub where they name an image. Its other hosts serve the same images under names of their own. */
const HUB_ALIASES: readonly string[] = ["docker.io", "index.docker.io"];
const HUB_HOSTS: readonly string[] = [...HUB_ALIASES, "registry-1.docker.io", "registry.hub.docker.com"];

/** Tells whether a text is a legal tag: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/**
 * Reads `[registry/]repository[:tag][@digest]` as docker does: a first segment with a dot, a colon, or `localhost` is the registry,
 * everything else is Docker Hub. Nothing is added: without a tag there is no tag.
 * @returns the parts, or a sentence that says what is wrong.
 * @see https://github.com/distribution/reference/blob/v0.6.0/normalize.go
 */
export function parseReference(text: string): Reference | { readonly wrong: string } {
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) return { wrong: `"${digest}" is not a sha256 digest` };
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(":");
  const tagged = colon > named.lastIndexOf("/");
  const tag = tagged ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !isTag(tag)) return { wrong: `"${tag}" is not a tag` };
  const name = parseName(tagged ? named.slice(0, colon) : named, HUB_ALIASES);
  if ("wrong" in name) return name;
  return {
    ...name,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/**
 * Reads `[registry/]repository` without tag or digest. Docker Hub is one place here, by whichever of its hosts it is named.
 * @returns the parts, or a sentence that says what is wrong.
 */
export function parseRepository(text: string): Repository | { readonly wrong: string } {
  return parseName(text, HUB_HOSTS);
}

function parseName(text: string, hub: readonly string[]): Repository | { readonly wrong: string } {
  if (text === "") return { wrong: "it is empty" };
  if (/\s/.test(text)) return { wrong: "it holds white space" };
  if (text.includes("://")) return { wrong: "it starts with a scheme; leave that out" };
  const slash = text.indexOf("/");
  const first = slash < 0 ? "" : text.slice(0, slash);
  const isHost = first === "localhost" || /[.:]/.test(first) || first !== first.toLowerCase();
  // docker takes capital letters for a host, and lower-case the same name would be somebody's on Docker Hub.
  if (isHost && first !== "localhost" && !/[.:]/.test(first))
    return { wrong: `"${first}" has capital letters; repositories are lower-case` };
  const host = isHost ? first : "docker.io";
  if (!HOST.test(host) || !isAddressable(host)) return { wrong: `"${host}" is not a registry's host name` };
  const registry = hub.includes(host.toLowerCase()) ? "docker.io" : host.toLowerCase();
  const path = isHost ? text.slice(slash + 1) : text;
  const repository = registry === "docker.io" && !path.includes("/") ? `library/${path}` : path;
  if (repository !== repository.toLowerCase())
    return { wrong: `"${path}" has capital letters; repositories are lower-case` };
  if (!REPOSITORY.test(repository)) return { wrong: `"${path}" is not a repository's path, ${whyNoPath(path)}` };
  if (registry.length + 1 + repository.length > MAX_NAME) return { wrong: `it is longer than ${MAX_NAME} characters` };
  return { registry, repository };
}

function whyNoPath(path: string): string {
  if (/^\/|\/$|\/\//.test(path)) return "for a part of it is empty, as where a variable has no value";
  return "which has small letters and digits, with single . _ - between them";
}

/**
 * A host that docker's grammar lets through need not be one: a port above 65535, `1.2.3.999`. `0x7f.1` is another spelling of an address,
 * which would be asked under a name that nobody has written.
 */
function isAddressable(host: string): boolean {
  if (!URL.canParse(`https://${host}`)) return false;
  const { hostname } = new URL(`https://${host}`);
  return host.startsWith("[") || hostname === host.toLowerCase().replace(/:[0-9]*$/, "");
}

/** `registry/repository`, fully written out. */
export function formatRepository(name: Repository): string {
  return `${name.registry}/${name.repository}`;
}

/** The reference fully written out; `latest` is not added. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${formatRepository(reference)}${tag}${digest}`;
}

/** `repo@sha256:…`, the form in which the outputs name an image. */
export function formatPinned(image: Pinned): string {
  return `${formatRepository(image)}@${image.digest}`;
}
