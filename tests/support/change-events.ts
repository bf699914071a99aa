/** Raw change events as a server sends them, for tests at the port boundary. */
import { type Document, Long, ObjectId, serialize, Timestamp } from "bson";
import type { OperationTime } from "../../core/ports.ts";

export interface EventOptions {
  readonly operationType?: string;
  readonly database?: string;
  readonly collection?: string;
  readonly id?: unknown;
  readonly time?: OperationTime;
  readonly fullDocument?: Document | null;
  /** Fields added or overwritten at the top level; `undefined` removes one. */
  readonly fields?: Document;
}

/** The token of the n-th event of a stream: opaque to the product, readable for tests. */
function tokenOf(number: number): Document {
  return { _data: number.toString(16).padStart(16, "0") };
}

export function tokenBytes(number: number): Uint8Array {
  return serialize(tokenOf(number));
}

/** One event; its place in the stream is `number`, from 1. */
export function changeEvent(number: number, options: EventOptions = {}): Uint8Array {
  const { database = "shop", collection = "orders", operationType = "insert" } = options;
  const id = options.id === undefined ? new ObjectId(number.toString(16).padStart(24, "0")) : options.id;
  const time = options.time ?? { t: 1_700_000_000 + Math.floor(number / 100), i: (number % 100) + 1 };
  const fullDocument =
    options.fullDocument === undefined
      ? { _id: id, value: number, text: "x".repeat(20) }
      : options.fullDocument;
  const event: Document = {
    _id: tokenOf(number),
    operationType,
    clusterTime: new Timestamp(Long.fromBits(time.i, time.t, true)),
    ...(operationType === "delete" ? {} : { fullDocument }),
    ns: { db: database, ...(collection ? { coll: collection } : {}) },
    documentKey: { _id: id },
    ...options.fields,
  };
  for (const [name, value] of Object.entries(event)) if (value === undefined) delete event[name];
  return serialize(event, { ignoreUndefined: true });
}
