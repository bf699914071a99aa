/** Collects what an operator update changed, and writes it as a delta. */
import type { Document, Value } from "../value.ts";
import { assemble } from "./diff.ts";

/** One component of a changed path: a field name, or an index of an array. */
export type Step = string | number;

type Change = { kind: "set" | "insert"; value: Value } | { kind: "delete" } | Branch;

class Branch {
  readonly kind = "branch";
  readonly isArray: boolean;
  readonly children = new Map<Step, Change>();
  constructor(isArray: boolean) {
    this.isArray = isArray;
  }
}

export class ChangeLog {
  private readonly root = new Branch(false);

  private parentOf(path: Step[]): Branch {
    let branch = this.root;
    for (let i = 0; i < path.length - 1; i++) {
      const present = branch.children.get(path[i]!);
      if (present instanceof Branch) branch = present;
      else {
        const made = new Branch(typeof path[i + 1] === "number");
        branch.children.set(path[i]!, made);
        branch = made;
      }
    }
    return branch;
  }

  set(path: Step[], value: Value): void {
    this.parentOf(path).children.set(path.at(-1)!, { kind: "set", value });
  }

  /**
   * A path that didn't exist from its component `from` on. Several values may be created under one new parent.
   */
  insert(path: Step[], from: number, value: Value): void {
    const parent = this.parentOf(path.slice(0, from + 1));
    const name = path[from]!;
    const kind = parent.isArray ? "set" : "insert";
    const present = parent.children.get(name);
    const rest = path.slice(from + 1);
    const made = present !== undefined && "value" in present ? present.value : undefined;
    parent.children.set(name, { kind, value: withPath(made, rest, value) });
  }

  delete(path: Step[]): void {
    this.parentOf(path).children.set(path.at(-1)!, { kind: "delete" });
  }

  /** The delta of all changes; an empty document when there were none. */
  toDiff(): Document {
    return branchDiff(this.root);
  }
}

function withPath(parent: Value | undefined, path: Step[], value: Value): Value {
  if (path.length === 0) return value;
  const document: Document = new Map(parent instanceof Map ? parent : []);
  const name = String(path[0]);
  document.set(name, withPath(document.get(name), path.slice(1), value));
  return document;
}

function branchDiff(branch: Branch): Document {
  if (branch.isArray) return arrayBranchDiff(branch);
  const deleted: Document = new Map();
  const updated: Document = new Map();
  const inserted: Document = new Map();
  const inside: Document = new Map();
  for (const [step, change] of branch.children) {
    const name = String(step);
    if (change.kind === "branch") inside.set(`s${name}`, branchDiff(change));
    else if (change.kind === "delete") deleted.set(name, false);
    else if (change.kind === "insert") inserted.set(name, change.value);
    else updated.set(name, change.value);
  }
  return assemble(deleted, updated, inserted, inside);
}

function arrayBranchDiff(branch: Branch): Document {
  const diff: Document = new Map<string, Value>([["a", true]]);
  for (const [step, change] of [...branch.children].sort(([a], [b]) => Number(a) - Number(b))) {
    if (change.kind === "branch") diff.set(`s${step}`, branchDiff(change));
    else diff.set(`u${step}`, change.kind === "delete" ? null : change.value);
  }
  return diff;
}
