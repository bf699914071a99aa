import { writeJson } from "../../adapters/state/json.ts";
import type { BackupSchedule } from "../../core/backup/documents.ts";
import { scheduleKey } from "../../core/backup/layout.ts";
import { parseSchedule } from "../../core/backup/schedule.ts";
import type { Timers } from "../../core/ports.ts";
import { applySchedule, hostTimers } from "../backup-schedule/apply.ts";
import { type Action, type ActionContext, type ActionOutcome, passed } from "./action.ts";

/** Keeps a schedule of backups in the bucket and gives it to this host's timer; `default`: the environment's again. */
export const run: Action = (context) => setSchedule(context, hostTimers(process.env.ROUNDTRIP_CONFIG));

/** The same on timers that are given. Fails `usage` for a schedule that can't be read, before anything is kept. */
export async function setSchedule(
  { service, parameter }: Pick<ActionContext, "service" | "parameter">,
  timers: Timers,
): Promise<ActionOutcome> {
  const asked = parameter("schedule");
  const document: BackupSchedule = {
    version: 1,
    ...(asked === "default" ? {} : { schedule: parseSchedule(asked).text }),
    setAt: service.clock.now().toISOString(),
  };
  await writeJson(service.store, scheduleKey, document);
  const applied = await applySchedule(service, timers);
  return {
    checks: [passed("the next backup", applied.next[0] ?? "never")],
    data: { ...applied },
  };
}
