import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { actions, jobs, steps, workflows } from "./read.ts";

const root = join(import.meta.dirname, "../..");

test("there is something to judge", () => {
  expect(workflows.length).toBeGreaterThan(20);
  expect(steps.filter(({ step }) => step.run).length).toBeGreaterThan(25);
});

describe("permissions", () => {
  test.each(workflows.map((workflow) => [workflow.file, workflow] as const))(
    "%s grants nothing as a whole, before it says anything else",
    (_file, { permissions, text }) => {
      expect(permissions).toEqual({});
      expect(text.indexOf("\npermissions: {}\n")).toBeGreaterThan(0);
      expect(text.indexOf("\npermissions: {}\n")).toBeLessThan(text.indexOf("\non:\n"));
    },
  );

  test("each job says its own, and beside each grant why", () => {
    const without = jobs.filter(({ job }) => !job.permissions).map(({ title }) => title);
    expect(without).toEqual([]);
    const grants = workflows.flatMap(({ file, text }) =>
      [...text.matchAll(/^ {6}([a-z-]+): (read|write)( .*)?$/gm)].map(([line, , , reason]) => ({
        line: `${file}: ${line}`,
        hasReason: /^ # \S.{5,}/.test(reason ?? ""),
      })),
    );
    expect(grants.length).toBe(jobs.flatMap(({ job }) => Object.keys(job.permissions ?? {})).length);
    expect(grants.filter(({ hasReason }) => !hasReason).map(({ line }) => line)).toEqual([]);
  });

  test("what can write to the repository is the plan's comments, the drift issue, and the release", () => {
    const writers = jobs.flatMap(({ title, job }) =>
      Object.entries(job.permissions ?? {})
        .filter(([name, level]) => level === "write" && name !== "id-token")
        .map(([name]) => `${title}: ${name}`),
    );
    expect(writers).toEqual([
      "drift look: issues",
      "plan comment: pull-requests",
      "plan live: pull-requests",
      "release release: contents",
      "release release: attestations",
    ]);
  });
});

describe("what runs", () => {
  test("no expression inside a run: what people type reaches programs through env alone", () => {
    const mixed = steps.filter(({ step }) => step.run?.includes("${{")).map(({ title }) => title);
    expect(mixed).toEqual([]);
  });

  test("each program that a run names is there", () => {
    const named = steps.flatMap(({ title, step }) =>
      [...(step.run ?? "").matchAll(/\b((?:scripts|\.ci)\/[a-z-]+(?:\.ts)?)/g)].map(([, path]) => [
        title,
        path!,
      ]),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(([, path]) => !existsSync(join(root, path!)))).toEqual([]);
  });

  test("every action of somebody else's is pinned by its full SHA, its version beside it, the same everywhere", () => {
    const pins = [...workflows, ...actions].flatMap(({ text }) =>
      [...text.matchAll(/uses: (?!\.\/)(.*)$/gm)].map(([, used]) => used!),
    );
    expect(pins.length).toBeGreaterThan(20);
    expect(pins.filter((used) => !/^[\w.-]+\/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(used))).toEqual([]);
    expect([...new Set(pins)].map((used) => used.split("@")[0]).sort()).toEqual([
      "actions/attest-build-provenance",
      "actions/checkout",
      "aws-actions/configure-aws-credentials",
      "hashicorp/setup-terraform",
    ]);
  });

  test("what holds a lease is the step's own process: a cancelled job's signal reaches no child of bash", () => {
    const holders = steps.filter(({ step }) => /in-summary\.ts (runbook|apply) /.test(step.run ?? ""));
    expect(holders.length).toBeGreaterThan(14);
    const others = holders.filter(({ step }) => !step.run?.startsWith("exec bun scripts/in-summary.ts "));
    expect(others.map(({ title }) => title)).toEqual([]);
  });

  test("no checkout leaves a token behind", () => {
    const kept = steps.filter(
      ({ step }) =>
        step.uses?.startsWith("actions/checkout@") && step.with?.["persist-credentials"] !== false,
    );
    expect(kept).toEqual([]);
  });

  test("packages are installed before a job has credentials", () => {
    for (const { job } of jobs) {
      const used = (job.steps ?? []).map(({ uses }) => uses);
      const signIn = used.indexOf("./.github/actions/sign-in");
      if (signIn >= 0) expect(used.slice(0, signIn)).toContain("./.github/actions/set-up");
      expect(job.permissions?.["id-token"] === "write" && job.uses === undefined).toBe(signIn >= 0);
    }
  });

  test("on a pull request the base branch's programs run, and only where no credential is, the change's own", () => {
    const plan = workflows.find(({ file }) => file === "plan")!;
    for (const { steps = [] } of Object.values(plan.jobs)) {
      expect(steps[0]?.with?.ref).toBe("${{ github.event.pull_request.base.sha }}");
      const runs = steps.map(({ run = "" }) => run).join("\n");
      expect(runs).not.toMatch(/proposal\/|working-directory|checkout|switch/);
    }
    // Its Terraform is planned where a code owner approved it, as the commit that was judged, before there are credentials.
    const named = Object.entries(plan.jobs).filter(([, job]) => JSON.stringify(job).includes("proposal/"));
    expect(named.map(([name]) => name)).toEqual(["live"]);
    const live = plan.jobs.live!;
    expect(live.if).toStartWith("needs.offline.outputs.live == 'true' &&");
    const order = (live.steps ?? []).map(({ run, uses }) => run ?? uses ?? "");
    const at = (text: string) => order.findIndex((step) => step.includes(text));
    expect(at("scripts/github.ts proposal")).toBeGreaterThan(at("./.github/actions/proposal"));
    expect(at("scripts/github.ts proposal")).toBeLessThan(at("./.github/actions/sign-in"));
    expect(at("--terraform")).toBeGreaterThan(at("./.github/actions/sign-in"));
    const others = workflows.filter(({ on, file }) => "pull_request" in on && file !== "plan");
    for (const { jobs } of others)
      for (const { permissions } of Object.values(jobs)) expect(permissions).toEqual({ contents: "read" });
    expect(workflows.filter(({ on }) => "pull_request_target" in on || "workflow_run" in on)).toEqual([]);
  });
});

