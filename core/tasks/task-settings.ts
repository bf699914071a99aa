import type { ResolvedSettings } from "./effective.ts";

/** The part of DMS's task settings that tasks.yaml decides, as its API takes it. */
export interface DmsTaskSettings {
  readonly TargetMetadata: Readonly<Record<string, boolean | number>>;
  readonly FullLoadSettings: Readonly<Record<string, string | number | boolean>>;
}

/**
 * DMS task settings of an environment. Changes are applied by one thread: parallel apply can stall or meet duplicate
 * keys on DocumentDB where a collection has secondary unique indexes.
 */
export function dmsTaskSettings(settings: ResolvedSettings): DmsTaskSettings {
  const { lob, fullLoad, targetPreparation } = settings;
  const limited = lob.mode === "limited";
  return {
    TargetMetadata: {
      SupportLobs: true,
      FullLobMode: !limited,
      LobChunkSize: limited ? 0 : (lob.chunkKilobytes ?? 64),
      LimitedSizeLobMode: limited,
      LobMaxSize: limited ? (lob.maxKilobytes ?? 0) : 0,
      BatchApplyEnabled: false,
      ParallelApplyThreads: 0,
    },
    FullLoadSettings: {
      TargetTablePrepMode: targetPreparation === "drop-tables" ? "DROP_AND_CREATE" : "DO_NOTHING",
      MaxFullLoadSubTasks: fullLoad.parallelCollections,
      CommitRate: fullLoad.commitRate,
      StopTaskCachedChangesApplied: false,
      StopTaskCachedChangesNotApplied: false,
    },
  };
}
