export const id = 524;
export const ids = [524];
export const modules = {

/***/ 1524:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  buildPlatforms: () => (/* binding */ buildPlatforms)
});

// EXTERNAL MODULE: ./build/src/dockerfile/parse.js + 2 modules
var parse = __webpack_require__(4388);
// EXTERNAL MODULE: ./build/src/dockerfile/reads.js
var dockerfile_reads = __webpack_require__(2013);
// EXTERNAL MODULE: ./build/src/dockerfile/stages.js
var stages = __webpack_require__(8229);
// EXTERNAL MODULE: ./build/src/errors.js
var errors = __webpack_require__(7406);
// EXTERNAL MODULE: ./build/src/oci/manifest.js
var oci_manifest = __webpack_require__(2262);
// EXTERNAL MODULE: ./build/src/oci/platform.js
var oci_platform = __webpack_require__(3856);
// EXTERNAL MODULE: ./build/src/upstream.js
var upstream = __webpack_require__(4820);
;// CONCATENATED MODULE: ./build/src/base.js







async function readBaseImages({ sources, platforms }, registry) {
    const bases = new Map();
    await Promise.all(platforms.map(async (platform) => {
        const wanted = sources.wanted.platforms.find((one) => one.platform === platform);
        const images = (wanted?.images ?? []).filter(({ by }) => by === "base");
        const scope = { args: new Map(Object.entries(sources.build.args)), platform };
        const final = (0,stages/* finalBase */.Ys)(sources.build.dockerfile, sources.build.target, scope);
        for (const source of images) {
            const isFinal = source.written === final?.written;
            const base = await readBase(source, platform, registry);
            refuseTriggers(source, base, sources);
            if (isFinal)
                bases.set((0,oci_platform/* formatPlatform */.Bq)(platform), base);
        }
    }));
    return bases;
}
async function readBase(source, platform, registry) {
    const served = expectFound(source, await registry.manifest(source.reference));
    const wanted = source.of.kind === "platform" ? source.of.platform : platform;
    const child = served.body.kind === "index" ? ((0,oci_manifest/* imageFor */.zd)(served.body, wanted) ?? served.body.manifests[0]) : undefined;
    const manifest = child
        ? expectFound(source, await registry.manifest({ ...source.reference, digest: child.digest }))
        : served;
    if (manifest.body.kind !== "manifest")
        return { labels: {}, triggers: [] };
    const bytes = expectFound(source, await registry.blob(source.reference, manifest.body.config));
    return readImageConfig(new TextDecoder().decode(bytes));
}
function expectFound(source, answer) {
    if (answer.kind === "found")
        return answer.value;
    throw new errors/* ActionError */.l("E_REGISTRY", {
        what: `The base image ${source.written} cannot be read: ${answer.words} (${answer.request}).`,
        fix: answer.fix ?? "Check its name, and log in to its registry before this action.",
        at: source.at,
        cause: answer,
    });
}
function readImageConfig(text) {
    let json;
    try {
        json = JSON.parse(text);
    }
    catch {
        json = undefined;
    }
    const config = (0,oci_manifest/* isRecord */.u4)(json) && (0,oci_manifest/* isRecord */.u4)(json.config) ? json.config : {};
    const labels = (0,oci_manifest/* isRecord */.u4)(config.Labels) ? Object.entries(config.Labels) : [];
    const triggers = Array.isArray(config.OnBuild) ? config.OnBuild : [];
    return {
        labels: Object.fromEntries(labels.filter((label) => typeof label[1] === "string")),
        triggers: triggers.filter((trigger) => typeof trigger === "string"),
    };
}
function refuseTriggers(source, base, sources) {
    if (base.triggers.length === 0)
        return;
    refuseUnseen(source, base.triggers, sources);
    const reads = (0,dockerfile_reads/* onbuildReads */.tc)(base.triggers);
    const reached = sources.build.leftOut.find((path) => reads.some((read) => (0,dockerfile_reads/* canReach */.ug)(read, path)));
    if (reached === undefined)
        return;
    throw new errors/* ActionError */.l("E_CONTEXT", {
        what: `${(0,upstream/* tellPlace */.Lt)(source.at)}: the base image ${source.written} has an ONBUILD trigger that copies ${reached} into the image, which would be another image in every clone.`,
        fix: `Add ${reached} to .dockerignore.`,
        at: source.at,
    });
}
function refuseUnseen(source, triggers, sources) {
    const stage = (0,parse/* parseDockerfile */.Ai)(`FROM base\n${triggers.join("\n")}\n`, source.written);
    const scope = { args: new Map(Object.entries(sources.build.args)), platform: undefined };
    const image = (0,stages/* imageUses */.YQ)(stage, scope).find(({ by }) => by !== "FROM")?.written;
    const unseen = image ?? (0,stages/* remoteAdds */.t$)(stage, scope).find(({ checksum }) => checksum === undefined)?.source;
    if (unseen === undefined)
        return;
    throw new errors/* ActionError */.l("E_CONTEXT", {
        what: `${(0,upstream/* tellPlace */.Lt)(source.at)}: the base image ${source.written} has an ONBUILD trigger that takes ${unseen} into the image, which can change without anything of yours changing.`,
        fix: "Use a base without that trigger: an image built here would not be found again for certain.",
        at: source.at,
    });
}

