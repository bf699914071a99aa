/** Rows a write is meant for. */
import { decode } from "../engine/codec.ts";
import { compileCollation } from "../engine/collation.ts";
import type { Collator } from "../engine/compare.ts";
import { keyOf } from "../engine/keystring.ts";
import { compileFilter, type FilterContext, type MatchDetails } from "../engine/match/index.ts";
import { compileSort } from "../engine/sort.ts";
import { type Document, isDocument, type Value } from "../engine/value.ts";
import type { Collection, Row } from "../storage/collection.ts";
import { choosePlan } from "./plan.ts";
import { openScan } from "./scan.ts";

export interface TargetRequest {
  filter: Document;
  sort?: Document | undefined;
  hint?: Value | undefined;
  collation?: Document | undefined;
  let?: Document | undefined;
}

export interface Target {
  row: Row;
  document: Document;
  details: MatchDetails;
}

/** The collator of a request, or else of the collection; undefined compares bytes. */
export function collatorFor(
  collection: Collection | undefined,
  collation: Document | undefined,
): Collator | undefined {
  const chosen = collation && collation.size > 0 ? collation : collection?.option("collation");
  return isDocument(chosen) ? compileCollation(chosen) : undefined;
}

/** True for `{_id: <value>}` whose value means itself: the row can be looked up by its key. */
export function plainIdFilter(filter: Document): boolean {
  if (filter.size !== 1) return false;
  const id = filter.get("_id");
  if (id === undefined || Array.isArray(id)) return false;
  if (isDocument(id)) {
    const [first] = id.keys();
    return first === undefined || !first.startsWith("$");
  }
  return id === null || typeof id !== "object" || !("_bsontype" in id) || id._bsontype !== "BSONRegExp";
}

/** Matches of the filter, one by one, in the order asked for. */
export function* targets(collection: Collection, request: TargetRequest): Generator<Target> {
  const collator = collatorFor(collection, request.collation);
  if (plainIdFilter(request.filter) && !collator && request.hint === undefined) {
    const row = collection.byKey(keyOf([request.filter.get("_id") as Value]));
    if (row) yield { row, document: decode(row.document), details: {} };
    return;
  }
  const filterContext: FilterContext = {};
  if (collator) filterContext.collation = collator;
  if (request.let) filterContext.let = request.let;
  const matches = compileFilter(request.filter, filterContext);
  const plan = choosePlan(collection, {
    filter: request.filter,
    sort: request.sort,
    hint: request.hint,
    collator,
  });
  const scan = openScan(collection, plan, { once: true });
  if (plan.sorted || !request.sort || request.sort.size === 0) {
    for (let row = scan.next(); row; row = scan.next()) {
      const document = decode(row.document);
      const details: MatchDetails = {};
      if (matches(document, details)) yield { row, document, details };
    }
    return;
  }
  const sorter = compileSort(request.sort, collator);
  const found: (Target & { key: Value[] })[] = [];
  for (let row = scan.next(); row; row = scan.next()) {
    const document = decode(row.document);
    const details: MatchDetails = {};
    if (matches(document, details)) found.push({ row, document, details, key: sorter.key(document) });
  }
  found.sort((a, b) => sorter.compareKeys(a.key, b.key));
  yield* found;
}
