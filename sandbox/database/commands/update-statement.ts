/** One statement of an update command, read from its bytes; `u` stays bytes until someone needs it decoded. */
import { decode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import { rawElements } from "../engine/raw.ts";
import { type Document, isDocument, isNumber, type Value } from "../engine/value.ts";
import { exactNumberOf } from "../storage/numbers.ts";

export interface UpdateStatement {
  filter: Document;
  /** The update as a document's bytes; undefined for a pipeline. */
  raw: Uint8Array | undefined;
  update(): Document | Document[];
  multi: boolean;
  upsert: boolean;
  arrayFilters: Value[] | undefined;
  hint: Value | undefined;
  collation: Document | undefined;
  constants: Document | undefined;
}

const FIELDS = new Set([
  "q",
  "u",
  "c",
  "multi",
  "upsert",
  "arrayFilters",
  "hint",
  "collation",
  "upsertSupplied",
  "sampleId",
  "allowShardKeyUpdatesWithoutFullShardKeyInQuery",
]);

function missing(field: string): ServerError {
  return new ServerError(40414, `BSON field 'update.updates.${field}' is missing but a required field`);
}

function truthy(value: Value | undefined): boolean {
  return value === true || (isNumber(value) && exactNumberOf(value) !== 0);
}

/** An update as operators, replacement or pipeline. */
export function asUpdate(value: Value | undefined): Document | Document[] {
  if (isDocument(value)) return value;
  if (Array.isArray(value) && value.every(isDocument)) return value;
  throw new ServerError("FailedToParse", "Update argument must be either an object or an array");
}

/** @throws ServerError 40414, 40415, FailedToParse */
export function readUpdate(bytes: Uint8Array): UpdateStatement {
  const fields: Document = new Map();
  let raw: Uint8Array | undefined;
  for (const element of rawElements(bytes)) {
    const name = Buffer.from(
      bytes.buffer,
      bytes.byteOffset + element.elementStart + 1,
      element.nameEnd - element.elementStart - 1,
    ).toString("utf8");
    if (!FIELDS.has(name))
      throw new ServerError(40415, `BSON field 'update.updates.${name}' is an unknown field.`);
    if (name === "u" && element.type === 3) raw = bytes.subarray(element.start, element.end);
    else if (element.type === 3) fields.set(name, decode(bytes.subarray(element.start, element.end)));
    else fields.set(name, decodeElement(bytes.subarray(element.elementStart, element.end), name));
  }
  const filter = fields.get("q");
  if (!isDocument(filter)) throw missing("q");
  if (raw === undefined && !fields.has("u")) throw missing("u");
  const arrayFilters = fields.get("arrayFilters");
  return {
    filter,
    raw,
    update: () => (raw ? decode(raw) : asUpdate(fields.get("u"))),
    multi: truthy(fields.get("multi")),
    upsert: truthy(fields.get("upsert")),
    arrayFilters: Array.isArray(arrayFilters) ? arrayFilters : undefined,
    hint: fields.get("hint"),
    collation: fields.get("collation") as Document | undefined,
    constants: fields.get("c") as Document | undefined,
  };
}

function decodeElement(element: Uint8Array, name: string): Value {
  const document = new Uint8Array(element.length + 5);
  document.set(element, 4);
  new DataView(document.buffer).setInt32(0, document.length, true);
  return decode(document).get(name) as Value;
}
