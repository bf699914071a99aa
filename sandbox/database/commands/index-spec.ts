/** Index specifications: what createIndexes accepts, and when two are the same. */

import { completeCollation } from "../engine/collation.ts";
import { compareValues } from "../engine/compare.ts";
import { ServerError } from "../engine/errors.ts";
import { compileFilter } from "../engine/match/index.ts";
import { type Document, Int32, isDocument, isNumber, type Value } from "../engine/value.ts";
import { shellText } from "../storage/duplicate-key.ts";
import { exactNumberOf } from "../storage/numbers.ts";

const OPTIONS = new Set([
  "v",
  "key",
  "name",
  "ns",
  "unique",
  "sparse",
  "background",
  "expireAfterSeconds",
  "partialFilterExpression",
  "collation",
  "hidden",
  "storageEngine",
  "weights",
  "default_language",
  "language_override",
  "textIndexVersion",
  "2dsphereIndexVersion",
  "bits",
  "min",
  "max",
  "bucketSize",
  "coarsestIndexedLevel",
  "finestIndexedLevel",
  "dropDups",
  "wildcardProjection",
  "prepareUnique",
  "clustered",
  "originalSpec",
]);
const KINDS = new Set(["text", "hashed", "2d", "2dsphere", "wildcard"]);
const TEXT_VERSION = new Int32(3);

function bad(spec: Document, reason: string): ServerError {
  return new ServerError(
    "CannotCreateIndex",
    `Error in specification ${shellText(spec)} :: caused by :: ${reason}`,
  );
}

/** The name the server makes up: `a_1_b_-1`. */
function indexName(key: Document): string {
  return [...key]
    .map(
      ([field, value]) =>
        `${field}_${typeof value === "string" ? value : shellText(value).replace(/\.0$/, "")}`,
    )
    .join("_");
}

function checkKey(spec: Document, key: Value | undefined): Document {
  if (!isDocument(key))
    throw new ServerError(
      "FailedToParse",
      `Error in specification ${shellText(spec)} :: caused by :: The 'key' field is a required property of an index specification`,
    );
  if (key.size === 0) throw bad(spec, "Index keys cannot be an empty object.");
  for (const [field, value] of key) {
    if (field === "" || field.startsWith(".") || field.endsWith(".") || field.includes(".."))
      throw bad(spec, "Index keys cannot contain an empty field.");
    if (field.startsWith("$") && !field.startsWith("$**"))
      throw bad(spec, `Index key contains an illegal field name: field name starts with '$'.`);
    if (isNumber(value)) {
      const direction = exactNumberOf(value);
      if (direction === 0 || Number.isNaN(direction))
        throw bad(spec, "Values in the index key pattern cannot be 0.");
    } else if (typeof value === "string") {
      if (!KINDS.has(value)) throw bad(spec, `Unknown index plugin '${value}'`);
    } else
      throw bad(
        spec,
        "Values in v:2 index key pattern cannot be of type object. Only numbers > 0, numbers < 0, and strings are allowed.",
      );
  }
  return key;
}

function checkOptions(spec: Document): void {
  for (const name of spec.keys()) {
    if (!OPTIONS.has(name)) {
      throw new ServerError(
        "InvalidIndexSpecificationOption",
        `Error in specification ${shellText(spec)} :: caused by :: The field '${name}' is not valid for an index specification. Specification: ${shellText(spec)}`,
      );
    }
  }
  const seconds = spec.get("expireAfterSeconds");
  if (seconds !== undefined && (!isNumber(seconds) || exactNumberOf(seconds) < 0)) {
    throw bad(spec, "TTL index 'expireAfterSeconds' option must be numeric and within an acceptable range");
  }
  if (seconds !== undefined && (spec.get("key") as Document).size > 1)
    throw bad(spec, "TTL indexes are single-field indexes, compound indexes do not support TTL.");
  const partial = spec.get("partialFilterExpression");
  if (partial !== undefined) {
    if (!isDocument(partial)) throw bad(spec, "The field 'partialFilterExpression' must be an object");
    if (spec.get("sparse") === true)
      throw bad(spec, 'cannot mix "partialFilterExpression" and "sparse" options');
    compileFilter(partial);
  }
}

