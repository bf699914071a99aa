/** The stand-in server: its state, put together. Commands find everything here. */
import { Authorization } from "../auth/principals.ts";
import type { DocumentSource } from "../cursors/cursor.ts";
import { CursorRegistry } from "../cursors/registry.ts";
import { takeAll } from "../cursors/sources.ts";
import type { ServerError } from "../engine/errors.ts";
import { compileFilter } from "../engine/match/index.ts";
import { FailPoints } from "../faults/fail-points.ts";
import { Faults } from "../faults/faults.ts";
import { Journal } from "../faults/journal.ts";
import { ReplicaSet } from "../members/replica-set.ts";
import { Storage } from "../storage/storage.ts";
import { TtlMonitor } from "../storage/ttl.ts";
import type { WriteUnit } from "../storage/write-unit.ts";
import { Snapshots } from "../transactions/snapshots.ts";
import { encodeReply, type ReplyObject } from "../wire/writer.ts";
import type { CommandContext } from "./context.ts";
import { Dispatcher } from "./dispatch.ts";
import type { ServerOptions } from "./options.ts";
import { Parameters } from "./parameters.ts";
import { Sessions } from "./sessions.ts";

export class Server {
  readonly options: ServerOptions;
  readonly storage: Storage;
  readonly replicaSet: ReplicaSet;
  readonly authorization: Authorization;
  readonly sessions: Sessions;
  readonly cursors = new CursorRegistry();
  readonly parameters: Parameters;
  readonly failPoints = new FailPoints();
  readonly snapshots: Snapshots;
  readonly faults = new Faults();
  readonly journal = new Journal();
  /** Commands under way, by operation number: currentOp, killOp. */
  readonly running = new Map<number, CommandContext>();
  readonly startedAt = Date.now();
  /** `setUserWriteBlockMode`: writers without the bypass privilege get 371. */
  userWriteBlock = false;
  readonly knobs = { multiWriteCommitDelayMs: 0 };
  readonly counters = { insert: 0, query: 0, update: 0, delete: 0, getmore: 0, command: 0, connections: 0 };
  readonly ttl: TtlMonitor;
  private ttlTimer: ReturnType<typeof setInterval> | undefined;
  private readonly timers: ReturnType<typeof setInterval>[] = [];

  constructor(options: ServerOptions) {
    this.options = options;
    this.storage = new Storage({
      directory: options.directory,
      oplogBytes: options.oplogBytes,
      compileFilter: (filter) => {
        const compiled = compileFilter(filter, {});
        return (document) => compiled(document);
      },
    });
    this.ttl = new TtlMonitor(this.storage);
    this.authorization = new Authorization(this.storage);
    this.sessions = new Sessions(this.storage);
    this.snapshots = new Snapshots(this.storage);
    this.parameters = new Parameters(options);
    const dispatcher = new Dispatcher(this);
    this.replicaSet = new ReplicaSet(
      this.storage,
      options.setName,
      options.members,
      options.port,
      (connection, request) => dispatcher.handle(connection, request),
    );
  }

  /** Runs `work` again and again, `everyMs` apart, until the server stops. A failure ends the process: never silent. */
  every(everyMs: number, work: () => void): void {
    this.timers.push(setInterval(work, everyMs));
  }

  /** Runs a command's changes: in its transaction if it has one, else committed before the reply. */
  mutate<T>(context: CommandContext, change: (unit: WriteUnit) => T): T {
    const { transaction } = context;
    return transaction ? transaction.statement(change) : this.storage.write(change);
  }

  /** Reads for a command: a transaction's or snapshot's read is taken whole, on its own view of the data. */
  read(context: CommandContext, open: () => DocumentSource): DocumentSource {
    const { transaction, snapshot } = context;
    if (transaction) return transaction.read(() => takeAll(open()));
    return snapshot === undefined ? open() : this.snapshots.read(snapshot, () => takeAll(open()));
  }

  /** True for errors that end a whole batch, and not only one of its statements. */
  breaksBatch(context: CommandContext, error: ServerError): boolean {
    return context.transaction !== undefined && error.code !== 11000 && error.code !== 121;
  }

  /** Lets a multi-document write commit late, when the sandbox was told to: the worst reading of a bulk write. */
  async delayMultiWrite(_context: CommandContext, multi: boolean): Promise<void> {
    if (multi && this.knobs.multiWriteCommitDelayMs > 0) await Bun.sleep(this.knobs.multiWriteCommitDelayMs);
  }

  /** Writes a no-op entry, as the server does for notes and to move an idle oplog on. */
  note(body: ReplyObject): void {
    this.storage.write((unit) => {
      unit.log({ operation: "n", ns: "", uuid: undefined, body: encodeReply(body), key: undefined });
    });
  }

  setUserWriteBlock(on: boolean): void {
    this.userWriteBlock = on;
    this.storage.meta.set("userWriteBlock", on ? "1" : "0");
  }

  /** Ends the process after the reply to `shutdown` had time to leave. */
  shutdownSoon(): void {
    setTimeout(() => {
      this.stop();
      process.exit(0);
    }, 20);
  }

  /** Timers follow the parameters. */
  parametersChanged(): void {
    this.cursors.timeoutMs = this.parameters.numberOf("cursorTimeoutMillis");
    clearInterval(this.ttlTimer);
    const seconds = this.parameters.numberOf("ttlMonitorSleepSecs");
    this.ttlTimer = setInterval(() => {
      if (this.parameters.isOn("ttlMonitorEnabled")) this.ttl.run(Date.now());
    }, seconds * 1000);
  }

  start(): void {
    this.userWriteBlock = this.storage.meta.text("userWriteBlock") === "1";
    this.replicaSet.start();
    this.parametersChanged();
    this.every(60_000, () => {
      this.sessions.expire();
      this.snapshots.expire(this.parameters.numberOf("minSnapshotHistoryWindowInSeconds") * 1000);
      this.cursors.expire();
    });
    // An idle set still writes: resume tokens stay young and times move on.
    let seen = this.storage.clock.last;
    this.every(this.parameters.numberOf("periodicNoopIntervalSecs") * 1000, () => {
      if (this.storage.clock.last === seen && this.replicaSet.primary) this.note({ msg: "periodic noop" });
      seen = this.storage.clock.last;
    });
  }

  stop(): void {
    clearInterval(this.ttlTimer);
    for (const timer of this.timers) clearInterval(timer);
    this.replicaSet.stop();
    this.storage.close();
  }
}
