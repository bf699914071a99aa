import type { Environment } from "../failback/documents.ts";
import type { LiveCollection, LiveSide, LiveState, LiveTask, LiveUser } from "../live/live-state.ts";
import { effectiveTask } from "../tasks/effective.ts";
import { tableMappings } from "../tasks/mappings.ts";
import type { EnvironmentName, Tasks } from "../tasks/model.ts";
import { dmsTaskSettings } from "../tasks/task-settings.ts";

type Read = Extract<LiveSide, { reachable: true }>;

/** An environment that stands exactly as `tasks` says, for tests that then change one thing behind its back. */
export function standingAs(
  tasks: Tasks,
  name: EnvironmentName,
): LiveState & { mongodb: Read; documentdb: Read } {
  const users: LiveUser[] = [
    { name: "application", roles: [{ role: "readAnyDatabase", db: "admin" }] },
    {
      name: "dms",
      roles: [...new Set(tasks.tasks.map(({ database }) => database))].map((db) => ({
        role: "readWrite",
        db,
      })),
    },
    { name: "operator", roles: [{ role: "root", db: "admin" }] },
  ];
  return {
    environment: name,
    takenAt: "2026-11-21T00:00:00.000Z",
    dms: { reachable: true, tasks: tasks.tasks.map(({ id }) => standingTask(tasks, id, name)) },
    mongodb: sideOf(tasks, []),
    documentdb: sideOf(tasks, users),
  };
}

function standingTask(tasks: Tasks, id: string, name: EnvironmentName): LiveTask {
  const task = tasks.tasks.find((each) => each.id === id)!;
  const { settings, running } = effectiveTask(tasks, task, name);
  return {
    id,
    arn: `arn:${id}`,
    status: running ? "running" : "stopped",
    tables: task.collections.map((collection) => ({
      schema: task.database,
      table: collection.name,
      state: "Table completed",
      fullLoadRows: 1000,
      inserts: 0,
      updates: 0,
      deletes: 0,
      fullLoadMs: 60_000,
    })),
    mappings: tableMappings(task, settings.partitions),
    settings: { ...dmsTaskSettings(settings), Logging: { EnableLogging: true } },
    sourceEndpointArn: "arn:source",
    targetEndpointArn: `arn:target:${task.database}`,
    replicationInstanceArn: "arn:instance",
  };
}

function sideOf(tasks: Tasks, users: readonly LiveUser[]): Read {
  const databases = new Map<string, LiveCollection[]>();
  for (const { database, collections } of tasks.tasks)
    databases.set(database, [
      ...(databases.get(database) ?? []),
      ...collections.map(({ name }) => ({ name, documents: 1000, bytes: 1_000_000, indexes: ["_id_"] })),
    ]);
  return {
    reachable: true,
    version: "5.0.0",
    databases: [...databases].map(([name, collections]) => ({ name, collections })),
    users,
  };
}

/** The environment's document that goes with it. */
export function publishedAs(tasks: Tasks, name: EnvironmentName): Environment {
  return {
    version: 1,
    environment: name,
    region: "eu-west-1",
    bucket: "bucket",
    instanceId: "i-1",
    documentPrefix: `roundtrip-${name}`,
    documentdb: {
      secret: "documentdb-secret",
      changeStreamRetentionSeconds: 10_800,
      applicationUsers: [{ name: "application", secret: "application-secret" }],
      replicationUser: { name: "dms", secret: "dms-secret" },
      otherWriters: [],
      administrators: ["operator"],
    },
    mongodb: { secret: "mongodb-secret" },
    replicationTasks: tasks.tasks.map(({ id }) => ({ id, arn: `arn:${id}` })),
  };
}
