import { readlink, realpath } from "node:fs/promises";
import type { Clock, Units } from "../../core/ports.ts";

/** Whether a process runs that program, links resolved. */
export async function runsFrom(pid: number, program: string): Promise<boolean> {
  const executable = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
  return executable !== undefined && executable === (await realpath(program));
}

const upMsMax = 60_000;
const lookEveryMs = 250;

interface Deps {
  readonly units: Units;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Sees that a unit that is always on runs from `program`, starting it anew where another version does; gives what is wrong,
 * or nothing. One that is off stays off.
 */
export async function alwaysOnFrom(
  { units, clock, signal }: Deps,
  unit: string,
  program: string,
): Promise<string | undefined> {
  const before = await units.state(unit);
  if (before.active !== "active" || (await runsFrom(before.mainPid, program))) return undefined;
  await units.stop(unit);
  await units.start(unit);
  const deadline = clock.monotonicMs() + upMsMax;
  for (;;) {
    const { active, sub, result, exitStatus, mainPid } = await units.state(unit);
    if (active === "active" && (await runsFrom(mainPid, program))) return undefined;
    if (active === "failed" || clock.monotonicMs() > deadline)
      return `${unit} is ${active} (${sub}), result ${result}, exit code ${exitStatus}`;
    await clock.sleep(lookEveryMs, signal);
  }
}
