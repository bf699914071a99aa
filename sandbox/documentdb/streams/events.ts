/** One change event from the database's shape to DocumentDB's, on raw bytes. */
import { Buffer } from "node:buffer";
import { BSONError, deserialize, EJSON } from "bson";
import {
  documentOf,
  type Field,
  findField,
  readDocument,
  readFields,
  readString,
  readTimestamp,
  Type,
} from "../wire/raw.ts";
import { scrambleInPlace } from "./tokens.ts";

/** What the proxy has to know about an event. Fields a pipeline projected away are undefined. */
export interface ChangeEvent {
  readonly bytes: Buffer;
  readonly fields: readonly Field[];
  readonly operation: string | undefined;
  readonly database: string | undefined;
  readonly collection: string | undefined;
  readonly time: bigint | undefined;
  /** Commit time in milliseconds; the end of its second where the database tells no `wallTime`. */
  readonly wallMs: number | undefined;
  /** The whole `_id` element of `documentKey`, as a slice of `bytes`. */
  readonly id: Buffer | undefined;
}

export function readEvent(bytes: Buffer): ChangeEvent {
  const fields = readFields(bytes);
  const named = new Map(fields.map((each) => [each.name, each]));
  const namespace = named.get("ns");
  const inNamespace = namespace?.type === Type.Document ? readFields(bytes, namespace.value) : [];
  const key = named.get("documentKey");
  const id = key?.type === Type.Document ? findField(bytes, "_id", key.value) : undefined;
  const time = readTimestamp(bytes, named.get("clusterTime"));
  const wall = named.get("wallTime");
  return {
    bytes,
    fields,
    operation: readString(bytes, named.get("operationType")),
    database: readString(
      bytes,
      inNamespace.find((each) => each.name === "db"),
    ),
    collection: readString(
      bytes,
      inNamespace.find((each) => each.name === "coll"),
    ),
    time,
    wallMs: wall
      ? Number(bytes.readBigInt64LE(wall.value))
      : time === undefined
        ? undefined
        : Number(time >> 32n) * 1000 + 999,
    id: id && bytes.subarray(id.start, id.end),
  };
}

/** The event's `_id` as people write it: plain text for strings, hex for ObjectIds, extended JSON for the rest. */
export function idText(event: ChangeEvent): string {
  if (!event.id) return "";
  try {
    const { _id } = deserialize(documentOf([event.id])) as { _id: unknown };
    if (typeof _id === "string") return _id;
    if (_id !== null && typeof _id === "object" && "toHexString" in _id) return String(_id);
    return EJSON.stringify(_id);
  } catch (cause) {
    if (cause instanceof BSONError) return "";
    throw cause;
  }
}

/** What MongoDB reports and DocumentDB doesn't. */
const hidden = new Set([
  "wallTime",
  "lsid",
  "txnNumber",
  "collectionUUID",
  "operationDescription",
  "stateBeforeChange",
  "fullDocumentBeforeChange",
]);

/** `updateDescription` with MongoDB's additions left out: `disambiguatedPaths`, and `truncatedArrays` when empty. */
function describeUpdate(bytes: Buffer, field: Field): Uint8Array[] {
  const parts = readFields(bytes, field.value);
  const kept = parts.filter(
    (part) =>
      part.name !== "disambiguatedPaths" && !(part.name === "truncatedArrays" && part.end - part.value <= 5),
  );
  if (kept.length === parts.length) return [bytes.subarray(field.start, field.end)];
  const inner = documentOf(kept.map((part) => bytes.subarray(part.start, part.end)));
  return [bytes.subarray(field.start, field.value), inner];
}

/** The token's element with its text scrambled; a copy. */
export function scrambledToken(bytes: Buffer, field: Field): Buffer {
  const copy = Buffer.from(bytes.subarray(field.start, field.end));
  const data = findField(copy, "_data", field.value - field.start);
  if (data?.type !== Type.String)
    throw new Error("expected `_data` as text in a resume token of the database");
  scrambleInPlace(copy, data.value + 4, data.end - data.value - 5);
  return copy;
}

/**
 * The event as DocumentDB reports it.
 * @param lookup the full document found for it, null when there was none any more, undefined when none was asked for
 */
export function translateEvent(event: ChangeEvent, lookup: Uint8Array | null | undefined): Buffer {
  const { bytes } = event;
  const elements: Uint8Array[] = [];
  for (const field of event.fields) {
    if (hidden.has(field.name)) continue;
    if (field.name === "_id" && field.type === Type.Document) elements.push(scrambledToken(bytes, field));
    else if (field.name === "updateDescription" && field.type === Type.Document) {
      elements.push(...describeUpdate(bytes, field));
    } else elements.push(bytes.subarray(field.start, field.end));
  }
  if (lookup === null) elements.push(Buffer.from("\x0afullDocument\0", "latin1"));
  else if (lookup) elements.push(Buffer.from("\x03fullDocument\0", "latin1"), lookup);
  return documentOf(elements);
}

/** The batch of a cursor reply. */
export function eventsOf(bytes: Buffer, batch: Field): Buffer[] {
  return readFields(bytes, batch.value).map((field) => readDocument(bytes, field));
}
