/** Replication tasks: creating, describing, changing, deleting. */
import { alreadyExists, invalidState, invalidValue, notFound } from "../faults.ts";
import {
  filtered,
  hasFilters,
  type Input,
  identifier,
  optionalNumber,
  optionalText,
  page,
  randomArn,
  text,
} from "../input.ts";
import type { MigrationType, Task, TaskStatus } from "../model.ts";
import { MappingError, parseMappings } from "../movement/mappings.ts";
import { settingsOf } from "../movement/settings.ts";
import type { Dms } from "../service.ts";
import { existingEndpoint } from "./endpoints.ts";
import { existingInstance } from "./instances.ts";
import { saveTags } from "./tags.ts";

const migrationTypes = new Set(["full-load", "cdc", "full-load-and-cdc"]);

export function existingTask(dms: Dms, arn: string): Task {
  const task = dms.store.get("task", arn);
  if (!task) throw notFound(`Replication Task ${arn} not found.`);
  return task;
}

function date(milliseconds: number | undefined): Date | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds);
}

function statistics(dms: Dms, task: Task): object {
  const states = dms.store.tables(task.arn).map(({ state }) => state);
  const count = (...wanted: string[]) => states.filter((state) => wanted.includes(state)).length;
  const loaded = count("Table completed");
  const total = states.length - count("Table does not exist");
  const end = task.stoppedAt ?? dms.context.now().getTime();
  return {
    FullLoadProgressPercent:
      total === 0 || !task.loadPending
        ? task.startedAt === undefined
          ? 0
          : 100
        : Math.floor((100 * loaded) / total),
    ElapsedTimeMillis: task.freshStartAt === undefined ? 0 : end - task.freshStartAt,
    TablesLoaded: loaded,
    TablesLoading: count("Full load", "Table is being reloaded"),
    TablesQueued: count("Before load"),
    TablesErrored: count("Table error", "Table cancelled"),
    FreshStartDate: date(task.freshStartAt),
    StartDate: date(task.startedAt),
    StopDate: date(task.stoppedAt),
    FullLoadStartDate: date(task.loadStartedAt),
    FullLoadFinishDate: date(task.loadFinishedAt),
  };
}

/** The stand-in's own text: DMS doesn't document its checkpoints' form. */
function checkpoint(dms: Dms, task: Task): string | undefined {
  const progress = dms.store.get("progress", task.arn);
  return progress && `checkpoint:V1#1#${progress.seconds}:${progress.increment}#0#0#*#0#0`;
}

export function describeTask(dms: Dms, task: Task, withoutSettings = false): object {
  return {
    ReplicationTaskIdentifier: task.id,
    SourceEndpointArn: task.sourceArn,
    TargetEndpointArn: task.targetArn,
    ReplicationInstanceArn: task.instanceArn,
    MigrationType: task.migrationType,
    ...(withoutSettings ? {} : { TableMappings: task.mappings, ReplicationTaskSettings: task.settings }),
    Status: task.status,
    LastFailureMessage: task.failure,
    StopReason: task.stopReason,
    ReplicationTaskCreationDate: new Date(task.createdAt),
    ReplicationTaskStartDate: date(task.startedAt),
    CdcStartPosition: task.cdcStartPosition,
    CdcStopPosition: task.cdcStopPosition,
    RecoveryCheckpoint: checkpoint(dms, task),
    ReplicationTaskArn: task.arn,
    ReplicationTaskStats: statistics(dms, task),
    TaskData: task.taskData,
  };
}

/** Mappings and settings as given, after checking that the stand-in can carry them out. */
function checked<Text extends string | undefined>(
  name: "TableMappings" | "ReplicationTaskSettings",
  value: Text,
): Text {
  if (value === undefined) return value;
  try {
    if (name === "TableMappings") parseMappings(value);
    else settingsOf(value);
  } catch (cause) {
    if (cause instanceof MappingError || cause instanceof Error)
      throw invalidValue(`Invalid ${name}: ${cause.message}`);
    throw cause;
  }
  return value;
}

const defaultSettings = JSON.stringify({
  TargetMetadata: {
    SupportLobs: true,
    FullLobMode: false,
    LobChunkSize: 64,
    LimitedSizeLobMode: true,
    LobMaxSize: 32,
  },
  FullLoadSettings: { TargetTablePrepMode: "DROP_AND_CREATE", MaxFullLoadSubTasks: 8, CommitRate: 10000 },
  Logging: { EnableLogging: false },
  ChangeProcessingDdlHandlingPolicy: {
    HandleSourceTableDropped: true,
    HandleSourceTableTruncated: true,
    HandleSourceTableAltered: true,
  },
});

function settle(dms: Dms, arn: string, passing: TaskStatus, settled: TaskStatus): void {
  dms.later(() => {
    dms.store.updateTask(arn, (task) => {
      if (task.status === passing) task.status = settled;
    });
  });
}

