import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { OUTPUTS } from "../src/handover/outputs.ts";

type Named = Readonly<Record<string, { readonly description?: string; readonly type?: string }>>;
type Step = {
  readonly id?: string;
  readonly run?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
};
type Job = {
  readonly name?: string;
  readonly "runs-on"?: string;
  readonly strategy?: { readonly matrix?: unknown };
  readonly "timeout-minutes"?: number | string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly needs?: string | readonly string[];
  readonly outputs?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
};
type Workflow = {
  readonly permissions?: unknown;
  readonly on: {
    readonly workflow_call: {
      readonly inputs: Named;
      readonly secrets: Named;
      readonly outputs: Readonly<Record<string, { readonly description?: string; readonly value: string }>>;
    };
  };
  readonly jobs: Readonly<Record<string, Job>>;
};

const action: { readonly inputs: Named; readonly outputs: Named; readonly runs: { readonly main: string } } = parse(
  readFileSync("action.yml", "utf8"),
);
const names = readdirSync("workflows").filter((name) => name.endsWith(".yml"));
const workflows = names.map((name) => {
  const text = readFileSync(`workflows/${name}`, "utf8");
  const workflow: Workflow = parse(text);
  return { name, text, workflow };
});

/** How the README names the action: what its readers write. */
const ACTION = /uses: (\S+\/dev-container-cache@\S+)/.exec(readFileSync("README.md", "utf8"))?.[1] ?? "";

const stepsOf = ({ jobs }: Workflow): readonly Step[] => Object.values(jobs).flatMap(({ steps }) => steps);

const ownSteps = ({ jobs }: Workflow): readonly { readonly job: string; readonly step: Step }[] =>
  Object.entries(jobs).flatMap(([job, { steps }]) =>
    steps.filter(({ uses }) => uses === ACTION).map((step) => ({ job, step })),
  );

/**
 * Inputs of the action that a caller of the workflow does not set: the workflow itself says what is to happen (another `cache-version` is
 * what builds anew; what one step has found the next is told; its source is its own checkout, and who builds another repository's calls the
 * action), nobody can start an ssh agent in its jobs, and nobody sees the files and images that stay on their machines.
 */
const DECIDED = [
  ...["on-miss", "on-drift", "on-unknown", "push", "alias", "runners", "dialect", "force", "summary"],
  ...["ssh", "sbom-dir", "load", "previous-image"],
  ...["git-url", "git-ref", "git-username", "git-password", "git-ssh-private-key-path", "git-ssh-private-key-base64"],
  "git-ssh-known-hosts",
  ...["git-http-proxy-url", "git-clone-depth", "git-clone-single-branch", "git-clone-max-size"],
  ...["git-submodules", "git-lfs", "source-cache-dir", "allowed-sources"],
  // Of another dialect than theirs.
  ...["builder-image", "extra-env", "ignore-paths", "remote-repo-build-mode", "base-image-cache-dir", "verbose"],
];

/**
 * Inputs that one job alone has to do with: the one that builds, and the one that has the whole set. All others decide what is looked for,
 * and have to be the same in every step, or one does not find what another pushed.
 */
const BUILD = [
  ...["no-cache", "builder", "builders", "builder-restart", "buildkit-image", "buildx-version"],
  ...["cache-from", "cache-to", "sbom", "provenance"],
];
const ONLY_IN: Readonly<Record<string, readonly string[]>> = {
  build: [...BUILD, "exit-on-build-failure"],
  join: ["tags", "release"],
  warm: BUILD,
};
const COMMON = Object.keys(action.inputs).filter(
  (name) => ![...DECIDED, ...Object.values(ONLY_IN).flat()].includes(name),
);

/** Inputs that say which dev container is meant, which the warm-up takes from its list, where there is no other that counts in its place. */
const LISTED = ["devcontainer-json-path", "dockerfile-path", "build-context-path", "fallback-image"];
const commonOf = (job: string): readonly string[] =>
  job === "warm" ? COMMON.filter((name) => !LISTED.includes(name)) : COMMON;

test("the callable copies are the same files", () => {
  for (const { name, text } of workflows) expect(readFileSync(`.github/workflows/${name}`, "utf8")).toBe(text);
});

test("what action.yml runs is there", () => {
  expect(existsSync(action.runs.main)).toBe(true);
});

