import type { OperationTime } from "../ports.ts";
import type { Check, MongodbIdentity } from "./documents.ts";
import { identityKey } from "./layout.ts";
import { compareTimes, type RecordedTask, timeInWords } from "./recorded-tasks.ts";

export interface FoundMongodb {
  readonly setName: string;
  readonly replicaSetId: string;
  readonly oplog: { readonly first: OperationTime; readonly last: OperationTime };
}

const reseed =
  "this is not the MongoDB that failed as it was: don't restore into it; seed a new one from DocumentDB (reseed)";

/**
 * MongoDB is the one that failed: the set recorded in normal times, not older than what was recorded then, and its
 * oplog still holds every DMS task's checkpoint (invariants.md 14). Unknown refuses, too.
 */
export function identityChecks(options: {
  readonly recorded: MongodbIdentity | undefined;
  readonly found: FoundMongodb;
  readonly tasks: readonly RecordedTask[];
}): Check[] {
  const { recorded, found, tasks } = options;
  const checks: Check[] = [];
  const add = (name: string, ok: boolean, expected: string, got: string, wayOut: string) =>
    checks.push({ name, ok, expected, got, ...(ok ? {} : { wayOut }) });
  if (!recorded) {
    add(
      "identity of MongoDB",
      false,
      `${identityKey}, recorded in normal times`,
      "no such object",
      "nobody can tell this MongoDB from another one: write the identity by hand once it is certain, or reseed",
    );
  } else {
    checks.push(...sameMongodb(recorded, found));
  }
  if (tasks.length === 0) {
    add("checkpoints of DMS", false, "recorded at start", "none", "run failback-start again, or reseed");
  }
  for (const task of tasks) checks.push(tailCheck(task, found));
  return checks;
}

/** The set on record, and not older than it was then. */
export function sameMongodb(recorded: MongodbIdentity, found: FoundMongodb): Check[] {
  const check = (name: string, ok: boolean, expected: string, got: string): Check => ({
    name,
    ok,
    expected,
    got,
    ...(ok ? {} : { wayOut: reseed }),
  });
  return [
    check(
      "identity of MongoDB",
      found.setName === recorded.setName && found.replicaSetId === recorded.replicaSetId,
      `set ${recorded.setName}, id ${recorded.replicaSetId}`,
      `set ${found.setName}, id ${found.replicaSetId}`,
    ),
    check(
      "MongoDB is not older than recorded",
      compareTimes(found.oplog.last, recorded.lastOplog) >= 0,
      `oplog up to at least ${timeInWords(recorded.lastOplog)}`,
      `up to ${timeInWords(found.oplog.last)}`,
    ),
  ];
}

/**
 * The tail can be bounded: by the checkpoint, or, when DMS gave it in a form nobody knows, by the task's stop. What DMS
 * had not read by then shows as a difference, never as equal.
 */
function tailCheck(task: RecordedTask, found: FoundMongodb): Check {
  const stopped = task.stoppedAt ? Math.floor(Date.parse(task.stoppedAt) / 1000) : Number.NaN;
  if (task.checkpoint?.timestamp || Number.isNaN(stopped)) return checkpointCheck(task, found);
  const checkpoint = { raw: "", timestamp: { t: stopped, i: 0 } };
  const { name, ...rest } = checkpointCheck({ ...task, checkpoint }, found);
  return { ...rest, name: `${name}: of unknown form, its stop stands in for it` };
}

/** The oplog still holds a task's checkpoint: not older than it, and not rolled over it. */
export function checkpointCheck(task: RecordedTask, { oplog }: Pick<FoundMongodb, "oplog">): Check {
  const name = `checkpoint of DMS task ${task.id} in the oplog`;
  const window = `${timeInWords(oplog.first)} to ${timeInWords(oplog.last)}`;
  const time = task.checkpoint?.timestamp;
  if (!time) {
    const got = task.checkpoint ? `a checkpoint of unknown form: ${task.checkpoint.raw}` : "no checkpoint";
    const wayOut = "nobody knows where DMS stood: look the task up in DMS, or reseed from DocumentDB";
    return { name, ok: false, expected: "a checkpoint with its time", got, wayOut };
  }
  if (compareTimes(oplog.last, time) < 0) {
    return {
      name,
      ok: false,
      expected: `oplog up to at least ${timeInWords(time)}`,
      got: window,
      wayOut: reseed,
    };
  }
  if (compareTimes(oplog.first, time) > 0) {
    const wayOut = `the oplog rolled over it, so the tail is lost: ${reseed}`;
    return { name, ok: false, expected: `oplog from at most ${timeInWords(time)}`, got: window, wayOut };
  }
  return { name, ok: true, expected: `${timeInWords(time)} in the oplog`, got: window };
}
