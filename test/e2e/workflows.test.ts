import { beforeAll, expect, test } from "vitest";
import { openAct } from "./act.ts";
import { copySample, makeBase, REGISTRY, served, tags, unique } from "./harness.ts";
import { makeCertificate, makePasswordFile, startRegistry } from "./registries.ts";
import { CALLED, type Ended, type Event, openRepository, type Repository, type Runner } from "./runs.ts";

// The reusable workflows for real: called from another repository's workflow, with the action as it would be published.

let act: Runner;
beforeAll(async () => {
  act = await openAct();
});

const PUSH: Event = { name: "push", payload: { ref: "refs/heads/main", repository: { default_branch: "main" } } };

const pullRequest = (head: string): Event => ({
  name: "pull_request",
  payload: {
    number: 7,
    repository: { default_branch: "main", full_name: "team/app" },
    pull_request: {
      head: { ref: "change", repo: { full_name: head } },
      base: { ref: "main", repo: { full_name: "team/app" } },
    },
  },
});

type Call = {
  readonly workflow?: "devcontainer" | "check" | "warm";
  readonly with?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
  /** Whether a job uses the image; it does where nothing is said. */
  readonly use?: boolean;
};

/** A workflow that calls ours, tells what it gave, and uses the image on both platforms. act starts neither job after a failure. */
const caller = (
  repository: string,
  { workflow = "devcontainer", with: inputs = {}, secrets = {}, use = true }: Call = {},
): string => `
on:
  push:
  pull_request:
  schedule: [{ cron: "17 4 * * 1-5" }]
jobs:
  container:
    uses: ${CALLED.replace("NAME", workflow)}
    permissions:
      contents: read
      packages: write
    with: ${JSON.stringify({ "cache-repo": `${REGISTRY}/${repository}`, platforms: "linux/amd64,linux/arm64", ...inputs })}
    secrets: ${JSON.stringify(secrets)}
  tell:
    needs: container
    runs-on: ubuntu-latest
    steps:
      - env:
          OUTPUTS: \${{ toJSON(needs.container.outputs) }}
        run: printf '%s' "$OUTPUTS" > "$SEEN/outputs"
  use:
    needs: container
    if: \${{ ${use} && needs.container.outputs.image != '' }}
    runs-on: ubuntu-latest
    steps:
      - env:
          IMAGE: \${{ needs.container.outputs.image }}
        run: |
          for platform in linux/amd64 linux/arm64; do
            docker image rm --force "$IMAGE" || true
            docker pull --quiet --platform "$platform" "$IMAGE"
            docker run --rm --network none --platform "$platform" "$IMAGE" sample-greet >> "$SEEN/said"
          done
`;

type Scene = {
  readonly baseRepository: string;
  /** Path of the cache repository. */
  readonly cache: string;
  readonly repository: Repository;
  readonly call: (call: Call) => void;
};

/** A repository with the sample on a base of its own, and a workflow that calls ours. */
async function openScene(call: Call = {}, secrets: Readonly<Record<string, string>> = {}): Promise<Scene> {
  const baseRepository = unique("base/workflow");
  const base = await makeBase({ repository: baseRepository, version: "1" });
  const cache = unique("team/workflow");
  const repository = openRepository(act, copySample(), secrets);
  repository.write(
    ".devcontainer/devcontainer.json",
    JSON.stringify({
      build: { dockerfile: "Dockerfile", context: "..", args: { BASE: base.image, GREETING: "hello" } },
      remoteUser: "dev",
      containerEnv: { SAMPLE: "1" },
    }),
  );
  const write = (next: Call): void => repository.write(".github/workflows/ci.yml", caller(cache, next));
  write(call);
  return { baseRepository, cache, repository, call: write };
}

const outputsOf = (ended: Ended): Record<string, string> => JSON.parse(ended.seen("outputs") ?? "{}");

const BUILT = [
  "build linux/amd64 on ubuntu-latest: success",
  "build linux/arm64 on ubuntu-24.04-arm: success",
  "join: success",
  "probe: success",
  "tell: success",
  "use: success",
];
const SHORT = ["probe: success", "tell: success", "use: success"];
const GREETINGS = "hello from x86_64\nhello from aarch64\n";

