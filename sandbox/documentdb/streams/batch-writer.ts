import { Buffer } from "node:buffer";
import { type ChangeEvent, TRANSLATION_BYTES, writeEvent } from "./events.ts";

const INDEX_BYTES = 16;
const FIRST_BYTES = 65_536;

/** The array of a cursor's batch, written event by event into one growing buffer. */
export class BatchWriter {
  #out: Buffer;
  #end = 4;
  /** Where each event's document begins. */
  readonly #starts: number[] = [];

  constructor(expectedBytes: number) {
    this.#out = Buffer.allocUnsafe(Math.max(FIRST_BYTES, expectedBytes));
  }

  get count(): number {
    return this.#starts.length;
  }

  get bytes(): number {
    return this.#end;
  }

  /** Appends an event and gives the size of its document. */
  add(event: ChangeEvent, lookup: Uint8Array | null | undefined): number {
    this.#reserve(event.bytes.length + (lookup?.length ?? 0) + TRANSLATION_BYTES + INDEX_BYTES);
    this.#out[this.#end] = 3;
    const start = this.#end + 2 + this.#out.write(String(this.#starts.length), this.#end + 1, "latin1");
    this.#out[start - 1] = 0;
    this.#end = writeEvent(this.#out, start, event, lookup);
    this.#starts.push(start);
    return this.#end - start;
  }

  /** Takes the last event out again. */
  removeLast(): void {
    const start = this.#starts.pop();
    if (start === undefined) throw new Error("there is no event to take out");
    this.#end = start - 2 - String(this.#starts.length).length;
  }

  /** The last event's document, a view. */
  last(): Buffer | undefined {
    const start = this.#starts.at(-1);
    return start === undefined ? undefined : this.#out.subarray(start, this.#end);
  }

  /** The whole array; nothing may be added after. */
  finish(): Buffer {
    this.#reserve(1);
    this.#out[this.#end] = 0;
    this.#out.writeInt32LE(this.#end + 1, 0);
    return this.#out.subarray(0, this.#end + 1);
  }

  #reserve(more: number): void {
    if (this.#end + more <= this.#out.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#out.length * 2, this.#end + more));
    this.#out.copy(grown, 0, 0, this.#end);
    this.#out = grown;
  }
}
