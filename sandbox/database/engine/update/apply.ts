/** Applies an update's tree to a document, sharing whatever stays as it is. */
import { describeElement } from "../describe.ts";
import { ServerError } from "../errors.ts";
import type { Document, Value } from "../value.ts";
import type { Step } from "./log.ts";
import {
  type ApplyState,
  type ArrayNode,
  compareNames,
  type Leaf,
  mergeNodes,
  type Node,
  type ObjectNode,
  REMOVED,
  type Removed,
} from "./node.ts";
import { checkDepth, checkId, checkTopLevelName } from "./storage.ts";

/** More nulls than this aren't put into an array to reach an index. */
const maxPadding = 1_500_000;

/** Applies the tree to a whole document; the same document given back means: nothing changed. */
export function applyTree(root: ObjectNode, document: Document, state: ApplyState): Document {
  return applyObject(root, document, [], 0, state) as Document;
}

/** `existing` counts the leading components of `path` that are in the document. */
function applyNode(
  node: Node,
  value: Value | undefined,
  path: Step[],
  existing: number,
  state: ApplyState,
): Value | Removed | undefined {
  switch (node.kind) {
    case "leaf":
      return applyLeaf(node, value, path, existing, state);
    case "object":
      return applyObject(node, value, path, existing, state);
    case "array":
      return applyArray(node, value, path, state);
  }
}

function applyLeaf(
  leaf: Leaf,
  value: Value | undefined,
  path: Step[],
  existing: number,
  state: ApplyState,
): Value | Removed | undefined {
  if (leaf.insertOnly && !state.insert) return value;
  if (value === undefined) return createLeaf(leaf, path, existing, state);
  const result = leaf.update(value, path, state);
  if (result === value) return value;
  if (path[0] === "_id") {
    const shown = path.join(".");
    throw new ServerError(
      "ImmutableField",
      leaf.setsDocument && result !== REMOVED && path.length === 1
        ? `Updating the path '_id' to ${describeElement("_id", result)} would modify the immutable field '_id'`
        : `Performing an update on the path '${shown}' would modify the immutable field '_id'`,
    );
  }
  if (result === REMOVED) {
    if (typeof path.at(-1) === "number") state.log?.set(path, null);
    else state.log?.delete(path);
    return result;
  }
  if (path.length === 1) checkTopLevelName(path[0] as string);
  checkDepth(result, path.length);
  if (!leaf.logsItself?.(value)) state.log?.set(path, result);
  return result;
}

function createLeaf(leaf: Leaf, path: Step[], existing: number, state: ApplyState): Value | undefined {
  const made = leaf.create?.(path, state);
  if (made === undefined) return undefined;
  const [first] = path;
  if (first === "_id") {
    if (existing > 0) {
      throw new ServerError(
        "ImmutableField",
        `Updating the path '${path.join(".")}' to ${describeElement(String(path.at(-1)), made)} would modify the immutable field '_id'`,
      );
    }
    if (path.length === 1) checkId(made);
  } else if (existing === 0) checkTopLevelName(first as string);
  checkDepth(made, path.length);
  state.log?.insert(path, existing, made);
  return made;
}

/** The children in the order of names, with the positional one under the index that matched. */
function childrenOf(node: ObjectNode, path: Step[], state: ApplyState): Iterable<[string, Node]> {
  if (node.positional === undefined) return node.children;
  if (state.matchedIndex === undefined) {
    throw new ServerError(
      "BadValue",
      "The positional operator did not find the match needed from the query.",
    );
  }
  const name = String(state.matchedIndex);
  const children = new Map(node.children);
  const present = children.get(name);
  children.set(
    name,
    present === undefined ? node.positional : mergeNodes(present, node.positional, [...path, name].join(".")),
  );
  return [...children].sort(([a], [b]) => compareNames(a, b));
}

function applyObject(
  node: ObjectNode,
  value: Value | undefined,
  path: Step[],
  existing: number,
  state: ApplyState,
): Value | undefined {
  if (value instanceof Map) return applyToDocument(node, value, path, state);
  if (Array.isArray(value)) return applyToElements(node, value, path, state);
  let made: Document | undefined;
  for (const [name, child] of childrenOf(node, path, state)) {
    if (value !== undefined) {
      rejectPath(child, value, [...path, name], path.length, state);
      continue;
    }
    const result = applyNode(child, undefined, [...path, name], existing, state);
    if (result === undefined || result === REMOVED) continue;
    made ??= new Map();
    made.set(name, result);
  }
  return value ?? made;
}

