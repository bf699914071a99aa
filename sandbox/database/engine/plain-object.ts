import {
  Binary,
  BSONRegExp,
  Code,
  DateTime,
  type Document,
  Double,
  Int32,
  isDocument,
  Long,
  longToBigInt,
  UNDEFINED,
  Undefined,
  type Value,
} from "./value.ts";

/**
 * Converts one plain JavaScript or js-bson value: integers that fit become Int32, other numbers Double, bigint
 * Long, `Date` DateTime, `RegExp` BSONRegExp, `Uint8Array` Binary. Values that already are BSON values stay.
 */
function fromPlain(value: unknown): Value {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isInteger(value) && (value | 0) === value && !Object.is(value, -0)
        ? new Int32(value)
        : new Double(value);
    case "bigint":
      return Long.fromBigInt(value);
    case "undefined":
      return null;
    case "object":
      return value === null ? null : fromPlainObject(value);
    default:
      throw new TypeError(`expected a value that BSON can hold, got ${typeof value}`);
  }
}

function fromPlainObject(value: object): Value {
  if (Array.isArray(value)) return value.map(fromPlain);
  if (value instanceof Map) return fromEntries(value);
  if (value instanceof Date) return new DateTime(value.getTime());
  if (value instanceof RegExp) return new BSONRegExp(value.source, value.flags.replace(/[^imsx]/g, ""));
  if (value instanceof Uint8Array) return new Binary(value, 0);
  if (value instanceof Code)
    return value.scope === null ? value : new Code(value.code, fromObject(value.scope));
  if (value instanceof Undefined) return UNDEFINED;
  const type = (value as { _bsontype?: string })._bsontype;
  if (type === "DBRef")
    return fromDbRef(value as { collection: string; oid: unknown; db?: string; fields?: object });
  if (type === "Binary") return fromBinary(value as Binary);
  if (type !== undefined && type !== "Object") return value as Value;
  return fromEntries(Object.entries(value));
}

/** In js-bson subtype 2 is without its inner length; here the buffer holds the bytes as they are in BSON. */
function fromBinary(value: Binary): Binary {
  if (value.sub_type !== 2) return value;
  const inner = value.buffer.subarray(0, value.position);
  const bytes = new Uint8Array(inner.length + 4);
  new DataView(bytes.buffer).setInt32(0, inner.length, true);
  bytes.set(inner, 4);
  return new Binary(bytes, 2);
}

function fromDbRef(value: { collection: string; oid: unknown; db?: string; fields?: object }): Document {
  const document: Document = new Map<string, Value>([
    ["$ref", value.collection],
    ["$id", fromPlain(value.oid)],
  ]);
  if (value.db) document.set("$db", value.db);
  for (const [name, field] of Object.entries(value.fields ?? {})) document.set(name, fromPlain(field));
  return document;
}

function fromEntries(entries: Iterable<[string, unknown]>): Document {
  const document: Document = new Map();
  for (const [name, field] of entries) if (field !== undefined) document.set(name, fromPlain(field));
  return document;
}

/** Converts a plain object (or a Map) with JavaScript and js-bson values to a document; undefined is left out. */
export function fromObject(object: object): Document {
  return fromEntries(object instanceof Map ? object : Object.entries(object));
}

/**
 * Converts one value for use by plain code: Int32, Double and safe Longs become numbers, DateTime becomes `Date`,
 * documents plain objects. Number types are lost: for reading command fields, not for storing.
 */
export function toPlain(value: Value): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(toPlain);
  if (isDocument(value)) return toObject(value);
  switch (value._bsontype) {
    case "Int32":
    case "Double":
      return value.value;
    case "Long": {
      const exact = longToBigInt(value);
      const number = Number(exact);
      return Number.isSafeInteger(number) ? number : value;
    }
    case "DateTime":
      return value.toDate();
    case "Undefined":
      return undefined;
    case "Binary":
      return value.sub_type === 2 ? new Binary(value.buffer.subarray(4, value.position), 2) : value;
    default:
      return value;
  }
}

/** Converts a document to a plain object as {@link toPlain} does. */
export function toObject(document: Document): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [name, value] of document) {
    if (name === "__proto__") {
      Object.defineProperty(object, name, {
        value: toPlain(value),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    } else object[name] = toPlain(value);
  }
  return object;
}
