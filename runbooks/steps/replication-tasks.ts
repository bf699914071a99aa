import { readApplied } from "../../adapters/live/applied.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { isPrecondition } from "../../adapters/store-error.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Check } from "../../core/failback/documents.ts";
import { failureOfChecks } from "../../core/failback/failed-checks.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { ReplicationTask } from "../../core/ports.ts";
import { isLoaded } from "../../core/replication/loaded.ts";
import type { RunbookContext, Step } from "../engine/runbook.ts";

const stopSeconds = 900;
const stoppedStatuses = ["stopped", "failed", "ready"];

/** What `replication-tasks.json` holds: where DMS stood when the failback began. */
export interface RecordedTasks {
  readonly recordedAt: string;
  readonly tasks: readonly {
    readonly id: string;
    readonly arn: string;
    readonly status: string;
    readonly stopReason?: string;
    readonly checkpoint?: ReplicationTask["checkpoint"];
    readonly stoppedAt?: string;
    readonly tables?: readonly string[];
  }[];
}

function describePlan({ environment }: RunbookContext) {
  const arns = environment.replicationTasks.map((task) => task.arn).join(",");
  return [{ call: "DMS DescribeReplicationTasks", target: arns }];
}

/** invariants.md 1: DMS is stopped. `--input stop-tasks=true` stops what runs; otherwise a running task refuses. */
export const tasksStopped: Step = {
  name: "tasks-stopped",
  what: "see that every DMS task is stopped",
  undo: "failback-resume or failback-abort start them again",
  every: true,
  plan: (context) => [
    ...describePlan(context),
    ...(context.inputs["stop-tasks"] === "true"
      ? context.environment.replicationTasks.map((task) => ({
          call: "DMS StopReplicationTask",
          target: task.arn,
        }))
      : []),
  ],
  run: async (context) => {
    let tasks = await describeAll(context);
    if (context.inputs["stop-tasks"] === "true") {
      const running = tasks.filter(({ status }) => !stoppedStatuses.includes(status));
      for (const { id } of running) context.say(`  stopping DMS task ${id}`);
      await Promise.all(running.map(({ arn }) => context.tasks.stop(arn, stopSeconds)));
      tasks = await describeAll(context);
    }
    const checks = tasks.map(stoppedCheck);
    throwFirst(checks);
    return { checks, note: `${tasks.length} task(s) stopped` };
  },
};

/** invariants.md 6: every table of every task fully loaded, else DocumentDB is no copy to switch to. */
export const tablesLoaded: Step = {
  name: "tables-loaded",
  what: "see that every table of every DMS task was fully loaded",
  undo: "nothing was changed",
  plan: ({ environment }) =>
    environment.replicationTasks.map((task) => ({ call: "DMS DescribeTableStatistics", target: task.arn })),
  run: async (context) => {
    const checks: Check[] = [];
    const { environment, store } = context;
    const renamed = new Set((await readApplied(store, environment.environment))?.document.renamed);
    for (const { id, arn } of environment.replicationTasks) {
      const tables = await context.tasks.tables(arn);
      const behind = tables.filter((table) => !isLoaded(table, renamed));
      checks.push({
        name: `tables of task ${id} loaded`,
        ok: tables.length > 0 && behind.length === 0,
        expected: "every table completed, or not there at the source",
        got: behind.length
          ? behind.map((table) => `${table.schema}.${table.table}: ${table.state}`).join(", ")
          : `${tables.length} completed`,
        wayOut: "let the full load end before switching over, or recover from a backup of MongoDB instead",
      });
    }
    throwFirst(checks);
    return { checks };
  },
};

/** Keeps where DMS stood (its checkpoints) for the tail and for resume; the first record stays. */
export const recordTasks: Step = {
  name: "record-tasks",
  what: "record where each DMS task stopped",
  undo: "nothing to undo: a record",
  plan: (context) => [
    ...describePlan(context),
    ...context.environment.replicationTasks.map(({ arn }) => ({
      call: "DMS DescribeTableStatistics",
      target: arn,
    })),
    { call: "S3 PutObject", target: keysOf(context.failbackId).replicationTasks },
  ],
  run: async (context) => {
    const tasks = await describeAll(context);
    throwFirst(tasks.map(stoppedCheck));
    const tables = await Promise.all(tasks.map(({ arn }) => context.tasks.tables(arn)));
    const recorded: RecordedTasks = {
      recordedAt: context.clock.now().toISOString(),
      tasks: tasks.map((task, index) => ({
        id: task.id,
        arn: task.arn,
        status: task.status,
        ...(task.stopReason ? { stopReason: task.stopReason } : {}),
        ...(task.checkpoint ? { checkpoint: task.checkpoint } : {}),
        ...(task.stoppedAt ? { stoppedAt: task.stoppedAt.toISOString() } : {}),
        tables: tables[index]!.map(({ schema, table }) => `${schema}.${table}`),
      })),
    };
    const key = keysOf(context.failbackId).replicationTasks;
    try {
      await writeJson(context.store, key, recorded, { ifNoneMatch: true });
    } catch (error) {
      if (!isPrecondition(error)) throw error;
    }
    const kept = (await readJson<RecordedTasks>(context.store, key))?.value ?? recorded;
    return { data: { ...kept } };
  },
};

export async function describeAll(context: RunbookContext): Promise<ReplicationTask[]> {
  const wanted = context.environment.replicationTasks;
  if (wanted.length === 0) throw noTasks(context.environment.environment);
  const found = await context.tasks.describe(wanted.map((task) => task.arn));
  const missing = wanted.filter((task) => !found.some(({ arn }) => arn === task.arn));
  if (missing.length === 0) return found;
  throw new RoundtripError({
    kind: "configuration",
    what: `find the DMS tasks of environment ${context.environment.environment}`,
    expected: wanted.map((task) => task.id).join(", "),
    got: `no task ${missing.map((task) => `${task.id} (${task.arn})`).join(", ")}`,
    wayOut: "run apply, so that the published environment names the tasks that exist",
  });
}

/** Asked for no names, DMS would list every task of the account. */
function noTasks(environment: string): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what: `find the DMS tasks of environment ${environment}`,
    expected: "at least one in the published environment",
    got: "none",
    wayOut: "run apply first: it makes the tasks of tasks.yaml and publishes them",
  });
}

function stoppedCheck(task: ReplicationTask): Check {
  return {
    name: `DMS task ${task.id} is stopped`,
    ok: stoppedStatuses.includes(task.status),
    expected: stoppedStatuses.join(", "),
    got: `${task.status}${task.stopReason ? ` (${task.stopReason})` : ""}`,
    wayOut: "pause the task, or run this with --input stop-tasks=true",
  };
}

/** Throws `refused` for the checks that do not hold, all in one message. */
function throwFirst(checks: readonly Check[]): void {
  const failed = checks.filter((check) => !check.ok);
  if (failed.length === 0) return;
  throw new RoundtripError({ kind: "refused", ...failureOfChecks(failed) });
}
