import type { LiveTask } from "../live/live-state.ts";
import { counted, listed } from "../plan/words.ts";
import { isBroken } from "../replication/loaded.ts";
import { effectiveTask } from "../tasks/effective.ts";
import { tableMappings } from "../tasks/mappings.ts";
import type { EnvironmentName, Task, Tasks } from "../tasks/model.ts";
import { dmsTaskSettings } from "../tasks/task-settings.ts";
import type { Finding } from "./model.ts";
import { mappingsDifference, settingsDifference } from "./task-difference.ts";

/** Statuses that DMS passes through by itself. */
const passing = new Set(["creating", "starting", "modifying", "moving", "testing"]);

interface DmsCircumstances {
  readonly standsStill: boolean;
  /** ARNs to identifiers; without it endpoints aren't looked at. */
  readonly endpoints?: ReadonlyMap<string, string> | undefined;
}

/**
 * How DMS's tasks differ from those of `tasks`. `standsStill`: a failback is open, in which every task is stopped on
 * purpose, so nothing is said about running.
 */
export function taskFindings(
  tasks: Tasks,
  environment: EnvironmentName,
  live: readonly LiveTask[],
  { standsStill, endpoints }: DmsCircumstances,
): Finding[] {
  const byId = new Map(live.map((task) => [task.id, task]));
  const declared = new Set(tasks.tasks.map(({ id }) => id));
  return [
    ...tasks.tasks.flatMap((task) => {
      const found = byId.get(task.id);
      if (!found) return [missing(task)];
      return [
        ...ofTask(tasks, task, environment, found, standsStill),
        ...endpointFindings(effectiveTask(tasks, task, environment).endpoint, found, endpoints),
      ];
    }),
    ...live.filter(({ id }) => !declared.has(id)).map(extra),
  ];
}

function ofTask(
  tasks: Tasks,
  task: Task,
  environment: EnvironmentName,
  live: LiveTask,
  standsStill: boolean,
): Finding[] {
  const { settings, running } = effectiveTask(tasks, task, environment);
  const findings: Finding[] = [];
  const add = (kind: Finding["kind"], expected: string, got: string, fix: string) =>
    findings.push({ area: "dms", kind, what: `DMS task ${task.id}`, expected, got, fix });
  // Apply refuses a task that is neither as before nor as planned: it would not know what it undoes.
  const bringBack =
    "roundtrip runbook tasks-pause, terraform apply (the stack sets it back), roundtrip runbook tasks-resume; or merge what was changed into tasks.yaml";
  const mappings = mappingsDifference(tableMappings(task, settings.partitions), live.mappings);
  if (mappings)
    add(
      "task-mappings",
      `mappings of ${counted(task.collections.length, "collection")}: ${listed(task.collections.map(({ name }) => name))}`,
      mappings,
      bringBack,
    );
  const different = settingsDifference(dmsTaskSettings(settings), live.settings);
  if (different) add("task-settings", "settings as tasks.yaml says", different, bringBack);
  if (!standsStill) findings.push(...runFindings(task.id, running, live));
  const failed = live.tables.filter(isBroken);
  if (failed.length > 0)
    add(
      "table-failed",
      "every collection loaded and followed",
      listed(failed.map(({ schema, table, state }) => `${schema}.${table}: ${state}`)),
      "read the task's log for the cause, mend it, then reload just these tables in DMS",
    );
  return findings;
}

function endpointFindings(
  expected: string,
  live: LiveTask,
  endpoints: ReadonlyMap<string, string> | undefined,
): Finding[] {
  const got = endpoints?.get(live.targetEndpointArn);
  if (!endpoints || got === expected) return [];
  return [
    {
      area: "dms",
      kind: "task-endpoint",
      what: `DMS task ${live.id}`,
      expected: `target endpoint ${expected}`,
      got: got === undefined ? "an endpoint that DMS doesn't list" : got,
      fix: "a DMS task can't change its endpoint: delete it in DMS, then roundtrip apply creates it and loads in full; or name the endpoint under targetEndpoints in tasks.yaml",
    },
  ];
}

function runFindings(id: string, wanted: boolean, live: LiveTask): Finding[] {
  const what = `DMS task ${id}`;
  if (passing.has(live.status)) return [];
  if (wanted && live.status !== "running")
    return [
      {
        area: "dms",
        kind: "task-stopped",
        what,
        expected: "running",
        got: [live.status, live.stopReason, live.lastFailure].filter(Boolean).join("; "),
        fix: "mend what the reason names, then start it with roundtrip runbook tasks-resume; stopped for longer than MongoDB's oplog reaches back it has to be loaded again",
      },
    ];
  if (!wanted && live.status === "running")
    return [
      {
        area: "dms",
        kind: "task-running",
        what,
        expected: "stopped, as tasks.yaml says running: false",
        got: "running",
        fix: "pause it with roundtrip runbook tasks-pause, or say running: true in tasks.yaml",
      },
    ];
  return [];
}

function missing(task: Task): Finding {
  return {
    area: "dms",
    kind: "task-missing",
    what: `DMS task ${task.id}`,
    expected: `a task that replicates ${counted(task.collections.length, "collection")} of ${task.database}`,
    got: "no task of that name",
    fix: "roundtrip apply creates it again; its checkpoint is gone, so its collections are loaded in full",
  };
}

function extra(task: LiveTask): Finding {
  return {
    area: "dms",
    kind: "task-extra",
    what: `DMS task ${task.id}`,
    expected: "no task on this replication instance or these endpoints that tasks.yaml doesn't have",
    got: task.status,
    fix: "add it to tasks.yaml (roundtrip adopt takes over what exists), or stop and delete it in DMS",
  };
}
