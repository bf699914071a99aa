import type { LiveDms, LiveTask } from "../live/live-state.ts";
import { listed } from "../plan/words.ts";
import type { OperationTime } from "../ports.ts";
import { isLoaded } from "../replication/loaded.ts";
import type { Tasks } from "../tasks/model.ts";
import { type Fact, fact, unknownFact } from "./model.ts";

interface Replication {
  readonly tasks: Tasks;
  /** Ids of tasks that should run. */
  readonly running: ReadonlySet<string>;
  readonly dms: LiveDms;
  readonly oplog: { readonly first: OperationTime; readonly last: OperationTime } | undefined;
  /** Namespaces that came to their name by a rename. */
  readonly renamed: ReadonlySet<string>;
}

/** Below this a lag says nothing about whether the oplog will do, however short the oplog is. */
const lagSecondsAlwaysGood = 60;

const runLimit = "every task that should run does";
const loadLimit = "every collection loaded: DocumentDB is a copy to switch to";
const lagLimit = "every checkpoint in the newer half of MongoDB's oplog";

/** DMS runs, has loaded everything, and stands where MongoDB's oplog still reaches by far. */
export function replicationFacts({ tasks, running, dms, oplog, renamed }: Replication): readonly Fact[] {
  const wayOut = "see that DMS can be reached and the role may describe its tasks";
  if (!dms.reachable)
    return (
      [
        ["DMS tasks run", runLimit],
        ["collections are loaded", loadLimit],
        ["DMS keeps up", lagLimit],
      ] as const
    ).map(([name, limit]) => unknownFact(name, limit, dms.reason, wayOut));
  const found = new Map(dms.tasks.map((task) => [task.id, task]));
  const wanted = [...running].flatMap((id) => found.get(id) ?? []);
  return [
    runFact(running, found, tasks.tasks.length - running.size),
    loadFact(wanted, renamed),
    lagFact(wanted, oplog),
  ];
}

function runFact(running: ReadonlySet<string>, found: ReadonlyMap<string, LiveTask>, resting: number): Fact {
  const bad = [...running]
    .filter((id) => found.get(id)?.status !== "running")
    .map((id) => {
      const task = found.get(id);
      return task
        ? [id, task.status, task.stopReason, task.lastFailure].filter(Boolean).join(" ")
        : `${id} missing`;
    });
  const still = resting > 0 ? `; ${resting} stand still as tasks.yaml says` : "";
  return fact("DMS tasks run", bad.length === 0 && running.size > 0, {
    limit: runLimit,
    value: bad.length > 0 ? listed(bad) : `${running.size} of ${running.size}${still}`,
    wayOut: "roundtrip drift says what to do about each",
  });
}

function loadFact(tasks: readonly LiveTask[], renamed: ReadonlySet<string>): Fact {
  const tables = tasks.flatMap((task) => task.tables);
  const behind = tables.filter((table) => !isLoaded(table, renamed));
  const without = tasks.filter((task) => task.tables.length === 0).map(({ id }) => id);
  return fact("collections are loaded", tables.length > 0 && behind.length === 0 && without.length === 0, {
    limit: loadLimit,
    value:
      behind.length > 0
        ? listed(behind.map(({ schema, table, state }) => `${schema}.${table}: ${state}`))
        : without.length > 0
          ? `no collection of ${listed(without)} was ever loaded`
          : `${tables.length} of ${tables.length}`,
    wayOut: "let the full load end; reload in DMS what failed",
  });
}

function lagFact(tasks: readonly LiveTask[], oplog: Replication["oplog"]): Fact {
  const name = "DMS keeps up";
  if (!oplog)
    return unknownFact(
      name,
      lagLimit,
      "MongoDB's oplog was not read",
      "mend what keeps the host from MongoDB",
    );
  const without = tasks.filter(({ checkpoint }) => checkpoint?.timestamp === undefined).map(({ id }) => id);
  if (without.length > 0 || tasks.length === 0)
    return unknownFact(
      name,
      lagLimit,
      tasks.length === 0 ? "no task to ask" : `no checkpoint with a time from ${listed(without)}`,
      "look the tasks up in DMS; a task that never ran has no checkpoint",
    );
  const seconds = Math.max(lagSecondsAlwaysGood, (oplog.last.t - oplog.first.t) / 2);
  const lags = tasks
    .map(({ id, checkpoint }) => ({ id, lag: Math.max(0, oplog.last.t - checkpoint!.timestamp!.t) }))
    .sort((left, right) => right.lag - left.lag);
  const [worst] = lags;
  return fact(name, worst!.lag <= seconds, {
    limit: `${lagLimit}: at most ${inWords(seconds)} behind`,
    value: `${worst!.id} is ${inWords(worst!.lag)} behind${lags.length > 1 ? ", the others no more" : ""}; the oplog holds ${inWords(oplog.last.t - oplog.first.t)}`,
    wayOut:
      "see the task's CDCLatencySource and CDCLatencyTarget; once the oplog has rolled over the checkpoint everything is loaded again",
  });
}

function inWords(seconds: number): string {
  if (seconds >= 7200) return `${(seconds / 3600).toFixed(1)} h`;
  return seconds >= 120 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds)} s`;
}
