/**
 * The server's delta format (oplog `$v: 2`): per document `d` deleted, `u` updated and `i` inserted fields and
 * `s<field>` for what changed inside; arrays carry `a: true`, `l` for a new length, `u<index>` and `s<index>`.
 */

import { toNumber } from "../arithmetic.ts";
import { identicalValues } from "../compare.ts";
import { bsonSize } from "../size.ts";
import { type Document, Int32, isNumber, type Value } from "../value.ts";

/** Delta from one document to another; undefined when it would be larger than the new document. */
export function computeDiff(before: Document, after: Document): Document | undefined {
  return documentDiff(before, after);
}

function smaller(diff: Document, after: Value): Document | undefined {
  return bsonSize(after) > bsonSize(diff) ? diff : undefined;
}

function valueDiff(before: Value, after: Value): Document | undefined {
  if (before instanceof Map && after instanceof Map) return documentDiff(before, after);
  if (Array.isArray(before) && Array.isArray(after)) return arrayDiff(before, after);
  return undefined;
}

function documentDiff(before: Document, after: Document): Document | undefined {
  const deleted: Document = new Map();
  const updated: Document = new Map();
  const inserted: Document = new Map();
  const inside: Document = new Map();
  const left = [...before];
  const right = [...after];
  let l = 0;
  let r = 0;
  const missing = new Set<string>();
  while (l < left.length && r < right.length) {
    const [name, value] = left[l]!;
    const [otherName, otherValue] = right[r]!;
    l++;
    if (name !== otherName) {
      // Either removed, or it comes again later and is then inserted there.
      missing.add(name);
      continue;
    }
    r++;
    if (identicalValues(value, otherValue)) continue;
    const sub = valueDiff(value, otherValue);
    if (sub === undefined) updated.set(name, otherValue);
    else inside.set(`s${name}`, sub);
  }
  for (; l < left.length; l++) deleted.set(left[l]![0], false);
  for (; r < right.length; r++) {
    inserted.set(right[r]![0], right[r]![1]);
    missing.delete(right[r]![0]);
  }
  for (const name of missing) deleted.set(name, false);
  return smaller(assemble(deleted, updated, inserted, inside), after);
}

/** Puts the sections of a document's delta together, leaving out empty ones. */
export function assemble(
  deleted: Document,
  updated: Document,
  inserted: Document,
  inside: Document,
): Document {
  const diff: Document = new Map();
  if (deleted.size > 0) diff.set("d", deleted);
  if (updated.size > 0) diff.set("u", updated);
  if (inserted.size > 0) diff.set("i", inserted);
  for (const [name, sub] of inside) diff.set(name, sub);
  return diff;
}

function arrayDiff(before: Value[], after: Value[]): Document | undefined {
  const diff: Document = new Map<string, Value>([["a", true]]);
  if (after.length < before.length) diff.set("l", new Int32(after.length));
  for (let i = 0; i < after.length; i++) {
    const value = after[i]!;
    if (i < before.length && identicalValues(before[i]!, value)) continue;
    const sub = i < before.length ? valueDiff(before[i]!, value) : undefined;
    if (sub === undefined) diff.set(`u${i}`, value);
    else diff.set(`s${i}`, sub);
  }
  return smaller(diff, after);
}

/** Applies a delta. Parts whose place in the document has another type are left out, as the server does. */
export function applyDiff(document: Document, diff: Document): Document {
  const result: Document = new Map(document);
  for (const [section, content] of diff) {
    if (content instanceof Map) applySection(result, section, content);
  }
  return result;
}

function applySection(result: Document, section: string, content: Document): void {
  if (section === "d") {
    for (const name of content.keys()) result.delete(name);
    return;
  }
  if (section === "u" || section === "i") {
    for (const [name, value] of content) {
      // An inserted field goes to the end, even where one of its name was before.
      if (section === "i") result.delete(name);
      result.set(name, value);
    }
    return;
  }
  const name = section.slice(1);
  const current = result.get(name);
  const changed = current === undefined ? undefined : applyInside(current, content);
  if (changed !== undefined) result.set(name, changed);
}

function applyInside(current: Value, diff: Document): Value | undefined {
  if (diff.get("a") === true) return Array.isArray(current) ? applyArrayDiff(current, diff) : undefined;
  return current instanceof Map ? applyDiff(current, diff) : undefined;
}

function applyArrayDiff(array: Value[], diff: Document): Value[] {
  const result = [...array];
  for (const [key, content] of diff) {
    if (key === "a") continue;
    if (key === "l" && isNumber(content)) {
      result.length = Math.min(result.length, toNumber(content));
      continue;
    }
    const index = Number(key.slice(1));
    while (result.length < index) result.push(null);
    if (key.startsWith("u")) result[index] = content;
    else if (content instanceof Map && index < result.length) {
      const changed = applyInside(result[index]!, content);
      if (changed !== undefined) result[index] = changed;
    }
  }
  return result;
}
