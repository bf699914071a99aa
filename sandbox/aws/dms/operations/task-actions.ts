/** Starting, stopping and reloading; table statistics. */
import { invalidCombination, invalidState, invalidValue } from "../faults.ts";
import { filtered, type Input, optionalNumber, optionalText, page, text } from "../input.ts";
import type { StartType, TableRow, Task } from "../model.ts";
import type { Dms } from "../service.ts";
import { existingInstance } from "./instances.ts";
import { describeTask, existingTask } from "./tasks.ts";

const MAX_RELOADED_TABLES = 10;

function checkStartType(task: Task, type: string): asserts type is StartType {
  const name = type.toUpperCase().replaceAll("-", "_");
  if (type !== "start-replication" && type !== "resume-processing" && type !== "reload-target") {
    throw invalidValue(
      `StartReplicationTaskType: expected start-replication, resume-processing or reload-target, got ${type}.`,
    );
  }
  if (type === "start-replication" && task.startedAt !== undefined) {
    throw invalidCombination(`Start Type : ${name}, valid only for tasks running for the first time`);
  }
  if (type !== "start-replication" && task.startedAt === undefined) {
    throw invalidCombination(`Start Type : ${name}, not valid for tasks that have never been started`);
  }
  if (type === "reload-target" && task.migrationType === "cdc") {
    throw invalidCombination(`Start Type : ${name}, not valid for tasks that only replicate changes`);
  }
  if (type === "resume-processing" && task.migrationType === "full-load" && !task.loadPending) {
    throw invalidCombination(`Start Type : ${name}, not valid for a full load that has finished`);
  }
}

/** Forgets what an earlier run did: everything is loaded again, and changes are read from now on. */
function prepareReload(dms: Dms, task: Task): void {
  dms.store.deleteTables(task.arn);
  dms.store.delete("progress", task.arn);
  task.loadPending = true;
  delete task.loadFinishedAt;
}

function checkConnections(dms: Dms, task: Task): void {
  const failed = dms.store
    .all("connection")
    .find(
      (each) =>
        each.instanceArn === task.instanceArn &&
        each.status === "failed" &&
        [task.sourceArn, task.targetArn].includes(each.endpointArn),
    );
  if (failed) {
    throw invalidState(
      "Test connection for replication instance and endpoint should be successful for starting the replication task",
    );
  }
}

function startReplicationTask(dms: Dms, input: Input): object {
  const task = existingTask(dms, text(input, "ReplicationTaskArn"));
  const type = text(input, "StartReplicationTaskType");
  if (!["ready", "stopped", "failed"].includes(task.status)) {
    throw invalidState(`Replication Task cannot be started, invalid state: ${task.status}`);
  }
  checkStartType(task, type);
  const instance = existingInstance(dms, task.instanceArn);
  if (instance.status !== "available")
    throw invalidState(`Replication instance ${instance.id} is ${instance.status}, expected available.`);
  checkConnections(dms, task);
  const position = optionalText(input, "CdcStartPosition");
  if (position !== undefined) task.cdcStartPosition = position;
  const time = optionalNumber(input, "CdcStartTime");
  if (time !== undefined) task.cdcStartTime = time * 1000;
  if (position !== undefined || time !== undefined) dms.store.delete("progress", task.arn);
  if (type === "reload-target") prepareReload(dms, task);
  const now = dms.context.now().getTime();
  task.startedAt = now;
  task.freshStartAt = type === "resume-processing" ? (task.freshStartAt ?? now) : now;
  if (task.loadPending) task.loadStartedAt = now;
  task.startType = type;
  task.status = "starting";
  delete task.stopReason;
  delete task.stoppedAt;
  delete task.failure;
  dms.store.put("task", task.arn, task);
  dms.later(() => {
    const started = dms.store.updateTask(task.arn, (each) => {
      if (each.status === "starting") each.status = "running";
    });
    if (started?.status === "running") dms.movement.start(started);
  });
  return { ReplicationTask: describeTask(dms, task) };
}

