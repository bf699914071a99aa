/** Operations at their ports: what they plan fits the documents, and what they refuse is refused before anything changes. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeJson } from "../adapters/state/json.ts";
import { type PromotionRecord, promotionKey } from "../core/credentials/accounts.ts";
import { currentKey } from "../core/failback/layout.ts";
import { abandonRotation } from "./abandon-rotation/runbook.ts";
import { operations } from "./catalog.ts";
import { FakeWorld, succeeded } from "./engine/fake-world.ts";
import { executeOperation, type OperationRequest, operationPlanContext } from "./engine/operation.ts";
import { planOf, renderPlan } from "./engine/plan.ts";
import type { Operation } from "./engine/runbook.ts";
import { kafkaSetup } from "./kafka-setup/runbook.ts";
import { removeOldUser } from "./remove-old-user/runbook.ts";
import { rotateCredentials } from "./rotate-credentials/runbook.ts";
import { tasksPause } from "./tasks-pause/runbook.ts";
import { tasksResume } from "./tasks-resume/runbook.ts";
import { unlock } from "./unlock/runbook.ts";
import { upgradeWorker } from "./upgrade-worker/runbook.ts";

/** A value for each input that has no default. */
const samples: Readonly<Record<string, string>> = {
  change: "user-and-password",
  user: "shop",
  "old-username": "dms",
  schedule: "*/5 * * * *",
  version: "0.2.0",
  checksum: "a".repeat(64),
};
const oplog = { first: { t: 1, i: 1 }, last: { t: 2_000_000_000, i: 1 } };

function requestFor(operation: Operation, inputs: Record<string, string> = {}): OperationRequest {
  const defaults = operation.inputs.map(({ name, default: value }) => [name, value ?? samples[name] ?? ""]);
  return {
    operation,
    inputs: { ...Object.fromEntries(defaults), ...inputs },
    caller: { actor: "ana", commit: "abc" },
    declared: { version: 1, tasks: [{ id: "orders", database: "shop", collections: [{ name: "orders" }] }] },
    leaseSeconds: 0.05,
    actionTimeoutSeconds: () => 1,
  };
}

function newWorld(): FakeWorld {
  const world = new FakeWorld();
  const checkpoint = { raw: "checkpoint", timestamp: { t: 1000, i: 1 } };
  world.task = { ...world.task, status: "running", checkpoint };
  world.answers.set("source-position", () => succeeded("c", "source-position", { oplog, waiting: 0 }));
  return world;
}
const run = (world: FakeWorld, operation: Operation, inputs?: Record<string, string>) =>
  executeOperation(world.dependencies(), requestFor(operation, inputs));

interface DocumentParameter {
  readonly allowedPattern?: string;
  readonly allowedValues?: readonly string[];
  readonly default?: string;
}

for (const operation of operations) {
  test(`${operation.name}: each action it plans gives its document the parameters it has, and values it allows`, async () => {
    const world = newWorld();
    const context = await operationPlanContext(world.dependencies(), requestFor(operation));
    const steps = planOf(operation, context);
    expect(steps.length).toBe(operation.steps.length);
    for (const { call, parameters = {} } of steps.flatMap(({ calls }) => calls)) {
      const action = /^SSM roundtrip-dev-(.+)$/.exec(call)?.[1];
      if (!action) continue;
      const file = join(import.meta.dirname, "documents", `${action}.json`);
      const document = JSON.parse(readFileSync(file, "utf8")) as {
        parameters?: Record<string, DocumentParameter>;
      };
      const declared = document.parameters ?? {};
      for (const [name, value] of Object.entries(parameters)) {
        const known = declared[name];
        expect({ action, name, known: known !== undefined }).toEqual({ action, name, known: true });
        if (known?.allowedPattern && value !== "where the tasks stood")
          expect(value).toMatch(new RegExp(known.allowedPattern));
        if (known?.allowedValues) expect(known.allowedValues).toContain(value);
      }
      const required = Object.entries(declared).filter(([, parameter]) => parameter.default === undefined);
      expect(Object.keys(parameters)).toEqual(expect.arrayContaining(required.map(([name]) => name)));
    }
    expect(renderPlan(operation, steps)).toContain("Nothing is done in this mode.");
    expect(world.calls).toEqual([]);
  });

  test(`${operation.name}: an input is refused unless it fits its pattern as a whole`, () => {
    for (const { pattern } of operation.inputs) {
      expect(pattern.source.startsWith("^") && pattern.source.endsWith("$")).toBe(true);
      for (const value of ["a;b", "a b", "$(x)", "a\nb", "--x", "../x", "a/b"])
        expect(pattern.test(value)).toBe(false);
    }
  });
}

