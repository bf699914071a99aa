/** Sort patterns: keys of documents and their order. */
import { type Collator, compareValues } from "./compare.ts";
import { describeElement } from "./describe.ts";
import { ServerError } from "./errors.ts";
import { exactInteger } from "./match/numbers.ts";
import { type Path, parsePath } from "./match/path.ts";
import { type Document, isNumber, UNDEFINED, type Value } from "./value.ts";

interface SortPart {
  path: Path;
  direction: 1 | -1;
}

export interface Sorter {
  /** The sort key of a document: for each field the least (ascending) or greatest (descending) value. */
  key(document: Document): Value[];
  compareKeys(a: Value[], b: Value[]): number;
  compare(a: Document, b: Document): number;
  /** Field names and directions. */
  parts: readonly { field: string; direction: 1 | -1 }[];
}

function parsePart(name: string, value: Value): SortPart {
  if (name === "") throw new ServerError(15948, "FieldPath cannot be constructed with empty string");
  if (name.startsWith("$")) {
    throw new ServerError(
      16410,
      `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
    );
  }
  if (value instanceof Map) {
    if (value.has("$meta"))
      throw new ServerError(
        17308,
        `query requires ${String(value.get("$meta"))} metadata, but it is not available`,
      );
    throw new ServerError(17312, `$meta is the only expression supported by $sort right now`);
  }
  if (!isNumber(value))
    throw new ServerError(15974, `Illegal key in $sort specification: ${describeElement(name, value)}`);
  const direction = exactInteger(value);
  if (direction !== 1n && direction !== -1n) {
    throw new ServerError(15975, "$sort key ordering must be 1 (for ascending) or -1 (for descending)");
  }
  for (const component of name.split(".")) {
    if (component === "") throw new ServerError(15998, "FieldPath field names may not be empty strings.");
  }
  return { path: parsePath(name), direction: direction === 1n ? 1 : -1 };
}

/** Collects the values a sort sees at a path: arrays are entered, a missing field is null. */
function collect(value: Value | undefined, path: Path, from: number, into: Value[]): void {
  if (from === path.names.length) {
    if (!Array.isArray(value)) into.push(value ?? null);
    else if (value.length === 0) into.push(UNDEFINED);
    else into.push(...value);
  } else if (value instanceof Map) collect(value.get(path.names[from]!), path, from + 1, into);
  else if (Array.isArray(value)) collectElements(value, path, from, into);
  else into.push(null);
}

function collectElements(array: Value[], path: Path, from: number, into: Value[]): void {
  if (array.length === 0) into.push(UNDEFINED);
  const named = array[path.indexes[from]!];
  if (named !== undefined) {
    collect(named, path, from + 1, into);
    return;
  }
  for (const element of array) collect(element instanceof Map ? element : undefined, path, from, into);
}

function keyAt(document: Document, { path, direction }: SortPart, collation?: Collator): Value {
  const { names } = path;
  if (names.length === 1) {
    const value = document.get(names[0]!);
    if (value === undefined) return null;
    if (!Array.isArray(value)) return value;
  }
  const values: Value[] = [];
  collect(document, path, 0, values);
  let best = values[0]!;
  for (let i = 1; i < values.length; i++) {
    if (compareValues(values[i]!, best, collation) * direction < 0) best = values[i]!;
  }
  return best;
}

/**
 * Compiles a sort pattern such as `{a: 1, "b.c": -1}`.
 * @throws ServerError 15974, 15975 … as the server
 */
export function compileSort(pattern: Document, collation?: Collator): Sorter {
  if (pattern.size > 32) throw new ServerError("BadValue", "too many compound keys");
  const parts = [...pattern].map(([name, value]) => parsePart(name, value));
  const key = (document: Document): Value[] => parts.map((part) => keyAt(document, part, collation));
  const compareKeys = (a: Value[], b: Value[]): number => {
    for (let i = 0; i < parts.length; i++) {
      const order = compareValues(a[i]!, b[i]!, collation);
      if (order !== 0) return order * parts[i]!.direction;
    }
    return 0;
  };
  return {
    key,
    compareKeys,
    compare: (a, b) => compareKeys(key(a), key(b)),
    parts: parts.map(({ path, direction }) => ({ field: path.text, direction })),
  };
}

/**
 * Sorts documents; equal ones keep their order.
 * @param limit gives only the first so many
 */
export function sortDocuments(documents: Iterable<Document>, sorter: Sorter, limit = Infinity): Document[] {
  const keyed = Array.from(documents, (document) => ({ document, key: sorter.key(document) }));
  keyed.sort((a, b) => sorter.compareKeys(a.key, b.key));
  const length = Math.min(limit, keyed.length);
  return keyed.slice(0, length).map(({ document }) => document);
}