;// CONCATENATED MODULE: ./build/src/buildx/args.js

function buildxArguments(build) {
    return [
        ...["buildx", "build", "--progress", "plain"],
        ...["--platform", (0,oci_platform/* formatPlatform */.Bq)(build.platform)],
        ...["--file", build.dockerfile],
        ...(build.target === undefined ? [] : ["--target", build.target]),
        ...Object.entries(build.buildArgs).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
        ...Object.entries(build.labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]),
        ...build.cacheFrom.flatMap((source) => ["--cache-from", source]),
        ...["--metadata-file", build.metadataFile],
        ...outputArguments(build.output),
        build.contextFolder,
    ];
}
function outputArguments({ kind, name }) {
    if (kind === "load")
        return ["--provenance", "false", "--load", "--tag", name];
    return ["--provenance", "mode=min", "--output", `type=image,name=${name},oci-mediatypes=true,push=true`];
}
const LONGEST_ARGUMENT = 128 * 1024;
function tooLongArgument(args) {
    return args.find((argument) => new TextEncoder().encode(argument).length >= LONGEST_ARGUMENT)?.slice(0, 60);
}

;// CONCATENATED MODULE: ./build/src/buildx/builder.js


async function findBuilder(exec, env, platforms, push) {
    const version = await exec("docker", ["buildx", "version"], { env });
    if (version === undefined)
        throw new errors/* ActionError */.l("E_DOCKER", {
            what: "The image has to be built, and there is no docker program on this machine.",
            fix: "Install Docker with buildx, or run the job on a machine that has it (GitHub's hosted Linux runners do).",
        });
    if (version.code !== 0)
        throw new errors/* ActionError */.l("E_DOCKER", {
            what: "The image has to be built, and this docker has no buildx.",
            fix: "Add docker/setup-buildx-action before this action, or install the package docker-buildx or docker-buildx-plugin.",
        });
    const inspected = await exec("docker", ["buildx", "inspect", "--bootstrap"], { env });
    if (inspected === undefined || inspected.code !== 0)
        throw noBuilder(inspected);
    const builder = readInspection(inspected.stdout);
    if (builder.driver === "docker" && push)
        await refuseClassicStore(exec, env, builder);
    refuseMissingPlatforms(builder, platforms);
    return builder;
}
function noBuilder(finished) {
    const words = finished?.stderr.trim().split("\n").at(-1) ?? "docker did not start";
    return new errors/* ActionError */.l("E_DOCKER", {
        what: `The image has to be built, and there is no working builder: ${words}`,
        fix: "Start the Docker engine, or add docker/setup-buildx-action before this action.",
    });
}
function readInspection(stdout) {
    const values = (name) => stdout.split("\n").flatMap((line) => {
        const match = /^\s*([A-Za-z ]+):\s*(.*?)\s*$/.exec(line);
        return match?.[1] === name && match[2] ? [match[2]] : [];
    });
    const platforms = values("Platforms").flatMap((line) => line.split(",").map((item) => item.trim().replace(/\*$/, "")));
    return { name: values("Name")[0] ?? "default", driver: values("Driver")[0] ?? "", platforms };
}
async function refuseClassicStore(exec, env, builder) {
    const info = await exec("docker", ["info", "--format", "{{json .DriverStatus}}"], { env });
    if (info?.stdout.includes("io.containerd.snapshotter"))
        return;
    throw new errors/* ActionError */.l("E_DOCKER", {
        what: `The builder ${builder.name} uses the docker driver with the classic image store, which cannot push what the cache needs (an index with attestations).`,
        fix: "Add docker/setup-buildx-action before this action, or turn on the containerd image store of the engine.",
    });
}
function refuseMissingPlatforms(builder, platforms) {
    const known = new Set(builder.platforms.flatMap((text) => {
        const platform = (0,oci_platform/* parsePlatform */.FL)(text);
        return "wrong" in platform ? [] : [(0,oci_platform/* formatPlatform */.Bq)(platform)];
    }));
    const missing = platforms.map(oci_platform/* formatPlatform */.Bq).filter((platform) => known.size > 0 && !known.has(platform));
    if (missing.length === 0)
        return;
    throw new errors/* ActionError */.l("E_DOCKER", {
        what: `The builder ${builder.name} cannot build for ${missing.join(", ")}; it can for ${[...known].join(", ")}.`,
        fix: "Add docker/setup-qemu-action before this action, or a native builder for that platform.",
    });
}

