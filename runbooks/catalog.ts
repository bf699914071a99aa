import { abandonRotation } from "./abandon-rotation/runbook.ts";
import { backup } from "./backup/runbook.ts";
import { drTestRunbook } from "./dr-test/runbook.ts";
import type { Operation, Runbook } from "./engine/runbook.ts";
import { failbackAbort } from "./failback-abort/runbook.ts";
import { failbackClean } from "./failback-clean/runbook.ts";
import { failbackReopen } from "./failback-reopen/runbook.ts";
import { failbackRestore } from "./failback-restore/runbook.ts";
import { failbackResume } from "./failback-resume/runbook.ts";
import { failbackStart } from "./failback-start/runbook.ts";
import { firstStart } from "./first-start/runbook.ts";
import { kafkaSetup } from "./kafka-setup/runbook.ts";
import { removeOldUser } from "./remove-old-user/runbook.ts";
import { renewApplicationUser } from "./renew-application-user/runbook.ts";
import { reschedule } from "./reschedule/runbook.ts";
import { restoreBackup } from "./restore-backup/runbook.ts";
import { rotateCredentials } from "./rotate-credentials/runbook.ts";
import { tasksPause } from "./tasks-pause/runbook.ts";
import { tasksResume } from "./tasks-resume/runbook.ts";
import { unlock } from "./unlock/runbook.ts";
import { upgradeWorker } from "./upgrade-worker/runbook.ts";
import { verifyBackup } from "./verify-backup/runbook.ts";

/** Every operation that `roundtrip runbook <name>` runs: legal in phase `normal` (unlock and kafka-setup in any), belonging to no failback. */
export const operations: readonly Operation[] = [
  firstStart,
  tasksPause,
  tasksResume,
  rotateCredentials,
  removeOldUser,
  abandonRotation,
  renewApplicationUser,
  unlock,
  upgradeWorker,
  kafkaSetup,
  backup,
  reschedule,
  verifyBackup,
  drTestRunbook,
  restoreBackup,
];

/** Every runbook by its name, in the order in which a failback runs them. */
export const runbooks: readonly Runbook[] = [
  failbackStart,
  failbackRestore,
  failbackClean,
  failbackResume,
  failbackReopen,
  failbackAbort,
];
