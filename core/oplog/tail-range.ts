import { compareTimes, type RecordedTask, timeInWords } from "../failback/recorded-tasks.ts";
import type { OperationTime } from "../ports.ts";

export interface TailRange {
  /** First time that counts as tail. */
  readonly from: OperationTime;
  /**
   * Through when DMS says it carried a collection's writes, by namespace; `*` for those no task names. What lies before
   * is margin. Empty where a task's word is missing.
   */
  readonly carriedThrough: Readonly<Record<string, OperationTime>>;
  /** Where the range comes from; goes into the verdict. */
  readonly boundary: string;
}

/**
 * Where the tail begins: the earliest DMS checkpoint less a margin (invariants.md 17). A checkpoint of unknown form
 * counts by when its task stopped; without that, everything the oplog holds counts.
 */
export function tailRange(
  tasks: readonly RecordedTask[],
  marginSeconds: number,
  oplogFirst: OperationTime,
): TailRange {
  const starts = tasks.map((task) => startOf(task, oplogFirst));
  const earliest = starts.sort((left, right) => compareTimes(left.at, right.at))[0];
  if (!earliest) {
    const boundary = "no DMS task was recorded: the whole oplog counts as tail";
    return { from: oplogFirst, boundary, carriedThrough: {} };
  }
  const from = { t: Math.max(0, earliest.at.t - marginSeconds), i: 0 };
  const notes = starts.flatMap(({ note }) => note ?? []);
  const why = `tail from ${timeInWords(from)}, ${marginSeconds} s before ${earliest.what}`;
  return { from, boundary: [why, ...notes].join("; "), carriedThrough: carriedBy(tasks) };
}

function startOf(
  task: RecordedTask,
  oplogFirst: OperationTime,
): { at: OperationTime; what: string; note?: string } {
  const { id, checkpoint, stoppedAt } = task;
  if (checkpoint?.timestamp) return { at: checkpoint.timestamp, what: `the checkpoint of DMS task ${id}` };
  const unknown = checkpoint ? `of unknown form (${checkpoint.raw})` : "missing";
  if (stoppedAt && !Number.isNaN(Date.parse(stoppedAt))) {
    const at = { t: Math.floor(Date.parse(stoppedAt) / 1000), i: 0 };
    // DMS may have lagged when it stopped: what it had not read by then is not bounded by this time.
    const note = `the checkpoint of DMS task ${id} is ${unknown}: its stop at ${stoppedAt} stands in for it`;
    return { at, what: `the stop of DMS task ${id}`, note };
  }
  const note = `the checkpoint of DMS task ${id} is ${unknown} and its stop was not recorded: the whole oplog counts`;
  return { at: oplogFirst, what: "the oplog's first entry", note };
}

function carriedBy(tasks: readonly RecordedTask[]): Record<string, OperationTime> {
  const times = tasks.map(({ checkpoint }) => checkpoint?.timestamp);
  // Which collections a task without a known checkpoint has is no matter: then no task's word is taken.
  if (times.some((time) => time === undefined)) return {};
  const carried: Record<string, OperationTime> = {};
  for (const [index, { tables = [] }] of tasks.entries()) {
    for (const namespace of [...tables, "*"]) {
      const before = carried[namespace];
      const time = times[index]!;
      if (!before || compareTimes(time, before) < 0) carried[namespace] = time;
    }
  }
  return carried;
}