;// CONCATENATED MODULE: ./build/src/buildx/failure.js

const PATTERNS = [
    {
        words: /exec format error|\.buildkit_qemu_emulator/,
        what: "a build step could not run on this platform: there is no working emulation for it",
        fix: "Add docker/setup-qemu-action before this action, or give the platform a native runner.",
    },
    {
        words: /is (currently )?not supported for the docker driver/,
        what: "the docker driver cannot do this with the classic image store",
        fix: "Add docker/setup-buildx-action before this action, or turn on the containerd image store.",
    },
    {
        words: /no match for platform in manifest/,
        what: "a base image has nothing for this platform",
        fix: "Choose a base image that has the platform, or take the platform out of the input platforms.",
    },
    {
        words: /401 Unauthorized|failed to authorize|insufficient_scope|authentication required/,
        what: "the registry wants a login for this",
        fix: "Log in with docker/login-action before this action, or set registry-username and registry-password.",
    },
    {
        words: /403 Forbidden|: denied|push access denied/,
        what: "the registry knows the login and does not allow this",
        fix: "Give the token the right to push (on GitHub: permissions: packages: write), or set push to false.",
    },
    {
        words: /429 Too Many Requests|toomanyrequests/,
        what: "the registry's rate limit is used up",
        fix: "Log in to that registry, or wait and run the job again.",
    },
    {
        words: /413 (Payload|Request Entity) Too Large/,
        what: "a proxy before the registry refuses a layer of this size",
        fix: "Raise the proxy's body limit (nginx: client_max_body_size 0).",
    },
    {
        words: /server gave HTTP response to HTTPS client/,
        what: "the builder speaks https to a registry that speaks plain http",
        fix: "Name the registry under insecure-registries in the engine's or the builder's configuration.",
    },
    {
        words: /failed to calculate checksum of ref .*: not found|: not found: .*no such file/,
        what: "a COPY or ADD names something that is not in the build context",
        fix: "Check the path and .dockerignore. If initializeCommand makes the file: it does not run here; make it in a step before this action.",
    },
    {
        words: /no space left on device/,
        what: "the disk is full",
        fix: "Free disk space on the runner, or on the builder.",
    },
    {
        words: /no such host|connection refused|i\/o timeout|context deadline exceeded/,
        what: "the builder could not reach a host",
        fix: "Check the network of the builder, its proxy, and the name of the registry.",
    },
    {
        words: /Cannot connect to the Docker daemon/,
        what: "the Docker engine does not answer",
        fix: "Start the engine, or set DOCKER_HOST to where it is.",
    },
];
function isPassing(stderr) {
    const last = lastError(stderr.split("\n").filter((line) => line.trim() !== ""));
    return /\b(500 Internal Server Error|502 Bad Gateway|503 Service Unavailable|504 Gateway Time-?out)\b/i.test(last);
}
const LAST_LINES = 25;
function explainBuildFailure(platform, stderr, dockerfile) {
    const lines = stderr.split("\n").filter((line) => line.trim() !== "");
    const last = lastError(lines);
    const tail = lines.slice(-LAST_LINES).join("\n");
    const known = PATTERNS.find(({ words }) => words.test(last)) ?? PATTERNS.find(({ words }) => words.test(tail));
    const place = placeOf(lines, dockerfile);
    return new errors/* ActionError */.l("E_BUILD", {
        what: `The build for ${platform} failed: ${known ? `${known.what}. BuildKit says: ${last}` : last}`,
        fix: known?.fix ?? "The build's own output stands above.",
        ...(place ? { at: place } : {}),
    });
}
function lastError(lines) {
    const errors = lines.filter((line) => /^(ERROR|error):/.test(line));
    return (errors.at(-1) ?? lines.at(-1) ?? "docker buildx ended without a word").replace(/^(ERROR|error): (failed to build: )?/, "");
}
function placeOf(lines, dockerfile) {
    if (dockerfile === undefined)
        return undefined;
    const quoted = lines.map((line) => /^Dockerfile:(\d+)$/.exec(line.trim())).findLast((match) => match !== null);
    return quoted?.[1] === undefined ? undefined : { file: dockerfile, line: Number(quoted[1]) };
}

