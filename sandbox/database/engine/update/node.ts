/** The tree of an operator update: what to do at which path. */
import { ServerError } from "../errors.ts";
import type { Predicate } from "../match/index.ts";
import type { Document, Value } from "../value.ts";
import type { ChangeLog, Step } from "./log.ts";

/** Says that a field is to be taken out. */
export const REMOVED = Symbol("removed");
export type Removed = typeof REMOVED;

/** What an update of one document has at hand. */
export interface ApplyState {
  /** the document before the update */
  root: Document;
  insert: boolean;
  /** which array element the query matched: the positional `$` */
  matchedIndex: number | undefined;
  /** undefined while the changes of an array are recorded as a whole */
  log: ChangeLog | undefined;
}

/** One operator at one path. The same value given back means: nothing changed. */
export interface Leaf {
  kind: "leaf";
  operator: string;
  /** new value for one that exists */
  update(existing: Value, path: Step[], state: ApplyState): Value | Removed;
  /** value for a field that doesn't exist; undefined: leaves it so */
  create?(path: Step[], state: ApplyState): Value | undefined;
  /** whether a path through a value that is no document or array is ignored (else it is an error) */
  ignoresNonViable?: boolean;
  insertOnly?: boolean;
  /** whether `update` recorded the change of this value itself */
  logsItself?(existing: Value): boolean;
  /** whether the operator sets a whole document */
  setsDocument?: boolean;
}

export interface ObjectNode {
  kind: "object";
  children: Map<string, Node>;
  positional?: Node;
}

export interface ArrayNode {
  kind: "array";
  /** by identifier of the array filter; "" for all elements */
  children: Map<string, Node>;
  filters: Map<string, Predicate>;
}

export type Node = Leaf | ObjectNode | ArrayNode;

const numeric = /^(0|[1-9][0-9]*)$/;

/** Field order of updates: names by code point, names that are numbers by value (and before others). */
export function compareNames(a: string, b: string): number {
  const leftNumeric = numeric.test(a);
  const rightNumeric = numeric.test(b);
  if (leftNumeric && rightNumeric) return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
  if (leftNumeric !== rightNumeric) return leftNumeric ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Sorts all children: the server applies updates in the order of names, so new fields appear in it. */
export function sortTree(node: Node): void {
  if (node.kind === "leaf") return;
  node.children = new Map([...node.children].sort(([a], [b]) => compareNames(a, b)));
  for (const child of node.children.values()) sortTree(child);
  if (node.kind === "object" && node.positional !== undefined) sortTree(node.positional);
}

/** Merges two nodes that meet at one array element. */
export function mergeNodes(a: Node, b: Node, path: string): Node {
  if (a.kind === "leaf" || a.kind !== b.kind) {
    throw new ServerError("ConflictingUpdateOperators", `Update created a conflict at '${path}'`);
  }
  const children = new Map(a.children);
  for (const [name, child] of (b as ObjectNode | ArrayNode).children) {
    const present = children.get(name);
    const shown = a.kind === "array" ? `$[${name}]` : name;
    children.set(name, present === undefined ? child : mergeNodes(present, child, `${path}.${shown}`));
  }
  const sorted = new Map([...children].sort(([x], [y]) => compareNames(x, y)));
  if (a.kind === "array") return { kind: "array", children: sorted, filters: a.filters };
  const other = (b as ObjectNode).positional;
  const positional =
    a.positional !== undefined && other !== undefined
      ? mergeNodes(a.positional, other, `${path}.$`)
      : (a.positional ?? other);
  return { kind: "object", children: sorted, positional };
}