const inAnyPhase = [unlock, upgradeWorker, kafkaSetup];
test("every operation but unlock, upgrade-worker and kafka-setup is refused while a failback is open; nothing is called", async () => {
  for (const operation of operations.filter((each) => !inAnyPhase.includes(each))) {
    const world = newWorld();
    const current = { version: 1, environment: "dev", phase: "capturing", failbackId: "fb-1", history: [] };
    await writeJson(world.store, currentKey, current);
    const error = await run(world, operation).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind: "refused", got: "phase capturing (failback fb-1)" });
    expect(world.calls).toEqual([]);
  }
});

test("rotation: a clear-text endpoint is refused before anything is made, with the way to a secret", async () => {
  const world = newWorld();
  world.listedEndpoints = [
    { id: "target", arn: "arn:target", type: "target", engine: "docdb", username: "dms" },
  ];
  const { error } = await run(world, rotateCredentials);
  expect(error).toMatchObject({ kind: "refused", got: "user and password in clear text" });
  expect(String(error)).toContain("set secrets_manager_arn to dev/dms");
  expect(world.calls.filter((call) => /prepare|promote|stop/.test(call))).toEqual([]);
});

test("rotation: a task on its way to another status, or whose checkpoint the oplog has lost, is refused before anything is made", async () => {
  for (const task of [{ status: "modifying" }, { checkpoint: { raw: "x", timestamp: { t: 0, i: 1 } } }]) {
    const world = newWorld();
    world.task = { ...world.task, ...task };
    const { error } = await run(world, rotateCredentials);
    expect(error).toMatchObject({ kind: "refused" });
    expect(world.calls.filter((call) => /prepare|promote|stop/.test(call))).toEqual([]);
  }
});

test("rotation: while tables are being loaded it is refused; one that DMS never loaded is no load", async () => {
  const table = { schema: "shop", table: "orders", fullLoadRows: 1, inserts: 0, updates: 0, deletes: 0 };
  const states = async (...shown: string[]) => {
    const world = newWorld();
    world.tasks.tables = async () => shown.map((state) => ({ ...table, state }));
    const interrupt = new AbortController();
    world.tasks.stop = async () => {
      interrupt.abort(new Error("far enough"));
      return world.task;
    };
    const deps = world.dependencies(interrupt.signal);
    return String((await executeOperation(deps, requestFor(rotateCredentials))).error);
  };
  for (const shown of [
    ["Table completed", "Full load"],
    ["Table is being reloaded"],
    ["Before load", "Before load"],
  ])
    expect(await states(...shown)).toContain("has ended its full load: expected no table being loaded");
  expect(await states("Table completed", "Before load")).toContain("far enough");
});

test("rotation: when DMS can't log in with the new credentials nothing is resumed, and DMS's words are shown", async () => {
  const world = newWorld();
  world.connectionTest = { status: "failed", failure: "Authentication failed" };
  const { error } = await run(world, rotateCredentials);
  expect(error).toMatchObject({ kind: "unavailable", got: "failed: Authentication failed" });
  expect(world.calls).toContain("stop task");
  expect(world.calls.filter((call) => call.startsWith("start task"))).toEqual([]);
});

test("rotation: only tasks that ran are stopped and resumed; one that was paused stays paused", async () => {
  const world = newWorld();
  world.task = { ...world.task, status: "stopped" };
  const report = await run(world, rotateCredentials);
  expect(report.error).toBeUndefined();
  expect(world.calls.filter((call) => / task/.test(call))).toEqual([]);
});

test("tasks that stand still while the source has changes are unknown, never success; with none they are idle", async () => {
  for (const [waiting, kind] of [
    [7, "unknown"],
    [0, undefined],
  ] as const) {
    const world = newWorld();
    world.answers.set("source-position", () => succeeded("c", "source-position", { oplog, waiting }));
    let passed = 0;
    const { sleep } = world.clock;
    Object.assign(world.clock, {
      monotonicMs: () => passed,
      sleep: async (ms: number) => {
        passed += ms;
        await sleep(0);
      },
    });
    const report = await run(world, rotateCredentials);
    expect((report.error as { kind?: string } | undefined)?.kind).toBe(kind as never);
    if (kind) expect(String(report.error)).toContain("MongoDB has 7 changes since 1000:1");
  }
});

