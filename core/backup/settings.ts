import type { BackupSettings, Environment } from "../failback/documents.ts";
import type { BackupSchedule } from "./documents.ts";
import { parseSchedule, type Schedule } from "./schedule.ts";

/** What an environment that says nothing of its backups has. */
export const defaultBackupSettings = {
  schedule: "0 0 * * *",
  compression: "gzip",
  verifyAfterMinutes: 30,
} as const satisfies BackupSettings;

export interface EffectiveSchedule {
  readonly schedule: Schedule;
  /** Which one wins, for a person's eyes. */
  readonly from: string;
}

/**
 * The schedule that holds: what a person set from the Actions tab, else what Terraform published, else midnight. Fails
 * `usage` for one that can't be read; only another program could have written it.
 */
export function effectiveSchedule(
  { backups }: Pick<Environment, "backups">,
  set: BackupSchedule | undefined,
): EffectiveSchedule {
  if (set?.schedule !== undefined)
    return {
      schedule: parseSchedule(set.schedule),
      from: `set by runbook reschedule at ${set.setAt}; it goes before Terraform's`,
    };
  if (backups?.schedule !== undefined)
    return { schedule: parseSchedule(backups.schedule), from: "Terraform's backup_schedule" };
  return { schedule: parseSchedule(defaultBackupSettings.schedule), from: "the default" };
}
