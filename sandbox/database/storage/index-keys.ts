/** Keys a document has in an index: the server's rules for paths, arrays, missing fields, sparse and partial. */
import { ServerError } from "../engine/errors.ts";
import { keyOf } from "../engine/keystring.ts";
import { type Document, isDocument, UNDEFINED, type Value } from "../engine/value.ts";

export interface IndexKeys {
  keys: Uint8Array[];
  /** The values behind each key, for the message of a duplicate. */
  values: Value[][];
  multikey: boolean;
}

interface Slot {
  /** What is left of the path; undefined once the value is settled. */
  rest: string[] | undefined;
  value: Value | undefined;
}

interface Walked {
  array: Value[] | undefined;
  rest: string[];
  value: Value | undefined;
}

function walk(source: Document, path: string[]): Walked {
  let current: Value | undefined = source;
  for (let depth = 0; depth < path.length; depth++) {
    const part = path[depth]!;
    if (isDocument(current)) current = current.get(part);
    else if (Array.isArray(current)) {
      // A numeric part of the path names a position, if the array has it; else its elements are looked into.
      if (!/^\d+$/.test(part) || Number(part) >= current.length) {
        return { array: current, rest: path.slice(depth), value: undefined };
      }
      current = current[Number(part)];
    } else return { array: undefined, rest: [], value: undefined };
  }
  if (Array.isArray(current)) return { array: current, rest: [], value: undefined };
  return { array: undefined, rest: [], value: current };
}

function expand(slots: Slot[], source: Document, emit: (values: (Value | undefined)[]) => void): boolean {
  let array: Value[] | undefined;
  const inArray: number[] = [];
  const next = slots.map((slot, index): Slot => {
    if (slot.rest === undefined) return slot;
    const walked = walk(source, slot.rest);
    if (walked.array === undefined) return { rest: undefined, value: walked.value };
    if (array !== undefined && array !== walked.array) {
      throw new ServerError("CannotIndexParallelArrays", "cannot index parallel arrays");
    }
    array = walked.array;
    inArray.push(index);
    return { rest: walked.rest, value: undefined };
  });
  if (array === undefined) {
    emit(next.map((slot) => slot.value));
    return false;
  }
  if (array.length === 0) {
    emit(
      next.map((slot, index) => {
        if (!inArray.includes(index)) return slot.value;
        return slot.rest?.length === 0 ? UNDEFINED : null;
      }),
    );
    return true;
  }
  for (const element of array) {
    const inner = next.map((slot, index): Slot => {
      if (!inArray.includes(index)) return slot;
      if (slot.rest!.length === 0) return { rest: undefined, value: element };
      return isDocument(element) ? slot : { rest: undefined, value: null };
    });
    expand(inner, isDocument(element) ? element : new Map(), emit);
  }
  return true;
}

/**
 * Gives the distinct keys of `document` under the paths of an index.
 * @param paths dotted paths split into parts, in the order of the index
 * @throws ServerError CannotIndexParallelArrays
 */
export function indexKeys(
  document: Document,
  paths: string[][],
  directions: number[],
  sparse: boolean,
): IndexKeys {
  const result: IndexKeys = { keys: [], values: [], multikey: false };
  const seen = new Set<string>();
  const slots = paths.map((rest): Slot => ({ rest, value: undefined }));
  result.multikey = expand(slots, document, (found) => {
    if (sparse && found.every((value) => value === undefined)) return;
    const values = found.map((value) => value ?? null);
    const key = keyOf(values, directions);
    const text = Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
    if (seen.has(text)) return;
    seen.add(text);
    result.keys.push(key);
    result.values.push(values);
  });
  return result;
}
