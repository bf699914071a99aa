import { type Calendar, parseCalendar } from "./calendar.ts";
import type { SettingsReader } from "./settings.ts";
import { parseTimeSpanMs } from "./time-span.ts";

export interface TimerSettings {
  readonly unit: string;
  readonly calendars: readonly Calendar[];
  readonly onActiveMs: readonly number[];
  readonly onBootMs: readonly number[];
  readonly onUnitActiveMs: readonly number[];
  readonly onUnitInactiveMs: readonly number[];
  readonly persistent: boolean;
}

/** Reads [Timer] (systemd.timer(5)); throws an Error when it names no moment. */
export function readTimerSettings(reader: SettingsReader, name: string): TimerSettings {
  const spans = (key: string): number[] => reader.list("Timer", key).map(parseTimeSpanMs);
  const settings: TimerSettings = {
    unit: reader.last("Timer", "Unit") ?? name.replace(/\.timer$/, ".service"),
    calendars: reader.list("Timer", "OnCalendar").map(parseCalendar),
    onActiveMs: spans("OnActiveSec"),
    onBootMs: [...spans("OnBootSec"), ...spans("OnStartupSec")],
    onUnitActiveMs: spans("OnUnitActiveSec"),
    onUnitInactiveMs: spans("OnUnitInactiveSec"),
    persistent: reader.flag("Timer", "Persistent"),
  };
  const moments = [
    settings.calendars,
    settings.onActiveMs,
    settings.onBootMs,
    settings.onUnitActiveMs,
    settings.onUnitInactiveMs,
  ];
  if (moments.every((list) => list.length === 0))
    throw new Error("Timer unit lacks value setting. Refusing.");
  return settings;
}
