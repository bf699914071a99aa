import { randomUUID } from "node:crypto";
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/** A stretch of an object's bytes: a whole file. An object from a multipart upload has one for each part. */
export interface Extent {
  readonly blob: string;
  readonly size: number;
}

const inMemoryBytesMax = 8 << 20;
const readBytes = 1 << 20;

/** Object bytes as files that are written once and never changed; nothing exists until the metadata names it. */
export class Blobs {
  constructor(private readonly dir: string) {
    for (let index = 0; index < 256; index += 1) {
      mkdirSync(join(dir, index.toString(16).padStart(2, "0")), { recursive: true });
    }
  }

  path(blob: string): string {
    return join(this.dir, blob.slice(0, 2), blob);
  }

  /** A new file to write; `discard` after a failure, or `close` and let the metadata name `blob`. */
  create(): BlobWriter {
    const blob = randomUUID();
    return new BlobWriter(blob, this.path(blob));
  }

  /** The same bytes under a new name (a hard link): copies cost nothing and live on their own. */
  duplicate(extent: Extent): Extent {
    const blob = randomUUID();
    linkSync(this.path(extent.blob), this.path(blob));
    return { blob, size: extent.size };
  }

  remove(extents: readonly Extent[]): void {
    for (const { blob } of extents) {
      if (existsSync(this.path(blob))) unlinkSync(this.path(blob));
    }
  }

  /** Files a crash left without metadata. */
  removeUnnamed(named: ReadonlySet<string>): void {
    for (const folder of readdirSync(this.dir)) {
      for (const blob of readdirSync(join(this.dir, folder)))
        if (!named.has(blob)) unlinkSync(this.path(blob));
    }
  }

  /** Bytes `from` (inclusive) to `to` (exclusive). Files are opened at once, so a later removal doesn't matter. */
  read(
    extents: readonly Extent[],
    from: number,
    to: number,
  ): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
    const pieces = this.open(extents, from, to);
    if (to - from > inMemoryBytesMax) return streamOf(pieces);
    const bytes = new Uint8Array(to - from);
    let filled = 0;
    for (const piece of pieces) {
      filled += readFully(piece, bytes.subarray(filled, filled + piece.length));
      closeSync(piece.file);
    }
    return bytes;
  }

  private open(extents: readonly Extent[], from: number, to: number): Piece[] {
    const pieces: Piece[] = [];
    let start = 0;
    for (const { blob, size } of extents) {
      const first = Math.max(from, start);
      const last = Math.min(to, start + size);
      if (first < last)
        pieces.push({ file: openSync(this.path(blob), "r"), offset: first - start, length: last - first });
      start += size;
    }
    return pieces;
  }
}

interface Piece {
  readonly file: number;
  offset: number;
  length: number;
}

function readFully(piece: Piece, target: Uint8Array): number {
  let done = 0;
  while (done < target.length) {
    const count = readSync(piece.file, target, done, target.length - done, piece.offset + done);
    if (count === 0)
      throw new Error(`a blob is shorter than its metadata says: ${piece.length - done} bytes missing`);
    done += count;
  }
  return done;
}

function streamOf(pieces: Piece[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      const piece = pieces[0];
      if (piece === undefined) return controller.close();
      const bytes = new Uint8Array(Math.min(readBytes, piece.length));
      readFully(piece, bytes);
      piece.offset += bytes.length;
      piece.length -= bytes.length;
      if (piece.length === 0) closeSync(pieces.shift()!.file);
      controller.enqueue(bytes);
      if (pieces.length === 0) controller.close();
    },
    cancel() {
      for (const piece of pieces) closeSync(piece.file);
    },
  });
}

export class BlobWriter {
  size = 0;
  private readonly file: number;

  constructor(
    readonly blob: string,
    private readonly path: string,
  ) {
    this.file = openSync(path, "wx");
  }

  write(bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) done += writeSync(this.file, bytes, done, bytes.length - done);
    this.size += bytes.length;
  }

  close(): Extent {
    closeSync(this.file);
    return { blob: this.blob, size: this.size };
  }

  discard(): void {
    closeSync(this.file);
    unlinkSync(this.path);
  }
}
