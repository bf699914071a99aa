/**
 * A multi-document transaction. Its writes are kept in memory; each of its statements runs on the storage as it was
 * when the transaction began, with its own writes applied again, and is then undone. The commit applies them for good.
 */
import { ServerError } from "../engine/errors.ts";
import type { Session } from "../server/sessions.ts";
import { type Holder, writeConflict } from "../storage/conflicts.ts";
import type { Storage } from "../storage/storage.ts";
import type { WriteRecord, WriteUnit } from "../storage/write-unit.ts";
import { logTransaction } from "./log.ts";

export type TransactionState = "inProgress" | "committed" | "aborted";

/** More than this and a transaction doesn't fit into memory. */
const MOST_BYTES = 268_435_456;

/** What a transaction did, in order: changes of documents, and of the catalog as something to do again. */
type Step = { kind: "write"; record: WriteRecord } | { kind: "catalog"; apply: (unit: WriteUnit) => void };

export class Transaction implements Holder {
  readonly number: bigint;
  readonly since: number;
  readonly ended: Promise<void>;
  readonly startedAt = Date.now();
  state: TransactionState = "inProgress";
  private readonly storage: Storage;
  private readonly steps: Step[] = [];
  private bytes = 0;
  private finish: () => void = () => undefined;

  constructor(storage: Storage, number: bigint) {
    this.storage = storage;
    this.number = number;
    this.since = storage.conflicts.now;
    this.ended = new Promise((resolve) => {
      this.finish = resolve;
    });
    storage.conflicts.begin(this);
  }

  /** Puts the snapshot and the transaction's own writes in place. */
  private enter(unit: WriteUnit): void {
    for (const record of this.storage.conflicts.changesSince(this.since).toReversed()) {
      unit.restore(record, record.after, record.before);
    }
    for (const step of this.steps) {
      if (step.kind === "write") unit.restore(step.record, step.record.before, step.record.after);
      else step.apply(unit);
    }
  }

  /** Runs a statement that may write; what it wrote is kept for the commit. */
  statement<T>(change: (unit: WriteUnit) => T): T {
    const { conflicts } = this.storage;
    const made: Step[] = [];
    const result = this.storage.attempt((unit) => {
      this.enter(unit);
      unit.collect({
        write: (record) => {
          conflicts.claim(this, record);
          made.push({ kind: "write", record });
        },
        catalog: (apply) => made.push({ kind: "catalog", apply }),
      });
      return change(unit);
    });
    conflicts.hold(
      this,
      made.flatMap((step) => (step.kind === "write" ? [step.record] : [])),
    );
    for (const step of made) {
      this.steps.push(step);
      if (step.kind === "write") this.bytes += step.record.body.length;
    }
    if (this.bytes > MOST_BYTES) {
      throw new ServerError(
        "TransactionTooLarge",
        `Total size of all transaction operations must be less than ${MOST_BYTES}. Actual size is ${this.bytes}`,
      );
    }
    return result;
  }

  /** Runs a read on the transaction's view of the data. */
  read<T>(work: () => T): T {
    return this.storage.attempt((unit) => {
      this.enter(unit);
      return work();
    });
  }

  /** Makes the writes durable, under one commit time. */
  commit(session: Session): void {
    try {
      this.storage.write((unit) => {
        const records: WriteRecord[] = [];
        for (const step of this.steps) {
          if (step.kind === "catalog") step.apply(unit);
          else records.push(unit.apply(step.record, this));
        }
        const ts = records.length > 0 ? logTransaction(unit, session, this.number, records) : 0;
        this.storage.database
          .query(
            "INSERT OR REPLACE INTO transactions(session, number, state, wall, ts) VALUES(?, ?, 'committed', ?, ?)",
          )
          .run(session.lsid, Number(this.number), Date.now(), ts);
      });
    } catch (error) {
      this.abort();
      // Another one took a unique key or a name meanwhile: the server finds that out as a conflict too.
      if (error instanceof ServerError && (error.code === 11000 || error.code === 48)) throw writeConflict();
      throw error;
    }
    this.end("committed");
  }

  abort(): void {
    if (this.state === "inProgress") this.end("aborted");
  }

  private end(state: TransactionState): void {
    this.state = state;
    this.storage.conflicts.end(this);
    this.steps.length = 0;
    this.finish();
  }
}
