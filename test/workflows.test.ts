import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { OUTPUTS } from "../src/handover/outputs.ts";

type Named = Readonly<Record<string, { readonly description?: string }>>;
type Step = {
  readonly id?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
};
type Job = {
  readonly "timeout-minutes"?: number | string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly needs?: string | readonly string[];
  readonly outputs?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
};
type Workflow = {
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
const names = readdirSync("workflows");
const workflows = names.map((name) => {
  const text = readFileSync(`workflows/${name}`, "utf8");
  const workflow: Workflow = parse(text);
  return { name, text, workflow };
});

/** How the README names the action: what its readers write. */
const ACTION = /uses: (\S+\/dev-container-cache@\S+)/.exec(readFileSync("README.md", "utf8"))?.[1] ?? "";

const ownSteps = ({ jobs }: Workflow): readonly { readonly job: string; readonly step: Step }[] =>
  Object.entries(jobs).flatMap(([job, { steps }]) =>
    steps.filter(({ uses }) => uses === ACTION).map((step) => ({ job, step })),
  );

/**
 * Inputs of the action that a caller of the workflow does not set: the workflow itself says what is to happen (another `cache-version` is
 * what builds anew), nobody can start an ssh agent in its jobs, and nobody sees the files and images that stay on their machines.
 */
const DECIDED = [
  ...["on-miss", "on-drift", "on-unknown", "push", "alias", "runners", "dialect", "force"],
  ...["ssh", "sbom-dir", "load"],
];

/**
 * Inputs that one job alone has to do with: the one that builds, and the one that has the whole set. All others decide what is looked for,
 * and have to be the same in every step, or one does not find what another pushed.
 */
const ONLY_IN: Readonly<Record<string, readonly string[]>> = {
  build: [
    ...["no-cache", "builder", "builders", "builder-restart", "buildkit-image", "buildx-version"],
    ...["cache-from", "cache-to", "sbom", "provenance", "exit-on-build-failure"],
  ],
  join: ["tags", "release"],
};
const COMMON = Object.keys(action.inputs).filter(
  (name) => ![...DECIDED, ...Object.values(ONLY_IN).flat()].includes(name),
);

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
    const versions = [...text.matchAll(/OWNER\/dev-container-cache[^@\s]*@(\S+)/g)].map(([, version]) => version);
    expect(new Set(versions)).toEqual(new Set([ACTION.split("@")[1]]));
  });

  test("hands every input of the action on, to every step that has to do with it", () => {
    for (const { job, step } of ownSteps(workflow)) {
      const handed = Object.keys(step.with ?? {}).filter((name) => !DECIDED.includes(name));
      expect(handed.sort()).toEqual([...COMMON, ...(ONLY_IN[job] ?? [])].sort());
    }
    const known = Object.keys(action.inputs);
    for (const { step } of ownSteps(workflow))
      expect(known).toEqual(expect.arrayContaining(Object.keys(step.with ?? {})));
    expect(known).toEqual(expect.arrayContaining([...DECIDED, ...Object.values(ONLY_IN).flat()]));
  });

  test("all steps look for the same image, with the same secrets", () => {
    const [first, ...others] = ownSteps(workflow).map(({ step }) => ({
      inputs: COMMON.filter((name) => name !== "platforms").map((name) => `${name}: ${step.with?.[name]}`),
      env: step.env,
    }));
    for (const other of others) expect(other).toEqual(first);
  });

  test("has the inputs and secrets that it reads, reads those that it has, and says what each is", () => {
    const read = [...text.matchAll(/\b(?:inputs|secrets)\.([\w-]+)/g)].map(([, name = ""]) => name);
    expect(new Set(read)).toEqual(given);
    for (const { description } of [...Object.values(inputs), ...Object.values(secrets), ...Object.values(outputs)])
      expect(description).toMatch(/\.$/);
  });

  test("no secret is an input, and no expression stands in a script", () => {
    for (const name of Object.keys(inputs)) expect(name).not.toMatch(/password|token|key|docker-config/);
    expect(text).not.toMatch(/^\s*-?\s*run:/m);
  });

  test("its outputs are outputs of its jobs, and those are outputs of the action", () => {
    for (const { value } of Object.values(outputs))
      for (const [, job = "", name = ""] of value.matchAll(/jobs\.(\w+)\.outputs\.([\w-]+)/g))
        expect(Object.keys(workflow.jobs[job]?.outputs ?? {}), value).toContain(name);
    for (const { outputs: told = {}, steps } of Object.values(workflow.jobs))
      for (const [, id, name] of Object.values(told)
        .join("\n")
        .matchAll(/steps\.(\w+)\.outputs\.([\w-]+)/g)) {
        expect(steps.find((step) => step.id === id)?.uses).toBe(ACTION);
        expect(OUTPUTS).toContain(name);
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
    for (const { permissions, steps, ...job } of Object.values(workflow.jobs)) {
      expect(job["timeout-minutes"]).toBeDefined();
      expect(permissions?.contents).toBe("read");
      expect(Object.keys(permissions ?? {}).sort()).toEqual(["contents", "packages"]);
      const checkouts = steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"));
      expect(checkouts.map((step) => step.with)).toEqual([{ "persist-credentials": false }]);
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
    expect([...text.matchAll(/github\.token|GITHUB_TOKEN }}/g)].length).toBe(
      [...text.matchAll(/^ +GITHUB_TOKEN: \$\{\{ github\.token \}\}$/gm)].length,
    );
  }
});

test("the check may push nothing", () => {
  const check = workflows.find(({ name }) => name === "check.yml")?.workflow;
  expect(Object.values(check?.jobs ?? {}).map(({ permissions }) => permissions?.packages)).toEqual(["read"]);
  expect(check && ownSteps(check).map(({ step }) => step.with)).toMatchObject([
    { "on-miss": "fail", "on-drift": "use", push: false },
  ]);
});
