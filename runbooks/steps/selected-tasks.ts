/** DMS tasks as the operations of normal times handle them: chosen, recorded, stopped, resumed, seen moving. */
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { isPrecondition } from "../../adapters/store-error.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Check } from "../../core/failback/documents.ts";
import { failureOfChecks } from "../../core/failback/failed-checks.ts";
import { operationKeys } from "../../core/operations/layout.ts";
import type { ReplicationTask } from "../../core/ports.ts";
import { canResumeCheck, type OplogWindow } from "../../core/replication/oplog-check.ts";
import {
  isResting,
  selectTasks,
  taskInWords,
  taskSelectionPattern,
} from "../../core/replication/task-selection.ts";
import type { OperationContext, RunbookInput, Step } from "../engine/runbook.ts";

export type OperationStep = Step<OperationContext>;

/** How far a task has come, as DMS counts. */
export interface TaskPosition {
  readonly id: string;
  readonly arn: string;
  readonly status: string;
  readonly checkpoint?: ReplicationTask["checkpoint"];
  /** Inserts, updates and deletes of all its tables. */
  readonly changes: number;
  readonly fullLoadRows: number;
  /** DMS is loading tables in full, or about to. */
  readonly isLoading: boolean;
}

export const tasksInput: RunbookInput = {
  name: "tasks",
  description: "all, or ids of DMS tasks with commas between",
  pattern: taskSelectionPattern,
  default: "all",
};

/** The tasks this run is about. An operation without the input is about all of them. */
export function chosenTasks({ environment, inputs }: OperationContext) {
  return selectTasks(environment.replicationTasks, inputs.tasks ?? "all");
}

/** Those tasks as DMS shows them now. Fails `configuration` naming one that isn't there. */
export async function describeChosen(context: OperationContext): Promise<ReplicationTask[]> {
  const wanted = chosenTasks(context);
  // Asked for no task at all, DMS would show every task of the account.
  if (wanted.length === 0) return [];
  const found = await context.tasks.describe(wanted.map(({ arn }) => arn));
  const missing = wanted.filter(({ arn }) => !found.some((task) => task.arn === arn));
  if (missing.length === 0) return found;
  throw new RoundtripError({
    kind: "configuration",
    what: `find the DMS tasks of environment ${context.environment.environment}`,
    expected: wanted.map(({ id }) => id).join(", "),
    got: `no ${missing.map(({ id, arn }) => `${id} (${arn})`).join(", ")}`,
    wayOut: "run apply, so that the published environment names the tasks that exist",
  });
}

const loadingStates = new Set(["Full load", "Table is being reloaded"]);

/** A table that came to the mappings of a task that had run stays at `Before load` without anybody loading it. */
function isLoading(states: readonly string[]): boolean {
  const isFirstLoad = states.length > 0 && states.every((state) => state === "Before load");
  return isFirstLoad || states.some((state) => loadingStates.has(state));
}

export async function positionOf(context: OperationContext, task: ReplicationTask): Promise<TaskPosition> {
  const tables = await context.tasks.tables(task.arn);
  const { id, arn, status, checkpoint } = task;
  return {
    id,
    arn,
    status,
    ...(checkpoint ? { checkpoint } : {}),
    changes: tables.reduce((sum, { inserts, updates, deletes }) => sum + inserts + updates + deletes, 0),
    fullLoadRows: tables.reduce((sum, { fullLoadRows }) => sum + fullLoadRows, 0),
    isLoading: isLoading(tables.map(({ state }) => state)),
  };
}

/** Throws `refused` for the checks that do not hold, all in one message; gives them when all hold. */
export function required(checks: readonly Check[]): readonly Check[] {
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.length === 0) return checks;
  throw new RoundtripError({ kind: "refused", ...failureOfChecks(failed) });
}

/** No task is on its way from one status to another. */
export function restingChecks(tasks: readonly ReplicationTask[]): Check[] {
  return tasks.map((task) => ({
    name: `DMS task ${task.id} is at rest`,
    ok: isResting(task),
    expected: "running, stopped, failed or ready",
    got: taskInWords(task),
    wayOut: "wait until DMS has finished what it is doing with the task, then run this again",
  }));
}

/** The oplog as an earlier step `check-source` saw it. */
function oplogOf(context: OperationContext): OplogWindow {
  const oplog = context.data("check-source")?.oplog as OplogWindow | undefined;
  if (oplog) return oplog;
  throw new Error("step check-source left no oplog");
}

export function resumeChecks(context: OperationContext, tasks: readonly ReplicationTask[]): Check[] {
  const oplog = oplogOf(context);
  return tasks.map((task) => canResumeCheck(task, oplog));
}

export function describeCalls(context: OperationContext) {
  const arns = chosenTasks(context).map(({ arn }) => arn);
  return [{ call: "DMS DescribeReplicationTasks", target: arns.join(",") }];
}

interface RecordedRunning {
  readonly running: readonly { readonly id: string; readonly arn: string }[];
}

function recordKey({ operationId }: OperationContext): string {
  return `${operationKeys(operationId).root}running-tasks.json`;
}

/** Keeps which tasks ran when the operation began; the first record stays, whatever a later try finds stopped. */
export async function recordRunning(
  context: OperationContext,
  tasks: readonly ReplicationTask[],
): Promise<readonly { readonly id: string; readonly arn: string }[]> {
  const running = tasks.filter(({ status }) => status === "running").map(({ id, arn }) => ({ id, arn }));
  const record: RecordedRunning = { running };
  try {
    await writeJson(context.store, recordKey(context), record, { ifNoneMatch: true });
  } catch (error) {
    if (!isPrecondition(error)) throw error;
  }
  return recordedRunning(context);
}

/** The tasks that ran when the operation began. */
export async function recordedRunning(
  context: OperationContext,
): Promise<readonly { readonly id: string; readonly arn: string }[]> {
  const found = await readJson<RecordedRunning>(context.store, recordKey(context));
  if (found) return found.value.running;
  throw new Error(`${recordKey(context)} is gone: the bucket was changed by hand`);
}
