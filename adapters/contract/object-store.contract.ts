import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import fc from "fast-check";
import type { ObjectStore } from "../../core/ports.ts";
import { StoreError } from "../store-error.ts";

/** A store to test, and what ends it. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: ObjectStore;
}

const text = (value: string) => new TextEncoder().encode(value);

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function failureOf(work: Promise<unknown>): Promise<StoreError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StoreError);
  return error as StoreError;
}

async function* chunks(body: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size);
}

class Bench {
  private subject: StoreUnderTest | undefined;

  constructor(private readonly make: () => Promise<StoreUnderTest>) {}

  get store(): ObjectStore {
    if (this.subject === undefined) throw new Error("the store isn't open yet");
    return this.subject.store;
  }

  /** Each scenario has keys of its own, so that order and earlier runs don't matter. */
  fresh(): string {
    return `scenario/${randomBytes(6).toString("hex")}`;
  }

  async open(): Promise<void> {
    this.subject = await this.make();
  }

  async close(): Promise<void> {
    await this.subject?.[Symbol.asyncDispose]();
  }
}

function reading(bench: Bench): void {
  test("what was put is got back with its bytes, ETag and metadata", async () => {
    const key = bench.fresh();
    const body = randomBytes(100_000);
    const { etag } = await bench.store.put(key, body, {
      contentType: "application/bson",
      metadata: { sequence: "17" },
    });
    const got = await bench.store.get(key);
    expect(got && Buffer.from(got.body).equals(body)).toBe(true);
    expect(got?.etag).toBe(etag);
    expect(got?.metadata).toEqual({ sequence: "17" });
    expect(await bench.store.head(key)).toEqual({ size: 100_000, etag, metadata: { sequence: "17" } });
  });

  test("an empty object is an object", async () => {
    const key = bench.fresh();
    await bench.store.put(key, new Uint8Array(0));
    expect((await bench.store.get(key))?.body.length).toBe(0);
    expect((await bench.store.head(key))?.size).toBe(0);
  });

  test("a missing object is undefined, for get and for head", async () => {
    expect(await bench.store.get(`${bench.fresh()}/none`)).toBeUndefined();
    expect(await bench.store.head(`${bench.fresh()}/none`)).toBeUndefined();
  });

  test("a range gives its bytes, end exclusive, cut at the object's end", async () => {
    const key = bench.fresh();
    await bench.store.put(key, text("0123456789"));
    const read = async (start: number, end: number) =>
      new TextDecoder().decode((await bench.store.get(key, { range: { start, end } }))?.body);
    expect(await read(0, 1)).toBe("0");
    expect(await read(3, 7)).toBe("3456");
    expect(await read(8, 100)).toBe("89");
  });

  test("a range beyond the end is a torn object, not an empty one", async () => {
    const key = bench.fresh();
    await bench.store.put(key, text("0123456789"));
    expect((await failureOf(bench.store.get(key, { range: { start: 10, end: 11 } }))).storeKind).toBe(
      "corrupt",
    );
  });

  test("the last put wins", async () => {
    const key = bench.fresh();
    await bench.store.put(key, text("one"));
    await bench.store.put(key, text("two"));
    expect(new TextDecoder().decode((await bench.store.get(key))?.body)).toBe("two");
  });
}

function conditionalWrites(bench: Bench): void {
  test("ifNoneMatch refuses to replace other bytes, and keeps them", async () => {
    const key = bench.fresh();
    await bench.store.put(key, text("first"), { ifNoneMatch: true });
    const failure = await failureOf(bench.store.put(key, text("second"), { ifNoneMatch: true }));
    expect(failure.storeKind).toBe("precondition");
    expect(failure.message).toContain(key);
    expect(failure.message).toContain("Way out");
    expect(new TextDecoder().decode((await bench.store.get(key))?.body)).toBe("first");
  });

  test("ifNoneMatch that finds its own bytes counts as done: an earlier try had got through", async () => {
    const key = bench.fresh();
    const { etag } = await bench.store.put(key, text("same"), { ifNoneMatch: true });
    expect(await bench.store.put(key, text("same"), { ifNoneMatch: true })).toEqual({ etag });
  });

  test("of many conditional puts at once exactly one wins", async () => {
    const key = bench.fresh();
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) =>
        bench.store.put(key, text(`writer ${index}`), { ifNoneMatch: true }),
      ),
    );
    const winners = results.flatMap((result, index) => (result.status === "fulfilled" ? [index] : []));
    expect(winners.length).toBe(1);
    expect(new TextDecoder().decode((await bench.store.get(key))?.body)).toBe(`writer ${winners[0]}`);
  });

  test("ifMatch replaces only the version it names", async () => {
    const key = bench.fresh();
    const { etag } = await bench.store.put(key, text("one"));
    const { etag: next } = await bench.store.put(key, text("two"), { ifMatch: etag });
    expect((await failureOf(bench.store.put(key, text("three"), { ifMatch: etag }))).storeKind).toBe(
      "precondition",
    );
    expect((await bench.store.head(key))?.etag).toBe(next);
  });

  test("ifMatch on a missing object fails", async () => {
    const failure = await failureOf(bench.store.put(`${bench.fresh()}/none`, text("x"), { ifMatch: '"00"' }));
    expect(failure.storeKind).toBe("precondition");
  });
}

