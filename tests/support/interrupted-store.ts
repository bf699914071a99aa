import { MemoryObjectStore } from "../../adapters/memory/object-store.ts";
import { StoreError } from "../../adapters/store-error.ts";
import type { ObjectStore, PutOptions } from "../../core/ports.ts";

/** The process "died": nothing it does afterwards reaches the store. */
export class Killed extends Error {}

export interface Request {
  readonly operation: "put" | "get" | "head" | "list" | "delete";
  readonly key: string;
}

/** One process's view of a bucket: it records every request, and can be cut off before or after any of them. */
export class InterruptedStore implements ObjectStore {
  readonly requests: Request[] = [];
  private dead = false;

  constructor(
    private readonly bucket: MemoryObjectStore,
    private readonly kill?: { readonly at: number; readonly when: "before" | "after" },
  ) {}

  get isDead(): boolean {
    return this.dead;
  }

  private async request<T>(
    operation: Request["operation"],
    key: string,
    effect: () => Promise<T>,
  ): Promise<T> {
    if (this.dead) throw new Killed();
    this.requests.push({ operation, key });
    const here = this.kill?.at === this.requests.length;
    if (here && this.kill?.when === "before") {
      this.dead = true;
      throw new Killed();
    }
    const result = await effect();
    if (here) this.dead = true;
    if (this.dead) throw new Killed();
    return result;
  }

  put(key: string, body: Uint8Array, options?: PutOptions) {
    return this.request("put", key, () => this.bucket.put(key, body, options));
  }

  get(key: string, options?: { range?: { start: number; end: number } }) {
    return this.request("get", key, () => this.bucket.get(key, options));
  }

  head(key: string) {
    return this.request("head", key, () => this.bucket.head(key));
  }

  async *list(prefix: string, options?: { startAfter?: string }) {
    const found = await this.request("list", prefix, () =>
      Array.fromAsync(this.bucket.list(prefix, options)),
    );
    yield* found;
  }

  delete(keys: readonly string[]) {
    return this.request("delete", keys[0] ?? "", () => this.bucket.delete(keys));
  }

  upload(key: string, body: AsyncIterable<Uint8Array>, options?: PutOptions) {
    return this.bucket.upload(key, body, options);
  }
}

/** A bucket that can be down for a while: every put fails as S3 does then. */
export class StallingStore extends MemoryObjectStore {
  down = false;
  refused = 0;

  override async put(key: string, body: Uint8Array, options?: PutOptions): Promise<{ etag: string }> {
    if (!this.down) return super.put(key, body, options);
    this.refused++;
    throw new StoreError("unavailable", {
      what: `put ${key}`,
      expected: "an answer",
      got: "503 SlowDown",
      wayOut: "try again",
    });
  }
}