;// CONCATENATED MODULE: ./build/src/buildx/isolation.js

const KEPT = ["currentContext", "proxies", "HttpHeaders", "features", "cliPluginsExtraDirs"];
const BUILDX_FOLDERS = ["instances", "defaults", "certs", "config"];
async function isolateDockerConfiguration(files, env, folder, logins) {
    const own = env.DOCKER_CONFIG || `${env.HOME ?? ""}/.docker`;
    const before = await readConfiguration(files, `${own}/config.json`);
    const kept = Object.fromEntries(KEPT.flatMap((name) => (before[name] === undefined ? [] : [[name, before[name]]])));
    const extra = Array.isArray(before.cliPluginsExtraDirs) ? before.cliPluginsExtraDirs : [];
    const configuration = {
        ...kept,
        auths: Object.fromEntries([...logins].map(([registry, login]) => [
            registry === "docker.io" ? "https://index.docker.io/v1/" : registry,
            asAuth(login),
        ])),
        cliPluginsExtraDirs: [`${own}/cli-plugins`, ...extra],
    };
    await files.write(`${folder}/config.json`, JSON.stringify(configuration), 0o600);
    if (await files.stat(`${own}/contexts`))
        await files.makeLink(`${folder}/contexts`, `${own}/contexts`, { mtime: 0 });
    const buildx = env.BUILDX_CONFIG || `${own}/buildx`;
    await files.makeDirectory(`${folder}/buildx`, { mode: 0o700 });
    await copyFile(files, `${buildx}/current`, `${folder}/buildx/current`);
    for (const name of BUILDX_FOLDERS)
        await copyFolder(files, `${buildx}/${name}`, `${folder}/buildx/${name}`);
    return { DOCKER_CONFIG: folder, BUILDX_CONFIG: `${folder}/buildx` };
}
async function readConfiguration(files, path) {
    const text = await files.readText(path);
    if (text === undefined)
        return {};
    try {
        const json = JSON.parse(text);
        return (0,oci_manifest/* isRecord */.u4)(json) ? json : {};
    }
    catch {
        return {};
    }
}
function asAuth(login) {
    if ("identityToken" in login)
        return { identitytoken: login.identityToken };
    if ("registryToken" in login)
        return { registrytoken: login.registryToken };
    const bytes = new TextEncoder().encode(`${login.username}:${login.password}`);
    return { auth: btoa(String.fromCharCode(...bytes)) };
}
async function copyFolder(files, from, to) {
    const names = await files.list(from);
    if (names === undefined)
        return;
    await files.makeDirectory(to, { mode: 0o700 });
    for (const name of names) {
        const entry = await files.stat(`${from}/${name}`);
        if (entry?.kind === "directory")
            await copyFolder(files, `${from}/${name}`, `${to}/${name}`);
        else
            await copyFile(files, `${from}/${name}`, `${to}/${name}`);
    }
}
async function copyFile(files, from, to) {
    const entry = await files.stat(from);
    if (entry?.kind === "file")
        await files.copy(from, to, { mode: 0o600, mtime: 0 });
}

