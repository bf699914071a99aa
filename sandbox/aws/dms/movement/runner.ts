/** One run of one task: from its start until it is stopped, has finished or has failed. */
import type { MongoClient } from "mongodb";
import { MongoServerError } from "mongodb";
import type { ServiceContext } from "../../service.ts";
import type { Connection, Progress, TableRow, Task } from "../model.ts";
import type { Store } from "../store.ts";
import type { Refused } from "./apply.ts";
import { currentPosition, HistoryLost } from "./capture.ts";
import { connectTo, EndpointError, loginOf } from "./connections.ts";
import { Follower, pause } from "./follow.ts";
import { collectionsOf, loadTable, type PrepareMode } from "./full-load.ts";
import { parseMappings, Selector } from "./mappings.ts";
import { settingsOf } from "./settings.ts";
import { TableBook } from "./tables.ts";

export type Outcome =
  | { readonly kind: "stopped" }
  | { readonly kind: "finished"; readonly reason: "FULL_LOAD_ONLY_FINISHED" | "STOPPED_AFTER_FULL_LOAD" }
  | {
      readonly kind: "failed";
      readonly reason: "RECOVERABLE_ERROR" | "FATAL_ERROR";
      readonly message: string;
    };

const CONNECT_TIMEOUT_MS = 2_000;
const RETRY_MS = 300;

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Wrong credentials and impossible endpoints don't mend by themselves. */
function isFatal(cause: unknown): boolean {
  return (
    cause instanceof HistoryLost ||
    cause instanceof EndpointError ||
    (cause instanceof MongoServerError && cause.code === 18)
  );
}

export class Runner {
  readonly #stop = new AbortController();
  readonly #reloads: { schema: string; table: string }[] = [];
  readonly #selector: Selector;
  readonly #book: TableBook;
  readonly #prepareMode: PrepareMode;
  readonly #handleDrops: boolean;
  /** Logins by endpoint, as they were when this run began: a secret that changes meanwhile is seen by the next run. */
  readonly #logins = new Map<string, Connection>();
  /** Since when neither side could be reached; undefined while things go well. */
  #lostSince: number | undefined;

  constructor(
    readonly context: ServiceContext,
    readonly store: Store,
    readonly task: Task,
  ) {
    this.#selector = new Selector(parseMappings(task.mappings));
    this.#book = new TableBook(store, task.arn);
    const settings = settingsOf(task.settings);
    this.#prepareMode = settings.prepareMode;
    this.#handleDrops = settings.handleDrops;
  }

  stop(): void {
    this.#stop.abort();
  }

  reload(tables: readonly { schema: string; table: string }[]): void {
    for (const { schema, table } of tables) {
      this.#book.row(schema, table).state = "Table is being reloaded";
      this.#reloads.push({ schema, table });
    }
    this.#book.save();
  }

  /** Runs until it ends, and says how; errors that may pass are retried for as long as the settings allow. */
  async run(): Promise<Outcome> {
    const { signal } = this.#stop;
    for (;;) {
      try {
        return await this.#attempt();
      } catch (cause) {
        if (signal.aborted) return { kind: "stopped" };
        const message = `Last Error ${messageOf(cause)}`;
        if (isFatal(cause))
          return {
            kind: "failed",
            reason: "FATAL_ERROR",
            message: `${message} Task error notification received.`,
          };
        this.#lostSince ??= Date.now();
        this.store.updateTask(this.task.arn, (task) => {
          task.failure = message;
        });
        if (Date.now() - this.#lostSince >= this.store.knobs(this.task.arn).sourceLostMs) {
          return { kind: "failed", reason: "RECOVERABLE_ERROR", message };
        }
        await pause(RETRY_MS, signal);
      }
      if (signal.aborted) return { kind: "stopped" };
    }
  }

