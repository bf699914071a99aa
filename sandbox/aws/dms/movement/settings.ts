/** The task settings that change what the stand-in does. Absent settings have DMS's defaults. */
import type { PrepareMode } from "./full-load.ts";

export interface MovementSettings {
  readonly prepareMode: PrepareMode;
  readonly handleDrops: boolean;
  readonly stopAfterLoad: boolean;
}

interface TaskSettings {
  FullLoadSettings?: {
    TargetTablePrepMode?: string;
    StopTaskCachedChangesApplied?: boolean;
    StopTaskCachedChangesNotApplied?: boolean;
  };
  ChangeProcessingDdlHandlingPolicy?: { HandleSourceTableDropped?: boolean };
}

/** @throws Error for text that isn't JSON, or a preparation mode a DocumentDB target doesn't have */
export function settingsOf(text: string): MovementSettings {
  const settings = JSON.parse(text === "" ? "{}" : text) as TaskSettings;
  const mode = settings.FullLoadSettings?.TargetTablePrepMode ?? "DROP_AND_CREATE";
  if (mode !== "DO_NOTHING" && mode !== "DROP_AND_CREATE") {
    throw new Error(
      `TargetTablePrepMode: expected DO_NOTHING or DROP_AND_CREATE for DocumentDB, got ${mode}`,
    );
  }
  const load = settings.FullLoadSettings;
  return {
    prepareMode: mode,
    handleDrops: settings.ChangeProcessingDdlHandlingPolicy?.HandleSourceTableDropped ?? true,
    stopAfterLoad: Boolean(load?.StopTaskCachedChangesApplied || load?.StopTaskCachedChangesNotApplied),
  };
}
