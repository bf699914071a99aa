import { createHash } from "node:crypto";
import type { ObjectStore, ObjectSummary, PutOptions, StoredObject } from "../../core/ports.ts";
import { StoreError } from "../store-error.ts";

interface Entry {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly lastModified: Date;
}

function etagOf(body: Uint8Array): string {
  return `"${createHash("md5").update(body).digest("hex")}"`;
}

function binaryOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** An ObjectStore in memory, with the semantics of S3 and of the S3 adapter (one contract suite runs on both). For tests. */
export class MemoryObjectStore implements ObjectStore {
  private readonly entries = new Map<string, Entry>();

  async put(key: string, body: Uint8Array, options?: PutOptions): Promise<{ etag: string }> {
    const current = this.entries.get(key);
    const etag = etagOf(body);
    const condition = this.brokenCondition(current, options);
    if (condition !== undefined) {
      // As the S3 adapter does after a lost reply: its own bytes are no conflict.
      if (current?.etag === etag) return { etag };
      throw new StoreError("precondition", {
        what: `put ${key} (${body.length} bytes)`,
        expected: condition,
        got: current === undefined ? "no object" : `an object with ETag ${current.etag}`,
        wayOut: "somebody else wrote this object first: read it again and decide",
      });
    }
    const metadata = { ...options?.metadata };
    this.entries.set(key, { body: body.slice(), etag, metadata, lastModified: new Date() });
    return { etag };
  }

  private brokenCondition(current: Entry | undefined, options: PutOptions | undefined): string | undefined {
    if (options?.ifNoneMatch === true && current !== undefined) return "no object of that name";
    if (options?.ifMatch !== undefined && current?.etag !== options.ifMatch)
      return `the version with ETag ${options.ifMatch}`;
    return undefined;
  }

  async get(
    key: string,
    options?: { range?: { start: number; end: number } },
  ): Promise<StoredObject | undefined> {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    const { start, end } = options?.range ?? { start: 0, end: entry.body.length };
    if (options?.range !== undefined) this.checkRange(key, start, end, entry.body.length);
    return { body: entry.body.slice(start, end), etag: entry.etag, metadata: entry.metadata };
  }

  private checkRange(key: string, start: number, end: number, size: number): void {
    if (end <= start)
      throw new RangeError(`get ${key}: expected range.start < range.end, got ${start} and ${end}`);
    if (start < size) return;
    throw new StoreError("corrupt", {
      what: `get ${key}`,
      expected: `a range within ${size} bytes`,
      got: `${start} to ${end}`,
      wayOut: "the object is shorter than its reader was told: restore it from its backup",
    });
  }

  async head(
    key: string,
  ): Promise<{ size: number; etag: string; metadata: Readonly<Record<string, string>> } | undefined> {
    const entry = this.entries.get(key);
    return entry && { size: entry.body.length, etag: entry.etag, metadata: entry.metadata };
  }

  async *list(prefix: string, options?: { startAfter?: string }): AsyncIterable<ObjectSummary> {
    const after = options?.startAfter;
    const keys = [...this.entries.keys()]
      .filter((key) => key.startsWith(prefix) && (after === undefined || binaryOrder(key, after) > 0))
      .sort(binaryOrder);
    for (const key of keys) {
      const entry = this.entries.get(key);
      if (entry === undefined) continue;
      yield { key, size: entry.body.length, etag: entry.etag, lastModified: entry.lastModified };
    }
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.entries.delete(key);
  }

  async upload(
    key: string,
    body: AsyncIterable<Uint8Array>,
    options?: PutOptions,
  ): Promise<{ bytes: number; sha256: string; etag: string }> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk.slice());
    const whole = new Uint8Array(Buffer.concat(chunks));
    const { etag } = await this.put(key, whole, options);
    return { bytes: whole.length, sha256: createHash("sha256").update(whole).digest("hex"), etag };
  }
}