function listing(bench: Bench): void {
  test("list gives exactly the keys below the prefix, in UTF-8 order, after startAfter", async () => {
    const prefix = bench.fresh();
    const names = ["b", "a", "a/b", "a b", "é", "z", "日本", "😀", "A", "a-b", "a%2Fb", "a+b", "\uffee"];
    for (const each of names) await bench.store.put(`${prefix}/${each}`, text(each));
    await bench.store.put(`${prefix}x/outside`, text("x"));
    const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const all = await collect(bench.store.list(`${prefix}/`));
    expect(all.map(({ key }) => key.slice(prefix.length + 1))).toEqual(sorted);
    expect(all.map(({ size }) => size)).toEqual(sorted.map((each) => text(each).length));
    expect(all[0]?.lastModified).toBeInstanceOf(Date);
    expect(all[0]?.etag).toBe((await bench.store.head(all[0]!.key))!.etag);
    const after = await collect(bench.store.list(`${prefix}/`, { startAfter: `${prefix}/a/b` }));
    expect(after.map(({ key }) => key.slice(prefix.length + 1))).toEqual(
      sorted.slice(sorted.indexOf("a/b") + 1),
    );
  });

  test("list goes on past a page of 1,000", async () => {
    const prefix = bench.fresh();
    const keys = Array.from({ length: 1005 }, (_, index) => `${prefix}/${String(index).padStart(6, "0")}`);
    for (let at = 0; at < keys.length; at += 50) {
      await Promise.all(keys.slice(at, at + 50).map((key) => bench.store.put(key, text("x"))));
    }
    expect((await collect(bench.store.list(`${prefix}/`))).map(({ key }) => key)).toEqual(keys);
    await bench.store.delete(keys);
    expect(await collect(bench.store.list(`${prefix}/`))).toEqual([]);
  }, 60_000);

  test("delete removes, and a missing key is no error", async () => {
    const key = bench.fresh();
    await bench.store.put(key, text("x"));
    await bench.store.delete([key, `${key}/never-there`]);
    expect(await bench.store.get(key)).toBeUndefined();
    await bench.store.delete([]);
  });

  test("any key of printable text comes back by get, head and list", async () => {
    const prefix = bench.fresh();
    // Dot segments are left out: HTTP clients and servers normalise them before a store sees them.
    const keys = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
      .filter(
        (key) =>
          key.isWellFormed() &&
          !/[\p{Cc}\ufffe\uffff]/u.test(key) &&
          !key.split("/").some((part) => /^\.{1,2}$/.test(part)),
      );
    await fc.assert(
      fc.asyncProperty(keys, async (suffix) => {
        const key = `${prefix}/${suffix}`;
        await bench.store.put(key, text(suffix));
        expect(new TextDecoder().decode((await bench.store.get(key))?.body)).toBe(suffix);
        expect((await bench.store.head(key))?.size).toBe(text(suffix).length);
        expect((await collect(bench.store.list(key))).map((each) => each.key)).toContain(key);
      }),
      { numRuns: 60 },
    );
  }, 60_000);
}

function uploading(bench: Bench): void {
  test("upload of many small chunks gives length, SHA-256 and the same bytes", async () => {
    const key = bench.fresh();
    const body = randomBytes(70_001);
    const result = await bench.store.upload(key, chunks(body, 999), { metadata: { part: "dump" } });
    expect(result).toEqual({
      bytes: body.length,
      sha256: createHash("sha256").update(body).digest("hex"),
      etag: (await bench.store.head(key))!.etag,
    });
    expect(Buffer.from((await bench.store.get(key))!.body).equals(body)).toBe(true);
    expect((await bench.store.head(key))?.metadata).toEqual({ part: "dump" });
  });

  test("upload over several parts, with a chunk larger than a part", async () => {
    const key = bench.fresh();
    const body = randomBytes((20 << 20) + 17);
    const { bytes, sha256 } = await bench.store.upload(key, chunks(body, 9 << 20), { ifNoneMatch: true });
    expect(bytes).toBe(body.length);
    expect(sha256).toBe(createHash("sha256").update(body).digest("hex"));
    const tail = await bench.store.get(key, { range: { start: (16 << 20) - 5, end: (16 << 20) + 5 } });
    expect(Buffer.from(tail!.body).equals(body.subarray((16 << 20) - 5, (16 << 20) + 5))).toBe(true);
    const failure = await failureOf(
      bench.store.upload(key, chunks(randomBytes(9 << 20), 1 << 20), { ifNoneMatch: true }),
    );
    expect(failure.storeKind).toBe("precondition");
  }, 60_000);

  test("upload of an empty stream is an empty object", async () => {
    const key = bench.fresh();
    expect((await bench.store.upload(key, chunks(new Uint8Array(0), 1))).bytes).toBe(0);
    expect((await bench.store.head(key))?.size).toBe(0);
  });

  test("upload whose stream fails throws that failure and leaves no object", async () => {
    const key = bench.fresh();
    async function* failing() {
      yield randomBytes(9 << 20);
      yield randomBytes(9 << 20);
      throw new Error("the dump ended with code 1");
    }
    await expect(bench.store.upload(key, failing())).rejects.toThrow("the dump ended with code 1");
    expect(await bench.store.head(key)).toBeUndefined();
  }, 60_000);
}

/** What every ObjectStore holds to; the rest of the product relies on nothing else. */
export function objectStoreContract(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`object store contract: ${name}`, () => {
    const bench = new Bench(make);
    beforeAll(() => bench.open(), 60_000);
    afterAll(() => bench.close());
    for (const group of [reading, conditionalWrites, listing, uploading]) group(bench);
  });
}
