/** Dotted paths through documents and arrays, as query predicates see them. */
import type { Document, Value } from "../value.ts";

/** Tells which array element a predicate matched: what the positional `$` stands for. */
export interface MatchDetails {
  arrayIndex?: number;
}

/** A test of one value; undefined stands for a missing field. */
export type ValueTest = (value: Value | undefined, details?: MatchDetails) => boolean;

export interface Path {
  text: string;
  names: string[];
  /** the component as an array index, -1 when it isn't one */
  indexes: number[];
}

export function parsePath(text: string): Path {
  const names = text.split(".");
  return { text, names, indexes: names.map((name) => (/^(0|[1-9][0-9]*)$/.test(name) ? Number(name) : -1)) };
}

/**
 * Whether any value at `path` passes `test`. Arrays on the way are entered (each of their documents, and the
 * element a numeric component names). At the end an array counts element by element and then as a whole when
 * `enterLeaf`, else only as a whole. A field that is missing is tested as undefined; an array on the way whose
 * elements aren't documents gives no value at all.
 */
export function anyAtPath(
  document: Document,
  path: Path,
  from: number,
  enterLeaf: boolean,
  test: ValueTest,
  details: MatchDetails | undefined,
): boolean {
  const { names } = path;
  const last = names.length - 1;
  let current = document;
  for (let i = from; ; i++) {
    const value = current.get(names[i]!);
    if (i === last) return testLeaf(value, enterLeaf, test, details);
    if (value instanceof Map) current = value;
    else if (Array.isArray(value)) return anyInArray(value, path, i + 1, enterLeaf, test, details);
    else return test(undefined, details);
  }
}

function testLeaf(
  value: Value | undefined,
  enterLeaf: boolean,
  test: ValueTest,
  details: MatchDetails | undefined,
): boolean {
  if (enterLeaf && Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (test(value[i], details)) {
        if (details !== undefined) details.arrayIndex = i;
        return true;
      }
    }
  }
  return test(value, details);
}

function anyInArray(
  array: Value[],
  path: Path,
  from: number,
  enterLeaf: boolean,
  test: ValueTest,
  details: MatchDetails | undefined,
): boolean {
  const index = path.indexes[from]!;
  for (let i = 0; i < array.length; i++) {
    const element = array[i]!;
    const matched =
      (element instanceof Map && anyAtPath(element, path, from, enterLeaf, test, details)) ||
      (i === index && atOffset(element, path, from, enterLeaf, test, details));
    if (matched) {
      if (details !== undefined) details.arrayIndex = i;
      return true;
    }
  }
  return false;
}

/** The element a numeric component names; as the end of a path it isn't entered further. */
function atOffset(
  element: Value,
  path: Path,
  from: number,
  enterLeaf: boolean,
  test: ValueTest,
  details: MatchDetails | undefined,
): boolean {
  if (from === path.names.length - 1) return test(element, details);
  if (element instanceof Map) return anyAtPath(element, path, from + 1, enterLeaf, test, details);
  return Array.isArray(element) && anyInArray(element, path, from + 1, enterLeaf, test, details);
}
