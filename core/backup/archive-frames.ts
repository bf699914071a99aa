/** The outer form of mongodump's archive: a magic number, then documents and terminators, whatever they mean. */
import { RoundtripError } from "../errors.ts";

const magic = 0x8199e26d;
const terminator = -1;
/** A server's own documents may be 16 KiB larger than a user's 16 MiB; mongodump writes entries of the oplog as they are. */
const documentBytesMax = 16 * 1024 * 1024 + 16 * 1024;
const documentBytesMin = 5;

/** What takes the parts in their order. `at` is the offset of the part in the archive. */
export interface FrameConsumer {
  /** @param bytes raw BSON, valid during the call only */
  document(bytes: Uint8Array, at: number): void;
  terminator(at: number): void;
}

/**
 * Cuts a stream into documents and terminators. Holds at most one document that came in pieces. Lengths and the zero byte
 * at the end of each document are checked, nothing else.
 */
export class FrameCutter {
  /** Offset in the archive of the first byte not yet handed on. */
  private offset = 0;
  /** Beginning of a part that isn't whole: `held` of these bytes are there. */
  private partial = new Uint8Array(64 * 1024);
  private held = 0;

  constructor(
    private readonly what: string,
    private readonly consumer: FrameConsumer,
  ) {}

  /** Takes the next bytes; keeps none of them. Fails `logCorrupt`. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.held > 0) {
        at += this.complete(chunk.subarray(at));
        continue;
      }
      const size = this.partSize(chunk, at, chunk.length - at);
      if (size === undefined || at + size > chunk.length) {
        this.keep(chunk.subarray(at));
        return;
      }
      this.take(chunk.subarray(at, at + size));
      at += size;
    }
  }

  /** The number of bytes in all. Fails `logCorrupt` when they end within a part. */
  end(): number {
    if (this.held > 0 || this.offset === 0) {
      const got = this.offset === 0 && this.held === 0 ? "nothing" : `the end after ${this.held} bytes of it`;
      throw this.failure(this.offset === 0 ? "an archive" : "the rest of a document", got);
    }
    return this.offset;
  }

  /** An archive that isn't one, at an offset. */
  failure(expected: string, got: string, at = this.offset): RoundtripError {
    return new RoundtripError({
      kind: "logCorrupt",
      what: `${this.what}, byte ${at}`,
      expected,
      got,
      wayOut: "it can't be restored as it is: take the backup again, or use the one before",
    });
  }

  /** Adds to the part in hand until it is whole; gives how many bytes were used. */
  private complete(more: Uint8Array): number {
    const before = this.partSize(this.partial, 0, this.held);
    const used = Math.min((before ?? 4) - this.held, more.length);
    this.keep(more.subarray(0, used));
    const size = this.partSize(this.partial, 0, this.held);
    if (size === this.held) {
      this.held = 0;
      this.take(this.partial.subarray(0, size));
    }
    return used;
  }

  private keep(bytes: Uint8Array): void {
    const needed = this.held + bytes.length;
    if (needed > this.partial.length) {
      const larger = new Uint8Array(Math.min(Math.max(needed, this.partial.length * 2), documentBytesMax));
      larger.set(this.partial.subarray(0, this.held));
      this.partial = larger;
    }
    this.partial.set(bytes, this.held);
    this.held = needed;
  }

  /** Bytes of the part that begins at `at`, or `undefined` when its length isn't there yet. */
  private partSize(bytes: Uint8Array, at: number, there: number): number | undefined {
    if (there < 4) return undefined;
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    if (this.offset === 0) {
      if (word >>> 0 === magic) return 4;
      throw this.failure("the first bytes of mongodump's archive, 6de29981", hex(word));
    }
    if (word === terminator) return 4;
    if (word >= documentBytesMin && word <= documentBytesMax) return word;
    throw this.failure("the length of a document, or a terminator", hex(word));
  }

  private take(bytes: Uint8Array): void {
    const at = this.offset;
    if (at > 0 && bytes.length === 4) this.consumer.terminator(at);
    else if (at > 0) {
      if (bytes[bytes.length - 1] !== 0) {
        throw this.failure(
          `a document of ${bytes.length} bytes that ends with a zero byte`,
          `${bytes[bytes.length - 1]}`,
        );
      }
      this.consumer.document(bytes, at);
    }
    this.offset += bytes.length;
  }
}

function hex(word: number): string {
  return Buffer.from(Int32Array.of(word).buffer).toString("hex");
}
