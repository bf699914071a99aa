import { createHash } from "node:crypto";
import { bytesOf, idKey, type Model } from "./model.ts";

/** What one document must be: its bytes' hash, or `undefined` for "must not exist". */
type Expected = string | undefined;

export interface LedgerEntry {
  readonly namespace: string;
  readonly id: unknown;
  readonly expected: Expected;
}

/**
 * The workload's own record of every write the server acknowledged. It is kept before any log and knows nothing of
 * Roundtrip: comparing two databases can't see what both lost (invariants.md 24).
 */
export class Ledger {
  private readonly entries = new Map<string, LedgerEntry>();
  acknowledged = 0;

  /** Keeps the outcome of an acknowledged write. `undefined`: the document was deleted. */
  record(namespace: string, id: unknown, after: Model | undefined): void {
    this.acknowledged++;
    const expected = after ? hashOf(bytesOf(after)) : undefined;
    this.entries.set(`${namespace} ${idKey(id)}`, { namespace, id, expected });
  }

  /** All documents this ledger knows, or those of one namespace. */
  *all(): Iterable<LedgerEntry> {
    yield* this.entries.values();
  }

  has(namespace: string, id: unknown): boolean {
    return this.entries.has(`${namespace} ${idKey(id)}`);
  }

  get size(): number {
    return this.entries.size;
  }
}

export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64");
}
