import type { TableStatistics } from "../ports.ts";
import { isBroken, isLoaded } from "./loaded.ts";

/** How far a full load is. */
export interface LoadProgress {
  readonly rows: number;
  /** Documents of the source, as it was counted before the load; undefined when nobody could. */
  readonly total: number | undefined;
  readonly done: readonly TableStatistics[];
  readonly waiting: readonly TableStatistics[];
  /** Tables DMS gave up on. */
  readonly broken: readonly TableStatistics[];
}

/** Sorts a task's tables by how their load goes; a state unknown here is still to be waited for. */
export function loadProgress(tables: readonly TableStatistics[], total: number | undefined): LoadProgress {
  return {
    rows: tables.reduce((sum, { fullLoadRows }) => sum + fullLoadRows, 0),
    total,
    done: tables.filter((table) => isLoaded(table)),
    waiting: tables.filter((table) => !isLoaded(table) && !isBroken(table)),
    broken: tables.filter(isBroken),
  };
}

/** `1,200 of 4,000 rows (30 %), 2 of 5 tables, about 4 min left`. `rowsPerSecond` is measured over the watch so far. */
export function progressInWords(
  { rows, total, done, waiting, broken }: LoadProgress,
  rowsPerSecond: number,
): string {
  const number = (value: number) => value.toLocaleString("en-US");
  const tables = `${done.length} of ${done.length + waiting.length + broken.length} tables`;
  if (total === undefined || total === 0) return `${number(rows)} rows, ${tables}`;
  const percent = Math.min(100, Math.floor((100 * rows) / total));
  const left = Math.max(0, total - rows);
  const eta = rowsPerSecond > 0 && left > 0 ? `, about ${duration(left / rowsPerSecond)} left` : "";
  return `${number(rows)} of ${number(total)} rows (${percent} %), ${tables}${eta}`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** What a table's load came to, for a summary. */
export function tableInWords({ schema, table, state, fullLoadRows }: TableStatistics): string {
  if (state === "Table does not exist") return `${schema}.${table}: not there at the source`;
  return `${schema}.${table}: ${state}, ${fullLoadRows.toLocaleString("en-US")} rows`;
}
