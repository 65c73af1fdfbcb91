import { tellMeant } from "../nearest.ts";
import { isRemote } from "./sources.ts";
import type { Doubt, Mapping, Tree } from "./tree.ts";

/**
 * Everything in a service that decides about its image and that we cannot know without asking somebody else: a context that lies
 * elsewhere or is another service's image, a property of `build` that we do not know, a value with a tag of its own.
 */
export function doubtsAbout(service: Tree): readonly Doubt[] {
  if (service.kind !== "mapping") return opaqueIn(service);
  const build = service.entries.get("build");
  return [...opaqueIn(service), ...(build?.kind === "mapping" ? doubtsAboutBuild(build) : [])];
}

const KNOWN: ReadonlySet<string> = new Set([
  "additional_contexts",
  "args",
  "cache_from",
  "cache_to",
  "context",
  "dockerfile",
  "dockerfile_inline",
  "entitlements",
  "extra_hosts",
  "isolation",
  "labels",
  "network",
  "no_cache",
  "platforms",
  "privileged",
  "provenance",
  "pull",
  "sbom",
  "secrets",
  "shm_size",
  "ssh",
  "tags",
  "target",
  "ulimits",
]);

function doubtsAboutBuild(build: Mapping): readonly Doubt[] {
  const unknown = [...build.entries].filter(([name]) => !KNOWN.has(name) && !name.startsWith("x-"));
  const context = build.entries.get("context");
  const contexts = build.entries.get("additional_contexts");
  const services = contexts?.kind === "mapping" ? [...contexts.entries.values()] : [];
  return [
    ...unknown.flatMap(([name, value]) => unknownProperty(name, value)),
    ...(context?.kind === "scalar" && isRemote(context.text) ? [remoteContext(context)] : []),
    ...services.flatMap((value) =>
      value.kind === "scalar" && value.text.startsWith("service:") ? [otherService(value)] : [],
    ),
  ];
}

function unknownProperty(name: string, value: Tree): readonly Doubt[] {
  if (value.kind === "opaque") return [];
  const what = `build.${name} is not a property of a build that is known here: it may change the image`;
  const fix = `Correct its name, or take it out${tellMeant(name, [...KNOWN])}.`;
  return [{ what, fix, at: value.at }];
}

function remoteContext({ at }: Pick<Doubt, "at">): Doubt {
  return {
    what: "The build context lies elsewhere than in the workspace",
    fix: "Use a folder of the repository as context.",
    at,
  };
}

function otherService({ at }: Pick<Doubt, "at">): Doubt {
  return {
    what: "A build context is the image of another service, which would have to be built first",
    fix: "Use a folder, or docker-image:// and the name of an image.",
    at,
  };
}

function opaqueIn(tree: Tree): readonly Doubt[] {
  if (tree.kind === "opaque") return [tree.doubt];
  if (tree.kind === "list") return tree.items.flatMap(opaqueIn);
  return tree.kind === "mapping" ? [...tree.entries.values()].flatMap(opaqueIn) : [];
}
