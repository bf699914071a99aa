/**
 * Pairs the documents of two collections that arrive as two streams. Both are expected sorted by `_id`, and as long as
 * they are, a pair is two equal runs of bytes and nothing is kept. Nothing depends on it: a document whose partner has
 * not come yet waits under its key, with a digest. This is not the apply path's code, and doesn't know it.
 */
import { Buffer } from "node:buffer";
import { wrap } from "../bson/build.ts";
import { digestOf, shortKey } from "../bson/digest.ts";
import { equalityKey } from "../bson/equality-key.ts";
import { findElement, valueBytes } from "../bson/raw.ts";

export type Side = "source" | "target";

/** A document that is on one side only, or differs. Images as digests; null where there is none. */
export interface Difference {
  /** As `shortKey` gives it. */
  readonly key: string;
  /** `{_id: <value>}` as the source has it, or the target where the source has none. */
  readonly id: Uint8Array;
  readonly source: string | null;
  readonly target: string | null;
}

export interface MatchCounts {
  source: number;
  target: number;
  equal: number;
  differing: number;
}

interface Waiting {
  readonly id: Uint8Array;
  readonly digest: string;
}

/** More documents wait for their partners, or differ, than memory may hold: try again with more parts. */
export class TooManyWaiting extends Error {}

export interface MatcherOptions {
  /** Memory for documents that wait or differ, in bytes (estimated). */
  readonly waitingBytesMax: number;
  /** Only keys of this part are looked at: part `index` of `count`. */
  readonly part?: { readonly index: number; readonly count: number };
  difference(difference: Difference): void;
}

/** Cost of a map's entry besides its key and `_id`. */
const entryBytes = 200;

export class Matcher {
  readonly counts: MatchCounts = { source: 0, target: 0, equal: 0, differing: 0 };
  private readonly waiting = { source: new Map<string, Waiting>(), target: new Map<string, Waiting>() };
  private readonly queues = { source: new Queue(), target: new Queue() };
  private waitingBytes = 0;

  constructor(private readonly options: MatcherOptions) {}

  /** The sides whose documents are used up: more of them is needed to go on. */
  wants(side: Side): boolean {
    return this.queues[side].isEmpty();
  }

  /** Takes the next documents of one side; an empty list says that the side has no more. */
  add(side: Side, documents: readonly Uint8Array[]): void {
    this.counts[side] += documents.length;
    this.queues[side].fill(documents);
    this.pair();
  }

  /** Both sides have ended: whoever still waits has no partner. */
  finish(): MatchCounts {
    this.waitingBytes = 0;
    for (const [key, { id, digest }] of this.waiting.source)
      this.report({ key, id, source: digest, target: null });
    for (const [key, { id, digest }] of this.waiting.target)
      this.report({ key, id, source: null, target: digest });
    return this.counts;
  }

  private pair(): void {
    const { source, target } = this.queues;
    while (true) {
      const left = source.peek();
      const right = target.peek();
      if (left && right) {
        if (!this.options.part && Buffer.compare(left, right) === 0) {
          this.counts.equal++;
          source.shift();
          target.shift();
        } else this.setAside(left, right);
      } else if (left && target.ended) this.wait("source", source.shift());
      else if (right && source.ended) this.wait("target", target.shift());
      else return;
    }
  }

  /** Sets the one aside that seems to come first, so that the streams fall into step again. */
  private setAside(left: Uint8Array, right: Uint8Array): void {
    const order = this.options.part ? 0 : orderOf(keyOf(left), keyOf(right));
    if (order <= 0) this.wait("source", this.queues.source.shift());
    if (order >= 0) this.wait("target", this.queues.target.shift());
  }

  private wait(side: Side, document: Uint8Array): void {
    const key = shortKey(keyOf(document));
    const { part } = this.options;
    if (part && partOf(key, part.count) !== part.index) return;
    const other = side === "source" ? "target" : "source";
    const digest = digestOf(document);
    const partner = this.waiting[other].get(key);
    if (partner) {
      this.waiting[other].delete(key);
      this.waitingBytes -= costOf(key, partner.id);
      if (partner.digest === digest) this.counts.equal++;
      else this.reportPair(side, key, idOf(document), digest, partner);
      return;
    }
    if (this.waiting[side].has(key)) {
      // One collection can't hold the same `_id` twice: whatever this is, it isn't equality.
      this.reportPair(side, key, idOf(document), digest, undefined);
      return;
    }
    const id = idOf(document);
    this.use(costOf(key, id));
    this.waiting[side].set(key, { id, digest });
  }

  private reportPair(
    side: Side,
    key: string,
    id: Uint8Array,
    digest: string,
    partner: Waiting | undefined,
  ): void {
    const other = partner?.digest ?? null;
    this.report(
      side === "source"
        ? { key, id, source: digest, target: other }
        : { key, id: partner?.id ?? id, source: other, target: digest },
    );
  }

  private report(difference: Difference): void {
    this.counts.differing++;
    this.use(costOf(difference.key, difference.id));
    this.options.difference(difference);
  }

  /** What was reported counts, too: the caller keeps it until the pass is through. */
  private use(bytes: number): void {
    this.waitingBytes += bytes;
    if (this.waitingBytes > this.options.waitingBytesMax) throw new TooManyWaiting();
  }
}

class Queue {
  ended = false;
  private documents: readonly Uint8Array[] = [];
  private next = 0;

  fill(documents: readonly Uint8Array[]): void {
    this.documents = documents;
    this.next = 0;
    if (documents.length === 0) this.ended = true;
  }

  peek(): Uint8Array | undefined {
    return this.documents[this.next];
  }

  shift(): Uint8Array {
    return this.documents[this.next++]!;
  }

  isEmpty(): boolean {
    return !this.ended && this.next >= this.documents.length;
  }
}

/** A document without `_id` has the empty key: it can only be a difference. */
function keyOf(document: Uint8Array): string {
  const id = findElement(document, "_id");
  return id ? equalityKey({ type: id.type, bytes: valueBytes(id) }) : "";
}

function idOf(document: Uint8Array): Uint8Array {
  const id = findElement(document, "_id");
  return id ? wrap(id, "_id") : Uint8Array.of(5, 0, 0, 0, 0);
}

/** A guess at the server's order, right for ids of one kind; a wrong one costs memory, never the result. */
function orderOf(left: string, right: string): number {
  if (left === right) return 0;
  if (left[0] === "n" && right[0] === "n") return Number(left.slice(1)) - Number(right.slice(1));
  return left < right ? -1 : 1;
}

function costOf(key: string, id: Uint8Array): number {
  return entryBytes + key.length * 2 + id.length;
}

function partOf(key: string, count: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % count;
}
