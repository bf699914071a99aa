import { expect, test } from "bun:test";
import { writeJson } from "../../adapters/state/json.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import type { RoundtripError } from "../../core/errors.ts";
import { leaseKey } from "../../core/failback/layout.ts";
import { failbackClean } from "../failback-clean/runbook.ts";
import { failbackStart } from "../failback-start/runbook.ts";
import { executeRunbook, planContext, type RunbookRequest } from "./execute.ts";
import { FakeWorld, succeeded } from "./fake-world.ts";
import { planOf } from "./plan.ts";
import type { Runbook } from "./runbook.ts";
import { renderSummary } from "./summary.ts";

function requestFor(runbook: Runbook, inputs: Record<string, string> = {}): RunbookRequest {
  const defaults = Object.fromEntries(runbook.inputs.map((input) => [input.name, input.default ?? ""]));
  return {
    runbook,
    inputs: { ...defaults, ...inputs },
    caller: { actor: "ana", commit: "abc" },
    declared: { version: 1, tasks: [{ id: "orders", database: "shop", collections: [{ name: "orders" }] }] },
    leaseSeconds: 0.05,
    actionTimeoutSeconds: () => 1,
  };
}

const phaseOf = (world: FakeWorld) => new PhaseStore(world.store, world.clock, "dev").read();

test("start proves capture before the application users may write", async () => {
  const world = new FakeWorld();
  const report = await executeRunbook(world.dependencies(), requestFor(failbackStart));
  expect(report.error).toBeUndefined();
  const sent = world.calls.filter((call) => call.startsWith("send"));
  expect(sent).toEqual([
    "send roundtrip-dev-check-start",
    "send roundtrip-dev-demote-writers",
    "send roundtrip-dev-enable-change-streams",
    "send roundtrip-dev-start-service",
    "send roundtrip-dev-canary",
    "send roundtrip-dev-grant-writers",
  ]);
  expect((await phaseOf(world)).phase).toBe("capturing");
});

test("a refused precondition changes nothing: the phase stays normal, no user is touched", async () => {
  const world = new FakeWorld();
  world.answers.set("check-start", () => ({
    commandId: "c",
    status: "failed",
    exitCode: 3,
    stdout: JSON.stringify({
      action: "check-start",
      ok: false,
      checks: [
        {
          name: "MongoDB is unreachable",
          ok: false,
          expected: "no answer",
          got: "a primary",
          wayOut: "use force",
        },
      ],
    }),
    stderr: "",
  }));
  const report = await executeRunbook(world.dependencies(), requestFor(failbackStart));
  expect(report.succeeded).toBe(false);
  expect((report.error as RoundtripError).kind).toBe("refused");
  expect((report.error as RoundtripError).message).toContain("MongoDB is unreachable");
  expect((await phaseOf(world)).phase).toBe("normal");
  expect(world.calls).not.toContain("send roundtrip-dev-demote-writers");
});

test("a running DMS task refuses the start by name, and stop-tasks=true stops it", async () => {
  const world = new FakeWorld();
  world.task = { ...world.task, status: "running" };
  const refused = await executeRunbook(world.dependencies(), requestFor(failbackStart));
  expect((refused.error as RoundtripError).message).toContain("DMS task orders is stopped");
  expect(world.calls).toEqual([]);
  const stopped = await executeRunbook(
    world.dependencies(),
    requestFor(failbackStart, { "stop-tasks": "true" }),
  );
  expect(stopped.succeeded).toBe(true);
  expect(world.calls[0]).toBe("stop task");
});

test("a failed step is where the next run goes on; what succeeded is not sent again", async () => {
  const world = new FakeWorld();
  world.answers.set("canary", () => ({
    commandId: "c",
    status: "timed-out",
    exitCode: -1,
    stdout: "",
    stderr: "late",
  }));
  const first = await executeRunbook(world.dependencies(), requestFor(failbackStart));
  expect(first.steps.find((step) => step.state === "failed")?.name).toBe("canary");
  world.answers.delete("canary");
  world.calls.length = 0;
  const second = await executeRunbook(world.dependencies(), requestFor(failbackStart));
  expect(second.succeeded).toBe(true);
  expect(second.failbackId).toBe(first.failbackId);
  expect(world.calls.filter((call) => call.startsWith("send"))).toEqual([
    "send roundtrip-dev-start-service",
    "send roundtrip-dev-canary",
    "send roundtrip-dev-grant-writers",
  ]);
});

test("failback 30: a runner lost while a command runs re-attaches to it instead of sending it twice", async () => {
  const world = new FakeWorld();
  let lost = true;
  const commands = {
    send: world.commands.send,
    wait: async (instance: string, id: string, seconds: number) => {
      if (lost && world.calls.at(-1) === "send roundtrip-dev-canary") return new Promise<never>(() => {});
      return world.commands.wait(instance, id, seconds);
    },
  };
  const interrupt = new AbortController();
  const running = executeRunbook(
    { ...world.dependencies(interrupt.signal), commands },
    requestFor(failbackStart),
  );
  while (world.calls.at(-1) !== "send roundtrip-dev-canary") await Bun.sleep(1);
  interrupt.abort(new Error("runner lost"));
  expect((await running).succeeded).toBe(false);
  lost = false;
  const again = await executeRunbook(world.dependencies(), requestFor(failbackStart));
  expect(again.succeeded).toBe(true);
  expect(world.calls.filter((call) => call === "send roundtrip-dev-canary")).toHaveLength(1);
});

test("an illegal order is refused and names the legal next step", async () => {
  const world = new FakeWorld();
  const run = executeRunbook(world.dependencies(), requestFor(failbackClean));
  expect(run).rejects.toThrow(/phase normal .*the legal next step is failback-start/);
});

test("a held lease that is renewed refuses; one that falls silent is taken over", async () => {
  const world = new FakeWorld();
  const held = { version: 1, holder: "bob", what: "failback-start", renewals: 0, released: false };
  await writeJson(world.store, leaseKey, held);
  const renewing = setInterval(
    () => void writeJson(world.store, leaseKey, { ...held, renewals: Math.random() }),
    5,
  );
  try {
    await expect(executeRunbook(world.dependencies(), requestFor(failbackStart))).rejects.toThrow(
      /bob is running failback-start/,
    );
  } finally {
    clearInterval(renewing);
  }
  await Bun.sleep(10);
  expect((await executeRunbook(world.dependencies(), requestFor(failbackStart))).succeeded).toBe(true);
});

test("plan names each document with its parameters and makes no call", async () => {
  const world = new FakeWorld();
  const request = requestFor(failbackStart, { "allow-remove": "true" });
  const steps = planOf(failbackStart, await planContext(world.dependencies(), request));
  expect(world.calls).toEqual([]);
  const grant = steps.find((step) => step.step === "grant-writers")?.calls[0];
  expect(grant?.call).toBe("SSM roundtrip-dev-grant-writers");
  expect(grant?.parameters?.allowRemove).toBe("true");
});

test("the summary has the outcome first and no markup from names", async () => {
  const world = new FakeWorld();
  world.answers.set("check-start", () => ({
    ...succeeded("c", "check-start"),
    stdout: "",
    status: "failed",
    exitCode: 5,
    stderr: "<b>|no",
  }));
  const report = await executeRunbook(world.dependencies(), requestFor(failbackStart));
  const summary = renderSummary(failbackStart, report, "normal");
  expect(summary.split("\n")[0]).toBe("## ❌ failback-start stopped at step check-start");
  expect(summary).not.toContain("<b>");
  expect(summary).toContain("**Way out**");
});
