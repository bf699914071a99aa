/** RTO and RPO of a failback, as far as a runbook can tell them, against what the environment wants. Pure. */
import type { CurrentFailback, Settings } from "./documents.ts";
import type { Phase } from "./phase.ts";

export interface Objective {
  readonly name: "RTO" | "RPO";
  /** From what to what, in words. */
  readonly what: string;
  /** Absent: nobody knows, which is no success. */
  readonly measuredMs?: number;
  readonly maxMs: number;
}

/** What was seen; each is absent when nothing says it. Times are ISO 8601. */
export interface Observed {
  readonly history: CurrentFailback["history"];
  /** The scope's: when this failback began. */
  readonly openedAt?: string;
  readonly now: string;
  /** From writing the canary to finding it in the log. */
  readonly canaryMs?: number;
  /** How far capture was behind at its newest manifest. */
  readonly captureLagMs?: number;
  readonly mongodbReopenedAt?: string;
}

/** The objectives that this runbook's end decides; none for a runbook that decides none. */
export function objectivesOf(
  runbook: string,
  seen: Observed,
  { rtoSecondsMax, rpoSecondsMax }: Pick<Settings, "rtoSecondsMax" | "rpoSecondsMax">,
): Objective[] {
  const rto = (what: string, from: string | undefined, to: string | undefined): Objective => ({
    name: "RTO",
    what,
    ...between(from, to),
    maxMs: rtoSecondsMax * 1000,
  });
  const rpo = (what: string, measuredMs: number | undefined): Objective => ({
    name: "RPO",
    what,
    ...(measuredMs === undefined ? {} : { measuredMs }),
    maxMs: rpoSecondsMax * 1000,
  });
  const readOnlyFrom = lastEntry(seen.history, "draining");
  if (runbook === "failback-start")
    return [
      rto("from the start until the applications could write to DocumentDB", seen.openedAt, seen.now),
      rpo("from a write on DocumentDB until it was safe in S3", seen.canaryMs),
    ];
  if (runbook === "failback-restore")
    return [
      rto("nobody can write since the drain; ends with failback-clean", readOnlyFrom, seen.now),
      rpo("how far capture was behind the newest write", seen.captureLagMs),
    ];
  if (runbook === "failback-clean")
    return [
      rto("nobody could write, from the drain until MongoDB was open", readOnlyFrom, seen.mongodbReopenedAt),
    ];
  return [];
}

/** Of a restore of a backup: how long it took, and how much the oplog's archive lacked when it was previewed. */
export function restoreObjectives(
  seen: { readonly seconds?: number; readonly lagSeconds?: number },
  { rtoSecondsMax, rpoSecondsMax }: Pick<Settings, "rtoSecondsMax" | "rpoSecondsMax">,
): Objective[] {
  if (seen.seconds === undefined) return [];
  const measured = (seconds: number | undefined) =>
    seconds === undefined ? {} : { measuredMs: seconds * 1000 };
  return [
    {
      name: "RTO",
      what: "from the first change to the last check of what was restored",
      ...measured(seen.seconds),
      maxMs: rtoSecondsMax * 1000,
    },
    {
      name: "RPO",
      what: "how far the oplog's archive was behind MongoDB when it was previewed",
      ...measured(seen.lagSeconds),
      maxMs: rpoSecondsMax * 1000,
    },
  ];
}

function between(from: string | undefined, to: string | undefined): { measuredMs?: number } {
  if (from === undefined || to === undefined) return {};
  const measuredMs = Date.parse(to) - Date.parse(from);
  // Two machines' clocks: one that says it ended before it began says nothing.
  return measuredMs >= 0 ? { measuredMs } : {};
}

function lastEntry(history: Observed["history"], phase: Phase): string | undefined {
  return history.findLast((entry) => entry.phase === phase)?.at;
}

/** `850 ms`, `12.3 s`, `4 min 5 s`, `2 h 10 min`, `1 h`. */
export function durationWords(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  const parts = hours > 0 ? [`${hours} h`, `${minutes} min`] : [`${minutes} min`, `${seconds % 60} s`];
  return parts.filter((part) => !part.startsWith("0 ")).join(" ");
}
