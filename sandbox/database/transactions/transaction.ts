/**
 * A multi-document transaction. Its writes are kept in memory; each of its statements runs on the storage as it was
 * when the transaction began, with its own writes applied again, and is then undone. The commit applies them for good.
 */
import { ServerError } from "../engine/errors.ts";
import { maxInternalDocumentBytes } from "../engine/raw.ts";
import { Binary } from "../engine/value.ts";
import type { Session } from "../server/sessions.ts";
import { type Holder, writeConflict } from "../storage/conflicts.ts";
import type { Storage } from "../storage/storage.ts";
import type { WriteRecord, WriteUnit } from "../storage/write-unit.ts";
import { documentKeyOf } from "../storage/write-unit.ts";
import { BsonWriter } from "../wire/writer.ts";

export type TransactionState = "inProgress" | "committed" | "aborted";

/** A statement needs a collection that isn't there: it is made first, then the statement runs again. */
export class MissingCollection extends Error {
  readonly ns: string;
  constructor(ns: string) {
    super(`collection ${ns} doesn't exist yet`);
    this.ns = ns;
  }
}

export class Transaction implements Holder {
  readonly number: bigint;
  readonly since: number;
  readonly ended: Promise<void>;
  readonly startedAt = Date.now();
  state: TransactionState = "inProgress";
  private readonly storage: Storage;
  private readonly records: WriteRecord[] = [];
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
    for (const record of this.records) unit.restore(record, record.before, record.after);
  }

  /** Runs a statement that may write; what it wrote is kept for the commit. */
  statement<T>(change: (unit: WriteUnit) => T): T {
    const { conflicts } = this.storage;
    const written: WriteRecord[] = [];
    const result = this.storage.attempt((unit) => {
      this.enter(unit);
      unit.collect((record) => {
        conflicts.claim(this, record);
        written.push(record);
      });
      return change(unit);
    });
    conflicts.hold(this, written);
    for (const record of written) {
      this.records.push(record);
      this.bytes += record.body.length + 200;
    }
    if (this.bytes > maxInternalDocumentBytes) {
      throw new ServerError(
        "TransactionTooLarge",
        `Total size of all transaction operations must be less than ${maxInternalDocumentBytes}. Actual size is ${this.bytes}`,
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

  /** Makes the writes durable, in one oplog entry. */
  commit(session: Session): void {
    try {
      this.storage.write((unit) => {
        for (const record of this.records) unit.apply(record, this);
        const ts = this.records.length > 0 ? this.log(unit, session) : 0;
        this.storage.database
          .query(
            "INSERT OR REPLACE INTO transactions(session, number, state, wall, ts) VALUES(?, ?, 'committed', ?, ?)",
          )
          .run(session.lsid, Number(this.number), Date.now(), ts);
      });
    } catch (error) {
      this.abort();
      // Another insert took a unique key meanwhile: the server finds that out as a conflict too.
      if (error instanceof ServerError && error.code === 11000) throw writeConflict();
      throw error;
    }
    this.end("committed");
  }

  private log(unit: WriteUnit, session: Session): number {
    const retry = { lsid: session.lsid, transactionNumber: this.number, statement: undefined, previous: 0 };
    const ts = unit.log({
      operation: "c",
      ns: "admin.$cmd",
      uuid: undefined,
      body: this.applyOps(),
      key: undefined,
      retry,
    });
    for (const [index, record] of this.records.entries()) {
      if (record.before && record.collection.preImages)
        this.storage.keepPreImage(ts, index, record.collection.uuid, record.before);
    }
    return ts;
  }

  private applyOps(): Uint8Array {
    const writer = new BsonWriter(4096);
    const start = writer.begin();
    const list = writer.beginArray("applyOps");
    for (const [index, { collection, operation, body, after }] of this.records.entries()) {
      const at = writer.beginObject(String(index));
      writer.string("op", operation);
      writer.string("ns", collection.ns);
      writer.value("ui", new Binary(collection.uuid, 4));
      writer.document("o", body);
      if (operation !== "d") writer.document("o2", documentKeyOf(after!));
      writer.end(at);
    }
    writer.end(list);
    writer.end(start);
    return new Uint8Array(writer.bytes());
  }

  abort(): void {
    if (this.state === "inProgress") this.end("aborted");
  }

  private end(state: TransactionState): void {
    this.state = state;
    this.storage.conflicts.end(this);
    this.records.length = 0;
    this.finish();
  }
}
