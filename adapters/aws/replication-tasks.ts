import type {
  DatabaseMigrationServiceClient,
  TableStatistics as DescribedTable,
  ReplicationTask as DescribedTask,
  DescribeReplicationTasksCommandOutput,
} from "@aws-sdk/client-database-migration-service";
import { RoundtripError } from "../../core/errors.ts";
import type { LiveTask } from "../../core/live/live-state.ts";
import type { Clock, ReplicationTask, ReplicationTasks, TableStatistics } from "../../core/ports.ts";
import { systemClock } from "../clock.ts";
import { type ClientSettings, clientOptions } from "./client-options.ts";
import { awsError } from "./failure.ts";
import {
  endless,
  listingPagesMax,
  readLiveTable,
  readLiveTask,
  readTable,
  readTask,
  refusedStart,
  startFailed,
  wordsOf,
} from "./replication-task-reading.ts";
import { awsFailure } from "./store-failure.ts";

type StartType = Parameters<ReplicationTasks["start"]>[1];

/** DMS takes at most this many tables in one ReloadTables. */
const reloadedTablesMax = 10;
/** DMS refills its allowance of calls by 8 a second; the SDK waits out what is refused beyond that. */
const questionsAtOnce = 4;
const pollMsFirst = 250;
const pollMsMost = 5000;
const ended = new Set(["stopped", "failed", "ready"]);
const missing = ["ResourceNotFoundFault"];

/** DMS replication tasks. Fails with RoundtripError naming the task; `what` never holds settings or secrets. */
export class AwsReplicationTasks implements ReplicationTasks {
  readonly #settings: ClientSettings;
  readonly #clock: Clock;
  #client: Promise<DatabaseMigrationServiceClient> | undefined;

  constructor(settings: ClientSettings & { readonly clock?: Clock } = {}) {
    const { clock, ...rest } = settings;
    this.#settings = rest;
    this.#clock = clock ?? systemClock;
  }

  /** The SDK is loaded with the first call: most programs that could talk to DMS never do. */
  async #sdk() {
    const sdk = await import("@aws-sdk/client-database-migration-service");
    this.#client ??= Promise.resolve(new sdk.DatabaseMigrationServiceClient(clientOptions(this.#settings)));
    return { sdk, client: await this.#client };
  }

  /** The tasks with these ARNs or identifiers; all tasks for an empty list. A name without a task is left out. */
  async describe(names: readonly string[]): Promise<ReplicationTask[]> {
    const arns = names.filter((name) => name.startsWith("arn:"));
    const ids = names.filter((name) => !name.startsWith("arn:"));
    const found = new Map<string, ReplicationTask>();
    const queries =
      names.length === 0
        ? [undefined]
        : [
            { Name: "replication-task-arn", Values: arns },
            { Name: "replication-task-id", Values: ids },
          ].filter(({ Values }) => Values.length > 0);
    for (const filter of queries) {
      for (const task of await this.#list(filter)) {
        const read = readTask(task);
        found.set(read.arn, read);
      }
    }
    return [...found.values()];
  }

