/** A change stream as a source of documents: reads the oplog's chunks, gives events, keeps its place. */

import type { DocumentSource } from "../cursors/cursor.ts";
import { waitForCommit } from "../cursors/oplog-source.ts";
import { splitNamespace } from "../storage/catalog.ts";
import type { Chunk } from "../storage/oplog.ts";
import { MARK_WORDS, Mark } from "../storage/oplog-entry.ts";
import type { Storage } from "../storage/storage.ts";
import { packTs, type Ts } from "../storage/timestamp.ts";
import { documentKeyOf } from "../storage/write-unit.ts";
import { commandEvent } from "./commands.ts";
import { type EntryView, entryAt, fieldBytes, isDelta, wallOf } from "./entry.ts";
import { type DocumentChange, EventWriter } from "./event-writer.ts";
import { Images } from "./images.ts";
import { historyLost, type Scope, type StreamOptions } from "./options.ts";
import { atTime, type Position, tokenDocument } from "./token.ts";
import { transactionChanges } from "./transaction.ts";
import { viewEvent } from "./views.ts";

/** What the pipeline after `$changeStream` makes of an event: nothing, or one or more documents with their places. */
export type Transform = (
  event: Uint8Array,
  position: Position,
) => { bytes: Uint8Array; position: Position }[];

const VIEWS = "system.views";
const TURN_MS = 15;
const READ_BYTES = 4_194_304;
const INSERT = "i".charCodeAt(0);
const UPDATE = "u".charCodeAt(0);
const DELETE = "d".charCodeAt(0);
const COMMAND = "c".charCodeAt(0);

interface Ready {
  bytes: Uint8Array;
  position: Position;
}

export class ChangeStreamSource implements DocumentSource {
  private readonly storage: Storage;
  private readonly scope: Scope;
  private readonly options: StreamOptions;
  private readonly transform: Transform | undefined;
  private readonly writer: EventWriter;
  private readonly watched: (boolean | undefined)[] = [];
  private readonly resumed: Position;
  private chunks: Chunk[] = [];
  private chunk = 0;
  private entry = 0;
  /** The next entry to look at is at this time or later. */
  private from: Ts;
  private ready: Ready[] = [];
  private given = 0;
  private token: Position;
  private closed = false;
  private ended = false;
  idle = true;

  constructor(storage: Storage, scope: Scope, options: StreamOptions, transform: Transform | undefined) {
    this.storage = storage;
    this.scope = scope;
    this.options = options;
    this.transform = transform;
    this.writer = new EventWriter(options, new Images(storage));
    this.resumed = options.start;
    this.from = options.start.ts;
    this.token = options.start;
  }

  get exhausted(): boolean {
    return this.closed || (this.ended && this.given >= this.ready.length);
  }

  next(): Uint8Array | undefined {
    if (this.given >= this.ready.length && !this.refill()) return undefined;
    const { bytes, position } = this.ready[this.given++]!;
    this.token = position;
    return bytes;
  }

  /** Reads entries until one gives events. False when there are none now. */
  private refill(): boolean {
    this.ready = [];
    this.given = 0;
    if (this.closed || this.ended) return false;
    const until = performance.now() + TURN_MS;
    for (let count = 1; ; count++) {
      const entry = this.step();
      if (entry === undefined) {
        this.idle = true;
        this.caughtUp();
        return false;
      }
      if (entry !== null) this.look(entry);
      if (this.ready.length > 0) return true;
      if (this.ended) return false;
      if ((count & 255) === 0 && performance.now() > until) {
        this.idle = false;
        return false;
      }
    }
  }

  /** Everything up to now was looked at: the token may move on without events. */
  private caughtUp(): void {
    const latest = this.storage.clock.last;
    if (latest > this.token.ts && latest >= this.resumed.ts) this.token = atTime(latest);
  }

  /** The next entry that may concern the stream; null for one that can't; undefined at the end. */
  private step(): EntryView | null | undefined {
    let chunk = this.chunks[this.chunk];
    while (!chunk || this.entry >= chunk.marks.length) {
      if (chunk) {
        this.from = Math.max(this.from, chunk.last + 1);
        this.chunk++;
        this.entry = 0;
      }
      if (this.chunk >= this.chunks.length && !this.read()) return undefined;
      chunk = this.chunks[this.chunk];
    }
    const { marks } = chunk;
    const at = this.entry;
    this.entry += MARK_WORDS;
    const ts = packTs(marks[at + Mark.Seconds]!, marks[at + Mark.Increment]!);
    if (ts < this.from) return null;
    const operation = marks[at + Mark.Operation]!;
    const document = operation === INSERT || operation === UPDATE || operation === DELETE;
    if (document ? !this.watches(marks[at + Mark.Namespace]!) : operation !== COMMAND) return null;
    return entryAt(chunk, at, ts);
  }

  private read(): boolean {
    if (this.storage.oplog.isLost(this.from)) throw historyLost();
    this.chunks = this.storage.oplog.chunksFrom(this.from, READ_BYTES);
    this.chunk = 0;
    this.entry = 0;
    return this.chunks.length > 0;
  }

