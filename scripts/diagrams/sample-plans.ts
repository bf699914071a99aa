/** Every procedure's plan in one sample environment: what the diagrams are drawn from. */
import { writeJson } from "../../adapters/state/json.ts";
import { currentKey, keysOf } from "../../core/failback/layout.ts";
import { applyOperation } from "../../runbooks/apply/runbook.ts";
import { FakeApply } from "../../runbooks/apply/testing.ts";
import { operations, runbooks } from "../../runbooks/catalog.ts";
import { planContext } from "../../runbooks/engine/execute.ts";
import { FakeWorld } from "../../runbooks/engine/fake-world.ts";
import { operationPlanContext } from "../../runbooks/engine/operation.ts";
import { type PlannedStep, planOf } from "../../runbooks/engine/plan.ts";
import type { Operation, Runbook, RunbookInput } from "../../runbooks/engine/runbook.ts";

const failbackId = "dev-20260101-000000-0000";
/** For inputs without a default. */
const samples: Readonly<Record<string, string>> = {
  change: "user-and-password",
  user: "shop",
  "old-username": "dms",
  schedule: "*/5 * * * *",
};
const tasksFile = (collections: string) =>
  `version: 1\ntasks:\n  - {id: shop, database: shop, collections: [${collections}]}\n`;

export interface SamplePlan {
  /** Where its page is, from the repository's root. */
  readonly page: string;
  readonly steps: readonly PlannedStep[];
  /** Of the failback or operation, which stands in names. */
  readonly id: string;
}

export async function samplePlans(): Promise<SamplePlan[]> {
  const plans: SamplePlan[] = [await applyPlan()];
  for (const procedure of [...runbooks, ...operations]) {
    const page = `runbooks/${procedure.name}/README.md`;
    plans.push({ page, ...(await planned(procedure)) });
  }
  return plans;
}

function requestOf(inputs: readonly RunbookInput[]) {
  return {
    inputs: Object.fromEntries(
      inputs.map(({ name, default: value }) => [name, value ?? samples[name] ?? "sample"]),
    ),
    caller: { actor: "ana", commit: "abc" },
    declared: {
      version: 1 as const,
      tasks: [{ id: "orders", database: "shop", collections: [{ name: "orders" }] }],
    },
    leaseSeconds: 1,
    actionTimeoutSeconds: () => 1,
  };
}

async function planned(procedure: Runbook | Operation): Promise<Omit<SamplePlan, "page">> {
  const world = new FakeWorld();
  const deps = world.dependencies();
  const request = requestOf(procedure.inputs);
  if (procedure.kind === "operation") {
    const context = await operationPlanContext(deps, { ...request, operation: procedure });
    return { id: context.operationId, steps: planOf(procedure, context) };
  }
  const [phase = "normal"] = procedure.phases;
  if (!procedure.opens) {
    const current = { version: 1, environment: "dev", phase, failbackId, history: [] };
    await writeJson(world.store, currentKey, current);
    await writeJson(world.store, keysOf(failbackId).scope, { version: 1, failbackId, databases: [] });
  }
  const context = await planContext(deps, { ...request, runbook: procedure });
  return { id: context.failbackId, steps: planOf(procedure, context) };
}

/** One collection is added to a task. */
async function applyPlan(): Promise<SamplePlan> {
  const apply = new FakeApply(tasksFile("orders"), tasksFile("orders, notes"));
  const operation = applyOperation(await apply.proposal(), {} as never, { accept: [] });
  const context = await operationPlanContext(apply.fake.dependencies(), { ...requestOf([]), operation });
  return { page: "docs/apply.md", id: context.operationId, steps: planOf(operation, context) };
}
