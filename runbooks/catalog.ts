import type { Operation, Runbook } from "./engine/runbook.ts";
import { failbackAbort } from "./failback-abort/runbook.ts";
import { failbackClean } from "./failback-clean/runbook.ts";
import { failbackReopen } from "./failback-reopen/runbook.ts";
import { failbackRestore } from "./failback-restore/runbook.ts";
import { failbackResume } from "./failback-resume/runbook.ts";
import { failbackStart } from "./failback-start/runbook.ts";

/** Every operation that `roundtrip runbook <name>` runs: legal in phase `normal`, belonging to no failback. */
export const operations: readonly Operation[] = [];

/** Every runbook by its name, in the order in which a failback runs them. */
export const runbooks: readonly Runbook[] = [
  failbackStart,
  failbackRestore,
  failbackClean,
  failbackResume,
  failbackReopen,
  failbackAbort,
];