function applyToDocument(node: ObjectNode, document: Document, path: Step[], state: ApplyState): Document {
  let result = document;
  for (const [name, child] of childrenOf(node, path, state)) {
    const current = document.get(name);
    const inside = [...path, name];
    const changed = applyNode(
      child,
      current,
      inside,
      current === undefined ? path.length : inside.length,
      state,
    );
    if (changed === current || changed === undefined) continue;
    if (result === document) result = new Map(document);
    if (changed === REMOVED) result.delete(name);
    else result.set(name, changed);
  }
  return result;
}

function applyToElements(node: ObjectNode, array: Value[], path: Step[], state: ApplyState): Value[] {
  let result = array;
  for (const [name, child] of childrenOf(node, path, state)) {
    if (!/^[0-9]+$/.test(name)) {
      rejectPath(child, array, [...path, name], path.length, state);
      continue;
    }
    const index = Number(name);
    const current = array[index];
    if (current === undefined && index - result.length > maxPadding && canCreate(child)) {
      throw new ServerError("CannotBackfillArray", `can't backfill more than ${maxPadding} elements`);
    }
    const inside: Step[] = [...path, index];
    const changed = applyNode(
      child,
      current,
      inside,
      current === undefined ? path.length : inside.length,
      state,
    );
    if (changed === current || changed === undefined) continue;
    if (result === array) result = [...array];
    while (result.length < index) result.push(null);
    result[index] = changed === REMOVED ? null : changed;
  }
  return result;
}

function canCreate(node: Node): boolean {
  return node.kind === "leaf" ? node.create !== undefined : [...node.children.values()].some(canCreate);
}

/** A path that leads through something that is neither document nor array (or through an array by name). */
function rejectPath(node: Node, value: Value, path: Step[], reached: number, state: ApplyState): void {
  if (node.kind === "object") {
    for (const [name, child] of childrenOf(node, path, state))
      rejectPath(child, value, [...path, name], reached, state);
    return;
  }
  if (node.kind === "array") throw missingArray(path);
  if (node.insertOnly && !state.insert) return;
  const element = `{${describeElement(String(path[reached - 1] ?? ""), value)}}`;
  const part = String(path[reached]);
  if (node.create !== undefined) {
    throw new ServerError("PathNotViable", `Cannot create field '${part}' in element ${element}`);
  }
  if (node.ignoresNonViable) return;
  throw new ServerError(
    "PathNotViable",
    `Cannot use the part (${part}) of (${path.join(".")}) to traverse the element (${element})`,
  );
}

function missingArray(path: Step[]): ServerError {
  return new ServerError(
    "BadValue",
    `The path '${path.join(".")}' must exist in the document in order to apply array updates.`,
  );
}

function applyArray(node: ArrayNode, value: Value | undefined, path: Step[], state: ApplyState): Value {
  if (value === undefined) throw missingArray(path);
  if (!Array.isArray(value)) {
    throw new ServerError(
      "BadValue",
      `Cannot apply array updates to non-array element ${describeElement(String(path.at(-1)), value)}`,
    );
  }
  const updates = new Map<number, Node>();
  value.forEach((element, index) => {
    for (const [identifier, child] of node.children) {
      const filter = node.filters.get(identifier);
      if (filter !== undefined && !filter(new Map([[identifier, element]]))) continue;
      const present = updates.get(index);
      updates.set(
        index,
        present === undefined ? child : mergeNodes(present, child, [...path, index].join(".")),
      );
    }
  });
  // One element records its own changes; more than one are recorded together.
  const inner: ApplyState = updates.size <= 1 ? state : { ...state, log: undefined };
  let result = value;
  const modified: number[] = [];
  for (const [index, child] of updates) {
    const current = value[index]!;
    const inside: Step[] = [...path, index];
    const changed = applyNode(child, current, inside, inside.length, inner);
    if (changed === current || changed === undefined) continue;
    if (result === value) result = [...value];
    result[index] = changed === REMOVED ? null : changed;
    modified.push(index);
  }
  if (updates.size > 1) logElements(result, modified, path, state);
  return result;
}

function logElements(array: Value[], modified: number[], path: Step[], state: ApplyState): void {
  const [only] = modified;
  if (modified.length > 1) state.log?.set(path, array);
  else if (only !== undefined) state.log?.set([...path, only], array[only]!);
}
