/** What DMS answers, as the product's own types, and the errors its tasks give rise to. */
import type {
  TableStatistics as DescribedTable,
  ReplicationTask as DescribedTask,
} from "@aws-sdk/client-database-migration-service";
import { RoundtripError } from "../../core/errors.ts";
import type { LiveTable, LiveTask } from "../../core/live/live-state.ts";
import type { OperationTime, ReplicationTask, TableStatistics } from "../../core/ports.ts";

/** A listing that goes on longer than this is DMS repeating its markers. */
export const listingPagesMax = 1000;

/**
 * What DMS says of where a task would go on. DMS doesn't document the text; the source's time is read from it only
 * where it stands as `checkpoint:V1#<n>#<seconds>:<increment>#…`. Anything else stays opaque.
 */
function checkpointOf(raw: string | undefined): ReplicationTask["checkpoint"] {
  if (raw === undefined || raw === "") return undefined;
  const found = /^checkpoint:V1#\d+#(\d{9,10}):(\d{1,10})(?:#|$)/.exec(raw);
  if (!found) return { raw };
  const timestamp: OperationTime = { t: Number(found[1]), i: Number(found[2]) };
  return timestamp.t > 0xffffffff || timestamp.i > 0xffffffff ? { raw } : { raw, timestamp };
}

/** A task as the product sees it. */
export function readTask(task: DescribedTask): ReplicationTask {
  const checkpoint = checkpointOf(task.RecoveryCheckpoint);
  const stopReason = task.StopReason?.replace(/^Stop Reason /, "");
  const stoppedAt = task.ReplicationTaskStats?.StopDate;
  return {
    id: task.ReplicationTaskIdentifier ?? "",
    arn: task.ReplicationTaskArn ?? "",
    status: task.Status ?? "unknown",
    ...(stopReason ? { stopReason } : {}),
    ...(task.LastFailureMessage ? { lastFailure: task.LastFailureMessage } : {}),
    ...(checkpoint ? { checkpoint } : {}),
    ...(stoppedAt ? { stoppedAt } : {}),
  };
}

export function readTable(table: DescribedTable): TableStatistics {
  return {
    schema: table.SchemaName ?? "",
    table: table.TableName ?? "",
    state: table.TableState ?? "unknown",
    fullLoadRows: table.FullLoadRows ?? 0,
    inserts: table.Inserts ?? 0,
    updates: table.Updates ?? 0,
    deletes: table.Deletes ?? 0,
  };
}

/** A table with how long its full load took; DMS leaves the times out where there was none. */
export function readLiveTable(table: DescribedTable): LiveTable {
  const [start, end] = [table.FullLoadStartTime, table.FullLoadEndTime];
  const ms = start && end ? end.getTime() - start.getTime() : 0;
  return {
    ...readTable(table),
    ...(ms > 0 ? { fullLoadMs: ms } : {}),
    ...(start ? { fullLoadStartedAt: start.toISOString() } : {}),
  };
}

/** A task with what it was made of. */
export function readLiveTask(task: DescribedTask, tables: readonly LiveTable[]): LiveTask {
  const { StartDate: started, FreshStartDate: fresh } = task.ReplicationTaskStats ?? {};
  return {
    ...readTask(task),
    tables,
    mappings: parsed(task.TableMappings),
    settings: parsed(task.ReplicationTaskSettings),
    sourceEndpointArn: task.SourceEndpointArn ?? "",
    targetEndpointArn: task.TargetEndpointArn ?? "",
    replicationInstanceArn: task.ReplicationInstanceArn ?? "",
    ...(started ? { startedAt: started.toISOString() } : {}),
    ...(fresh ? { freshlyStartedAt: fresh.toISOString() } : {}),
  };
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return text;
  }
}

/** A task as a message names it: status, why it stopped, its last failure. */
export function wordsOf(task: ReplicationTask): string {
  return [task.status, task.stopReason, task.lastFailure].filter((part) => part).join("; ");
}

export function endless(what: string): RoundtripError {
  return new RoundtripError({
    kind: "unavailable",
    what,
    expected: `an end within ${listingPagesMax} pages`,
    got: "ever more markers",
    wayOut: "run it again; if it stays so, DMS is at fault",
  });
}

export function startFailed(what: string, task: ReplicationTask): RoundtripError {
  return new RoundtripError({
    kind: "unavailable",
    what,
    expected: "the task running",
    got: wordsOf(task),
    wayOut: "mend what the failure names (endpoints, credentials, oplog), then run it again",
  });
}

export function refusedStart(what: string, message: string, cause: unknown): RoundtripError {
  return new RoundtripError(
    {
      kind: "refused",
      what,
      expected:
        "DMS to allow it: start-replication the first time only, resume-processing or reload-target later",
      got: message,
      wayOut: "choose the start type by the task's history; wait for a passing status to end",
    },
    { cause },
  );
}
