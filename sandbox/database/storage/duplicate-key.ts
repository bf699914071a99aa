/** The server's message and fields for a duplicate key (11000). */
import { ServerError } from "../engine/errors.ts";
import {
  Binary,
  BSONRegExp,
  DateTime,
  type Document,
  Double,
  isDocument,
  Long,
  longToBigInt,
  ObjectId,
  Timestamp,
  type Value,
} from "../engine/value.ts";

/** A value as the server prints it in messages. */
export function shellText(value: Value): string {
  if (value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return value.length === 0 ? "[]" : `[ ${value.map(shellText).join(", ")} ]`;
  if (isDocument(value)) {
    if (value.size === 0) return "{}";
    return `{ ${[...value].map(([name, field]) => `${name}: ${shellText(field)}`).join(", ")} }`;
  }
  if (value instanceof Double)
    return Number.isInteger(value.value) ? `${value.value}.0` : String(value.value);
  if (value instanceof ObjectId) return `ObjectId('${value.toHexString()}')`;
  if (value instanceof Timestamp) return `Timestamp(${value.high >>> 0}, ${value.low >>> 0})`;
  if (value instanceof Long) return String(longToBigInt(value));
  if (value instanceof DateTime) return `new Date(${value.milliseconds})`;
  if (value instanceof Binary && value.sub_type === 4 && value.position === 16) {
    const hex = Buffer.from(value.buffer.subarray(0, 16)).toString("hex");
    return `UUID("${hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5")}")`;
  }
  if (value instanceof Binary) {
    return `BinData(${value.sub_type}, ${Buffer.from(value.buffer.subarray(0, value.position)).toString("hex").toUpperCase()})`;
  }
  if (value instanceof BSONRegExp) return `/${value.pattern}/${value.options}`;
  if ("value" in value && value._bsontype === "Int32") return String(value.value);
  return value.toString();
}

export function duplicateKey(ns: string, indexName: string, pattern: Document, values: Value[]): ServerError {
  const keyValue: Document = new Map();
  [...pattern.keys()].forEach((field, index) => {
    keyValue.set(field, values[index] ?? null);
  });
  return new ServerError(
    "DuplicateKey",
    `E11000 duplicate key error collection: ${ns} index: ${indexName} dup key: ${shellText(keyValue)}`,
    {
      extra: new Map([
        ["keyPattern", pattern],
        ["keyValue", keyValue],
      ]),
    },
  );
}
