import { appendSequence } from "../changes/sequence.ts";
import type { Write } from "./target.ts";

/** A write that a unique index refused so far. */
export interface PendingEntry {
  readonly namespace: string;
  readonly key: string;
  readonly sequence: number;
  /** Absent when its bytes were let go, or after a restart: they are read from the log again when they are needed. */
  readonly write?: Write;
}

/** As the checkpoint keeps it: sequence numbers by namespace, as runs (first, count, …). */
export type PendingSequences = Readonly<Record<string, readonly number[]>>;

/**
 * Writes waiting for others (invariants.md 19), one a document. Bounded: images beyond the budget are let go and only
 * their sequence numbers kept.
 */
export class Pending {
  private readonly entries = new Map<string, Map<string, PendingEntry>>();
  private bytes = 0;

  constructor(private readonly bytesMax: number) {}

  get size(): number {
    let size = 0;
    for (const documents of this.entries.values()) size += documents.size;
    return size;
  }

  has(namespace: string, key: string): boolean {
    return this.entries.get(namespace)?.has(key) ?? false;
  }

  add(write: Write): void {
    const { namespace, key, sequence } = write;
    this.remove(namespace, key);
    const kept = this.bytes + bytesOf(write) <= this.bytesMax;
    if (kept) this.bytes += bytesOf(write);
    this.set({ namespace, key, sequence, ...(kept && { write }) });
  }

  /** Takes an entry of which only the sequence is known. */
  addCold(namespace: string, key: string, sequence: number): void {
    this.remove(namespace, key);
    this.set({ namespace, key, sequence });
  }

  /** A newer change of the document was applied, or this one was. */
  remove(namespace: string, key: string): void {
    const documents = this.entries.get(namespace);
    const entry = documents?.get(key);
    if (!documents || !entry) return;
    documents.delete(key);
    if (documents.size === 0) this.entries.delete(namespace);
    if (entry.write) this.bytes -= bytesOf(entry.write);
  }

  drop(namespace: string): void {
    for (const key of [...(this.entries.get(namespace)?.keys() ?? [])]) this.remove(namespace, key);
  }

  rename(from: string, to: string): void {
    this.drop(to);
    const documents = this.entries.get(from);
    if (!documents) return;
    this.entries.delete(from);
    for (const entry of documents.values()) {
      const { write } = entry;
      this.set({ ...entry, namespace: to, ...(write && { write: { ...write, namespace: to } }) });
    }
  }

  all(): readonly PendingEntry[] {
    return [...this.entries.values()].flatMap((documents) => [...documents.values()]);
  }

  /** Those whose bytes are at hand. */
  hot(): readonly Write[] {
    return this.all().flatMap(({ write }) => (write ? [write] : []));
  }

  sequences(): PendingSequences {
    const byNamespace: Record<string, number[]> = {};
    for (const [namespace, documents] of this.entries) {
      const runs: number[] = [];
      const sequences = [...documents.values()].map(({ sequence }) => sequence).sort((a, b) => a - b);
      for (const sequence of sequences) appendSequence(runs, sequence);
      byNamespace[namespace] = runs;
    }
    return byNamespace;
  }

  private set(entry: PendingEntry): void {
    let documents = this.entries.get(entry.namespace);
    if (!documents) {
      documents = new Map();
      this.entries.set(entry.namespace, documents);
    }
    documents.set(entry.key, entry);
  }
}

function bytesOf(write: Write): number {
  return write.id.length + (write.post?.length ?? 0);
}
