import { Buffer } from "node:buffer";
import { ProtocolViolation } from "./messages.ts";

const MAX_FRAME_BYTES = 48_000_000 + 16_384;

/** Cuts a byte stream into whole frames. A frame that arrives in one chunk is a view of that chunk. */
export class Framer {
  #partial: Buffer | undefined;
  #filled = 0;
  #header: Buffer = Buffer.alloc(0);

  constructor(readonly onFrame: (frame: Buffer) => void) {}

  push(received: Buffer): void {
    let chunk = this.#header.length > 0 ? Buffer.concat([this.#header, received]) : received;
    this.#header = Buffer.alloc(0);
    while (chunk.length > 0) {
      if (this.#partial) chunk = this.#fill(this.#partial, chunk);
      else if (chunk.length < 4) {
        this.#header = chunk;
        return;
      } else chunk = this.#begin(chunk);
    }
  }

  #begin(chunk: Buffer): Buffer {
    const length = chunk.readInt32LE(0);
    if (length < 16 || length > MAX_FRAME_BYTES) throw new ProtocolViolation(`a frame of ${length} bytes`);
    if (chunk.length >= length) {
      this.onFrame(chunk.subarray(0, length));
      return chunk.subarray(length);
    }
    this.#partial = Buffer.allocUnsafe(length);
    this.#partial.set(chunk);
    this.#filled = chunk.length;
    return Buffer.alloc(0);
  }

  #fill(partial: Buffer, chunk: Buffer): Buffer {
    const wanted = Math.min(partial.length - this.#filled, chunk.length);
    partial.set(chunk.subarray(0, wanted), this.#filled);
    this.#filled += wanted;
    if (this.#filled === partial.length) {
      this.#partial = undefined;
      this.onFrame(partial);
    }
    return chunk.subarray(wanted);
  }
}