  /**
   * Every task of the account with its mappings and settings; with its tables where `tablesOf` says so, because that is
   * a call for each task. Fails as `describe` and `tables` do.
   */
  async live(tablesOf: (task: LiveTask) => boolean): Promise<LiveTask[]> {
    const tasks = (await this.#list(undefined)).map((task) => readLiveTask(task, []));
    const read: LiveTask[] = [];
    for (let at = 0; at < tasks.length; at += questionsAtOnce) {
      const some = tasks.slice(at, at + questionsAtOnce).map(async (task) => {
        if (!tablesOf(task)) return task;
        return { ...task, tables: (await this.#listTables(task.arn, task.id)).map(readLiveTable) };
      });
      read.push(...(await Promise.all(some)));
    }
    return read;
  }

  async #list(filter: { Name: string; Values: string[] } | undefined): Promise<DescribedTask[]> {
    const { sdk, client } = await this.#sdk();
    const what = `describe the DMS tasks ${filter ? filter.Values.join(", ") : "of the account"}`;
    const tasks: DescribedTask[] = [];
    let marker: string | undefined;
    for (let page = 0; page < listingPagesMax; page++) {
      let answer: DescribeReplicationTasksCommandOutput;
      try {
        answer = await client.send(
          new sdk.DescribeReplicationTasksCommand({
            ...(filter ? { Filters: [filter] } : {}),
            ...(marker ? { Marker: marker } : {}),
          }),
        );
      } catch (error) {
        if (missing.includes(awsFailure(error).name)) return tasks;
        throw awsError(error, {
          what,
          expected: "their status",
          wayOut: "check the tasks' names in the environment",
        });
      }
      tasks.push(...(answer.ReplicationTasks ?? []));
      marker = answer.Marker;
      if (!marker) return tasks;
    }
    throw endless(what);
  }

  async #one(name: string): Promise<ReplicationTask> {
    const [task] = await this.describe([name]);
    if (task) return task;
    throw new RoundtripError({
      kind: "configuration",
      what: `find the DMS task ${name}`,
      expected: "a task with that name",
      got: "none",
      wayOut: "run apply, so that the published environment names the tasks that exist",
    });
  }

  /**
   * Stops a task and waits until it has stopped, with why. A task that doesn't run is given back as it is.
   * Fails with kind "unavailable" after `timeoutSeconds`: then it is not known to have stopped.
   */
  async stop(name: string, timeoutSeconds: number): Promise<ReplicationTask> {
    let asked = false;
    return this.#poll(`stop the DMS task ${name}`, name, "stopped", timeoutSeconds, async (task) => {
      if (ended.has(task.status)) return true;
      if (task.status === "running" && !asked) asked = await this.#askToStop(task);
      return false;
    });
  }

  async #askToStop(task: ReplicationTask): Promise<boolean> {
    const { sdk, client } = await this.#sdk();
    try {
      await client.send(new sdk.StopReplicationTaskCommand({ ReplicationTaskArn: task.arn }));
      return true;
    } catch (error) {
      // It ended by itself meanwhile, or an earlier try arrived: the next look tells which.
      if (awsFailure(error).name === "InvalidResourceStateFault") return false;
      throw awsError(
        error,
        {
          what: `stop the DMS task ${task.id}`,
          expected: "the task to stop",
          wayOut: "stop it in the console",
        },
        missing,
      );
    }
  }

  /**
   * Starts a task the given way and waits until it runs (or has finished its full load).
   * Fails with "refused" when DMS doesn't allow that way, "unavailable" with stop reason and last failure when the
   * task fails, or when it doesn't run after `timeoutSeconds`.
   */
  async start(name: string, type: StartType, timeoutSeconds: number): Promise<ReplicationTask> {
    const before = await this.#one(name);
    const what = `start the DMS task ${before.id} (${type})`;
    await this.#askToStart(before, type, what);
    const started = await this.#poll(what, before.arn, "running", timeoutSeconds, async (task) => {
      if (task.status === "failed") throw startFailed(what, task);
      return task.status === "running" || (task.status === "stopped" && task.stopReason !== undefined);
    });
    const finished = ["FULL_LOAD_ONLY_FINISHED", "STOPPED_AFTER_FULL_LOAD", "STOPPED_AFTER_CACHED_EVENTS"];
    if (started.status === "stopped" && !finished.includes(started.stopReason ?? ""))
      throw startFailed(what, started);
    return started;
  }

  async #askToStart(task: ReplicationTask, type: StartType, what: string): Promise<void> {
    const { sdk, client } = await this.#sdk();
    try {
      await client.send(
        new sdk.StartReplicationTaskCommand({ ReplicationTaskArn: task.arn, StartReplicationTaskType: type }),
      );
    } catch (error) {
      const { name, message } = awsFailure(error);
      // An answer that was lost: the task may be starting already. Any other state is a refusal.
      if (name === "InvalidResourceStateFault") {
        const now = await this.#one(task.arn);
        if (now.status === "starting" || now.status === "running") return;
        throw refusedStart(what, `${message} (${wordsOf(now)})`, error);
      }
      if (name === "InvalidParameterCombinationException") throw refusedStart(what, message, error);
      throw awsError(
        error,
        { what, expected: "the task to start", wayOut: "start it in the console" },
        missing,
      );
    }
  }

  /** Looks until `done`, at growing intervals, for at most `timeoutSeconds`. */
  async #poll(
    what: string,
    name: string,
    expected: string,
    timeoutSeconds: number,
    done: (task: ReplicationTask) => Promise<boolean>,
  ): Promise<ReplicationTask> {
    const end = this.#clock.monotonicMs() + timeoutSeconds * 1000;
    let interval = pollMsFirst;
    for (;;) {
      const task = await this.#one(name);
      if (await done(task)) return task;
      const left = end - this.#clock.monotonicMs();
      if (left <= 0) {
        throw new RoundtripError({
          kind: "unavailable",
          what,
          expected: `${expected} within ${timeoutSeconds} s`,
          got: wordsOf(task),
          wayOut: "look at the task in the console; running this again goes on waiting",
        });
      }
      await this.#clock.sleep(Math.min(interval, left));
      interval = Math.min(interval * 1.5, pollMsMost);
    }
  }

  /** Every table of the task, over all pages. */
  async tables(name: string): Promise<TableStatistics[]> {
    return (await this.#listTables(await this.#arnOf(name), name)).map(readTable);
  }

  async #listTables(arn: string, name: string): Promise<DescribedTable[]> {
    const { sdk, client } = await this.#sdk();
    const what = `read the table statistics of the DMS task ${name}`;
    const tables: DescribedTable[] = [];
    let marker: string | undefined;
    for (let page = 0; page < listingPagesMax; page++) {
      try {
        const answer = await client.send(
          new sdk.DescribeTableStatisticsCommand({
            ReplicationTaskArn: arn,
            MaxRecords: 500,
            ...(marker ? { Marker: marker } : {}),
          }),
        );
        tables.push(...(answer.TableStatistics ?? []));
        marker = answer.Marker;
      } catch (error) {
        throw awsError(
          error,
          { what, expected: "its tables", wayOut: "check the task's name in the environment" },
          missing,
        );
      }
      if (!marker) return tables;
    }
    throw endless(what);
  }

  /** Loads these tables of a running task again, in as many calls as DMS needs. Doesn't wait for the loads. */
  async reloadTables(name: string, tables: readonly { schema: string; table: string }[]): Promise<void> {
    const arn = await this.#arnOf(name);
    const { sdk, client } = await this.#sdk();
    for (let at = 0; at < tables.length; at += reloadedTablesMax) {
      const some = tables.slice(at, at + reloadedTablesMax);
      try {
        await client.send(
          new sdk.ReloadTablesCommand({
            ReplicationTaskArn: arn,
            TablesToReload: some.map(({ schema, table }) => ({ SchemaName: schema, TableName: table })),
          }),
        );
      } catch (error) {
        throw awsError(
          error,
          {
            what: `reload ${some.map(({ schema, table }) => `${schema}.${table}`).join(", ")} in the DMS task ${name}`,
            expected: "the tables to be loaded again",
            wayOut: "tables are reloaded only while the task runs and has them in its mappings: check both",
          },
          missing,
        );
      }
    }
  }

  async #arnOf(name: string): Promise<string> {
    return name.startsWith("arn:") ? name : (await this.#one(name)).arn;
  }
}