function isIdKey(key: Document): boolean {
  return key.size === 1 && key.has("_id") && isNumber(key.get("_id"));
}

function checkIdIndex(spec: Document): void {
  for (const option of ["sparse", "partialFilterExpression", "expireAfterSeconds"]) {
    if (spec.has(option))
      throw new ServerError(
        "InvalidIndexSpecificationOption",
        `The field '${option}' is not valid for an _id index specification. Specification: ${shellText(spec)}`,
      );
  }
  if (spec.get("hidden") === true) throw new ServerError("BadValue", "can't hide _id index");
}

/** A text index is stored with its fields as weights under the server's own key pattern. */
function textSpec(spec: Document): Document {
  const key = spec.get("key") as Document;
  const weights: Document = new Map((spec.get("weights") as Document | undefined) ?? []);
  const stored: Document = new Map();
  for (const [field, value] of key) {
    if (value !== "text") stored.set(field, value);
    else {
      if (field !== "_fts" && !weights.has(field)) weights.set(field, new Int32(1));
      stored.set("_fts", "text").set("_ftsx", new Int32(1));
    }
  }
  const result: Document = new Map(spec);
  result.set("key", stored);
  result.set("weights", weights);
  if (!result.has("default_language")) result.set("default_language", "english");
  if (!result.has("language_override")) result.set("language_override", "language");
  result.set("textIndexVersion", TEXT_VERSION);
  return result;
}

/**
 * A client's specification as it is stored: `v`, `key`, `name`, then the options.
 * @throws ServerError CannotCreateIndex, InvalidIndexSpecificationOption
 */
export function normalizeIndex(wanted: Document, ignoreUnknown: boolean): Document {
  const given: Document = ignoreUnknown ? new Map([...wanted].filter(([name]) => OPTIONS.has(name))) : wanted;
  const key = checkKey(given, given.get("key"));
  checkOptions(given);
  if (isIdKey(key)) checkIdIndex(given);
  const name = given.get("name") ?? indexName(key);
  if (typeof name !== "string" || name === "") throw bad(given, "The index name cannot be empty");
  if (name === "*") throw new ServerError("BadValue", "The index name '*' is not valid.");
  const spec: Document = new Map<string, Value>([
    ["v", new Int32(2)],
    ["key", key],
    ["name", name],
  ]);
  for (const [option, value] of given) {
    if (
      spec.has(option) ||
      option === "ns" ||
      option === "dropDups" ||
      option === "clustered" ||
      option === "originalSpec"
    )
      continue;
    if ((option === "unique" || option === "sparse" || option === "hidden") && value === false) continue;
    spec.set(option, option === "collation" && isDocument(value) ? completeCollation(value) : value);
  }
  const values = [...key.values()];
  if (values.includes("text")) return textSpec(spec);
  if (values.includes("2dsphere") && !spec.has("2dsphereIndexVersion"))
    spec.set("2dsphereIndexVersion", TEXT_VERSION);
  return spec;
}

export function samePattern(a: Document, b: Document): boolean {
  const left = [...a];
  const right = [...b];
  return (
    left.length === right.length &&
    left.every(
      ([field, value], position) =>
        right[position]![0] === field && compareValues(value, right[position]![1]) === 0,
    )
  );
}

const IDENTITY = [
  "unique",
  "sparse",
  "expireAfterSeconds",
  "partialFilterExpression",
  "collation",
  "hidden",
  "weights",
  "wildcardProjection",
];

export function sameIndexOptions(a: Document, b: Document): boolean {
  return IDENTITY.every((option) => {
    const left = a.get(option) ?? null;
    const right = b.get(option) ?? null;
    return compareValues(left, right) === 0;
  });
}
