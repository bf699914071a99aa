/**
 * What the capture and the restore need to know about a raw change event, read without decoding the rest of it.
 * The bytes stay as the server sent them.
 */
import { BsonType, documentLength, endOfValue, findElement, int32At, textIn } from "../bson/raw.ts";
import type { OperationTime } from "../ports.ts";
import { endOfName, isSameAt, NameTable } from "./raw-names.ts";

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
  readonly hasToken: boolean;
  readonly clusterTime: OperationTime | undefined;
  readonly fullDocument: "present" | "null" | "absent";
  /** False when the bytes can't be walked as BSON: kept raw, flagged, looked at by a person. */
  readonly readable: boolean;
}

/** Types that carry a document's change. */
export const documentOperations: ReadonlySet<string> = new Set(["insert", "update", "replace", "delete"]);

/** Types that change a catalog: applied as barriers, or compared and named (invariants.md 20). */
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

/** An event whose slices are made when they are asked for: most never are, and capture reads millions. */
class ReadEvent implements ChangeEvent {
  operationType = "";
  database = "";
  collection = "";
  fullDocument: ChangeEvent["fullDocument"] = "absent";
  readable = true;
  /** Type byte and place of `documentKey._id`, of the token, and place of the cluster time; type 0 means absent. */
  idType = 0;
  idStart = 0;
  idEnd = 0;
  tokenType = 0;
  tokenStart = 0;
  tokenEnd = 0;
  timeStart = 0;

  constructor(readonly raw: Uint8Array) {}

  get id(): RawValue | undefined {
    if (this.idType === 0) return undefined;
    return { type: this.idType, bytes: this.raw.subarray(this.idStart, this.idEnd) };
  }

  get hasToken(): boolean {
    return this.tokenType !== 0;
  }

  get token(): RawValue | undefined {
    if (this.tokenType === 0) return undefined;
    return { type: this.tokenType, bytes: this.raw.subarray(this.tokenStart, this.tokenEnd) };
  }

  get clusterTime(): OperationTime | undefined {
    if (this.timeStart === 0) return undefined;
    return { t: int32At(this.raw, this.timeStart + 4) >>> 0, i: int32At(this.raw, this.timeStart) >>> 0 };
  }
}

/**
 * Reads one event. Keep one reader for a stream: it remembers the namespace it saw last, because neighbours mostly
 * share it. Never throws: content does not stop a capture (invariants.md 9).
 */
export class EventReader {
  private namespaceBytes: Uint8Array = new Uint8Array();
  private database = "";
  private collection = "";

  read(raw: Uint8Array): ChangeEvent {
    const event = new ReadEvent(raw);
    try {
      this.walk(raw, event);
      return event;
    } catch {
      const unreadable = new ReadEvent(raw);
      unreadable.readable = false;
      return unreadable;
    }
  }

  private walk(raw: Uint8Array, event: ReadEvent): void {
    const end = documentLength(raw) - 1;
    let offset = 4;
    while (offset < end) {
      const type = raw[offset]!;
      const nameStart = offset + 1;
      const nameEnd = endOfName(raw, nameStart, end);
      const valueEnd = endOfValue(raw, type, nameEnd + 1);
      const field = fieldAt(raw, nameStart, nameEnd);
      if (field !== undefined) this.takeField(event, field, type, nameEnd + 1, valueEnd);
      offset = valueEnd;
    }
  }

  private takeField(event: ReadEvent, field: FieldName, type: number, start: number, end: number): void {
    const { raw } = event;
    switch (field) {
      case "_id":
        event.tokenType = type;
        event.tokenStart = start;
        event.tokenEnd = end;
        return;
      case "ns":
        if (type === BsonType.object) this.takeNamespace(event, start, end);
        return;
      case "operationType":
        if (type === BsonType.string) event.operationType = operationName(raw, start + 4, end - 1);
        return;
      case "clusterTime":
        if (type === BsonType.timestamp) event.timeStart = start;
        return;
      case "documentKey":
        if (type === BsonType.object) takeId(event, start, end);
        return;
      case "fullDocument":
        event.fullDocument = type === BsonType.null ? "null" : "present";
    }
  }

  private takeNamespace(event: ReadEvent, start: number, end: number): void {
    if (!isSameAt(event.raw, start, end, this.namespaceBytes)) {
      // A copy: the reply this came in must not be kept alive by a name.
      this.namespaceBytes = event.raw.slice(start, end);
      this.database = textField(this.namespaceBytes, "db");
      this.collection = textField(this.namespaceBytes, "coll");
    }
    event.database = this.database;
    event.collection = this.collection;
  }
}

const fieldNames = ["_id", "ns", "operationType", "clusterTime", "documentKey", "fullDocument"] as const;
type FieldName = (typeof fieldNames)[number];

const decoder = new TextDecoder();
const fieldTable = new NameTable<FieldName>(fieldNames);
const operationTable = new NameTable([...documentOperations, ...catalogOperations]);

function fieldAt(raw: Uint8Array, start: number, end: number): FieldName | undefined {
  return fieldTable.at(raw, start, end);
}

function operationName(raw: Uint8Array, start: number, end: number): string {
  return operationTable.at(raw, start, end) ?? decoder.decode(raw.subarray(start, end));
}

function takeId(event: ReadEvent, start: number, end: number): void {
  const { raw } = event;
  let offset = start + 4;
  while (offset < end - 1) {
    const type = raw[offset]!;
    const nameEnd = endOfName(raw, offset + 1, end);
    const valueEnd = endOfValue(raw, type, nameEnd + 1);
    if (fieldAt(raw, offset + 1, nameEnd) === "_id") {
      event.idType = type;
      event.idStart = nameEnd + 1;
      event.idEnd = valueEnd;
      return;
    }
    offset = valueEnd;
  }
}

function textField(document: Uint8Array, wanted: string): string {
  return textIn(findElement(document, wanted)) ?? "";
}
