/** One change event from the database's shape to DocumentDB's, on raw bytes. */
import { Buffer } from "node:buffer";
import { BSONError, deserialize, EJSON } from "bson";
import {
  documentOf,
  type Field,
  findField,
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
function describeUpdate(bytes: Buffer, field: Field): Buffer | undefined {
  const parts = readFields(bytes, field.value);
  const kept = parts.filter(
    (part) =>
      part.name !== "disambiguatedPaths" && !(part.name === "truncatedArrays" && part.end - part.value <= 5),
  );
  if (kept.length === parts.length) return undefined;
  return documentOf(kept.map((part) => bytes.subarray(part.start, part.end)));
}

/** Scrambles the token in `field` of `bytes`, in place. */
function scrambleField(bytes: Buffer, field: Field): void {
  const data = findField(bytes, "_data", field.value);
  if (data?.type !== Type.String)
    throw new Error("expected `_data` as text in a resume token of the database");
  scrambleInPlace(bytes, data.value + 4, data.end - data.value - 5);
}

/** The token's element with its text scrambled; a copy. */
export function scrambledToken(bytes: Buffer, field: Field): Buffer {
  const copy = Buffer.from(bytes.subarray(field.start, field.end));
  scrambleField(copy, { ...field, start: 0, value: field.value - field.start, end: copy.length });
  return copy;
}

/** No translation is longer than its event by more than this and the document looked up for it. */
export const TRANSLATION_BYTES = 32;
const nothingFound = Buffer.from("\x0afullDocument\0", "latin1");
const found = Buffer.from("\x03fullDocument\0", "latin1");

/**
 * Writes the event as DocumentDB reports it into `out` at `at`, and gives the offset behind it. Neighbouring fields
 * go in one copy: copies are most of what a batch costs.
 * @param lookup the full document found for it, null when there was none any more, undefined when none was asked for
 */
export function writeEvent(
  out: Buffer,
  at: number,
  event: ChangeEvent,
  lookup: Uint8Array | null | undefined,
): number {
  const { bytes, fields } = event;
  let end = at + 4;
  let from = 4;
  let token = -1;
  const copyUpTo = (limit: number) => {
    bytes.copy(out, end, from, limit);
    end += limit - from;
  };
  for (const field of fields) {
    if (field.name === "_id" && field.type === Type.Document) token = end + field.start - from;
    const description =
      field.name === "updateDescription" && field.type === Type.Document
        ? describeUpdate(bytes, field)
        : undefined;
    if (description) {
      copyUpTo(field.value);
      end += description.copy(out, end);
      from = field.end;
    } else if (hidden.has(field.name)) {
      copyUpTo(field.start);
      from = field.end;
    }
  }
  copyUpTo(bytes.length - 1);
  if (token >= 0)
    scrambleField(out, { name: "_id", type: Type.Document, start: token, value: token + 5, end: token });
  if (lookup === null) end += nothingFound.copy(out, end);
  else if (lookup) {
    end += found.copy(out, end);
    out.set(lookup, end);
    end += lookup.length;
  }
  out[end++] = 0;
  out.writeInt32LE(end - at, at);
  return end;
}

/** The event as DocumentDB reports it, as a document of its own. */
export function translateEvent(event: ChangeEvent, lookup: Uint8Array | null | undefined): Buffer {
  const out = Buffer.allocUnsafe(event.bytes.length + (lookup?.length ?? 0) + TRANSLATION_BYTES);
  return out.subarray(0, writeEvent(out, 0, event, lookup));
}
