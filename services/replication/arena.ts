/**
 * Memory for events between their reply and their upload. Kept as slices of replies, one event would hold megabytes,
 * and each flush would need its bytes twice to put them together. Copied into blocks that are used again, a flush of
 * one collection is already the body to upload.
 */

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

export class Arena {
  private current: Block | undefined;
  private readonly free: Block[] = [];
  /** Blocks the flush in hand lies in. */
  private held: Block[] = [];

  constructor(private readonly blockBytes: number) {}

  /** The same bytes where they stay until their flush is released. */
  keep(raw: Uint8Array): Uint8Array {
    // Larger than a block is rare, and such an event fills a flush of its own.
    if (raw.length > this.blockBytes) return raw.slice();
    const block = this.blockFor(raw.length);
    const start = block.used;
    block.bytes.set(raw, start);
    block.used += raw.length;
    return block.bytes.subarray(start, block.used);
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

/** The parts as one: without copying when they lie behind one another in the same memory. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (!first) return new Uint8Array();
  let end = first.byteOffset + first.length;
  for (let index = 1; index < parts.length; index++) {
    const part = parts[index]!;
    if (part.buffer !== first.buffer || part.byteOffset !== end) return Buffer.concat(parts);
    end += part.length;
  }
  return new Uint8Array(first.buffer, first.byteOffset, end - first.byteOffset);
}
