/** What a document must fulfil to be stored: nesting, `_id`, field names. */
import { ServerError } from "../errors.ts";
import { BsonType, type Document, typeName, typeOf, type Value } from "../value.ts";

/** The deepest nesting a user's document may have (the server's limit for storage). */
const maxStoredDepth = 180;

function depthOf(value: Value, limit: number): number {
  if (!(value instanceof Map) && !Array.isArray(value)) return 0;
  if (limit === 0) return 1;
  let deepest = 0;
  for (const child of value.values()) deepest = Math.max(deepest, depthOf(child, limit - 1));
  return deepest + 1;
}

/** @throws ServerError Overflow when a value at `level` (1 = top level field) is nested too deeply */
export function checkDepth(value: Value, level: number): void {
  if (!(value instanceof Map) && !Array.isArray(value)) return;
  if (level + depthOf(value, maxStoredDepth) - 1 < maxStoredDepth) return;
  throw new ServerError("Overflow", `Document exceeds maximum nesting depth of ${maxStoredDepth}`);
}

/** @throws ServerError InvalidIdField, DollarPrefixedFieldName for a value that can't be an `_id` */
export function checkId(value: Value): void {
  const type = typeOf(value);
  if (type === BsonType.Array || type === BsonType.RegExp || type === BsonType.Undefined) {
    throw new ServerError("InvalidIdField", `The '_id' value cannot be of type ${typeName(value)}`);
  }
  if (value instanceof Map) checkIdFields(value);
}

function checkIdFields(document: Document): void {
  for (const [name, value] of document) {
    if (name.startsWith("$") && !["$ref", "$id", "$db"].includes(name)) {
      throw new ServerError(
        "DollarPrefixedFieldName",
        `_id fields may not contain '$'-prefixed fields: ${name} is not valid for storage.`,
      );
    }
    if (value instanceof Map) checkIdFields(value);
  }
}

/** @throws ServerError DollarPrefixedFieldName for a top-level name with `$` in an update's result */
export function checkTopLevelName(name: string): void {
  if (!name.startsWith("$")) return;
  throw new ServerError(
    "DollarPrefixedFieldName",
    `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update's replacement ` +
      "document. Consider using an aggregation pipeline with $replaceWith.",
  );
}

/** Checks a whole document before it is inserted (`allowDollars`) or replaces another. */
export function checkStorable(document: Document, allowDollars: boolean): void {
  for (const [name, value] of document) {
    if (name === "_id") checkId(value);
    else if (!allowDollars) checkTopLevelName(name);
    checkDepth(value, 1);
  }
}

/** Gives the document with `_id` as its first field. */
export function idFirst(document: Document): Document {
  const id = document.get("_id");
  if (id === undefined) return document;
  const [first] = document.keys();
  if (first === "_id") return document;
  const result: Document = new Map([["_id", id]]);
  for (const [name, value] of document) if (name !== "_id") result.set(name, value);
  return result;
}
