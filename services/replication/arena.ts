/**
 * Memory for events between their reply and their upload. Kept as slices of replies, one event would hold megabytes,
 * and each flush would need its bytes twice to put them together. Copied into blocks that are used again, a flush of
 * one collection is already the body to upload.
 */

import type { EventMemory, Part } from "../../core/changes/flush.ts";

interface Block {
  readonly bytes: Uint8Array;
  used: number;
  /** Flushes that still need it, the one in hand included. */
  holders: number;
}

/** Blocks kept for the next flushes; more are let go. */
const freeMax = 2;
/** Small flushes share a block; a large one that began late in a block would need a second one and a copy. */
const sharedShare = 1 / 8;

export class Arena implements EventMemory {
  private current: Block | undefined;
  private readonly free: Block[] = [];
  /** Blocks the flush in hand lies in. */
  private held: Block[] = [];
  block: Uint8Array = new Uint8Array();

  constructor(private readonly blockBytes: number) {}

  /** The same bytes where they stay until their flush is released. */
  keep(raw: Uint8Array): number {
    if (raw.length > this.blockBytes) {
      // Larger than a block is rare, and such an event fills a flush of its own.
      this.block = raw.slice();
      return 0;
    }
    const block = this.blockFor(raw.length);
    const start = block.used;
    block.bytes.set(raw, start);
    block.used += raw.length;
    this.block = block.bytes;
    return start;
  }

  /** Ends the flush in hand. The function it gives is to be called once, when its bytes are no longer needed. */
  seal(): () => void {
    const { held } = this;
    this.held = [];
    const { current } = this;
    if (current && current.used > this.blockBytes * sharedShare) this.current = undefined;
    return () => {
      for (const block of held) this.release(block);
    };
  }

  private blockFor(length: number): Block {
    let block = this.current;
    if (!block || block.used + length > this.blockBytes) {
      block = this.free.pop() ?? { bytes: new Uint8Array(this.blockBytes), used: 0, holders: 0 };
      this.current = block;
    }
    if (this.held.at(-1) !== block) {
      block.holders++;
      this.held.push(block);
    }
    return block;
  }

  private release(block: Block): void {
    block.holders--;
    if (block.holders > 0) return;
    block.used = 0;
    if (block !== this.current && this.free.length < freeMax) this.free.push(block);
  }
}

/** The parts as one: without copying when they lie behind one another. */
export function joined(parts: readonly Part[]): Uint8Array {
  const slices = parts.map(({ block, start, end }) => block.subarray(start, end));
  return slices.length === 1 ? slices[0]! : Buffer.concat(slices);
}
