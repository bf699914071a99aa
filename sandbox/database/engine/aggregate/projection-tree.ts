/** Inclusion, exclusion and computed fields as a tree over field names. */
import type { Document, Value } from "../value.ts";
import type { Expression } from "./expression.ts";

export class ProjectionNode {
  /** fields taken (or left out) whole */
  readonly leaves = new Set<string>();
  readonly children = new Map<string, ProjectionNode>();
  readonly computed = new Map<string, Expression>();
  /** names of children and computed fields in the order they were given */
  private readonly order: string[] = [];
  private hasComputed = false;

  child(name: string): ProjectionNode {
    let node = this.children.get(name);
    if (node === undefined) {
      node = new ProjectionNode();
      this.children.set(name, node);
      this.order.push(name);
    }
    return node;
  }

  addLeaf(path: readonly string[]): void {
    if (path.length === 1) this.leaves.add(path[0]!);
    else this.child(path[0]!).addLeaf(path.slice(1));
  }

  addComputed(path: readonly string[], expression: Expression): void {
    this.hasComputed = true;
    if (path.length === 1) {
      this.computed.set(path[0]!, expression);
      this.order.push(path[0]!);
    } else this.child(path[0]!).addComputed(path.slice(1), expression);
  }

  /** Keeps only the leaves. */
  include(document: Document): Document {
    const result: Document = new Map();
    const wanted = this.leaves.size + this.children.size;
    let found = 0;
    for (const [name, value] of document) {
      if (found === wanted) break;
      if (this.leaves.has(name)) {
        result.set(name, value);
        found++;
        continue;
      }
      const child = this.children.get(name);
      if (child === undefined) continue;
      found++;
      const inside = child.includeValue(value);
      if (inside !== undefined) result.set(name, inside);
    }
    return result;
  }

  private includeValue(value: Value): Value | undefined {
    if (value instanceof Map) return this.include(value);
    if (!Array.isArray(value)) return undefined;
    const result: Value[] = [];
    for (const element of value) {
      const inside = this.includeValue(element);
      if (inside !== undefined) result.push(inside);
      // What isn't a document becomes one with the computed fields: keep its place.
      else if (this.hasComputed) result.push(null);
    }
    return result;
  }

  /** Leaves out the leaves. */
  exclude(document: Document): Document {
    const result: Document = new Map();
    for (const [name, value] of document) {
      if (this.leaves.has(name)) continue;
      const child = this.children.get(name);
      result.set(name, child === undefined ? value : child.excludeValue(value));
    }
    return result;
  }

  private excludeValue(value: Value): Value {
    if (value instanceof Map) return this.exclude(value);
    return Array.isArray(value) ? value.map((element) => this.excludeValue(element)) : value;
  }

  /** Sets the computed fields, evaluated on `root`; existing fields keep their place. */
  compute(document: Document, root: Document): Document {
    if (!this.hasComputed) return document;
    const result: Document = new Map(document);
    for (const name of this.order) {
      const expression = this.computed.get(name);
      if (expression !== undefined) {
        const value = expression(root);
        if (value === undefined) result.delete(name);
        else result.set(name, value);
        continue;
      }
      const child = this.children.get(name)!;
      if (child.hasComputed) result.set(name, child.computeValue(result.get(name), root));
    }
    return result;
  }

  private computeValue(value: Value | undefined, root: Document): Value {
    if (Array.isArray(value)) return value.map((element) => this.computeValue(element, root));
    return this.compute(value instanceof Map ? value : new Map(), root);
  }
}
