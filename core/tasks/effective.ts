import type { EnvironmentName, FullLoadSettings, LobSettings, Task, TaskSettings, Tasks } from "./model.ts";
import { endpointOf } from "./names.ts";

/** A task's settings with nothing left open. */
export interface ResolvedSettings {
  readonly targetPreparation: "do-nothing" | "drop-tables";
  readonly lob: LobSettings;
  readonly fullLoad: Required<FullLoadSettings>;
  /** 1 loads each collection in one piece. */
  readonly partitions: number;
}

/** What one environment gets of a task. */
export interface EffectiveTask {
  readonly endpoint: string;
  readonly owners: readonly string[];
  readonly running: boolean;
  readonly settings: ResolvedSettings;
}

/**
 * Full LOB mode, because limited mode cuts documents and says so only in DMS's log; do-nothing, because dropping
 * loses indexes.
 */
const defaultSettings: ResolvedSettings = {
  targetPreparation: "do-nothing",
  lob: { mode: "full", chunkKilobytes: 64 },
  fullLoad: { parallelCollections: 8, commitRate: 10_000 },
  partitions: 1,
};

/** A task as an environment has it: defaults, then the task's own, then the environment's, key by key. */
export function effectiveTask(tasks: Tasks, task: Task, environment: EnvironmentName): EffectiveTask {
  const override = task.environments?.[environment];
  const merged: TaskSettings = {
    ...tasks.defaults?.settings,
    ...task.settings,
    ...override?.settings,
  };
  return {
    endpoint: endpointOf(tasks, task.database),
    owners: task.owners ?? tasks.defaults?.owners ?? [],
    running: override?.running ?? task.running ?? tasks.defaults?.running ?? true,
    settings: resolve(merged),
  };
}

function resolve(settings: TaskSettings): ResolvedSettings {
  return {
    targetPreparation: settings.targetPreparation ?? defaultSettings.targetPreparation,
    lob: resolveLob(settings.lob ?? defaultSettings.lob),
    fullLoad: { ...defaultSettings.fullLoad, ...settings.fullLoad },
    partitions: settings.parallelLoad?.partitions ?? defaultSettings.partitions,
  };
}

function resolveLob(lob: LobSettings): LobSettings {
  return lob.mode === "full"
    ? { mode: "full", chunkKilobytes: lob.chunkKilobytes ?? 64 }
    : { mode: "limited", ...(lob.maxKilobytes === undefined ? {} : { maxKilobytes: lob.maxKilobytes }) };
}
