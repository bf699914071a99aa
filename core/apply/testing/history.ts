/** Random histories of a source: documents under unique indexes, and the change events it would report of them. */
import { BSON, Double, Int32 } from "bson";
import fc from "fast-check";
import { documentKey } from "../../bson/equality-key.ts";
import type { Change } from "../change.ts";

export const namespaces = ["d.a", "d.b"] as const;
export const uniqueFields = ["u", "v"] as const;
const ids = [new Int32(1), new Double(1), new Int32(2), new Double(2), "x", "y", { k: new Int32(1) }];

export type Documents = Map<string, Uint8Array>;
export type State = Map<string, Documents>;

export interface History {
  readonly initial: State;
  readonly changes: readonly Change[];
  readonly final: State;
}

interface Operation {
  readonly kind: "put" | "delete" | "create" | "drop" | "dropDatabase" | "rename";
  readonly namespace: number;
  readonly id: number;
  readonly u: number | null;
  readonly v: number | null;
  /** How many operations later an update's lookup runs. */
  readonly lag: number;
}

const operationOf = (weights: { put: number; rename: number }): fc.Arbitrary<Operation> =>
  fc.record({
    kind: fc.oneof(
      { weight: weights.put, arbitrary: fc.constant("put" as const) },
      { weight: 5, arbitrary: fc.constant("delete" as const) },
      { weight: 1, arbitrary: fc.constantFrom("create" as const, "drop" as const, "dropDatabase" as const) },
      { weight: weights.rename, arbitrary: fc.constant("rename" as const) },
    ),
    namespace: fc.oneof(fc.constant(0), fc.nat(namespaces.length - 1)),
    id: fc.nat(ids.length - 1),
    u: fc.option(fc.nat(3)),
    v: fc.option(fc.nat(3)),
    lag: fc.nat(6),
  });

/** Histories in which lookups come late or find nothing, `_id`s change their type, values travel between documents. */
export const history: fc.Arbitrary<History> = fc
  .tuple(
    fc.array(operationOf({ put: 1, rename: 0 }), { maxLength: 12 }),
    fc.oneof(
      fc.array(operationOf({ put: 20, rename: 0 }), { maxLength: 60 }),
      fc.array(operationOf({ put: 10, rename: 2 }), { maxLength: 60 }),
    ),
  )
  .map(([before, operations]) => build(before, operations));

function build(before: readonly Operation[], operations: readonly Operation[]): History {
  let state: State = new Map(namespaces.map((namespace) => [namespace, new Map()]));
  for (const [index, each] of before.entries()) {
    if (each.kind === "put") state = put(state, each, `before ${index}`)?.state ?? state;
  }
  const initial = state;
  const states: State[] = [];
  const reported: { change: Omit<Change, "post" | "sequence">; lag: number }[] = [];
  for (const [index, each] of operations.entries()) {
    const next = run(state, each, `change ${index}`);
    if (!next) continue;
    state = next.state;
    if (!next.change) continue;
    states.push(state);
    // A lookup after a rename would look in the wrong collection: no replay can mend that, so it isn't modelled.
    const lag =
      next.change.operation === "update" && !operations.some(({ kind }) => kind === "rename") ? each.lag : 0;
    reported.push({ change: next.change, lag });
  }
  const changes = reported.map(({ change, lag }, index) => {
    const seen = states[Math.min(index + lag, states.length - 1)]!;
    const post =
      change.key === undefined || change.operation === "delete"
        ? undefined
        : seen.get(change.namespace)?.get(change.key);
    return { ...change, sequence: index + 1, ...(post && { post }) };
  });
  return { initial, changes, final: state };
}

/** Creating a collection is a change that no event reports. */
type Next = { readonly state: State; readonly change?: Omit<Change, "post" | "sequence"> } | undefined;

function run(state: State, operation: Operation, text: string): Next {
  const namespace = namespaces[operation.namespace]!;
  const documents = state.get(namespace);
  const change = { database: "d", namespace };
  switch (operation.kind) {
    case "put":
      return put(state, operation, text);
    case "create":
      return documents ? undefined : { state: new Map(state).set(namespace, new Map()) };
    case "delete": {
      const key = keyOf(operation);
      const stored = documents?.get(key);
      if (!stored) return undefined;
      const rest = new Map(documents);
      rest.delete(key);
      const id = BSON.serialize({ _id: BSON.deserialize(stored, { promoteValues: false })._id });
      return {
        state: new Map(state).set(namespace, rest),
        change: { ...change, operation: "delete", id, key },
      };
    }
    case "dropDatabase":
      return {
        state: new Map(),
        change: { database: "d", namespace: "d.", operation: "dropDatabase" },
      };
    default: {
      if (!documents) return undefined;
      const others = new Map(state);
      others.delete(namespace);
      if (operation.kind === "drop") return { state: others, change: { ...change, operation: "drop" } };
      const to = namespaces[1 - operation.namespace]!;
      return { state: others.set(to, documents), change: { ...change, operation: "rename", to } };
    }
  }
}

/** Insert, or replace where the key is there (its `_id` keeps its type, as on a server). */
function put(state: State, operation: Operation, text: string): Next {
  const namespace = namespaces[operation.namespace]!;
  const documents = state.get(namespace) ?? new Map<string, Uint8Array>();
  const key = keyOf(operation);
  const stored = documents.get(key);
  const id = stored ? BSON.deserialize(stored, { promoteValues: false })._id : ids[operation.id];
  const { u, v } = operation;
  const image = BSON.serialize({ _id: id, ...(u !== null && { u }), ...(v !== null && { v }), text });
  if (uniqueFields.some((field) => isTaken(documents, field, operation[field], key))) return undefined;
  return {
    state: new Map(state).set(namespace, new Map(documents).set(key, image)),
    change: {
      database: "d",
      namespace,
      operation: stored ? "update" : "insert",
      id: BSON.serialize({ _id: id }),
      key,
    },
  };
}

function isTaken(documents: Documents, field: "u" | "v", value: number | null, key: string): boolean {
  if (value === null) return false;
  return [...documents].some(([other, image]) => other !== key && BSON.deserialize(image)[field] === value);
}

function keyOf(operation: Operation): string {
  return documentKey(BSON.serialize({ _id: ids[operation.id] }))!;
}
