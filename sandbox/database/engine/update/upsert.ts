/** The document an upsert starts from: what the query says must be equal. */

import { compareStrings } from "../compare.ts";
import { ServerError } from "../errors.ts";
import { isOperatorDocument } from "../match/index.ts";
import { BsonType, type Document, typeOf, type Value } from "../value.ts";

type Equalities = Map<string, Value>;

function addEquality(path: string, value: Value, into: Equalities, idOnly: boolean): void {
  if (idOnly) {
    if (path !== "_id" && !path.startsWith("_id.")) return;
    if (path !== "_id") {
      throw new ServerError(
        "NotExactValueField",
        `field at '_id' must be exactly specified, field at sub-path '${path}'found`,
      );
    }
  }
  if (into.has(path)) {
    throw new ServerError(
      "NotSingleValueField",
      `cannot infer query fields to set, path '${path}' is matched twice`,
    );
  }
  const parts = path.split(".");
  for (let i = parts.length - 1; i > 0; i--) {
    const prefix = parts.slice(0, i).join(".");
    if (!into.has(prefix)) continue;
    throw new ServerError(
      "NotSingleValueField",
      `cannot infer query fields to set, both paths '${path}' and '${prefix}' are matched`,
    );
  }
  into.set(path, value);
}

function collectOperators(path: string, operators: Document, into: Equalities, idOnly: boolean): void {
  for (const [operator, operand] of operators) {
    if (operator === "$eq") addEquality(path, operand, into, idOnly);
    else if ((operator === "$in" || operator === "$all") && Array.isArray(operand)) {
      const wanted = operand.filter(
        (value) => typeOf(value) !== BsonType.RegExp && !isOperatorDocument(value),
      );
      if (operand.length === 1 || operator === "$all")
        for (const value of wanted) addEquality(path, value, into, idOnly);
    }
  }
}

function collect(filter: Document, into: Equalities, idOnly: boolean): void {
  for (const [name, value] of filter) {
    if (name === "$expr") {
      throw new ServerError(
        "QueryFeatureNotAllowed",
        "$expr is not allowed in the query predicate for an upsert",
      );
    }
    if (name === "$and" || (name === "$or" && Array.isArray(value) && value.length === 1)) {
      for (const element of value as Value[]) if (element instanceof Map) collect(element, into, idOnly);
    } else if (name.startsWith("$")) continue;
    else if (isOperatorDocument(value)) collectOperators(name, value, into, idOnly);
    else if (typeOf(value) !== BsonType.RegExp) addEquality(name, value, into, idOnly);
  }
}

function setAt(document: Document, parts: string[], value: Value): void {
  let current = document;
  for (const part of parts.slice(0, -1)) {
    const present = current.get(part);
    if (present instanceof Map) current = present;
    else {
      const made: Document = new Map();
      current.set(part, made);
      current = made;
    }
  }
  current.set(parts.at(-1)!, value);
}

/**
 * Fields that an upsert takes from its query (only `_id` for a replacement), in the order of their paths.
 * @throws ServerError NotSingleValueField, NotExactValueField, QueryFeatureNotAllowed
 */
export function documentFromQuery(query: Document, idOnly: boolean): Document {
  const equalities: Equalities = new Map();
  collect(query, equalities, idOnly);
  const document: Document = new Map();
  for (const [path, value] of [...equalities].sort(([a], [b]) => compareStrings(a, b))) {
    setAt(document, path.split("."), value);
  }
  return document;
}