// EXTERNAL MODULE: ./build/src/oci/digest.js
var oci_digest = __webpack_require__(6559);
;// CONCATENATED MODULE: ./build/src/buildx/metadata.js


function readPushedDigest(json) {
    let metadata;
    try {
        metadata = JSON.parse(json);
    }
    catch {
        return undefined;
    }
    const digest = (0,oci_manifest/* isRecord */.u4)(metadata) ? metadata["containerimage.digest"] : undefined;
    return (0,oci_digest/* isDigest */.Bc)(digest) ? digest : undefined;
}

;// CONCATENATED MODULE: ./build/src/buildx/policy.js
function sourcePolicy(bindings) {
    const rules = bindings
        .filter(({ reference }) => !reference.includes("@"))
        .map(({ reference, digest }) => ({
        action: "CONVERT",
        selector: { identifier: `docker-image://${reference}` },
        updates: { identifier: `docker-image://${reference}@${digest}` },
    }));
    return JSON.stringify({ version: 1, rules });
}
const POLICY_VARIABLE = "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY";

;// CONCATENATED MODULE: ./build/src/buildx/provenance.js


const PROVENANCE_TYPES = [
    "https://slsa.dev/provenance/v0.2",
    "https://slsa.dev/provenance/v1",
];
function readUsedImages(text) {
    let statement;
    try {
        statement = JSON.parse(text);
    }
    catch {
        return undefined;
    }
    if (!(0,oci_manifest/* isRecord */.u4)(statement) || !(0,oci_manifest/* isRecord */.u4)(statement.predicate))
        return undefined;
    const { materials, buildDefinition } = statement.predicate;
    const list = (0,oci_manifest/* isRecord */.u4)(buildDefinition) ? buildDefinition.resolvedDependencies : materials;
    if (list !== undefined && !Array.isArray(list))
        return undefined;
    return (list ?? []).flatMap((material) => {
        if (!(0,oci_manifest/* isRecord */.u4)(material) || typeof material.uri !== "string" || !material.uri.startsWith("pkg:docker/"))
            return [];
        const digest = (0,oci_manifest/* isRecord */.u4)(material.digest) ? `sha256:${String(material.digest.sha256)}` : "";
        return (0,oci_digest/* isDigest */.Bc)(digest) ? [digest] : [];
    });
}

// EXTERNAL MODULE: ./build/src/context.js
var context = __webpack_require__(9462);
// EXTERNAL MODULE: ./build/src/devcontainer/label.js
var devcontainer_label = __webpack_require__(5634);
// EXTERNAL MODULE: ./build/src/key/record.js
var record = __webpack_require__(4292);
// EXTERNAL MODULE: ./build/src/oci/reference.js
var reference = __webpack_require__(4974);
// EXTERNAL MODULE: ./build/src/probe.js
var probe = __webpack_require__(3827);
;// CONCATENATED MODULE: ./build/src/build.js
















