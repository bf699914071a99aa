/** One run of one task: from its start until it is stopped, has finished or has failed. */
import type { MongoClient } from "mongodb";
import { MongoServerError } from "mongodb";
import type { ServiceContext } from "../../service.ts";
import type { Progress, TableRow, Task } from "../model.ts";
import type { Store } from "../store.ts";
import { applyChanges, type Refused } from "./apply.ts";
import { Capture, currentPosition, HistoryLost } from "./capture.ts";
import { type Change, changeOf } from "./changes.ts";
import { connectTo, EndpointError } from "./connections.ts";
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
const AWAIT_MS = 250;
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
  #savedToken = "";
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
        await this.#pause(RETRY_MS);
      }
      if (signal.aborted) return { kind: "stopped" };
    }
  }

  /** One connected life. Returns when it is over, throws what a new connection may mend. */
  async #attempt(): Promise<Outcome> {
    const endpoint = (arn: string) => {
      const found = this.store.get("endpoint", arn);
      if (!found) throw new EndpointError(`the endpoint ${arn} does not exist`);
      return found;
    };
    const source = await connectTo(this.context, endpoint(this.task.sourceArn), CONNECT_TIMEOUT_MS);
    try {
      const target = await connectTo(this.context, endpoint(this.task.targetArn), CONNECT_TIMEOUT_MS);
      try {
        return await this.#move(source, target);
      } finally {
        await target.close(true);
      }
    } finally {
      await source.close(true);
    }
  }

  async #move(source: MongoClient, target: MongoClient): Promise<Outcome> {
    const task = this.store.get("task", this.task.arn) ?? this.task;
    if (!this.store.get("progress", task.arn)) this.#saveProgress(await this.#firstPosition(source));
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

  /** Change capture: read a batch, wait for its lag, apply it, and only then move the checkpoint. */
  async #follow(source: MongoClient, target: MongoClient): Promise<Outcome> {
    const { signal } = this.#stop;
    const capture = new Capture(
      source,
      this.store.get("progress", this.task.arn)!,
      AWAIT_MS,
      this.#selector.databases(),
    );
    try {
      while (!signal.aborted) {
        await this.#reloadTables(source, target);
        const { events, progress } = await capture.next();
        const changes = events.map(changeOf).filter((change) => change !== undefined);
        const wanted = changes.filter((change) => this.#selector.selects(change.schema, change.table));
        if (wanted.length > 0) {
          for (const change of wanted) this.#book.countRead(change);
          this.#book.save();
          if (!(await this.#lag(source, wanted))) break;
          await this.#applyBatch(target, wanted);
        }
        this.store.transaction(() => {
          this.#saveProgress(progress);
          this.#book.save();
        });
        this.#wentWell();
      }
    } finally {
      await capture.close();
      this.#book.forgetUnapplied();
    }
    return { kind: "stopped" };
  }

  /**
   * Holds a batch until it is as old as the lag asks, and while applying is paused. Gives false when the task was
   * stopped meanwhile. A change counts as captured only if the source is still there then: what a lagging DMS had
   * not read when MongoDB died, it never has.
   */
  async #lag(source: MongoClient, changes: readonly Change[]): Promise<boolean> {
    const newest = Math.max(...changes.map(({ wallMs }) => wallMs));
    let waited = false;
    for (;;) {
      if (this.#stop.signal.aborted) return false;
      const { lagMs, paused } = this.store.knobs(this.task.arn);
      const left = newest + lagMs - Date.now();
      if (!paused && left <= 0) break;
      waited = true;
      await this.#pause(paused ? 50 : Math.min(left, 50));
    }
    if (waited) await source.db("admin").command({ ping: 1 });
    return true;
  }

  async #applyBatch(target: MongoClient, changes: readonly Change[]): Promise<void> {
    const groups = new Map<string, Change[]>();
    for (const change of changes) {
      const name = `${change.schema}\0${change.table}`;
      const group = groups.get(name) ?? [];
      groups.set(name, group);
      if (change.kind !== "drop" || this.#handleDrops) group.push(change);
    }
    for (const group of groups.values()) {
      const first = group[0];
      if (!first) continue;
      const row = this.#book.row(first.schema, first.table);
      await applyChanges(target, first.schema, first.table, group, (refused) =>
        this.#logRefused(row, refused),
      );
      for (const change of group) this.#book.countApplied(change);
    }
  }

  /** Reloads asked for: changes wait meanwhile, and those made since the checkpoint are applied again behind it. */
  async #reloadTables(source: MongoClient, target: MongoClient): Promise<void> {
    for (let next = this.#reloads.shift(); next; next = this.#reloads.shift()) {
      const row = this.#book.row(next.schema, next.table);
      row.state = "Table is being reloaded";
      row.fullLoadReloaded = true;
      await this.#loadOne(source, target, row);
      if (this.#stop.signal.aborted) return;
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

  #saveProgress(progress: Progress): void {
    if (this.#savedToken === progress.token && progress.token !== "") return;
    this.#savedToken = progress.token;
    this.store.put("progress", this.task.arn, progress);
  }

  #wentWell(): void {
    if (this.#lostSince === undefined) return;
    this.#lostSince = undefined;
    this.store.updateTask(this.task.arn, (task) => {
      delete task.failure;
    });
  }

  #pause(ms: number): Promise<void> {
    if (this.#stop.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#stop.signal.addEventListener(
        "abort",
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
  }
}