  private watches(number: number): boolean {
    let known = this.watched[number];
    if (known === undefined) {
      known = this.watchesNamespace(this.storage.oplog.namespaceOf(number));
      this.watched[number] = known;
    }
    return known;
  }

  private watchesNamespace(ns: string): boolean {
    const { scope } = this;
    if (scope.kind === "collection") return scope.ns === ns;
    const { database, name } = splitNamespace(ns);
    const hidden = name.startsWith("system.") && !this.options.systemEvents;
    if (hidden && !(name === VIEWS && this.options.expanded)) return false;
    if (scope.kind === "database") return scope.database === database;
    return database !== "admin" && database !== "local" && database !== "config";
  }

  /** True for what the client had already seen when it resumed. */
  private seen(position: Position): boolean {
    const { resumed } = this;
    if (position.ts !== resumed.ts || resumed.kind === "time") return false;
    if (position.operation !== resumed.operation) return position.operation < resumed.operation;
    return resumed.kind === "invalidate" || (resumed.fragment === 0 && position.kind === "event");
  }

  private look(entry: EntryView): void {
    if (entry.operation === "c") {
      this.lookAtCommand(entry);
      return;
    }
    const position: Position = { ts: entry.ts, operation: 0, fragment: 0, kind: "event" };
    if (this.seen(position)) return;
    const ns = this.storage.oplog.namespaceOf(entry.namespace);
    const view = this.options.expanded && this.scope.kind !== "collection" && ns.endsWith(`.${VIEWS}`);
    const event = view
      ? this.writer.command({ ...commonOf(entry), position, ...viewEvent(entry) })
      : this.writer.change(changeOf(entry, position, ns, this.options.expanded));
    this.give(event, position);
  }

  private give(bytes: Uint8Array, position: Position): void {
    if (!this.transform) this.ready.push({ bytes, position });
    else
      for (const made of this.transform(bytes, position))
        if (!this.seenFragment(made.position)) this.ready.push(made);
  }

  private seenFragment(position: Position): boolean {
    const { resumed } = this;
    return (
      position.ts === resumed.ts &&
      position.operation === resumed.operation &&
      resumed.kind === "event" &&
      position.fragment <= resumed.fragment
    );
  }

  private lookAtCommand(entry: EntryView): void {
    const ns = this.storage.oplog.namespaceOf(entry.namespace);
    if (isApplyOps(entry.body)) {
      this.lookAtTransaction(entry);
      return;
    }
    const uuid = fieldBytes(entry.bytes, "ui")?.subarray(5);
    const event = commandEvent(
      { ns, body: entry.body, key: entry.key, uuid },
      this.scope,
      this.options.expanded,
    );
    if (!event) return;
    const position: Position = { ts: entry.ts, operation: 0, fragment: 0, kind: "event" };
    const common = commonOf(entry);
    if (!this.seen(position)) {
      this.give(
        this.writer.command({ ...common, position, type: event.type, uuid, ns: event.ns, more: event.more }),
        position,
      );
    }
    if (!event.invalidates) return;
    const invalidate: Position = { ...position, kind: "invalidate" };
    // A client that starts after the invalidate event goes on with what came later.
    if (this.resumed.kind === "invalidate" && this.resumed.ts === entry.ts) return;
    this.give(this.writer.command({ ...common, position: invalidate, type: "invalidate" }), invalidate);
    this.ended = true;
  }

  private lookAtTransaction(entry: EntryView): void {
    for (const change of transactionChanges(this.storage, entry)) {
      if (!this.watchesNamespace(change.ns) || this.seen(change.position)) continue;
      this.give(this.writer.change(change), change.position);
    }
  }

  wait(): { promise: Promise<void>; cancel: () => void } {
    return waitForCommit(this.storage);
  }

  postBatchResumeToken(): Uint8Array {
    return tokenDocument(this.token);
  }

  close(): void {
    this.closed = true;
    this.chunks = [];
    this.ready = [];
  }
}

function commonOf(entry: EntryView): { seconds: number; increment: number; wall: bigint } {
  return { seconds: entry.seconds, increment: entry.increment, wall: wallOf(entry.bytes) };
}

// "applyOps" at the front of the entry's `o`.
const APPLY_OPS = Buffer.from("applyOps\0");

function isApplyOps(body: Uint8Array): boolean {
  return body.length > 14 && Buffer.compare(body.subarray(5, 14), APPLY_OPS) === 0;
}

function changeOf(entry: EntryView, position: Position, ns: string, expanded: boolean): DocumentChange {
  const operation = entry.operation as "i" | "u" | "d";
  const key = operation === "d" ? entry.body : (entry.key ?? documentKeyOf(entry.body));
  return {
    position,
    seconds: entry.seconds,
    increment: entry.increment,
    wall: wallOf(entry.bytes),
    operation,
    ns,
    uuid: expanded || operation === "u" ? fieldBytes(entry.bytes, "ui")?.subarray(5) : undefined,
    body: entry.body,
    key,
    delta: operation === "u" && isDelta(entry.body),
    transaction: undefined,
  };
}
