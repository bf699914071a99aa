import { listed } from "../plan/words.ts";
import { effectiveTask } from "../tasks/effective.ts";
import type { TaskSettings } from "../tasks/model.ts";
import { type DmsTaskSettings, dmsTaskSettings } from "../tasks/task-settings.ts";

type Json = Readonly<Record<string, unknown>>;

export interface ReadSettings {
  /** What tasks.yaml can say of them, without what is its default anyway. */
  readonly settings: TaskSettings;
  /** What DMS has otherwise than tasks.yaml will say, in words; undefined where there is nothing. */
  readonly rest: string | undefined;
  /** As Terraform may give them back: without the keys its provider refuses. */
  readonly inDms: Json;
}

/** Reads `replication_task_settings` of a state. */
export function readSettings(settings: Json): ReadSettings {
  const target = group(settings.TargetMetadata);
  const load = group(settings.FullLoadSettings);
  const found: TaskSettings = { ...lobOf(target), ...fullLoadOf(load) };
  const said = dmsTaskSettings(
    effectiveTask(
      { version: 1, tasks: [] },
      { id: "", database: "", collections: [], settings: found },
      "prod",
    ).settings,
  );
  return { settings: found, rest: otherwise(said, settings), inDms: withoutReadOnly(settings) };
}

/** Keys DMS has with another value. One it doesn't show has DMS's own. */
function otherwise(said: DmsTaskSettings, has: Json): string | undefined {
  const differing = Object.entries(said).flatMap(([name, values]) =>
    Object.entries(values as Json)
      .map(([key, value]) => ({ key: `${name}.${key}`, value, found: group(has[name])[key] }))
      .filter(({ value, found }) => found !== undefined && found !== null && found !== value)
      .map(
        ({ key, value, found }) => `${key} ${JSON.stringify(found)} (tasks.yaml: ${JSON.stringify(value)})`,
      ),
  );
  return differing.length > 0 ? listed(differing) : undefined;
}

function lobOf({ SupportLobs, FullLobMode, LobMaxSize, LobChunkSize }: Json): TaskSettings {
  if (SupportLobs === false) return {};
  if (FullLobMode === false && within(LobMaxSize, 1, 102_400))
    return { lob: { mode: "limited", maxKilobytes: LobMaxSize } };
  if (FullLobMode === true && within(LobChunkSize, 1, 63))
    return { lob: { mode: "full", chunkKilobytes: LobChunkSize } };
  return {};
}

function fullLoadOf({ MaxFullLoadSubTasks, CommitRate }: Json): TaskSettings {
  const fullLoad = {
    ...(within(MaxFullLoadSubTasks, 1, 49) && MaxFullLoadSubTasks !== 8
      ? { parallelCollections: MaxFullLoadSubTasks }
      : {}),
    ...(within(CommitRate, 1, 50_000) && CommitRate !== 10_000 ? { commitRate: CommitRate } : {}),
  };
  return Object.keys(fullLoad).length > 0 ? { fullLoad } : {};
}

/** DMS adds these and the provider refuses or drops them (internal/service/dms/task_settings_json.go). */
function withoutReadOnly(settings: Json): Json {
  const {
    CloudWatchLogGroup: _group,
    CloudWatchLogStream: _stream,
    EnableLogContext: _context,
    ...logging
  } = group(settings.Logging);
  const { historyTimeslotInMinutes: _minutes, ...control } = group(settings.ControlTablesSettings);
  return {
    ...settings,
    ...(isRecord(settings.Logging) ? { Logging: logging } : {}),
    ...(isRecord(settings.ControlTablesSettings) ? { ControlTablesSettings: control } : {}),
  };
}

function within(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most;
}

function group(value: unknown): Json {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