async function buildPlatforms(task, world) {
    const env = await isolate(task, world);
    const builder = await findBuilder(world.exec, env, task.platforms, task.output.kind === "push");
    world.log.info(`Builder ${builder.name} (${builder.driver}).`);
    const bases = await readBaseImages(task, world.registry);
    const folder = await layOut(task, world);
    const policy = { [POLICY_VARIABLE]: `${folder}/policy.json` };
    const builds = task.platforms.map((platform) => buildPlatform({ ...task, platform, folder, base: bases.get((0,oci_platform/* formatPlatform */.Bq)(platform)), env: { ...env, ...policy }, builder }, world));
    const ended = await Promise.allSettled(builds);
    const failed = ended.find((one) => one.status === "rejected");
    if (failed)
        throw failed.reason;
    return ended.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
}
async function isolate(task, world) {
    const folder = await world.files.temporaryFolder("docker");
    const images = task.sources.wanted.platforms.flatMap((one) => one.images.map(({ reference }) => reference));
    const repositories = [task.sources.wanted.repository, ...images];
    const logins = new Map();
    for (const name of repositories) {
        const login = logins.has(name.registry) ? undefined : await world.credentials(name);
        if (login)
            logins.set(name.registry, login);
    }
    return isolateDockerConfiguration(world.files, world.host.env, folder, logins);
}
async function layOut({ sources, bindings }, { files }) {
    const folder = await files.temporaryFolder("build");
    await files.makeDirectory(`${folder}/context`, { mode: 0o755 });
    if (sources.build.context)
        await (0,context/* layOutContext */._f)(files, sources.build.context.root, sources.build.context.entries, `${folder}/context`);
    await files.write(`${folder}/Dockerfile`, sources.build.dockerfileText);
    await files.write(`${folder}/Dockerfile.dockerignore`, "");
    await files.write(`${folder}/policy.json`, sourcePolicy(bindings));
    return folder;
}
async function buildPlatform(task, world) {
    const { platform, sources, plan, output } = task;
    const planned = plan?.platforms.find((one) => one.platform === platform);
    if (output.kind === "load" || planned === undefined) {
        const seconds = await runBuildx(task, output.kind === "load" ? output.name : "", world);
        return { platform, found: undefined, seconds: seconds.seconds, foundLate: false };
    }
    const late = await (0,probe/* lookUpPlatform */.YN)(sources.wanted, planned, world.registry);
    if (late.kind === "sound" && late.found[0]) {
        world.log.info(`${(0,oci_platform/* formatPlatform */.Bq)(platform)}: another job has just pushed this image.`);
        return { platform, found: late.found[0], seconds: 0, foundLate: true };
    }
    const name = (0,reference/* formatReference */.FH)({ ...sources.wanted.repository, tag: planned.tag });
    const built = await runBuildx(task, name, world);
    return { platform, found: await readBack(task, built.metadata, world), seconds: built.seconds, foundLate: false };
}
async function runBuildx(task, name, world) {
    const { platform, sources, folder } = task;
    const title = (0,oci_platform/* formatPlatform */.Bq)(platform);
    const metadataFile = `${folder}/metadata-${(0,oci_platform/* platformSlug */.DN)(platform)}.json`;
    const label = (0,devcontainer_label/* metadataLabel */.QG)({ base: task.base?.labels[devcontainer_label/* METADATA_LABEL */.RE], raw: sources.raw });
    const { kind } = sources.build;
    const args = buildxArguments({
        platform,
        contextFolder: `${folder}/context`,
        dockerfile: `${folder}/Dockerfile`,
        target: sources.build.target,
        buildArgs: { ...sources.build.args, ...sources.build.uncounted },
        labels: label === undefined ? {} : { [devcontainer_label/* METADATA_LABEL */.RE]: label },
        cacheFrom: kind.kind === "dockerfile" ? kind.cacheFrom : [],
        metadataFile,
        output: { kind: task.output.kind, name },
    });
    const tooLong = tooLongArgument(args);
    if (tooLong !== undefined)
        throw new errors/* ActionError */.l("E_CONFIG", {
            what: `A build arg or the metadata label is longer than the system lets a program take (128 KiB): ${tooLong}…`,
            fix: "Shorten it, or put its content into a file of the build context.",
        });
    const started = world.clock();
    const build = () => world.exec("docker", args, { env: task.env, onLine: (line) => tellProgress(title, line, world) });
    let finished = await build();
    if (finished !== undefined && finished.code !== 0 && isPassing(finished.stderr)) {
        world.log.info(`[${title}] The registry failed while the image was pushed; once more, from BuildKit's cache.`);
        finished = await build();
    }
    const seconds = Math.round((world.clock() - started) / 100) / 10;
    if (finished?.code !== 0)
        throw explainBuildFailure(title, finished?.stderr ?? "", sources.places.dockerfile);
    return { metadata: (await world.files.readText(metadataFile)) ?? "", seconds };
}
function tellProgress(title, line, { log }) {
    if (line.trim() !== "")
        log.info(`[${title}] ${line}`);
}
async function readBack(task, metadata, world) {
    const { platform, sources } = task;
    const title = (0,oci_platform/* formatPlatform */.Bq)(platform);
    const digest = readPushedDigest(metadata);
    if (digest === undefined)
        throw new errors/* ActionError */.l("E_PUSH", {
            what: `docker buildx ended well for ${title} and did not tell what it pushed.`,
            fix: "Use a newer buildx: docker/setup-buildx-action installs one.",
        });
    const answer = await world.registry.manifest({ ...sources.wanted.repository, digest });
    const repository = (0,reference/* formatRepository */.Sh)(sources.wanted.repository);
    if (answer.kind !== "found")
        throw new errors/* ActionError */.l("E_PUSH", {
            what: `The image for ${title} was pushed to ${repository}, and the registry does not serve it: ${answer.words} (${answer.request}).`,
            fix: "Run the job again; if it stays so, ask whoever runs the registry.",
            cause: answer,
        });
    const look = await (0,probe/* verifyPlatform */.RN)({ ...sources.wanted, verify: "layers" }, platform, answer.value, world.registry);
    if (look.kind === "sound" && look.found[0]) {
        await checkBinding(task, look.found[0], world);
        return look.found[0];
    }
    const what = look.kind === "damaged" ? look.what : look.kind === "doubt" ? look.doubt.what : "nothing was found";
    throw new errors/* ActionError */.l("E_PUSH", {
        what: `The image for ${title} was pushed to ${repository}, and is not whole there: ${what}.`,
        fix: "Run the job again; if it stays so, ask whoever runs the registry.",
    });
}
async function checkBinding(task, found, world) {
    const { repository } = task.sources.wanted;
    const used = await readUsed(found, repository, world.registry);
    const bound = new Set(task.bindings.map(({ digest }) => digest));
    const foreign = used?.filter((digest) => !bound.has(digest));
    if (foreign?.length === 0)
        return;
    const tag = task.plan?.platforms.find(({ platform }) => platform === task.platform)?.tag;
    const nothing = (0,record/* emptyIndex */.gW)();
    await world.registry.putManifest(repository, nothing.bytes, nothing.descriptor.mediaType, tag);
    throw new errors/* ActionError */.l("E_DOCKER", {
        what: foreign
            ? `The builder ${task.builder.name} used ${foreign.join(", ")} for ${(0,oci_platform/* formatPlatform */.Bq)(task.platform)}, which is not what the key names.`
            : `The builder ${task.builder.name} did not record which images it used for ${(0,oci_platform/* formatPlatform */.Bq)(task.platform)}, so nothing shows that they are those of the key.`,
        fix: "Use a newer buildx and BuildKit: docker/setup-buildx-action installs them.",
    });
}
async function readUsed(found, repository, registry) {
    const attestations = found.index.body.kind === "index" ? (0,oci_manifest/* attestationsOf */.xz)(found.index.body, found.manifest) : [];
    for (const entry of attestations) {
        const manifest = await registry.manifest({ ...repository, digest: entry.digest });
        const layers = manifest.kind === "found" && manifest.value.body.kind === "manifest" ? manifest.value.body.layers : [];
        const layer = layers.find(({ annotations }) => PROVENANCE_TYPES.includes(annotations?.["in-toto.io/predicate-type"] ?? ""));
        const blob = layer ? await registry.blob(repository, layer) : undefined;
        if (blob?.kind === "found")
            return readUsedImages(new TextDecoder().decode(blob.value));
    }
    return undefined;
}


/***/ })

};
