import { RoundtripError } from "../errors.ts";

/** Where an environment stands. Anything but `normal` refuses whatever could start DMS or write to a database. */
export const phases = ["normal", "capturing", "draining", "restoring", "verified", "cleaned"] as const;
export type Phase = (typeof phases)[number];

/** `normal → … → cleaned → normal`, and the ways back: reopen (to capturing) and abort (to normal). */
const successors: Readonly<Record<Phase, readonly Phase[]>> = {
  normal: ["capturing"],
  capturing: ["draining", "normal"],
  draining: ["restoring", "capturing"],
  restoring: ["verified", "capturing"],
  verified: ["cleaned"],
  cleaned: ["normal"],
};

const nextRunbook: Readonly<Record<Phase, string>> = {
  normal: "failback-start (when MongoDB has failed)",
  capturing: "failback-restore (when MongoDB is back), or failback-abort (when nothing was written)",
  draining: "failback-restore (it goes on where it stopped), or failback-reopen",
  restoring: "failback-restore (it goes on where it stopped), or failback-reopen",
  verified: "failback-clean",
  cleaned: "failback-resume",
};

/** The runbook that is legal in a phase, in words for a message. */
export function legalNext(phase: Phase): string {
  return nextRunbook[phase];
}

/** Throws `refused` unless the state machine has this step. Staying where one is counts as done. */
export function assertTransition(from: Phase, to: Phase, failbackId: string): void {
  if (from === to || successors[from].includes(to)) return;
  throw new RoundtripError({
    kind: "refused",
    what: `move failback ${failbackId} from phase ${from} to ${to}`,
    expected: `one of: ${successors[from].join(", ")}`,
    got: to,
    wayOut: `the legal next step is ${nextRunbook[from]}`,
  });
}

/** Throws `refused` unless the environment is in one of the phases an action is allowed in. */
export function assertPhase(
  current: Phase,
  allowed: readonly Phase[],
  action: string,
  failbackId: string,
): void {
  if (allowed.includes(current)) return;
  throw new RoundtripError({
    kind: "refused",
    what: `${action}`,
    expected: `phase ${allowed.join(" or ")}`,
    got: `phase ${current} (failback ${failbackId || "none"})`,
    wayOut: `the legal next step is ${nextRunbook[current]}`,
  });
}
