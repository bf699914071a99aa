/** What a collection is beside its documents: type, options, indexes. As mongodump keeps it, and as a server says it. */
import { EJSON } from "bson";

type Fields = Readonly<Record<string, unknown>>;

export interface CollectionShape {
  /** collection, view, timeseries. */
  readonly type: string;
  readonly options: Fields;
  readonly indexes: readonly Fields[];
}

/** From mongodump's metadata, extended JSON. Fails with what the parser throws. */
export function shapeOfMetadata(metadata: string): CollectionShape {
  const { type, options, indexes } = EJSON.parse(metadata, { relaxed: false }) as Record<string, unknown>;
  return shapeOf(String(type ?? "collection"), options as Fields, indexes as Fields[]);
}

/** From what listCollections and listIndexes say. */
export function shapeOf(
  type: string,
  options: Fields | undefined,
  indexes: readonly Fields[] | undefined,
): CollectionShape {
  return { type, options: plain(options ?? {}), indexes: (indexes ?? []).map(plain) };
}

/** Type and options, a line for each difference: what was dumped, what is there now. */
export function compareOptions(namespace: string, dumped: CollectionShape, found: CollectionShape): string[] {
  const lines: string[] = [];
  if (dumped.type !== found.type) lines.push(difference(namespace, "type", dumped.type, found.type));
  if (text(dumped.options) !== text(found.options))
    lines.push(difference(namespace, "options", dumped.options, found.options));
  return lines;
}

/** The same of each index by its name. */
export function compareIndexes(namespace: string, dumped: CollectionShape, found: CollectionShape): string[] {
  const names = new Set([...dumped.indexes, ...found.indexes].map(nameOf));
  return [...names].sort().flatMap((name) => {
    const [expected, got] = [dumped, found].map(({ indexes }) => indexes.find((one) => nameOf(one) === name));
    return text(expected) === text(got) ? [] : [difference(namespace, `index ${name}`, expected, got)];
  });
}

function difference(namespace: string, what: string, expected: unknown, got: unknown): string {
  return `${namespace}: ${what}: expected ${show(expected)}, got ${show(got)}`;
}

const shownLengthMax = 200;

function show(value: unknown): string {
  if (value === undefined) return "none";
  const shown = typeof value === "string" ? value : JSON.stringify(value);
  return shown.length > shownLengthMax ? `${shown.slice(0, shownLengthMax)}…` : shown;
}

/** Servers give the fields of an option or index in an order of their own; within a key the order is what it means. */
function text(value: Fields | undefined): string {
  if (value === undefined) return "";
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const nameOf = (index: Fields) => String(index.name);

/** Numbers of one value are equal whatever their type; `ns` is told by old servers only. */
function plain(fields: Fields): Fields {
  const { ns: _, ...rest } = EJSON.serialize(fields, { relaxed: true }) as Record<string, unknown>;
  return rest;
}