test("a task never started can't be resumed, and is told where to go; one that is rolled over can't either", async () => {
  const world = newWorld();
  world.task = { ...world.task, status: "ready" };
  const never = await run(world, tasksResume);
  expect(never.error).toMatchObject({
    kind: "refused",
    wayOut: expect.stringContaining("run first-start for orders"),
  });
  world.task = { ...world.task, status: "stopped", checkpoint: { raw: "x", timestamp: { t: 0, i: 1 } } };
  const rolled = await run(world, tasksResume, { tasks: "orders" });
  expect(rolled.error).toMatchObject({ kind: "refused", wayOut: expect.stringContaining("Reload the task") });
  expect(world.calls.filter((call) => call.startsWith("start task"))).toEqual([]);
});

test("a task that tasks.yaml doesn't want running stays as it is", async () => {
  const world = newWorld();
  world.task = { ...world.task, status: "stopped" };
  const request = requestFor(tasksResume);
  const declared = { ...request.declared, defaults: { running: false } };
  const report = await executeOperation(world.dependencies(), { ...request, declared });
  expect(report.succeeded).toBe(true);
  expect(world.calls.filter((call) => call.startsWith("start task"))).toEqual([]);
});

test("tasks are chosen by their ids; one that isn't published is refused by name", async () => {
  const world = newWorld();
  const { error } = await run(world, tasksPause, { tasks: "orders,billing" });
  expect(error).toMatchObject({ kind: "usage", what: "choose the DMS tasks billing" });
  expect(world.calls).toEqual([]);
  await run(world, tasksPause, { tasks: "orders" });
  expect(world.calls).toEqual(["stop task"]);
});

test("an environment without tasks stops and starts none of the account's", async () => {
  for (const operation of [tasksPause, tasksResume, rotateCredentials]) {
    const world = newWorld();
    const deps = world.dependencies();
    const environment = { ...deps.environment, replicationTasks: [] };
    const report = await executeOperation({ ...deps, environment }, requestFor(operation));
    expect(report.error).toBeUndefined();
    expect(world.calls.filter((call) => / task/.test(call))).toEqual([]);
  }
});

test("removal is refused without a rotation on record, and while an endpoint names the old user in clear text", async () => {
  const world = newWorld();
  expect((await run(world, removeOldUser)).error).toMatchObject({
    kind: "refused",
    got: "no rotation on record",
  });
  const record: PromotionRecord = {
    version: 1,
    account: "replication",
    secret: "dev/dms",
    versionId: "v2",
    username: "dms_b",
    previousUsername: "dms",
    oldUsername: "dms",
    operationId: "o",
    promotedAt: new Date(Date.now() - 60_000).toISOString(),
  };
  await writeJson(world.store, promotionKey("replication"), record);
  world.listedEndpoints.push({
    id: "other",
    arn: "arn:other",
    type: "target",
    engine: "docdb",
    username: "dms",
  });
  expect((await run(world, removeOldUser)).error).toMatchObject({
    what: "no endpoint names dms",
    got: "other",
  });
  world.listedEndpoints.pop();
  expect(world.calls.filter((call) => call.includes("remove-old-user"))).toEqual([]);
  expect((await run(world, removeOldUser)).error).toBeUndefined();
  expect(world.calls).toContain("send roundtrip-dev-remove-old-user");
});

test("a rotation that was given up is not gone on with: the next one begins anew", async () => {
  const world = newWorld();
  world.task = { ...world.task, status: "stopped" };
  world.answers.set("prepare-credentials", () => ({
    commandId: "c",
    status: "failed",
    exitCode: 5,
    stdout: "",
    stderr: "denied",
  }));
  const first = await run(world, rotateCredentials);
  expect(first.succeeded).toBe(false);
  await run(world, abandonRotation);
  world.answers.delete("prepare-credentials");
  const second = await run(world, rotateCredentials);
  expect(second.operationId).not.toBe(first.operationId!);
  expect(second.steps.some(({ state }) => state === "done before")).toBe(false);
});