describe("time and order", () => {
  const running = jobs.filter(({ job }) => job.uses === undefined);

  test("every job has a limit below GitHub's own", () => {
    for (const { job } of running) {
      expect(job["timeout-minutes"]).toBeGreaterThan(0);
      expect(job["timeout-minutes"]).toBeLessThan(360);
    }
  });

  test("every job names its concurrency group, at the job", () => {
    expect(running.filter(({ job }) => !job.concurrency?.group).map(({ title }) => title)).toEqual([]);
    expect(workflows.filter(({ text }) => /^concurrency:/m.test(text))).toEqual([]);
  });

  test("what changes an environment waits in a queue that drops nobody, and is never cancelled", () => {
    const changing = running.filter(({ job }) => !/^(plan|look)-|^release$/.test(job.environment ?? "plan-"));
    expect(changing.map(({ title }) => title)).toHaveLength(22);
    for (const { job } of changing) {
      expect(job.concurrency).toMatchObject({ queue: "max", "cancel-in-progress": false });
      expect(job.concurrency?.group).toMatch(/^(mutations|failback|unlock)-\$\{\{ inputs\.environment \}\}$/);
    }
  });

  test("a failback has its own gate and its own queue", () => {
    for (const { workflow, job } of running.filter((each) => each.workflow.file.startsWith("failback-"))) {
      expect(job.environment).toBe("failback-${{ inputs.environment }}");
      expect(job.concurrency?.group, workflow.file).toBe("failback-${{ inputs.environment }}");
    }
  });

  test("prod is applied after qa, qa after dev, each by the digest its ungated job showed", () => {
    const apply = workflows.find(({ file }) => file === "apply")!;
    expect(Object.keys(apply.jobs)).toEqual(["dev", "qa", "prod"]);
    expect(apply.text).toMatch(/ {2}qa:\n {4}needs: \[dev\]\n/);
    expect(apply.text).toMatch(/ {2}prod:\n {4}needs: \[dev, qa\]\n/);
    const { jobs } = workflows.find(({ file }) => file === "apply-environment")!;
    expect(jobs.plan?.environment).toBe("plan-${{ inputs.environment }}");
    expect(jobs.apply?.environment).toBe("${{ inputs.environment }}");
    const step = jobs.apply?.steps?.at(-1);
    expect(step?.env?.DIGEST).toBe("${{ needs.plan.outputs.digest }}");
    expect(step?.run).toContain('--digest "$DIGEST"');
    expect(step?.run).not.toContain("--unreviewed");
  });
});
