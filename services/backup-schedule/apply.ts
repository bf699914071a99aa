import { dirname, join } from "node:path";
import { readSchedule } from "../../adapters/state/backups.ts";
import { systemdTimers } from "../../adapters/systemd/timers.ts";
import { calendarsOf, nextTimes } from "../../core/backup/schedule.ts";
import { effectiveSchedule } from "../../core/backup/settings.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Timers } from "../../core/ports.ts";
import type { ServiceContext } from "../runtime/definition.ts";

const timer = "mongodb-backup.timer";
const timesShown = 3;

export interface AppliedSchedule {
  /** Five fields of cron. */
  readonly schedule: string;
  /** Which one won. */
  readonly from: string;
  readonly changed: boolean;
  /** The next three times, ISO, UTC. */
  readonly next: readonly string[];
}

/** The timers of the host whose configuration lies beside systemd's: `/etc/roundtrip/environment.json`. */
export function hostTimers(configuration: string | undefined): Timers {
  return systemdTimers(join(dirname(configuration ?? "/etc/roundtrip/-"), "../systemd/system"));
}

/**
 * Brings the backup's timer to the schedule that holds; one that is so already stays untouched. Fails `unavailable` when
 * systemd doesn't then elapse at one of the schedule's times.
 */
export async function applySchedule(
  { clock, environment, logger, store }: ServiceContext,
  timers: Timers,
): Promise<AppliedSchedule> {
  const { schedule, from } = effectiveSchedule(environment, await readSchedule(store));
  const changed = await timers.reschedule(timer, calendarsOf(schedule), `${schedule.text}: ${from}`);
  const now = clock.now();
  const times = nextTimes(schedule, now, timesShown);
  const elapses = await timers.nextElapse(timer);
  // Earlier than now: a time of the new schedule has passed since the last backup, and is made up for at once.
  const agrees =
    elapses !== undefined && (elapses <= now || times.some((time) => time.getTime() === elapses.getTime()));
  const next = times.map((time) => time.toISOString());
  if (!agrees) throw notElapsing(schedule.text, next, elapses);
  if (changed) logger.info({ schedule: schedule.text, from, next }, "the backup's timer has a new schedule");
  return { schedule: schedule.text, from, changed, next };
}

function notElapsing(schedule: string, [next]: readonly string[], elapses: Date | undefined): RoundtripError {
  return new RoundtripError({
    kind: "unavailable",
    what: `give ${timer} the schedule ${schedule}`,
    expected: `systemd to start the next backup at ${next}`,
    got: elapses === undefined ? "a timer that is off" : elapses.toISOString(),
    wayOut: `see systemctl status ${timer} on the operations host: it is enabled and started when the host is set up`,
  });
}
