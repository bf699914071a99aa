/** Looking at a DMS task until it has come somewhere. */
import { RoundtripError } from "../../../core/errors.ts";
import { listed } from "../../../core/plan/words.ts";
import type { ReplicationTask, TableStatistics } from "../../../core/ports.ts";
import { isLoaded } from "../../../core/replication/loaded.ts";
import type { OperationContext } from "../../engine/runbook.ts";

const pollMsFirst = 250;
const pollMsMost = 15_000;
const stoppingSeconds = 300;
/** Statuses a task that is loading can be seen in. */
const atWork = new Set(["running", "starting"]);

/** Looks at the wanted collections of a task until `done` gives something. A task that ends meanwhile is told truly. */
export async function watchTables<T>(
  context: OperationContext,
  wanted: { readonly id: string; readonly database: string },
  seconds: number,
  expected: string,
  done: (tables: TableStatistics[]) => T | undefined,
): Promise<T> {
  const end = context.clock.monotonicMs() + seconds * 1000;
  let interval = pollMsFirst;
  for (;;) {
    const [task] = await context.tasks.describe([wanted.id]);
    if (!task || !atWork.has(task.status)) throw await ended(context, wanted.id, task);
    const tables = (await context.tasks.tables(wanted.id)).filter(({ schema }) => schema === wanted.database);
    const result = done(tables);
    if (result !== undefined) return result;
    if (context.clock.monotonicMs() > end)
      throw new RoundtripError({
        kind: "unknown",
        what: `wait for DMS task ${wanted.id}`,
        expected: `${expected} within ${seconds} s`,
        got:
          listed(
            tables.filter((table) => !isLoaded(table)).map(({ table, state }) => `${table}: ${state}`),
          ) || "none of them listed",
        wayOut: "DMS goes on; running this again goes on waiting",
      });
    await context.clock.sleep(interval, context.signal);
    interval = Math.min(interval * 1.5, pollMsMost);
  }
}

/**
 * A task that should run and doesn't: its status, DMS's reason and its last failure, as DMS gives them. A task that is
 * just stopping has no reason yet: it is waited for, a while.
 */
export async function ended(
  context: OperationContext,
  id: string,
  found: ReplicationTask | undefined,
): Promise<RoundtripError> {
  let task = found;
  const end = context.clock.monotonicMs() + stoppingSeconds * 1000;
  while (task?.status === "stopping" && context.clock.monotonicMs() < end) {
    await context.clock.sleep(pollMsFirst, context.signal);
    [task] = await context.tasks.describe([id]);
  }
  const got = task
    ? [
        `status ${task.status}`,
        task.stopReason ? `stop reason ${task.stopReason}` : "no stop reason",
        task.lastFailure ? `last failure: ${task.lastFailure}` : "no failure message",
      ].join(", ")
    : "no task of that name";
  return new RoundtripError({
    kind: "unavailable",
    what: `DMS task ${id} ended during the apply`,
    expected: "it running, as tasks.yaml says",
    got,
    wayOut:
      "mend what the reason names (endpoints, credentials, oplog, disk), then run this again: it goes on",
  });
}
