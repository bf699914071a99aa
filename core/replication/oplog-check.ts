import type { Check } from "../failback/documents.ts";
import { checkpointCheck } from "../failback/identity.ts";
import { compareTimes } from "../failback/recorded-tasks.ts";
import type { OperationTime, ReplicationTask } from "../ports.ts";

/** What a MongoDB's oplog holds. */
export interface OplogWindow {
  readonly first: OperationTime;
  readonly last: OperationTime;
}

const reload =
  "DMS can't go on from there: its changes since are lost to it. Reload the task in DMS (reload-target loads every collection anew), or seed it anew through apply";

/**
 * DMS can go on from where a task stands: its checkpoint is still in the oplog. DMS does not promise the form of its
 * checkpoint; where it is not recognised the task's stop stands in for it, and a task that runs is taken at its word.
 */
export function canResumeCheck(task: ReplicationTask, oplog: OplogWindow): Check {
  const stopped = task.stoppedAt ? Math.floor(task.stoppedAt.getTime() / 1000) : undefined;
  const known = task.checkpoint?.timestamp;
  if (!known && task.status === "running") {
    const hours = ((oplog.last.t - oplog.first.t) / 3600).toFixed(1);
    return {
      name: `checkpoint of DMS task ${task.id} in the oplog`,
      ok: true,
      expected: "in the oplog, as far as can be known",
      got: `it runs; DMS gives no time for it; the oplog holds ${hours} h`,
    };
  }
  // A task that runs reads on behind what the oplog was seen to end with, and one on an idle source stands at the tick
  // behind its newest entry: only the oplog's beginning can be past these.
  const isAtEnd = known && (task.status === "running" || known.t === oplog.last.t);
  const last = isAtEnd && compareTimes(known, oplog.last) > 0 ? known : oplog.last;
  const timestamp = known ?? (stopped === undefined ? undefined : { t: stopped, i: 0 });
  const raw = task.checkpoint?.raw ?? "";
  const checkpoint = timestamp ? { raw, timestamp } : task.checkpoint;
  const found = checkpointCheck(
    { id: task.id, ...(checkpoint ? { checkpoint } : {}) },
    { oplog: { ...oplog, last } },
  );
  if (found.ok) return found;
  // A stop of this second may lie before the oplog's newest entry by the clock, and after it by its time.
  if (!known && stopped !== undefined && stopped >= oplog.last.t)
    return { ...found, ok: true, got: "its stop lies behind the oplog's newest entry" };
  return { ...found, wayOut: reload };
}
