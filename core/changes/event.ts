/**
 * What the capture and the restore need to know about a raw change event, read without decoding the rest of it.
 * The bytes stay as the server sent them.
 */
import { BsonType, documentLength, endOfValue, int32At } from "../bson/raw.ts";
import type { OperationTime } from "../ports.ts";

/** A value inside an event: its BSON type, and its bytes, not copied. */
export interface RawValue {
  readonly type: number;
  readonly bytes: Uint8Array;
}

export interface ChangeEvent {
  readonly raw: Uint8Array;
  /** As the server names it; empty when the event has none or can't be read. */
  readonly operationType: string;
  /** Empty when the event names no namespace (`invalidate`, or one that can't be read). */
  readonly database: string;
  /** Empty for events on a whole database. */
  readonly collection: string;
  /** `documentKey._id`. */
  readonly id: RawValue | undefined;
  /** The whole resume token, the event's `_id`. */
  readonly token: RawValue | undefined;
  readonly clusterTime: OperationTime | undefined;
  readonly fullDocument: "present" | "null" | "absent";
  /** False when the bytes can't be walked as BSON: kept raw, flagged, looked at by a person. */
  readonly readable: boolean;
}

/** Types that carry a document's change. */
export const documentOperations: ReadonlySet<string> = new Set(["insert", "update", "replace", "delete"]);

/** Types that change a catalog: applied as barriers, or compared and named (failback.md 20). */
export const catalogOperations: ReadonlySet<string> = new Set([
  "drop",
  "dropDatabase",
  "rename",
  "create",
  "createIndexes",
  "dropIndexes",
  "modify",
  "shardCollection",
  "reshardCollection",
  "refineCollectionShardKey",
  "invalidate",
]);

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

/**
 * Reads one event. Keep one reader for a stream: it remembers the namespace it saw last, because neighbours mostly
 * share it. Never throws: content does not stop a capture (failback.md 9).
 */
export class EventReader {
  private namespaceBytes: Uint8Array = new Uint8Array();
  private database = "";
  private collection = "";

  read(raw: Uint8Array): ChangeEvent {
    const event = emptyEvent(raw);
    try {
      this.walk(raw, event);
      return event;
    } catch {
      return { ...emptyEvent(raw), readable: false };
    }
  }

  private walk(raw: Uint8Array, event: Mutable<ChangeEvent>): void {
    const end = documentLength(raw) - 1;
    let offset = 4;
    while (offset < end) {
      const type = raw[offset]!;
      const nameStart = offset + 1;
      const nameEnd = raw.indexOf(0, nameStart);
      const valueStart = nameEnd + 1;
      const valueEnd = endOfValue(raw, type, valueStart);
      const take = fields[nameEnd - nameStart];
      if (take) {
        for (const field of take) {
          if (isNamed(raw, nameStart, field.bytes))
            this.takeField(event, field.name, type, valueStart, valueEnd);
        }
      }
      offset = valueEnd;
    }
  }

  private takeField(
    event: Mutable<ChangeEvent>,
    name: FieldName,
    type: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    const { raw } = event;
    switch (name) {
      case "_id":
        event.token = { type, bytes: raw.subarray(valueStart, valueEnd) };
        return;
      case "ns":
        if (type === BsonType.object) this.takeNamespace(event, raw.subarray(valueStart, valueEnd));
        return;
      case "operationType":
        if (type === BsonType.string) event.operationType = operationName(raw, valueStart + 4, valueEnd - 1);
        return;
      case "clusterTime":
        if (type === BsonType.timestamp) {
          event.clusterTime = { t: int32At(raw, valueStart + 4) >>> 0, i: int32At(raw, valueStart) >>> 0 };
        }
        return;
      case "documentKey":
        if (type === BsonType.object) event.id = idIn(raw, valueStart, valueEnd);
        return;
      case "fullDocument":
        event.fullDocument = type === BsonType.null ? "null" : "present";
    }
  }

  private takeNamespace(event: Mutable<ChangeEvent>, bytes: Uint8Array): void {
    if (!sameBytes(bytes, this.namespaceBytes)) {
      // A copy: the reply this came in must not be kept alive by a name.
      this.namespaceBytes = bytes.slice();
      this.database = textField(bytes, "db");
      this.collection = textField(bytes, "coll");
    }
    event.database = this.database;
    event.collection = this.collection;
  }
}

const fieldNames = ["_id", "ns", "operationType", "clusterTime", "documentKey", "fullDocument"] as const;
type FieldName = (typeof fieldNames)[number];

/** The fields of interest by the length of their name: most others are passed over by that alone. */
const fields: { readonly name: FieldName; readonly bytes: Uint8Array }[][] = [];
for (const name of fieldNames) {
  const list = fields[name.length] ?? [];
  list.push({ name, bytes: new TextEncoder().encode(name) });
  fields[name.length] = list;
}

const decoder = new TextDecoder();
const knownNames = [...documentOperations, ...catalogOperations].map((name) => ({
  name,
  bytes: new TextEncoder().encode(name),
}));

/** Known names are compared, not decoded. */
function operationName(raw: Uint8Array, start: number, end: number): string {
  for (const known of knownNames) {
    if (known.bytes.length === end - start && isNamed(raw, start, known.bytes)) return known.name;
  }
  return decoder.decode(raw.subarray(start, end));
}

function idIn(raw: Uint8Array, start: number, end: number): RawValue | undefined {
  let offset = start + 4;
  while (offset < end - 1) {
    const type = raw[offset]!;
    const nameEnd = raw.indexOf(0, offset + 1);
    const valueEnd = endOfValue(raw, type, nameEnd + 1);
    // "_id"
    if (
      nameEnd - offset === 4 &&
      raw[offset + 1] === 0x5f &&
      raw[offset + 2] === 0x69 &&
      raw[offset + 3] === 0x64
    ) {
      return { type, bytes: raw.subarray(nameEnd + 1, valueEnd) };
    }
    offset = valueEnd;
  }
  return undefined;
}

function textField(document: Uint8Array, wanted: string): string {
  let offset = 4;
  while (offset < document.length - 1) {
    const type = document[offset]!;
    const nameEnd = document.indexOf(0, offset + 1);
    const valueEnd = endOfValue(document, type, nameEnd + 1);
    if (type === BsonType.string && decoder.decode(document.subarray(offset + 1, nameEnd)) === wanted) {
      return decoder.decode(document.subarray(nameEnd + 5, valueEnd - 1));
    }
    offset = valueEnd;
  }
  return "";
}

function isNamed(raw: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let index = 0; index < name.length; index++) {
    if (raw[start + index] !== name[index]) return false;
  }
  return true;
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) {
    if (left[index] !== right[index]) return false;
  }
  return true;
}

function emptyEvent(raw: Uint8Array): Mutable<ChangeEvent> {
  return {
    raw,
    operationType: "",
    database: "",
    collection: "",
    id: undefined,
    token: undefined,
    clusterTime: undefined,
    fullDocument: "absent",
    readable: true,
  };
}