function createReplicationTask(dms: Dms, input: Input): object {
  const id = identifier(input, "ReplicationTaskIdentifier");
  if (dms.store.all("task").some((each) => each.id === id))
    throw alreadyExists(`Replication Task ${id} already exists.`);
  const source = existingEndpoint(dms, text(input, "SourceEndpointArn"));
  const target = existingEndpoint(dms, text(input, "TargetEndpointArn"));
  if (source.type !== "source" || target.type !== "target")
    throw invalidValue("The source must be a source endpoint and the target a target endpoint.");
  const instance = existingInstance(dms, text(input, "ReplicationInstanceArn"));
  if (instance.status !== "available")
    throw invalidState(`Replication instance ${instance.id} is ${instance.status}, expected available.`);
  const migrationType = text(input, "MigrationType");
  if (!migrationTypes.has(migrationType))
    throw invalidValue(`MigrationType: expected full-load, cdc or full-load-and-cdc, got ${migrationType}.`);
  const arn = randomArn(dms.context, "task");
  const cdcStartPosition = optionalText(input, "CdcStartPosition");
  const cdcStartTime = optionalNumber(input, "CdcStartTime");
  const task: Task = {
    arn,
    id,
    sourceArn: source.arn,
    targetArn: target.arn,
    instanceArn: instance.arn,
    migrationType: migrationType as MigrationType,
    mappings: checked("TableMappings", text(input, "TableMappings")),
    settings:
      checked("ReplicationTaskSettings", optionalText(input, "ReplicationTaskSettings")) ?? defaultSettings,
    status: "creating",
    createdAt: dms.context.now().getTime(),
    loadPending: migrationType !== "cdc",
    ...(cdcStartPosition === undefined ? {} : { cdcStartPosition }),
    ...(cdcStartTime === undefined ? {} : { cdcStartTime: cdcStartTime * 1000 }),
  };
  dms.store.put("task", arn, task);
  saveTags(dms, arn, input);
  settle(dms, arn, "creating", "ready");
  return { ReplicationTask: describeTask(dms, task) };
}

/** Only a task that doesn't run can be changed; endpoints never, and the type only in name. */
function modifyReplicationTask(dms: Dms, input: Input): object {
  const task = existingTask(dms, text(input, "ReplicationTaskArn"));
  if (!["ready", "stopped", "failed"].includes(task.status)) {
    throw invalidState(
      `Replication task ${task.id} is ${task.status}: it can be modified only when it is ready, stopped or failed.`,
    );
  }
  const migrationType = optionalText(input, "MigrationType");
  if (migrationType !== undefined && migrationType !== task.migrationType) {
    throw invalidValue(
      `The migration type of ${task.id} can't be changed from ${task.migrationType} to ${migrationType}.`,
    );
  }
  const id = optionalText(input, "ReplicationTaskIdentifier")?.toLowerCase();
  if (id !== undefined && id !== task.id) throw invalidValue("The stand-in doesn't rename tasks.");
  const settled = task.status;
  task.mappings = checked("TableMappings", optionalText(input, "TableMappings")) ?? task.mappings;
  task.settings =
    checked("ReplicationTaskSettings", optionalText(input, "ReplicationTaskSettings")) ?? task.settings;
  const position = optionalText(input, "CdcStartPosition");
  if (position !== undefined) task.cdcStartPosition = position;
  task.status = "modifying";
  dms.store.put("task", task.arn, task);
  settle(dms, task.arn, "modifying", settled === "failed" ? "stopped" : settled);
  return { ReplicationTask: describeTask(dms, task) };
}

function deleteReplicationTask(dms: Dms, input: Input): object {
  const task = existingTask(dms, text(input, "ReplicationTaskArn"));
  if (!["ready", "stopped", "failed"].includes(task.status)) {
    throw invalidState(`Replication Task ${task.id} is ${task.status}: it cannot be deleted.`);
  }
  task.status = "deleting";
  dms.store.put("task", task.arn, task);
  dms.later(() => forgetTask(dms, task.arn));
  return { ReplicationTask: describeTask(dms, task) };
}

/** The checkpoint goes with the task. */
export function forgetTask(dms: Dms, arn: string): void {
  dms.store.transaction(() => {
    for (const kind of ["task", "progress", "knobs", "tags"] as const) dms.store.delete(kind, arn);
    dms.store.deleteTables(arn);
  });
}

function describeReplicationTasks(dms: Dms, input: Input): object {
  const all = dms.store.all("task");
  const endpointValues = (task: Task) => [task.sourceArn, task.targetArn];
  const wantedEndpoints = ((input.Filters ?? []) as { Name: string; Values: string[] }[]).filter(
    ({ Name }) => Name === "endpoint-arn",
  );
  const byEndpoint = all.filter((task) =>
    wantedEndpoints.every(({ Values }) => endpointValues(task).some((arn) => Values.includes(arn))),
  );
  const others = ((input.Filters ?? []) as { Name: string }[]).filter(({ Name }) => Name !== "endpoint-arn");
  const found = filtered({ ...input, Filters: others }, byEndpoint, {
    "replication-task-arn": (each) => each.arn,
    "replication-task-id": (each) => each.id,
    "migration-type": (each) => each.migrationType,
    "replication-instance-arn": (each) => each.instanceArn,
  });
  if (hasFilters(input) && found.length === 0) throw notFound("No Tasks found matching provided filters");
  const { items, Marker } = page(input, found);
  return {
    ReplicationTasks: items.map((each) => describeTask(dms, each, input.WithoutSettings === true)),
    Marker,
  };
}

export const taskOperations = {
  CreateReplicationTask: createReplicationTask,
  ModifyReplicationTask: modifyReplicationTask,
  DeleteReplicationTask: deleteReplicationTask,
  DescribeReplicationTasks: describeReplicationTasks,
};
