import { folderOf } from "../devcontainer/paths.ts";
import { ActionError, tellSome } from "../errors.ts";
import { nearestName } from "../nearest.ts";
import type { Effort, Files } from "../world.ts";
import { readBuild } from "./build.ts";
import { RELEVANT } from "./canonical.ts";
import { doubtsAbout } from "./doubts.ts";
import { projectVariables, withProjectName } from "./environment.ts";
import { type ComposeRequest, findComposeFiles } from "./find.ts";
import { loadModel, type Model } from "./model.ts";
import type { ComposeService, ServiceBuild, Warning } from "./service.ts";
import { type Named, openSources, readDocuments, type Sources } from "./sources.ts";
import { fillTemplate, type Variables } from "./template.ts";
import { type Mapping, placeOf, type Tree, wrongType } from "./tree.ts";
import { assignmentsAt, type Section, type Sourced, sectionAt, textAt } from "./values.ts";

/**
 * Tells what the service of a compose project builds or runs, as `docker compose config` would, without it.
 * @param effort told of what becomes larger than what was read.
 * @returns `unknown` where that depends on what cannot be read here.
 * @throws E_CONFIG with the line for what compose refuses too, as far as it concerns the service, and for paths that leave the checkout.
 * @see https://github.com/compose-spec/compose-spec/blob/main/spec.md
 */
export async function readComposeService(
  request: ComposeRequest,
  files: Pick<Files, "readText" | "stat" | "realPath" | "list">,
  effort?: Effort,
): Promise<ComposeService> {
  const sources = openSources(files, request, effort);
  const { paths, named } = await findComposeFiles(request, sources);
  const folder = folderOf(paths[0]);
  const { env, workspace } = request;
  const plain = await projectVariables(sources, folder, { env, workspace, named });
  const name = await writtenName(paths, named, { sources, variables: plain });
  const variables = withProjectName(plain, name, folder);
  const model = await loadModel(paths, named, { sources, variables, folder, wanted: request.service, including: [] });
  const service = model.services.entries.get(request.service);
  const [doubt, ...doubts] = service ? doubtsAbout(service) : model.unread;
  if (doubt) return { kind: "unknown", doubts: [doubt, ...doubts] };
  if (!service) throw noService(request, model);
  if (service.kind !== "mapping") throw wrongType(service, `services.${request.service}`, "a mapping");
  return readService(service, model, { request, folder, variables });
}

/** The `name` of a project, in its last file that has one. */
async function writtenName(
  paths: readonly string[],
  named: Named,
  { sources, variables }: { readonly sources: Sources; readonly variables: Variables },
): Promise<string> {
  let name = "";
  for (const path of paths) {
    for (const { entries } of await readDocuments(path, named, {
      sources,
      variables: undefined,
      folder: folderOf(path),
    })) {
      const written = entries.get("name");
      if (written?.kind === "scalar" && written.text !== "")
        name = fillTemplate(written.text, variables, written.at).text;
    }
  }
  return name;
}

type Scope = { readonly request: ComposeRequest; readonly folder: string; readonly variables: Variables };

function readService(mapping: Mapping, { secrets }: Model, { request, folder, variables }: Scope): ComposeService {
  const service: Section = { mapping, path: `services.${request.service}` };
  const build = sectionAt(service, "build");
  const image = textAt(service, "image");
  const told = {
    user: textAt(service, "user"),
    platform: textAt(service, "platform"),
    warnings: [
      ...warningsAbout(mapping, request),
      ...(build ? warningsAboutArguments(build, request, variables) : []),
      ...warningsAboutNames(service),
    ],
  };
  if (build) {
    const built = readBuild(build, { checkout: request.checkout, folder, variables, secrets });
    refuseOtherPlatform(built, told.platform);
    return { ...built, ...told };
  }
  if (image) return { kind: "image", image, ...told };
  const empty = mapping.entries.get("image");
  if (empty?.kind === "scalar" && empty.text !== "null")
    throw new ActionError("E_CONFIG", {
      what: `${service.path}.image is empty once its variables are replaced.`,
      fix: "Give each of them a value, in the step's environment or in the .env file beside the first compose file, or name an image.",
      at: empty.at,
    });
  const [mistyped] = warningsAboutNames(service);
  throw new ActionError("E_CONFIG", {
    what: `${service.path} has neither an image nor a build.`,
    fix: mistyped ? `${mistyped.text}.` : "Give it one of them.",
    at: mistyped?.at ?? mapping.at,
  });
}

function refuseOtherPlatform({ platforms }: ServiceBuild, platform: Sourced | undefined): void {
  if (!platform || platforms.length === 0 || platforms.some(({ value }) => value === platform.value)) return;
  throw new ActionError("E_CONFIG", {
    what: "The platform of the service is none of its build's platforms.",
    fix: "Add it to build.platforms, or take one of both out.",
    at: platform.at,
  });
}

type Withholding = Pick<ComposeRequest, "withheld">;

function warningsAbout(tree: Tree, { withheld }: Withholding): readonly Warning[] {
  if (tree.kind === "list") return tree.items.flatMap((item) => warningsAbout(item, { withheld }));
  if (tree.kind === "mapping") return [...tree.entries.values()].flatMap((value) => warningsAbout(value, { withheld }));
  if (tree.kind === "opaque") return [];
  const { at } = tree;
  const refused = [...new Set(tree.missing)].flatMap((name) => withheld(name) ?? []);
  const unset = tree.unset.filter((name) => withheld(name) === undefined);
  return [
    ...refused.map((words) => ({ text: `This value reads ${words}`, at })),
    ...unset.map((name) => ({ text: `Variable ${name} is not set: nothing takes its place`, at })),
  ];
}

/** An arg without a value takes the variable's of its name. */
function warningsAboutArguments(build: Section, { withheld }: Withholding, variables: Variables): readonly Warning[] {
  return [...assignmentsAt(build, "args")].flatMap(([name, { value, at }]) => {
    const words = value === undefined && variables.get(name) === undefined ? withheld(name) : undefined;
    return words === undefined ? [] : [{ text: `The build arg reads ${words}`, at }];
  });
}

/** docker compose refuses a name that it does not know: what looks like one that decides an image is told. */
function warningsAboutNames({ mapping, path }: Section): readonly Warning[] {
  return [...mapping.entries].flatMap(([name, value]) => {
    const near = RELEVANT.includes(name) ? undefined : nearestName(name, RELEVANT);
    if (near === undefined) return [];
    return [{ text: `${path} has no property ${name}: ${near} was probably meant`, at: placeOf(value) }];
  });
}

function noService({ service, at }: ComposeRequest, { services }: Model): ActionError {
  const names = [...services.entries.keys()];
  return new ActionError("E_CONFIG", {
    what: `service is "${service}", and the compose files have no such service.`,
    fix:
      names.length > 0 ? `The services there are: ${tellSome(names)}.` : "Add it under services: in the compose file.",
    at: at.service,
  });
}
