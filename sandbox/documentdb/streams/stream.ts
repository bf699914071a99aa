/** The change streams that are open, and what one batch of theirs becomes. */
import type { Buffer } from "node:buffer";
import { DialectError } from "../errors.ts";
import type { Settings, Suppression } from "../settings.ts";
import type { State } from "../state.ts";
import { type ChangeEvent, idText, readEvent } from "./events.ts";
import { isRecorded } from "./scopes.ts";

export const MAX_EVENT_BYTES = 16_777_216;
/** Open streams are remembered up to this many; the oldest are forgotten, as the database times their cursors out. */
const MAX_STREAMS = 10_000;

/** One open stream. It belongs to no connection: drivers may read it over any of their pool. */
export interface Stream {
  /** "updateLookup" when the client asked for it. */
  readonly lookup: boolean;
  /** Cluster time up to which the client has seen everything. */
  position: bigint;
  /** Read from the database and not yet given: a batch that would have grown too large with its full documents. */
  waiting: ChangeEvent[];
  /** The database has closed the cursor; what waits is still given. */
  exhausted: boolean;
  /** Where the database's cursor stands: its namespace, the token behind its last batch, and the time reached when it had no more. */
  namespace: string;
  batchToken: Buffer | undefined;
  reached: bigint;
}

export function newStream(lookup: boolean, position: bigint): Stream {
  return {
    lookup,
    position,
    waiting: [],
    exhausted: false,
    namespace: "",
    batchToken: undefined,
    reached: 0n,
  };
}

export class Streams {
  readonly #open = new Map<bigint, Stream>();
  readonly #suppressions: { rule: Suppression; pattern: RegExp; seen: Set<string> }[] = [];

  constructor(readonly state: State) {}

  get(cursor: bigint): Stream | undefined {
    return this.#open.get(cursor);
  }

  add(cursor: bigint, stream: Stream): void {
    this.#open.set(cursor, stream);
    if (this.#open.size > MAX_STREAMS) this.remove(this.#open.keys().next().value!);
  }

  remove(cursor: bigint): void {
    this.#open.delete(cursor);
  }

  suppress(rule: Suppression): void {
    this.#suppressions.push({ rule, pattern: new RegExp(rule.idPattern), seen: new Set() });
  }

  /** @throws DialectError 136 when the history at `position` is gone. */
  assertRetained(position: bigint): void {
    const oldest = BigInt(Math.floor(Date.now() / 1000) - this.state.settings.retentionSeconds) << 32n;
    if (position < oldest || position <= this.state.expiredBefore) {
      throw new DialectError(
        136,
        "CappedPositionLost: the resume point is no longer in the change stream log",
      );
    }
  }

  /** What DocumentDB's log has of a batch: the events of enabled namespaces it reports at all. */
  admit(documents: readonly Buffer[]): ChangeEvent[] {
    return documents.map(readEvent).filter((event) => this.#isReported(event));
  }

  #isReported(event: ChangeEvent): boolean {
    const { operation, database, collection, time } = event;
    if (operation !== undefined && !isReportedOperation(operation, this.state.settings)) return false;
    if (database !== undefined && time !== undefined) {
      if (database === "local" || database === "config" || database === "admin") return false;
      if (!isRecorded(this.state.scopes, database, collection ?? "", time)) return false;
    }
    return this.#suppressions.length === 0 || !this.#isSuppressed(event);
  }

  /** The same event is dropped from every stream, also when it is read again; others are counted once each. */
  #isSuppressed(event: ChangeEvent): boolean {
    const namespace = `${event.database}.${event.collection}`;
    for (const { rule, pattern, seen } of this.#suppressions) {
      if (rule.namespace !== namespace || !pattern.test(idText(event))) continue;
      const token = event.fields.find((field) => field.name === "_id");
      const identity = token ? event.bytes.toString("latin1", token.value, token.end) : String(event.time);
      if (seen.size < rule.nth) seen.add(identity);
      if (seen.size >= rule.nth && [...seen][rule.nth - 1] === identity) return true;
    }
    return false;
  }
}

const always = new Set(["insert", "update", "replace", "delete", "drop"]);

function isReportedOperation(operation: string, settings: Settings): boolean {
  if (always.has(operation)) return true;
  if (operation === "rename") return settings.emitRename;
  if (operation === "dropDatabase") return settings.emitDropDatabase;
  return operation === "invalidate" && settings.emitInvalidate;
}
