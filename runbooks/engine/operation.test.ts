import { expect, test } from "bun:test";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { currentKey } from "../../core/failback/layout.ts";
import { openOperationKey, operationKeys } from "../../core/operations/layout.ts";
import { failbackStart } from "../failback-start/runbook.ts";
import { actionStep } from "../steps/action-step.ts";
import { executeRunbook } from "./execute.ts";
import { FakeWorld } from "./fake-world.ts";
import {
  executeOperation,
  type OpenOperation,
  type OperationRequest,
  operationPlanContext,
} from "./operation.ts";
import { planOf } from "./plan.ts";
import type { Operation, OperationContext, Step } from "./runbook.ts";
import { renderSummary } from "./summary.ts";
import { renderText } from "./summary-text.ts";

function step(name: string, run: () => Promise<void> = async () => {}): Step<OperationContext> {
  return {
    name,
    what: `does ${name}`,
    undo: "nothing to undo",
    plan: () => [],
    run: async () => run().then(() => ({ note: name })),
  };
}

function operationOf(steps: readonly Step<OperationContext>[]): Operation {
  return {
    kind: "operation",
    name: "tasks-pause",
    summary: "Pauses tasks.",
    inputs: [],
    steps,
    next: "nothing",
  };
}

function requestFor(operation: Operation, inputs: Record<string, string> = {}): OperationRequest {
  return {
    operation,
    inputs,
    caller: { actor: "ana", commit: "abc" },
    declared: { version: 1, tasks: [{ id: "orders", database: "shop", collections: [{ name: "orders" }] }] },
    leaseSeconds: 0.05,
    actionTimeoutSeconds: () => 1,
  };
}

const pointerOf = async (world: FakeWorld) =>
  (await readJson<OpenOperation>(world.store, openOperationKey("tasks-pause")))?.value;

async function keysIn(world: FakeWorld, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of world.store.list(prefix)) keys.push(key);
  return keys;
}

test("an operation has an id of its own, a journal below it, and is done at its end", async () => {
  const world = new FakeWorld();
  const report = await executeOperation(world.dependencies(), requestFor(operationOf([step("pause")])));
  expect(report.succeeded).toBe(true);
  const id = report.operationId!;
  expect(id).toMatch(/^dev-tasks-pause-\d{8}-\d{6}-[0-9a-f]{4}$/);
  expect(await keysIn(world, operationKeys(id).root)).toEqual([
    `operations/${id}/journal/000001.json`,
    `operations/${id}/journal/000002.json`,
    `operations/${id}/operation.json`,
  ]);
  expect(await pointerOf(world)).toMatchObject({ operationId: id, state: "done", by: { actor: "ana" } });
});

test("a killed run is found again by its inputs and goes on at the step that was not done", async () => {
  const world = new FakeWorld();
  const ran: string[] = [];
  let broken = true;
  const operation = operationOf([
    step("pause", async () => void ran.push("pause")),
    step("look", async () => {
      ran.push("look");
      if (broken) throw new Error("killed here");
    }),
  ]);
  const first = await executeOperation(world.dependencies(), requestFor(operation, { task: "orders" }));
  expect(first.succeeded).toBe(false);
  broken = false;
  const second = await executeOperation(world.dependencies(), requestFor(operation, { task: "orders" }));
  expect(second.succeeded).toBe(true);
  expect(second.operationId).toBe(first.operationId!);
  expect(ran).toEqual(["pause", "look", "look"]);
  expect(world.said.join("\n")).toContain(`going on with ${first.operationId}, begun `);
});

test("a run after the end begins anew, with the same inputs too", async () => {
  const world = new FakeWorld();
  const request = requestFor(operationOf([step("pause")]));
  const first = await executeOperation(world.dependencies(), request);
  const second = await executeOperation(world.dependencies(), request);
  expect(second.operationId).not.toBe(first.operationId!);
  expect((await pointerOf(world))?.supersedes).toBeUndefined();
});

test("a run with other inputs says which unfinished operation it supersedes", async () => {
  const world = new FakeWorld();
  const broken = operationOf([step("pause", async () => Promise.reject(new Error("no")))]);
  const first = await executeOperation(world.dependencies(), requestFor(broken, { task: "orders" }));
  const second = await executeOperation(
    world.dependencies(),
    requestFor(operationOf([step("pause")]), { task: "users" }),
  );
  expect(second.succeeded).toBe(true);
  expect(await pointerOf(world)).toMatchObject({
    operationId: second.operationId!,
    supersedes: first.operationId!,
  });
  expect(world.said.join("\n")).toContain(
    `${first.operationId} was never finished and had other inputs: this run supersedes it`,
  );
});

