import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RoundtripError } from "../../core/errors.ts";
import type { Timers } from "../../core/ports.ts";
import { systemctl } from "./units.ts";

/**
 * Timers of this host. `unitsDirectory` is where its drop-ins lie, `/etc/systemd/system`. Fails `unavailable` with what
 * systemctl said, `denied` where the folder can't be written.
 */
export function systemdTimers(unitsDirectory: string): Timers {
  return {
    async reschedule(timer, calendars, note) {
      const folder = join(unitsDirectory, `${timer}.d`);
      const path = join(folder, "schedule.conf");
      const text = dropIn(calendars, note);
      if ((await readFile(path, "utf8").catch(() => undefined)) === text) return false;
      try {
        await mkdir(folder, { recursive: true });
        await writeFile(`${path}.partial`, text, { mode: 0o644 });
        await rename(`${path}.partial`, path);
      } catch (cause) {
        throw notWritten(path, cause);
      }
      await systemctl(["daemon-reload"]);
      return true;
    },
    async nextElapse(timer) {
      const shown = await systemctl(["show", "--property=NextElapseUSecRealtime", timer]);
      // `Sun 2026-11-22 00:00:00 UTC`; nothing for a timer that is off.
      const [, time] = /=\w+ (\S+ \S+) UTC\s*$/.exec(shown) ?? [];
      return time === undefined ? undefined : new Date(`${time.replace(" ", "T")}Z`);
    },
  };
}

function dropIn(calendars: readonly string[], note: string): string {
  return [
    `# ${note}; roundtrip-worker backup-schedule wrote this and replaces it.`,
    "[Timer]",
    // An empty one takes the unit's own away.
    "OnCalendar=",
    ...calendars.map((calendar) => `OnCalendar=${calendar}`),
    "",
  ].join("\n");
}

function notWritten(path: string, cause: unknown): RoundtripError {
  return new RoundtripError(
    {
      kind: "denied",
      what: `write ${path}`,
      expected: "to be root, on a host with systemd",
      got: (cause as Error).message,
      wayOut: "let backup-schedule.service do it, or the action through SSM: both run as root",
    },
    { cause },
  );
}
