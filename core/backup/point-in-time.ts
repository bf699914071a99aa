/**
 * Points in time that a restore can end at, and the exclusive limit that says the same to whoever applies the oplog
 * (mongorestore's `--oplogLimit` is exclusive: facts, MongoDB tools).
 */
import { RoundtripError } from "../errors.ts";
import type { OperationTime } from "../ports.ts";

/** Nothing, `2026-11-21T10:00:00Z`, or `seconds:increment` of one operation. */
export const untilPattern = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z|\d{1,10}:\d{1,10})?$/;

export interface PointInTime {
  /** The first time that is no longer applied. */
  readonly limit: OperationTime;
  /** For people. */
  readonly words: string;
}

const incrementMax = 0xffff_ffff;

/** The least time after another one: increments are 32 bits. */
export function timeAfter({ t, i }: OperationTime): OperationTime {
  return i >= incrementMax ? { t: t + 1, i: 0 } : { t, i: i + 1 };
}

/**
 * What a person asks for: a second means all of that second, an operation means up to and with that operation; nothing
 * is `undefined`. Fails `usage` for text that is neither.
 */
export function pointInTime(until: string): PointInTime | undefined {
  if (until === "") return undefined;
  if (!untilPattern.test(until)) throw notATime(until);
  if (!until.endsWith("Z")) return untilOperation(until);
  const ms = Date.parse(until);
  // A day that doesn't exist is another day to Date, or none.
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== until.replace("Z", ".000Z")) throw notATime(until);
  return { limit: { t: ms / 1000 + 1, i: 0 }, words: `the end of second ${until}` };
}

function untilOperation(until: string): PointInTime {
  const [t = 0, i = 0] = until.split(":").map(Number);
  if (t > incrementMax || i > incrementMax) throw notATime(until);
  return {
    limit: timeAfter({ t, i }),
    words: `operation ${t}:${i}, in second ${new Date(t * 1000).toISOString().replace(".000Z", "Z")}`,
  };
}

function notATime(until: string): RoundtripError {
  return new RoundtripError({
    kind: "usage",
    what: "read the time to restore to",
    expected: "a second in UTC like 2026-11-21T10:00:00Z, or an operation like 1795255200:7",
    got: until,
    wayOut: "give one of these, or nothing for the backup itself",
  });
}