test("an operation is refused while a failback is open, and changes nothing", async () => {
  const world = new FakeWorld();
  await writeJson(world.store, currentKey, {
    version: 1,
    environment: "dev",
    phase: "capturing",
    failbackId: "fb-1",
    history: [],
  });
  const run = executeOperation(world.dependencies(), requestFor(operationOf([step("pause")])));
  await expect(run).rejects.toThrow(
    "run tasks-pause: expected phase normal, got phase capturing (failback fb-1). Way out: the legal next step is failback-restore",
  );
  expect(await keysIn(world, "operations/")).toEqual([]);
});

test("a failback can't be opened while an operation holds the environment", async () => {
  const world = new FakeWorld();
  let refusal: unknown;
  const operation = operationOf([
    step("pause", async () => {
      const inputs = Object.fromEntries(
        failbackStart.inputs.map(({ name, default: value = "" }) => [name, value]),
      );
      refusal = await executeRunbook(world.dependencies(), {
        ...requestFor(operation),
        runbook: failbackStart,
        inputs,
      }).catch((error) => error);
    }),
  ]);
  expect((await executeOperation(world.dependencies(), requestFor(operation))).succeeded).toBe(true);
  expect(String(refusal)).toContain("is running tasks-pause");
});

test("actions go to the operations host; where there is none, to the failback host; failbackId is no parameter", async () => {
  const inspect = actionStep<OperationContext>({
    name: "inspect",
    what: "look",
    undo: "nothing was changed",
    action: "inspect",
  });
  const operation = operationOf([inspect]);
  const world = new FakeWorld();
  const deps = world.dependencies();
  const sent: string[] = [];
  const commands = {
    ...deps.commands,
    send: async (instance: string, document: string, parameters: Readonly<Record<string, string>>) => {
      sent.push(`${instance} ${JSON.stringify(parameters)}`);
      return deps.commands.send(instance, document, parameters);
    },
  };
  await executeOperation({ ...deps, commands }, requestFor(operation));
  const environment = { ...deps.environment, operationsInstanceId: "i-2" };
  await executeOperation({ ...deps, commands, environment }, requestFor(operation));
  expect(sent).toEqual(["i-1 {}", "i-2 {}"]);
  const planned = planOf(
    operation,
    await operationPlanContext({ ...deps, environment }, requestFor(operation)),
  );
  expect(planned[0]?.calls).toEqual([{ call: "SSM roundtrip-dev-inspect", target: "i-2", parameters: {} }]);
});

test("a plan of an operation writes nothing", async () => {
  const world = new FakeWorld();
  await operationPlanContext(world.dependencies(), requestFor(operationOf([step("pause")])));
  expect(await keysIn(world, "")).toEqual([]);
});

test("when the end can't be recorded the run has failed; the next one only records it", async () => {
  const world = new FakeWorld();
  const deps = world.dependencies();
  const put = world.store.put.bind(world.store);
  let refuse = true;
  world.store.put = async (key, body, options) => {
    if (refuse && new TextDecoder().decode(body).includes('"state": "done"')) throw new Error("no bucket");
    return put(key, body, options);
  };
  let runs = 0;
  const request = requestFor(operationOf([step("pause", async () => void runs++)]));
  const first = await executeOperation(deps, request);
  expect(first.succeeded).toBe(false);
  refuse = false;
  const second = await executeOperation(deps, request);
  expect([second.succeeded, second.operationId, runs]).toEqual([true, first.operationId!, 1]);
  expect((await pointerOf(world))?.state).toBe("done");
});

test("the summary speaks of the operation", async () => {
  const world = new FakeWorld();
  const operation = operationOf([step("pause", async () => Promise.reject(new Error("no answer")))]);
  const report = await executeOperation(world.dependencies(), requestFor(operation));
  const summary = renderSummary(operation, report, "normal");
  expect(summary.split("\n").slice(0, 3)).toEqual([
    "## ❌ tasks-pause stopped at step pause",
    "",
    `Operation \`${report.operationId}\`, phase **normal**.`,
  ]);
  expect(summary).toContain("**Next**: mend what is named above and run tasks-pause again");
  expect(renderText(operation, report, "normal")).toContain(
    `  operation  ${report.operationId}, phase normal`,
  );
});
