/** Writes one value of a reply by its kind. */
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DateTime,
  DbPointer,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  Undefined,
} from "../engine/value.ts";
import { RawBatch, RawDocument, type ReplyMap, type ReplyObject, type ReplyValue } from "./reply-value.ts";
import type { BsonWriter } from "./writer.ts";

/** Writes a field; `undefined` writes nothing. */
export function writeValue(writer: BsonWriter, name: string, value: ReplyValue): void {
  if (typeof value === "string") writer.string(name, value);
  else if (typeof value === "number") writeNumber(writer, name, value);
  else if (typeof value === "boolean") writer.boolean(name, value);
  else if (typeof value === "bigint") writer.long(name, value);
  else if (value === null) writer.head(10, name);
  else if (value !== undefined) writeObject(writer, name, value);
}

function writeNumber(writer: BsonWriter, name: string, value: number): void {
  const fits = Number.isInteger(value) && value >= -2147483648 && value <= 2147483647;
  if (fits) writer.int32(name, value);
  else writer.double(name, value);
}

function writeObject(writer: BsonWriter, name: string, value: object): void {
  if (Array.isArray(value)) writer.array(name, value);
  else if (value instanceof Map) writer.object(name, value as ReplyMap);
  else if (value instanceof RawDocument) writer.document(name, value.bytes);
  else if (value instanceof RawBatch) writer.batch(name, value.documents);
  else if (value instanceof Date) writer.date(name, value.getTime());
  else if (value instanceof Uint8Array) writer.binary(name, value, 0);
  else if ("_bsontype" in value) writeBson(writer, name, value);
  else writer.object(name, value as ReplyObject);
}

function writeBson(writer: BsonWriter, name: string, value: object): void {
  if (value instanceof Int32) writer.int32(name, value.value);
  else if (value instanceof Double) writer.double(name, value.value);
  else if (value instanceof Timestamp) writer.timestamp(name, value.high, value.low);
  else if (value instanceof Long) {
    writer.head(18, name);
    writer.rawInt32(value.low);
    writer.rawInt32(value.high);
  } else if (value instanceof ObjectId) {
    writer.head(7, name);
    writer.raw(value.id);
  } else if (value instanceof DateTime) writer.int64(9, name, value.milliseconds);
  else if (value instanceof Binary)
    writer.binary(name, value.buffer.subarray(0, value.position), value.sub_type);
  else writeRare(writer, name, value);
}

function writeRare(writer: BsonWriter, name: string, value: object): void {
  if (value instanceof Decimal128) {
    writer.head(19, name);
    writer.raw(value.bytes);
  } else if (value instanceof BSONRegExp) {
    writer.head(11, name);
    writer.cstring(value.pattern);
    writer.cstring(value.options);
  } else if (value instanceof Code) writeCode(writer, name, value);
  else if (value instanceof BSONSymbol) {
    writer.head(14, name);
    writer.text(value.value);
  } else if (value instanceof DbPointer) {
    writer.head(12, name);
    writer.text(value.namespace);
    writer.raw(value.id.id);
  } else if (value instanceof MinKey) writer.head(255, name);
  else if (value instanceof MaxKey) writer.head(127, name);
  else if (value instanceof Undefined) writer.head(6, name);
  else throw new TypeError(`expected a BSON value for '${name}', got ${String(value)}`);
}

function writeCode(writer: BsonWriter, name: string, value: Code): void {
  const scope = value.scope as unknown;
  if (scope === null || scope === undefined) {
    writer.head(13, name);
    writer.text(value.code);
    return;
  }
  writer.head(15, name);
  const at = writer.begin();
  writer.text(value.code);
  const inner = writer.begin();
  writer.fields(scope as ReplyObject | ReplyMap);
  writer.end(inner);
  writer.setInt32(at, writer.length - at);
}
