/**
 * Roundtrip's own metrics (R27), reckoned from what services have written into the bucket and not by the services themselves: a run
 * that did not happen, or a host that is gone, shows as an age that grows. Names and thresholds: terraform/modules/monitoring.
 */
import type { BackupManifest, BackupRun, OplogRun } from "../backup/documents.ts";
import { changePercent } from "../backup/size-change.ts";
import type { ServiceStatus } from "../failback/documents.ts";

export interface Metric {
  /** As CloudWatch has it, for instance `BackupAgeSeconds`. */
  readonly name: string;
  readonly value: number;
  readonly unit: "Seconds" | "Percent" | "Count";
  /** What it says, for people who read Prometheus' text. */
  readonly help: string;
}

export interface Observed {
  readonly now: Date;
  /** The newest backup, and the one before it. */
  readonly newest?: BackupManifest;
  readonly before?: BackupManifest;
  /** The last restore of a backup into a scratch server. */
  readonly restoreTest?: BackupRun;
  readonly oplog?: OplogRun;
  /** Of the failback that captures now; absent in normal times. */
  readonly capture?: { readonly status: ServiceStatus; readonly heartbeatSeconds: number };
}

/** What can be said of what was observed; of what was never done nothing, and the alarm on silence rings. */
export function metricsOf(observed: Observed): Metric[] {
  return [...backupMetrics(observed), ...oplogMetrics(observed), ...captureMetrics(observed)];
}

function backupMetrics({ now, newest, before, restoreTest }: Observed): Metric[] {
  const metrics: Metric[] = [];
  if (newest)
    metrics.push({
      name: "BackupAgeSeconds",
      // From its end: with a daily schedule it stays at a day, however long a backup takes.
      value: secondsSince(newest.finishedAt, now),
      unit: "Seconds",
      help: "Since the newest complete backup of MongoDB ended.",
    });
  if (newest && before)
    metrics.push({
      name: "BackupSizeDeltaPercent",
      value: finitePercent(changePercent(newest.archive.bytes, before.archive.bytes)),
      unit: "Percent",
      help: "By how much the newest backup's size differs from the one before, up or down.",
    });
  if (restoreTest?.state === "finished" && restoreTest.finishedAt)
    metrics.push({
      name: "RestoreTestAgeSeconds",
      value: secondsSince(restoreTest.finishedAt, now),
      unit: "Seconds",
      help: "Since a backup was last restored and compared.",
    });
  return metrics;
}

function oplogMetrics({ now, oplog }: Observed): Metric[] {
  if (!oplog) return [];
  return [
    {
      name: "OplogLagSeconds",
      // What was true when it was written, and the silence since then.
      value: oplog.lagSeconds + secondsSince(oplog.at, now),
      unit: "Seconds",
      help: "How far the archive of MongoDB's oplog is behind.",
    },
  ];
}

function captureMetrics({ now, capture }: Observed): Metric[] {
  if (!capture) return [];
  const { detail = {}, updatedAt } = capture.status;
  const silent = secondsSince(updatedAt, now);
  const number = (name: string) => (typeof detail[name] === "number" ? detail[name] : undefined);
  const [lagMs, tokenAge, retention, heartbeatAge] = [
    number("lagMs"),
    number("tokenAgeSeconds"),
    number("retentionSeconds"),
    number("heartbeatAgeSeconds"),
  ];
  const metrics: Metric[] = [];
  if (lagMs !== undefined)
    metrics.push({
      name: "CaptureLagSeconds",
      value: lagMs / 1000 + (silent > reportedEverySeconds ? silent : 0),
      unit: "Seconds",
      help: "How far capture is behind DocumentDB.",
    });
  if (tokenAge !== undefined && retention)
    metrics.push({
      name: "CaptureTokenAgePercent",
      value: ((tokenAge + silent) / retention) * 100,
      unit: "Percent",
      help: "How much of the change stream's retention capture's place has used up: at 100 writes are lost.",
    });
  if (heartbeatAge !== undefined)
    metrics.push({
      name: "CaptureHeartbeatsMissing",
      value: Math.floor((heartbeatAge + silent) / capture.heartbeatSeconds),
      unit: "Count",
      help: "Heartbeats in a row that did not come back through the log.",
    });
  return metrics;
}

/** A status is written every two seconds; one this old says that nobody writes it any more. */
const reportedEverySeconds = 10;

function secondsSince(time: string, now: Date): number {
  return Math.max(0, (now.getTime() - Date.parse(time)) / 1000);
}

/** CloudWatch takes no infinity: from nothing to something is told as a change of all of it. */
function finitePercent(percent: number): number {
  return Number.isFinite(percent) ? Math.abs(percent) : 100;
}

/** Prometheus' text format, for its node exporter's textfile collector: `roundtrip_backup_age_seconds{environment="prod"} 5`. */
export function prometheusText(metrics: readonly Metric[], environment: string): string {
  const lines = metrics.flatMap(({ name, value, help }) => {
    const metric = `roundtrip${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
    return [
      `# HELP ${metric} ${help}`,
      `# TYPE ${metric} gauge`,
      `${metric}{environment="${environment.replace(/["\\\n]/g, "_")}"} ${value}`,
    ];
  });
  return lines.map((line) => `${line}\n`).join("");
}
