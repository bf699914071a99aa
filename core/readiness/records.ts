/** How the last run of something ended that a person wants to have run lately. */
export interface LastRun {
  readonly version: 1;
  readonly finishedAt: string;
  readonly ok: boolean;
}

/** The seed's thresholds (requirements R27), hours. */
export const backupHoursMax = 24;
export const recoveryTestHoursMax = 30 * 24;
