import { compareValues, identicalValues } from "../compare.ts";
import { describeElement } from "../describe.ts";
import { ServerError } from "../errors.ts";
import { type Document, Timestamp, type Value } from "../value.ts";
import { checkStorable, idFirst } from "./storage.ts";

/** Top-level empty timestamps are filled in by the server. */
export function fillTimestamps(document: Document, clusterTime: () => Timestamp): Document {
  let result = document;
  for (const [name, value] of document) {
    if (name === "_id" || !(value instanceof Timestamp) || !value.isZero()) continue;
    if (result === document) result = new Map(document);
    result.set(name, clusterTime());
  }
  return result;
}

/**
 * The document that takes the place of another: it keeps the `_id`.
 * @throws ServerError ImmutableField when the new document has a different `_id`; DollarPrefixedFieldName
 */
export function replaceDocument(before: Document, replacement: Document, allowDollars: boolean): Document {
  const id: Value | undefined = before.get("_id");
  const newId = replacement.get("_id");
  let result = replacement;
  if (id !== undefined && newId === undefined) result = new Map<string, Value>([["_id", id], ...replacement]);
  else if (id !== undefined && compareValues(id, newId!) !== 0) {
    throw new ServerError(
      "ImmutableField",
      `After applying the update, the (immutable) field '_id' was found to have been altered to ${describeElement("_id", newId!)}`,
    );
  }
  checkStorable(result, allowDollars);
  result = idFirst(result);
  return identicalValues(before, result) ? before : result;
}