function stopReplicationTask(dms: Dms, input: Input): object {
  const task = existingTask(dms, text(input, "ReplicationTaskArn"));
  if (task.status !== "running")
    throw invalidState(
      `Replication Task ${task.id} is ${task.status}, it is not running and cannot be stopped.`,
    );
  task.status = "stopping";
  dms.store.put("task", task.arn, task);
  dms.later(() => {
    const runner = dms.movement.runner(task.arn);
    if (runner) runner.stop();
    else {
      dms.store.updateTask(task.arn, (each) => {
        if (each.status !== "stopping") return;
        each.status = "stopped";
        each.stopReason = "Stop Reason NORMAL";
        each.stoppedAt = Date.now();
      });
    }
  });
  return { ReplicationTask: describeTask(dms, task) };
}

interface TableToReload {
  readonly SchemaName?: string;
  readonly TableName?: string;
}

function reloadTables(dms: Dms, input: Input): object {
  const task = existingTask(dms, text(input, "ReplicationTaskArn"));
  const asked = (input.TablesToReload ?? []) as readonly TableToReload[];
  if (asked.length === 0) throw invalidValue("TablesToReload must name at least one table.");
  if (asked.length > MAX_RELOADED_TABLES)
    throw invalidValue(
      `TablesToReload: at most ${MAX_RELOADED_TABLES} tables at a time, got ${asked.length}.`,
    );
  const runner = dms.movement.runner(task.arn);
  if (task.status !== "running" || !runner)
    throw invalidState(
      `Replication Task ${task.id} is ${task.status}: tables are reloaded only while it runs.`,
    );
  const known = new Set(dms.store.tables(task.arn).map(({ schema, table }) => `${schema}.${table}`));
  const tables = asked.map(({ SchemaName, TableName }) => ({
    schema: SchemaName ?? "",
    table: TableName ?? "",
  }));
  const unknown = tables.find(({ schema, table }) => !known.has(`${schema}.${table}`));
  if (unknown)
    throw invalidValue(`The table ${unknown.schema}.${unknown.table} is not part of the task ${task.id}.`);
  runner.reload(tables);
  return { ReplicationTaskArn: task.arn };
}

function describeTable(row: TableRow): object {
  const date = (milliseconds: number | undefined) =>
    milliseconds === undefined ? undefined : new Date(milliseconds);
  return {
    SchemaName: row.schema,
    TableName: row.table,
    Inserts: row.inserts,
    Deletes: row.deletes,
    Updates: row.updates,
    Ddls: row.ddls,
    AppliedInserts: row.appliedInserts,
    AppliedDeletes: row.appliedDeletes,
    AppliedUpdates: row.appliedUpdates,
    AppliedDdls: row.appliedDdls,
    FullLoadRows: row.fullLoadRows,
    FullLoadCondtnlChkFailedRows: 0,
    FullLoadErrorRows: 0,
    FullLoadStartTime: date(row.fullLoadStartedAt),
    FullLoadEndTime: date(row.fullLoadEndedAt),
    FullLoadReloaded: row.fullLoadReloaded,
    LastUpdateTime: date(row.updatedAt),
    TableState: row.state,
    ValidationPendingRecords: 0,
    ValidationFailedRecords: 0,
    ValidationSuspendedRecords: 0,
    ValidationState: "Not enabled",
  };
}

function describeTableStatistics(dms: Dms, input: Input): object {
  const task = existingTask(dms, text(input, "ReplicationTaskArn"));
  const found = filtered(input, dms.store.tables(task.arn), {
    "schema-name": (each) => each.schema,
    "table-name": (each) => each.table,
    "table-state": (each) => each.state,
  });
  const { items, Marker } = page(input, found, { least: 20, most: 500, usual: 100 });
  return { ReplicationTaskArn: task.arn, TableStatistics: items.map(describeTable), Marker };
}

export const taskActions = {
  StartReplicationTask: startReplicationTask,
  StopReplicationTask: stopReplicationTask,
  ReloadTables: reloadTables,
  DescribeTableStatistics: describeTableStatistics,
};