describe.each(workflows)("$name", ({ text, workflow }) => {
  const { inputs, secrets, outputs } = workflow.on.workflow_call;
  const given = new Set([...Object.keys(inputs), ...Object.keys(secrets)]);

  test("runs the action in the one version that the README and its own example name", () => {
    expect(ownSteps(workflow).length).toBeGreaterThan(0);
    const versions = [...text.matchAll(/\/dev-container-cache[^@\s]*@(\S+)/g)].map(([, version]) => version);
    expect(new Set(versions)).toEqual(new Set([ACTION.split("@")[1]]));
  });

  test("hands every input of the action on, to every step that has to do with it", () => {
    for (const { job, step } of ownSteps(workflow)) {
      const handed = Object.keys(step.with ?? {}).filter((name) => !DECIDED.includes(name));
      expect(handed.sort()).toEqual([...commonOf(job), ...(ONLY_IN[job] ?? [])].sort());
    }
    const known = Object.keys(action.inputs);
    for (const { step } of ownSteps(workflow))
      expect(known).toEqual(expect.arrayContaining(Object.keys(step.with ?? {})));
    expect(known).toEqual(expect.arrayContaining([...DECIDED, ...Object.values(ONLY_IN).flat()]));
  });

  test("all steps look for the same image, with the same secrets", () => {
    const [first, ...others] = ownSteps(workflow).map(({ step }) => ({
      inputs: COMMON.filter((name) => !/^platforms$|-uid$/.test(name)).map((name) => `${name}: ${step.with?.[name]}`),
      env: step.env,
    }));
    for (const other of others) expect(other).toEqual(first);
    // `auto` is another number on another kind of machine: the first step decides.
    const [asked, ...legs] = ownSteps(workflow).map(({ step }) => step.with?.["remote-user-uid"]);
    expect(asked).toBe("${{ inputs.remote-user-uid }}");
    for (const uid of legs) expect(uid).toBe("${{ needs.probe.outputs.remote-user-uid }}");
  });

  test("has the inputs and secrets that it reads, reads those that it has, and says what each is", () => {
    const read = [...text.matchAll(/\b(?:inputs|secrets)\.([\w-]+)/g)].map(([, name = ""]) => name);
    expect(new Set(read)).toEqual(given);
    for (const { description } of [...Object.values(inputs), ...Object.values(secrets), ...Object.values(outputs)])
      expect(description).toMatch(/\.$/);
  });

  test("no secret is an input, and no expression stands in a script", () => {
    for (const name of Object.keys(inputs)) expect(name).not.toMatch(/password|token|key|docker-config/);
    for (const { run = "" } of stepsOf(workflow)) expect(run).not.toContain("${{");
  });

  // Gitea's runner shows every boolean input of a called workflow to its steps as false.
  test("no input is a boolean", () => {
    for (const [name, { type }] of Object.entries(inputs)) expect([name, type]).not.toEqual([name, "boolean"]);
  });

  // On Gitea a job whose matrix is an expression gets one leg without values in its name and label, and never starts without both of these.
  test("a matrix of an expression has one key, a name that an expression makes, and a label without it", () => {
    for (const job of Object.values(workflow.jobs)) {
      const matrix = job.strategy?.matrix;
      if (matrix === undefined) continue;
      expect(matrix).toEqual({ leg: expect.stringMatching(/^\$\{\{ fromJSON\(/) });
      expect(job.name).toMatch(/\$\{\{ (?!.*matrix)/);
      expect(job["runs-on"]).toMatch(/inputs\.runner \}\}$/);
    }
  });

  test("what runs beside a token that may push is pinned by hash, and says of which version", () => {
    const used = [...text.matchAll(/^ +(?:- )?uses: (.+)$/gm)].map(([, one = ""]) => one);
    for (const one of used.filter((one) => one !== ACTION)) expect(one).toMatch(/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test("its outputs are outputs of its jobs, and those are outputs of the action", () => {
    for (const { value } of Object.values(outputs))
      for (const [, job = "", name = ""] of value.matchAll(/jobs\.(\w+)\.outputs\.([\w-]+)/g))
        expect(Object.keys(workflow.jobs[job]?.outputs ?? {}), value).toContain(name);
    for (const { outputs: told = {}, steps } of Object.values(workflow.jobs))
      for (const [, id, name] of Object.values(told)
        .join("\n")
        .matchAll(/steps\.(\w+)\.outputs\.([\w-]+)/g)) {
        const step = steps.find((one) => one.id === id);
        if (step?.run === undefined) expect(step?.uses).toBe(ACTION);
        if (step?.run === undefined) expect(OUTPUTS).toContain(name);
        else expect(step.run).toContain(`${name}=`);
      }
  });

  test("a job reads the outputs of jobs that it needs", () => {
    for (const [job, { needs = [] }] of Object.entries(workflow.jobs)) {
      const body = JSON.stringify(workflow.jobs[job]);
      for (const [, other = "", name = ""] of body.matchAll(/needs\.(\w+)\.outputs\.([\w-]+)/g)) {
        expect([needs].flat()).toContain(other);
        expect(Object.keys(workflow.jobs[other]?.outputs ?? {})).toContain(name);
      }
    }
  });

  test("every job ends some time, says what it may do, and leaves no token in the checkout", () => {
    expect(workflow.permissions).toEqual({});
    for (const { permissions, steps, ...job } of Object.values(workflow.jobs)) {
      expect(job["timeout-minutes"]).toBeDefined();
      const checkouts = steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"));
      for (const step of checkouts) expect(step.with).toMatchObject({ "persist-credentials": false });
      const asks = steps.some(({ uses }) => uses === ACTION);
      expect(Object.keys(permissions ?? { none: "said" }).sort()).toEqual([
        ...(checkouts.length > 0 ? ["contents"] : []),
        ...(asks ? ["packages"] : []),
      ]);
      if (checkouts.length > 0) expect(permissions?.contents).toBe("read");
    }
  });

  // They are empty on Gitea and act.
  test("nothing is read from strategy", () => {
    expect(text).not.toMatch(/\bstrategy\.(job|fail|max)/);
  });
});

test("the job's own token never goes to a registry as a password that somebody named", () => {
  for (const { text } of workflows) {
    expect(text).not.toMatch(/registry-password: .*token/);
    expect(text).not.toMatch(/GITHUB_TOKEN }}/);
    const told = [...text.matchAll(/^.*github\.token.*$/gm)].map(([line]) => line.trim());
    expect(new Set(told)).toEqual(new Set(["GITHUB_TOKEN: ${{ github.token }}"]));
  }
});

test("the check may push nothing", () => {
  const check = workflows.find(({ name }) => name === "check.yml")?.workflow;
  expect(Object.values(check?.jobs ?? {}).map(({ permissions }) => permissions?.packages)).toEqual(["read"]);
  expect(check && ownSteps(check).map(({ step }) => step.with)).toMatchObject([
    { "on-miss": "fail", "on-drift": "use", push: false },
  ]);
});
