import type { Change } from "./change.ts";
import { type Counts, noCounts, type Step, type TailConflict, type TailRule } from "./step.ts";
import type { Write } from "./target.ts";

export interface StepOptions {
  /** In-scope namespaces by database: a dropDatabase drops these and nothing outside the scope. */
  readonly scope: ReadonlyMap<string, readonly string[]>;
  readonly tail: TailRule;
  /** A step of writes closes at so many events or bytes of images; both bound what is lost to a kill, and memory. */
  readonly eventsMax: number;
  readonly bytesMax: number;
}

/** A stretch of the log in sequence order, covered through `lastSequence` (events not applied lie between). */
export interface Stretch {
  readonly changes: Iterable<Change>;
  readonly lastSequence: number;
}

/** Coalesces the log to one write a document, the last one, between barriers (invariants.md 18, 20). */
export async function* stepsOf(log: AsyncIterable<Stretch>, options: StepOptions): AsyncGenerator<Step> {
  let window = new Window(options);
  for await (const { changes, lastSequence } of log) {
    for (const change of changes) {
      const barrier = window.add(change);
      if (barrier || window.isFull()) {
        if (!window.isEmpty()) yield window.step();
        if (barrier) yield barrier;
        window = new Window(options);
      }
    }
    window.lastSequence = lastSequence;
  }
  if (window.lastSequence > 0) yield window.step();
}

class Window {
  lastSequence = 0;
  private readonly counts: Counts = noCounts();
  private readonly conflicts: TailConflict[] = [];
  private readonly writes = new Map<string, Map<string, Write>>();
  private bytes = 0;

  constructor(private readonly options: StepOptions) {}

  isFull(): boolean {
    return this.counts.events >= this.options.eventsMax || this.bytes >= this.options.bytesMax;
  }

  isEmpty(): boolean {
    return this.lastSequence === 0;
  }

  step(): Step {
    const writes: Write[] = [];
    for (const documents of this.writes.values()) writes.push(...documents.values());
    const { counts, conflicts, lastSequence } = this;
    return { kind: "writes", writes, conflicts, counts, lastSequence };
  }

  /** Takes the next change; gives a barrier back instead when it is one. */
  add(change: Change): Step | undefined {
    const barrier = this.barrierOf(change);
    if (barrier) return barrier;
    this.counts.events++;
    this.lastSequence = change.sequence;
    switch (change.operation) {
      case "insert":
      case "update":
      case "replace":
        this.put(change);
        break;
      case "delete":
        this.delete(change);
        break;
      default:
        this.pass(change);
    }
    return undefined;
  }

  private barrierOf(change: Change): Step | undefined {
    const { operation, namespace, to, sequence } = change;
    const common = { counts: { ...noCounts(), events: 1 }, lastSequence: sequence };
    if (operation === "drop") return { ...common, kind: "drop", namespaces: [namespace] };
    if (operation === "dropDatabase") {
      return { ...common, kind: "drop", namespaces: this.options.scope.get(change.database) ?? [] };
    }
    // Outside the scope stands what is none of ours: passed, and the comparison names it.
    if (operation !== "rename" || !to || !this.inScope(to) || !this.inScope(namespace)) return undefined;
    return { ...common, kind: "rename", from: namespace, to };
  }

  private inScope(namespace: string): boolean {
    const database = namespace.slice(0, namespace.indexOf("."));
    return this.options.scope.get(database)?.includes(namespace) ?? false;
  }

  private put(change: Change): void {
    const { id, key, post, namespace, sequence } = change;
    if (!post || !id || key === undefined) {
      // What this window already holds of the document stays: the delete that explains the null comes later.
      this.counts.lookupNull++;
      return;
    }
    this.bytes += post.length;
    const rule = this.tailRule(namespace, key, id, sequence);
    if (rule === "skip") return;
    const documents = this.documentsOf(namespace);
    const before = documents.get(key);
    // Deleted and inserted anew, perhaps with an `_id` of another type: a replacement in place would keep the old one's.
    const recreate = rule === "recreate" || before?.post === null || before?.recreate === true;
    documents.set(key, { namespace, key, id, sequence, post, recreate });
  }

  private delete(change: Change): void {
    const { id, key, namespace, sequence } = change;
    if (!id || key === undefined) {
      this.pass(change);
      return;
    }
    this.bytes += id.length;
    if (this.tailRule(namespace, key, id, sequence) === "skip") return;
    this.documentsOf(namespace).set(key, { namespace, key, id, sequence, post: null, recreate: false });
  }

  private tailRule(
    namespace: string,
    key: string,
    id: Uint8Array,
    sequence: number,
  ): "apply" | "recreate" | "skip" {
    const { tail } = this.options;
    const place = tail.of(namespace, key);
    if (!place) return "apply";
    this.conflicts.push({ namespace, key, id, sequence, margin: place === "margin" });
    // MongoDB's document may have been inserted anew with another type of `_id`: it goes as a whole.
    return place === "margin" || tail.policy === "documentdb" ? "recreate" : "skip";
  }

  private pass(change: Change): void {
    const what = `${change.operation || "(no operationType)"} of ${change.namespace}`;
    this.counts.passed[what] = (this.counts.passed[what] ?? 0) + 1;
  }

  private documentsOf(namespace: string): Map<string, Write> {
    let documents = this.writes.get(namespace);
    if (!documents) {
      documents = new Map();
      this.writes.set(namespace, documents);
    }
    return documents;
  }
}