test("a miss is built on a machine for each platform and joined; then it is one short job", async () => {
  const { cache, repository } = await openScene();

  const first = await repository.run(PUSH);
  expect(first.jobs, first.log).toEqual(BUILT);
  const outputs = outputsOf(first);
  expect(outputs).toMatchObject({ result: "built", digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
  expect(outputs.image).toBe(`${REGISTRY}/${cache}@${outputs.digest}`);
  expect(JSON.parse(outputs.container ?? "")).toMatchObject({ image: outputs.image, env: { SAMPLE: "1" } });
  expect(outputs.env).toContain("SAMPLE=1");
  expect(first.seen("said")).toBe(GREETINGS);

  // One set of two platforms, one of each leg; one branch, which only the join moves.
  const there = await tags(cache);
  expect(there.filter((tag) => /^k1-[0-9a-f]{64}$/.test(tag))).toHaveLength(3);
  expect(there.filter((tag) => /^k1-[0-9a-f]{64}-linux-(amd64|arm64)$/.test(tag))).toHaveLength(2);
  const branches = there.filter((tag) => tag.startsWith("branch-"));
  expect(branches).toHaveLength(1);
  expect((await served(cache, branches[0] ?? ""))?.digest).toBe(outputs.digest);

  const second = await repository.run(PUSH);
  expect(second.jobs, second.log).toEqual(SHORT);
  expect(outputsOf(second)).toEqual({ ...outputs, result: "hit" });
  expect(second.seen("said")).toBe(GREETINGS);
  expect(await tags(cache)).toEqual(there);
});

test("only what is missing is built", async () => {
  const { repository, call } = await openScene({ with: { platforms: "linux/arm64" } });
  const one = await repository.run(PUSH);
  expect(one.jobs, one.log).toContain("build linux/arm64 on ubuntu-24.04-arm: success");
  expect(one.jobs).not.toContain("build linux/amd64 on ubuntu-latest: success");

  call({ with: { runners: "linux/amd64=ubuntu-24.04-arm" } });
  const both = await repository.run(PUSH);
  expect(both.jobs, both.log).toEqual([
    "build linux/amd64 on ubuntu-24.04-arm: success",
    "join: success",
    "probe: success",
    "tell: success",
    "use: success",
  ]);
  expect(outputsOf(both).result).toBe("built");
  expect(both.seen("said")).toBe(GREETINGS);
});

test("a base that moves: built anew, or the last good image, and the check takes that one", async () => {
  const { baseRepository, repository, call } = await openScene();
  const first = outputsOf(await repository.run(PUSH));
  expect(first.result).toBe("built");
  await makeBase({ repository: baseRepository, version: "2" });

  call({ with: { "on-drift": "use" } });
  const used = await repository.run(PUSH);
  expect(used.jobs, used.log).toEqual(SHORT);
  expect(outputsOf(used)).toMatchObject({ result: "stale", image: first.image });

  call({ workflow: "check" });
  const checked = await repository.run(pullRequest("team/app"));
  expect(checked.jobs, checked.log).toEqual(["check: success", "tell: success", "use: success"]);
  expect(outputsOf(checked)).toMatchObject({ result: "stale", image: first.image });

  call({ with: { "on-drift": "fail" } });
  const refused = await repository.run(PUSH);
  expect(refused.jobs, refused.log).toEqual(["probe: failure"]);
  expect(refused.log).toContain("[E_DRIFT]");

  call({});
  const built = await repository.run(PUSH);
  expect(built.jobs, built.log).toEqual(BUILT);
  expect(outputsOf(built).result).toBe("built");
  expect(outputsOf(built).image).not.toBe(first.image);
  expect(built.seen("said")).toBe(GREETINGS);
});

test("the check: a hit, and after a change a failure that names the file; nothing is pushed", async () => {
  const { cache, repository, call } = await openScene();
  const { image } = outputsOf(await repository.run(PUSH));
  const there = await tags(cache);

  call({ workflow: "check" });
  const hit = await repository.run(pullRequest("team/app"));
  expect(hit.jobs, hit.log).toEqual(["check: success", "tell: success", "use: success"]);
  expect(outputsOf(hit)).toMatchObject({ result: "hit", image });

  repository.write(".devcontainer/setup.sh", "#!/bin/sh\necho dev:x:1000:1000::/:/bin/sh >> /etc/passwd\n");
  const miss = await repository.run(pullRequest("team/app"));
  expect(miss.code).not.toBe(0);
  expect(miss.jobs, miss.log).toEqual(["check: failure"]);
  expect(miss.log).toMatch(/setup\.sh.*\[E_MISS\]/s);
  expect(await tags(cache)).toEqual(there);
});

test("a fork's pull request: what is missing is built for a check, nothing is pushed, and there is no image", async () => {
  const { cache, repository } = await openScene();
  const ended = await repository.run(pullRequest("stranger/app"));
  expect(ended.code, ended.log).toBe(0);
  expect(ended.jobs, ended.log).toEqual([
    "build linux/amd64 on ubuntu-latest: success",
    "build linux/arm64 on ubuntu-24.04-arm: success",
    "probe: success",
    "tell: success",
  ]);
  expect(outputsOf(ended)).toMatchObject({ result: "miss", image: "", digest: "" });
  expect(await tags(cache)).toEqual([]);

  const own = await repository.run(pullRequest("team/app"));
  expect(outputsOf(own).result, own.log).toBe("built");
  const again = await repository.run(pullRequest("stranger/app"));
  expect(again.jobs, again.log).toEqual(SHORT);
  expect(outputsOf(again)).toEqual({ ...outputsOf(own), result: "hit" });
});

test("a platform that cannot be built: nothing is joined, and what the other one built is there for the next run", async () => {
  const { cache, repository } = await openScene();
  repository.write(".devcontainer/make-greet.sh", '#!/bin/sh\n[ "$(uname -m)" = x86_64 ] || exit 3\necho "echo hi"\n');
  const ended = await repository.run(PUSH);
  expect(ended.code).not.toBe(0);
  // act gives a leg the worst result of all that have ended by then.
  expect(ended.jobs, ended.log).toEqual([
    expect.stringMatching(/^build linux\/amd64 on ubuntu-latest: (?:success|failure)$/),
    "build linux/arm64 on ubuntu-24.04-arm: failure",
    "probe: success",
  ]);
  const there = await tags(cache);
  expect(there.filter((tag) => tag.endsWith("-linux-amd64"))).toHaveLength(1);
  expect(there.filter((tag) => tag.endsWith("-linux-arm64"))).toEqual([]);
  expect(there.filter((tag) => tag.startsWith("branch-"))).toEqual([]);
});

test("what decides an image and what a build takes reach the jobs: args, a target, a secret; every job finds what one has built", async () => {
  const inputs = {
    target: "wanted",
    "build-args": "GREETING=good day",
    "build-secrets": "id=word,env=BUILD_SECRET",
    "no-cache": "true",
    provenance: "max",
  };
  const secrets = { "build-secret": "${{ secrets.WORD }}" };
  const { repository, call } = await openScene({ with: inputs, secrets }, { WORD: "sesame-street" });
  repository.write(
    ".devcontainer/Dockerfile",
    `ARG BASE
FROM \${BASE} AS wanted
ARG GREETING
RUN --mount=type=secret,id=word \\
  printf '#!/bin/sh\\necho "%s, %s, from $(uname -m)"\\n' "\${GREETING}" "$(cat /run/secrets/word)" > /bin/sample-greet && chmod 0755 /bin/sample-greet
FROM wanted
RUN exit 3
`,
  );

  const first = await repository.run(PUSH);
  expect(first.jobs, first.log).toEqual(BUILT);
  expect(first.seen("said")).toBe("good day, sesame-street, from x86_64\ngood day, sesame-street, from aarch64\n");
  const second = await repository.run(PUSH);
  expect(second.jobs, second.log).toEqual(SHORT);
  expect(outputsOf(second)).toEqual({ ...outputsOf(first), result: "hit" });

  const { target, "build-args": args, "build-secrets": names } = inputs;
  call({ workflow: "check", with: { target, "build-args": args, "build-secrets": names }, secrets });
  const checked = await repository.run(pullRequest("team/app"));
  expect(outputsOf(checked), checked.log).toEqual(outputsOf(second));
});

test("tags are put on what is joined, and moved on a hit", async () => {
  const { cache, repository, call } = await openScene({ with: { tags: "latest", release: "v1" }, use: false });
  const first = await repository.run(PUSH);
  expect(first.jobs, first.log).toEqual(BUILT.filter((job) => job !== "use: success"));
  const { digest } = outputsOf(first);
  for (const tag of ["latest", "v1"]) expect((await served(cache, tag))?.digest).toBe(digest);

  call({ with: { tags: "stable" }, use: false });
  const second = await repository.run(PUSH);
  expect(second.jobs, second.log).toEqual(["join: success", "probe: success", "tell: success"]);
  expect(outputsOf(second)).toEqual({ ...outputsOf(first), result: "hit" });
  expect((await served(cache, "stable"))?.digest).toBe(digest);
});

test("a build that fails and is not to fail the workflow: its jobs go on with the fallback image", async () => {
  const fallback = "docker.io/library/debian:12";
  const inputs = { "exit-on-build-failure": "false", "fallback-image": fallback };
  const { repository } = await openScene({ with: inputs, use: false });
  repository.write(".devcontainer/make-greet.sh", '#!/bin/sh\n[ "$(uname -m)" = x86_64 ] || exit 3\necho "echo hi"\n');
  const ended = await repository.run(PUSH);
  expect(ended.code, ended.log).toBe(0);
  expect(outputsOf(ended)).toMatchObject({ image: fallback, digest: "", result: "miss" });
});

test("the warm-up builds what is missing or has moved, of every dev container of the repository, and then nobody waits", async () => {
  const schedule: Event = { name: "schedule", payload: { ...PUSH.payload, schedule: "17 4 * * 1-5" } };
  const { baseRepository, repository, call } = await openScene();
  const small = unique("team/small");
  repository.write(
    ".devcontainer/small/devcontainer.json",
    JSON.stringify({ build: { dockerfile: "Dockerfile" }, remoteUser: "root" }),
  );
  repository.write(".devcontainer/small/Dockerfile", "FROM scratch\nCOPY Dockerfile /word\n");
  const warm = { workflow: "warm", with: { platforms: "linux/amd64" }, use: false } as const;
  call(warm);
  const done = [
    "list: success",
    "tell: success",
    "tell: success",
    "warm .devcontainer/small: success",
    "warm: success",
  ];

  const first = await repository.run(schedule);
  expect(first.jobs, first.log).toEqual(done);
  expect(first.log).toMatch(/^\| \.devcontainer\S* \| built \| `\S+@sha256:[0-9a-f]{64}` \|$/m);
  const second = await repository.run(schedule);
  expect(second.log).toMatch(/\| hit \|/);
  call({ ...warm, with: { ...warm.with, force: "true" } });
  const forced = await repository.run(schedule);
  expect(forced.log).toMatch(/\| built \|/);

  call({ workflow: "check", with: { platforms: "linux/amd64" }, use: false });
  expect(outputsOf(await repository.run(pullRequest("team/app"))).result).toBe("hit");

  await makeBase({ repository: baseRepository, version: "2" });
  call({
    ...warm,
    with: { ...warm.with, configurations: `.devcontainer\n\n .devcontainer/small = ${REGISTRY}/${small}` },
  });
  const moved = await repository.run(schedule);
  expect(moved.jobs, moved.log).toEqual(done.map((job) => job.replace(/^warm:/, "warm .devcontainer:")));
  expect((await tags(small)).some((tag) => tag.startsWith("k1-"))).toBe(true);
  call({ workflow: "check", with: { platforms: "linux/amd64" }, use: false });
  expect(outputsOf(await repository.run(pullRequest("team/app"))).result).toBe("hit");

  call({ ...warm, with: { ...warm.with, configurations: ".devcontainer\n$(id)" } });
  const refused = await repository.run(schedule);
  expect(refused.jobs, refused.log).toEqual(["list: failure"]);
});

test("a registry with a login and a certificate of its own: both reach every job", async () => {
  const { pem, certificate, key } = makeCertificate("IP:127.0.0.1,DNS:localhost");
  const tls = `, tls: { certificate: ${certificate}, key: ${key} } }`;
  const host = await startRegistry("login", `${tls}\nauth: { htpasswd: { realm: test, path: ${makePasswordFile()} } }`);
  const inputs = {
    "cache-repo": `${host}/${unique("team/workflow")}`,
    "registry-username": "me",
    "ssl-cert-base64": Buffer.from(pem).toString("base64"),
  };
  const secrets = { "registry-password": "${{ secrets.CACHE_PASSWORD }}" };
  const { repository, call } = await openScene({ with: inputs, secrets, use: false }, { CACHE_PASSWORD: "pass" });

  const first = await repository.run(PUSH);
  expect(outputsOf(first).result, first.log).toBe("built");
  const second = await repository.run(PUSH);
  expect(outputsOf(second), second.log).toEqual({ ...outputsOf(first), result: "hit" });

  call({ workflow: "check", with: inputs, secrets, use: false });
  const checked = await repository.run(pullRequest("team/app"));
  expect(outputsOf(checked), checked.log).toEqual(outputsOf(second));

  // As in a fork's pull request, which gets no secrets: the user name alone is no login, and is not told as a mistake.
  call({ workflow: "check", with: inputs, use: false });
  const refused = await repository.run(pullRequest("stranger/app"));
  expect(refused.jobs).toEqual(["check: failure"]);
  expect(refused.log).toContain("[E_AUTH]");
});
