/** May an index with a partial filter answer a query? Only when every match of the query is in the index. */
import { compareValues } from "../engine/compare.ts";
import { filterBounds, type Interval } from "../engine/match/index.ts";
import { type Document, isDocument, type Value } from "../engine/value.ts";

/** Fields a simple conjunction speaks of; undefined when it holds anything else. */
function fieldsOf(filter: Document): string[] | undefined {
  const fields: string[] = [];
  for (const [name, value] of filter) {
    if (name === "$and" && Array.isArray(value)) {
      for (const part of value) {
        const inner = isDocument(part) ? fieldsOf(part) : undefined;
        if (!inner) return undefined;
        fields.push(...inner);
      }
    } else if (name.startsWith("$")) return undefined;
    else fields.push(name);
  }
  return fields;
}

function within(inner: Interval, outer: Interval): boolean {
  const low = compareValues(inner.low, outer.low);
  const high = compareValues(inner.high, outer.high);
  const lowFits = low > 0 || (low === 0 && (outer.lowInclusive || !inner.lowInclusive));
  const highFits = high < 0 || (high === 0 && (outer.highInclusive || !inner.highInclusive));
  return lowFits && highFits;
}

function existsOnly(filter: Document, field: string): boolean {
  const condition = filter.get(field);
  return isDocument(condition) && condition.size === 1 && condition.get("$exists") === true;
}

function saysItExists(intervals: readonly Interval[] | undefined): boolean {
  return intervals?.every(({ low, high }) => low !== null && high !== null && !isNullish(low)) ?? false;
}

function isNullish(value: Value): boolean {
  return (
    value === null ||
    (typeof value === "object" &&
      "_bsontype" in value &&
      (value._bsontype === "Undefined" || value._bsontype === "MinKey"))
  );
}

/** True when the query's conditions imply those of the partial filter; false when in doubt. */
export function impliesPartial(query: Document, partial: Document): boolean {
  const fields = fieldsOf(partial);
  if (!fields) return false;
  const wanted = filterBounds(partial, fields, { multikey: true });
  const given = filterBounds(query, fields, { multikey: true });
  return fields.every((field, position) => {
    const asked = given[position];
    if (existsOnly(partial, field)) return saysItExists(asked);
    const covering = wanted[position];
    if (!asked || !covering) return false;
    return asked.every((interval) => covering.some((outer) => within(interval, outer)));
  });
}
