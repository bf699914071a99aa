/** Following the full load of the tasks that were started. */
import { RoundtripError } from "../../core/errors.ts";
import type { ReplicationTask, TableStatistics } from "../../core/ports.ts";
import {
  type LoadProgress,
  loadProgress,
  progressInWords,
  tableInWords,
} from "../../core/replication/load-progress.ts";
import { taskInWords } from "../../core/replication/task-selection.ts";
import type { OperationContext } from "../engine/runbook.ts";

const pollMs = 5000;

export interface LoadWatch {
  readonly arns: readonly string[];
  /** Documents of the source; undefined when nobody could count. */
  readonly total: number | undefined;
  readonly minutes: number;
}

/**
 * Watches until every table of the tasks is loaded, saying how far it is. Fails `unavailable` with DMS's own words
 * when a task ends or a table is given up on, and `unknown` when the time is over: the load goes on without a watcher.
 */
export async function followLoad(
  context: OperationContext,
  watch: LoadWatch,
): Promise<readonly TableStatistics[]> {
  const { clock } = context;
  const started = clock.monotonicMs();
  let first: number | undefined;
  let shown = "";
  for (;;) {
    const tasks = await context.tasks.describe(watch.arns);
    const tables = (await Promise.all(watch.arns.map((arn) => context.tasks.tables(arn)))).flat();
    const progress = loadProgress(tables, watch.total);
    assertGoesOn(tasks, progress);
    first ??= progress.rows;
    const seconds = (clock.monotonicMs() - started) / 1000;
    const line = `  full load: ${progressInWords(progress, seconds > 0 ? (progress.rows - first) / seconds : 0)}`;
    if (line !== shown) context.say(line);
    shown = line;
    // Right after a start DMS lists no table yet: nothing listed is nothing loaded.
    if (tables.length > 0 && progress.waiting.length === 0) return tables;
    if (seconds > watch.minutes * 60) throw stillLoading(progress, watch.minutes, line.trim());
    await clock.sleep(pollMs, context.signal);
  }
}

function assertGoesOn(tasks: readonly ReplicationTask[], { broken }: LoadProgress): void {
  const ended = tasks.filter(({ status }) => status !== "running" && status !== "starting");
  if (ended.length === 0 && broken.length === 0) return;
  const messages = tasks.flatMap(({ id, lastFailure }) => (lastFailure ? `${id}: ${lastFailure}` : []));
  const tables = broken.map(tableInWords);
  throw new RoundtripError({
    kind: "unavailable",
    what: "load the collections in full",
    expected: "every task running and every table completed",
    got: [...tables, ...ended.map((task) => `${task.id} ${taskInWords(task)}`), ...messages].join("; "),
    wayOut:
      "mend what DMS names. A task that ended is resumed by tasks-resume; tables in error are loaded again with ReloadTables while their task runs; then run this again",
  });
}

function stillLoading({ waiting }: LoadProgress, minutes: number, got: string): RoundtripError {
  const names = waiting.slice(0, 10).map(({ schema, table }) => `${schema}.${table}`);
  return new RoundtripError({
    kind: "unknown",
    what: "see the full load end",
    expected: `every table completed within ${minutes} min`,
    got: `${got}; waiting for ${names.join(", ")}${waiting.length > names.length ? " and more" : ""}`,
    wayOut: "DMS goes on by itself; run the same thing again to go on watching",
  });
}
