/** Backups as a person reads them at a terminal. */

import { dataBytes } from "../../core/backup/size-change.ts";
import type { RestorableSpan } from "../../core/backup/span.ts";
import { counted } from "../../core/plan/words.ts";
import type { OperationTime } from "../../core/ports.ts";
import type { BackupsReport, FoundBackup, PruneReport } from "./backups-survey.ts";

const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];

function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

function documentsOf({ manifest }: FoundBackup): number {
  return manifest.collections.reduce((sum, { documents }) => sum + documents, 0);
}

function verifiedText({ verification, isWhole }: FoundBackup): string {
  if (!isWhole) return "archive gone";
  if (!verification) return "not verified";
  const levels = verification.levels.map(({ level }) => level).join(", ");
  return `${verification.verdict} (level ${levels})`;
}

/** The last second that is there whole or in part, or that there is the backup alone. */
function throughText({ restorable: { from, through } }: FoundBackup): string {
  return through.t === from.t && through.i === from.i ? "itself" : secondText(through);
}

const secondText = ({ t }: OperationTime) => new Date(t * 1000).toISOString().replace(".000Z", "Z");

/** `roundtrip backups list`. */
export function listText(report: BackupsReport): string {
  const { environment, schedule, scheduleFrom, lastRun, oplogUnknown, backups } = report;
  const rows = backups.map((backup) => {
    const { id, startedAt, finishedAt, archive } = backup.manifest;
    const seconds = Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
    return [
      id,
      `${seconds} s`,
      bytesText(archive.bytes),
      String(documentsOf(backup)),
      throughText(backup),
      verifiedText(backup),
    ];
  });
  const header = ["backup", "took", "archive", "documents", "restores through", "verified"];
  return [
    `${environment}: ${counted(backups.length, "backup")} of MongoDB`,
    `  schedule   ${schedule} (${scheduleFrom})`,
    ...lastRunLines(lastRun),
    ...(oplogUnknown === undefined ? [] : [`  oplog      not known: ${oplogUnknown}`]),
    "",
    ...(rows.length > 0 ? table([header, ...rows]) : ["none yet: roundtrip runbook backup takes one now"]),
    "",
  ].join("\n");
}

function lastRunLines(run: BackupsReport["lastRun"]): string[] {
  if (!run) return ["  last run   none"];
  const { state, startedAt, finishedAt, backupId, error, warnings = [], nextDueAt } = run;
  return [
    `  last run   ${state}, ${finishedAt ?? `begun ${startedAt}`}${backupId ? `: ${backupId}` : ""}`,
    ...(error ? [`             ${error.what}: expected ${error.expected}, got ${error.got}`] : []),
    ...(error ? [`             ${error.wayOut}`] : []),
    ...warnings.map((warning) => `  look       ${warning}`),
    ...(nextDueAt ? [`  next       ${nextDueAt}`] : []),
  ];
}

/** `roundtrip backups describe`. */
export function describeText(backup: FoundBackup): string {
  const { id, environment, source, startedAt, finishedAt, tool, archive, collections, oplog } =
    backup.manifest;
  const rows = collections.map((each) => [
    `${each.database}.${each.name}`,
    String(each.documents),
    bytesText(each.bytes),
  ]);
  return [
    `${id} of ${environment}`,
    `  taken      ${startedAt} to ${finishedAt}`,
    `  stands at  ${oplog.last.t}:${oplog.last.i} (${new Date(oplog.last.t * 1000).toISOString()}), ${counted(oplog.entries, "entry", "entries")} of the oplog in it`,
    `  source     replica set ${source.setName}, ${source.replicaSetId}`,
    `  archive    ${archive.key}`,
    `             ${bytesText(archive.bytes)} (${archive.bytes} bytes), ${archive.compression}, sha256 ${archive.sha256}${backup.isWhole ? "" : "; it is GONE, or has another size"}`,
    `  written by ${tool}`,
    `  data       ${counted(collections.length, "collection")}, ${counted(documentsOf(backup), "document")}, ${bytesText(dataBytes(backup.manifest))} uncompressed`,
    ...restorableLines(backup.restorable),
    ...verificationLines(backup),
    "",
    ...table([["collection", "documents", "uncompressed"], ...rows]),
    "",
  ].join("\n");
}

function restorableLines({ from, through, why }: RestorableSpan): string[] {
  if (why !== undefined) return [`  restores   itself alone: ${why}`];
  return [
    `  restores   from ${secondText(from)} (${from.t}:${from.i}) through ${secondText(through)} (${through.t}:${through.i})`,
  ];
}

function verificationLines({ verification }: FoundBackup): string[] {
  if (!verification) return ["  verified   not yet"];
  return [
    `  verified   ${verification.verdict}, ${verification.finishedAt}`,
    ...verification.levels.flatMap(({ level, verdict, seconds, findings }) => [
      `             level ${level}: ${verdict}, ${Math.round(seconds)} s`,
      ...findings.map((finding) => `               ${finding}`),
    ]),
  ];
}

/** `roundtrip backups prune`. */
export function pruneText({
  environment,
  before,
  pruned,
  remove,
  spared,
  leftovers,
  bytes,
}: PruneReport): string {
  const verb = pruned ? "deleted" : "would be deleted";
  const going = remove.length + leftovers.length;
  return [
    `${environment}: of what was begun before ${before}, ${counted(going, "folder")} ${verb}, ${bytesText(bytes)}`,
    ...remove.map((id) => `  - ${id}`),
    ...leftovers.map((id) => `  - ${id}: left by a run that was killed, never a backup`),
    ...spared.map(({ id, why }) => `  stays ${id}: ${why}`),
    ...(pruned || going === 0 ? [] : ["Nothing was deleted: add --yes to do it."]),
    "",
  ].join("\n");
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) =>
        at === 0 ? cell.padEnd(widths[at]!) : at === row.length - 1 ? cell : cell.padStart(widths[at]!),
      )
      .join("  ")
      .trimEnd(),
  );
}