  /** One connected life. Returns when it is over, throws what a new connection may mend. */
  async #attempt(): Promise<Outcome> {
    const source = await this.#connect(this.task.sourceArn);
    try {
      const target = await this.#connect(this.task.targetArn);
      try {
        return await this.#move(source, target);
      } finally {
        await target.close(true);
      }
    } finally {
      await source.close(true);
    }
  }

  async #connect(arn: string): Promise<MongoClient> {
    const endpoint = this.store.get("endpoint", arn);
    if (!endpoint) throw new EndpointError(`the endpoint ${arn} does not exist`);
    const login = this.#logins.get(arn) ?? (await loginOf(this.context, endpoint));
    this.#logins.set(arn, login);
    return connectTo(endpoint, login, CONNECT_TIMEOUT_MS);
  }

  async #move(source: MongoClient, target: MongoClient): Promise<Outcome> {
    const task = this.store.get("task", this.task.arn) ?? this.task;
    if (!this.store.get("progress", task.arn))
      this.store.put("progress", task.arn, await this.#firstPosition(source));
    await this.#listTables(source, task.loadPending);
    if (task.loadPending) {
      await this.#load(source, target);
      if (this.#stop.signal.aborted) return { kind: "stopped" };
      this.store.updateTask(task.arn, (each) => {
        each.loadPending = false;
        each.loadFinishedAt = Date.now();
      });
    }
    this.#wentWell();
    if (task.migrationType === "full-load") return { kind: "finished", reason: "FULL_LOAD_ONLY_FINISHED" };
    if (task.loadPending && settingsOf(task.settings).stopAfterLoad)
      return { kind: "finished", reason: "STOPPED_AFTER_FULL_LOAD" };
    return this.#follow(source, target);
  }

  /** Changes are read from before the load began, so that none falls between the two. */
  async #firstPosition(source: MongoClient): Promise<Progress> {
    const { cdcStartPosition, cdcStartTime } = this.task;
    const given = /^checkpoint:V1#\d+#(\d+):(\d+)#/.exec(cdcStartPosition ?? "");
    if (given) return { token: "", seconds: Number(given[1]), increment: Number(given[2]) };
    if (cdcStartTime !== undefined)
      return { token: "", seconds: Math.floor(cdcStartTime / 1000), increment: 0 };
    return currentPosition(source);
  }

  /** Makes a row of each selected collection there is, and of those named explicitly that there aren't. */
  async #listTables(source: MongoClient, loading: boolean): Promise<void> {
    const { databases } = await source.db("admin").command({ listDatabases: 1, nameOnly: true });
    const isNewWhenResumed = !loading;
    const loadNew = this.store.knobs(this.task.arn).loadNewTablesOnResume;
    const seen = new Set<string>();
    for (const { name: schema } of databases as { name: string }[]) {
      for (const table of await collectionsOf(source, schema)) {
        if (!this.#selector.selects(schema, table)) continue;
        seen.add(`${schema}.${table}`);
        if (this.#book.has(schema, table)) continue;
        this.#book.row(schema, table).state = "Before load";
        if (isNewWhenResumed && loadNew) this.#reloads.push({ schema, table });
      }
    }
    for (const { schema, table } of this.#selector.explicit()) {
      if (!seen.has(`${schema}.${table}`) && !this.#book.has(schema, table))
        this.#book.row(schema, table).state = "Table does not exist";
    }
    this.#book.save();
  }

  async #load(source: MongoClient, target: MongoClient): Promise<void> {
    const order = (row: TableRow) => this.#selector.loadOrder(row.schema, row.table);
    const rows = this.#book
      .rows()
      .filter(({ state }) => state !== "Table completed" && state !== "Table does not exist");
    for (const row of rows.sort((left, right) => order(right) - order(left))) {
      if (this.#stop.signal.aborted) return;
      row.state = "Full load";
      await this.#loadOne(source, target, row);
    }
  }

  async #loadOne(source: MongoClient, target: MongoClient, row: TableRow): Promise<void> {
    row.fullLoadRows = 0;
    row.fullLoadStartedAt = Date.now();
    this.#book.save(row);
    await loadTable(row, {
      source,
      target,
      mode: this.#prepareMode,
      signal: this.#stop.signal,
      onProgress: () => this.#book.save(row),
      onRefused: (refused) => this.#logRefused(row, refused),
    });
    row.fullLoadEndedAt = Date.now();
    this.#book.save(row);
  }

  /** Follows changes, with reloads asked for between two batches. */
  async #follow(source: MongoClient, target: MongoClient): Promise<Outcome> {
    const follower = new Follower({
      store: this.store,
      task: this.task.arn,
      selector: this.#selector,
      book: this.#book,
      signal: this.#stop.signal,
      handleDrops: this.#handleDrops,
      logRefused: (row, refused) => this.#logRefused(row, refused),
    });
    await follower.run(source, target, async () => {
      this.#wentWell();
      await this.#reloadTables(source, target);
    });
    return { kind: "stopped" };
  }

  /** Changes wait meanwhile, and those made since the checkpoint are applied again behind the loaded documents. */
  async #reloadTables(source: MongoClient, target: MongoClient): Promise<void> {
    for (let next = this.#reloads[0]; next; next = this.#reloads[0]) {
      const row = this.#book.row(next.schema, next.table);
      row.state = "Table is being reloaded";
      row.fullLoadReloaded = true;
      await this.#loadOne(source, target, row);
      if (this.#stop.signal.aborted) return;
      this.#reloads.shift();
    }
  }

  #logRefused(row: TableRow, refused: Refused): void {
    this.store.addException({
      task: this.task.arn,
      table: `${row.schema}.${row.table}`,
      statement: refused.statement.subarray(0, 4096).toString("base64"),
      error: `${refused.code}: ${refused.message}`,
      at: Date.now(),
    });
  }

  #wentWell(): void {
    if (this.#lostSince === undefined) return;
    this.#lostSince = undefined;
    this.store.updateTask(this.task.arn, (task) => {
      delete task.failure;
    });
  }
}
