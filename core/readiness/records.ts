/** What backups and disaster recovery tests leave for readiness when they end; each run replaces the one before. */
export const lastBackupKey = "backups/last.json";
export const lastRecoveryTestKey = "recovery-tests/last.json";

export interface LastRun {
  readonly version: 1;
  readonly finishedAt: string;
  readonly ok: boolean;
}

/** The seed's thresholds (requirements R27), hours. */
export const backupHoursMax = 24;
export const recoveryTestHoursMax = 30 * 24;
