import { describe, expect, test } from "bun:test";
import { type Document, Long, serialize, Timestamp } from "bson";
import fc from "fast-check";
import { RoundtripError } from "../errors.ts";
import { type ArchiveContent, ArchiveReader } from "./archive.ts";
import { ContentDigest } from "./content-digest.ts";
import { Crc64 } from "./crc64.ts";

const terminator = Uint8Array.of(255, 255, 255, 255);

interface Collection {
  readonly database: string;
  readonly name: string;
  readonly documents: readonly Uint8Array[];
  readonly type?: string;
  /** Name under which the documents lie. */
  readonly place?: string;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function prelude(collections: readonly Collection[], version = "0.1"): Uint8Array {
  const header = { concurrent_collections: 4, version, server_version: "7.0.14", tool_version: "100.9.5" };
  const listed = collections.map(({ database: db, name: collection, type = "collection" }) =>
    serialize({ db, collection, metadata: `{"of":"${collection}"}`, size: 0, type }),
  );
  return joined([Uint8Array.of(0x6d, 0xe2, 0x99, 0x81), serialize(header), ...listed, terminator]);
}

function blockOf({ database, name, place }: Collection, documents: readonly Uint8Array[]): Uint8Array {
  const header = { db: database, collection: place ?? name, EOF: false, CRC: Long.ZERO };
  return joined([serialize(header), ...documents, terminator]);
}

function endOf({ database, name, place, documents }: Collection): Uint8Array {
  const crc = new Crc64();
  for (const document of documents) crc.add(document);
  const header = { db: database, collection: place ?? name, EOF: true, CRC: Long.fromBigInt(crc.value()) };
  return joined([serialize(header), terminator]);
}

/** All collections take turns, `turn` documents each. */
function archiveOf(collections: readonly Collection[], turn = 2): Uint8Array {
  const parts = [prelude(collections)];
  const longest = Math.max(...collections.map(({ documents }) => documents.length));
  for (let from = 0; from <= longest; from += turn) {
    for (const collection of collections) {
      const { length } = collection.documents;
      if (from < length || from === 0)
        parts.push(blockOf(collection, collection.documents.slice(from, from + turn)));
      if (from <= length && from + turn > length) parts.push(endOf(collection));
    }
  }
  return joined(parts);
}

function read(archive: Uint8Array, pieces: readonly number[] = [archive.length]): ArchiveContent {
  const reader = new ArchiveReader("archive under test");
  let at = 0;
  for (let piece = 0; at < archive.length; piece++) {
    const next = at + Math.max(1, pieces[piece % pieces.length]!);
    // A copy that is overwritten: the reader must not have kept it.
    const chunk = archive.slice(at, next);
    reader.push(chunk);
    chunk.fill(0xaa);
    at = next;
  }
  return reader.end();
}

function failureOf(archive: Uint8Array): RoundtripError {
  try {
    read(archive);
  } catch (cause) {
    if (cause instanceof RoundtripError) return cause;
    throw cause;
  }
  throw new Error("it was read");
}

function documents(count: number, more: Document = {}): Uint8Array[] {
  return Array.from({ length: count }, (_, _id) => serialize({ _id, text: `document ${_id}`, ...more }));
}

function digestOf(all: readonly Uint8Array[]): string {
  const digest = new ContentDigest();
  for (const document of all) digest.add(document);
  return String(digest);
}

const orders: Collection = { database: "shop", name: "orders", documents: documents(7) };
const customers: Collection = { database: "shop", name: "customers", documents: documents(3, { a: 1 }) };
const view: Collection = { database: "shop", name: "recent", documents: [], type: "view" };
const oplog: Collection = {
  database: "",
  name: "oplog",
  documents: [5, 6].map((i) => serialize({ ts: new Timestamp({ t: 100, i }), op: "n" })),
};
const whole = [orders, customers, view, oplog];

const collections = fc
  .array(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 }), { minLength: 1, maxLength: 5 })
  .map((all) =>
    all.map((values, index) => ({
      database: `database${index % 2}`,
      name: `collection${index}`,
      documents: values.map((value, _id) => serialize({ _id, value })),
    })),
  );

test("the CRC is that of the polynomial's definition, however the bytes come", () => {
  const crc = new Crc64();
  crc.add(new TextEncoder().encode("1234"));
  crc.add(new TextEncoder().encode("56789"));
  expect(BigInt.asUintN(64, crc.value())).toBe(0x995dc9bbdf1939fan);
  expect(new Crc64().value()).toBe(0n);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
      const inOne = new Crc64();
      inOne.add(bytes);
      const inTwo = new Crc64();
      inTwo.add(bytes.subarray(0, cut));
      inTwo.add(bytes.subarray(cut));
      return inOne.value() === inTwo.value();
    }),
  );
});

describe("what is in an archive", () => {
  test("is counted and hashed a collection, views and oplog told apart", () => {
    const archive = archiveOf(whole);
    expect(read(archive)).toEqual({
      bytes: archive.length,
      serverVersion: "7.0.14",
      toolVersion: "100.9.5",
      collections: [customers, orders, view].map(({ database, name, documents: all }) => ({
        database,
        name,
        documents: all.length,
        bytes: all.reduce((sum, { length }) => sum + length, 0),
        content: digestOf(all),
        metadata: `{"of":"${name}"}`,
      })),
      oplog: { entries: 2, last: { t: 100, i: 6 } },
    });
  });

  test("without an oplog there is none, with an empty one there is no last entry", () => {
    expect(read(archiveOf([orders])).oplog).toBeUndefined();
    expect(read(archiveOf([orders, { ...oplog, documents: [] }])).oplog).toEqual({ entries: 0 });
  });

  test("a time series is read from its buckets, of a newer server from its own name", () => {
    const series = { database: "shop", name: "weather", documents: documents(2), type: "timeseries" };
    const read1 = read(archiveOf([{ ...series, place: "system.buckets.weather" }])).collections;
    expect(read1.map(({ name, documents: count }) => [name, count])).toEqual([["system.buckets.weather", 2]]);
    const read2 = read(archiveOf([series])).collections;
    expect(read2.map(({ name, documents: count }) => [name, count])).toEqual([["weather", 2]]);
  });

  test("is the same in whatever pieces and turns it comes", () => {
    fc.assert(
      fc.property(
        collections,
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 5 }),
        (all, pieces, turn) => {
          const { bytes: _, ...expected } = read(archiveOf(all, 1000));
          const { bytes: __, ...got } = read(archiveOf(all, turn), pieces);
          expect(got).toEqual(expected);
          expect(got.collections.map(({ content }) => content)).toEqual(
            all
              .toSorted((a, b) => (a.database + a.name < b.database + b.name ? -1 : 1))
              .map((one) => digestOf(one.documents)),
          );
        },
      ),
    );
  });

  test("a document of 16 MiB is read, in small pieces too", () => {
    const large = serialize({ _id: 1, value: Buffer.alloc(16 * 1024 * 1024 - 40) });
    const content = read(archiveOf([{ ...orders, documents: [large] }]), [1_000_003]);
    expect(content.collections[0]).toMatchObject({ documents: 1, bytes: large.length });
  });
});

describe("an archive that isn't whole", () => {
  test("cut off anywhere it is found", () => {
    const archive = archiveOf(whole);
    for (let length = 0; length < archive.length; length++) {
      expect(failureOf(archive.subarray(0, length)).kind).toBe("logCorrupt");
    }
  });

  test("any bit flipped in its blocks is found", () => {
    const archive = archiveOf(whole);
    for (let at = prelude(whole).length; at < archive.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        archive[at]! ^= 1 << bit;
        expect(failureOf(archive).kind).toBe("logCorrupt");
        archive[at]! ^= 1 << bit;
      }
    }
  });

  test("says what, where, expected and got", () => {
    const archive = archiveOf([orders]);
    const at = archive.length - endOf(orders).length;
    archive[at - 20]! ^= 1;
    expect(failureOf(archive).message).toMatch(
      new RegExp(
        `^archive under test, byte ${at}: expected CRC -?\\d+ of the 7 documents of shop.orders, got CRC -?\\d+ in the archive. Way out: `,
      ),
    );
  });

  const cases: readonly [string, Uint8Array, string][] = [
    ["nothing at all", new Uint8Array(), "byte 0: expected an archive, got nothing"],
    ["another file", new TextEncoder().encode("{}\n{}\n"), "expected the first bytes of mongodump's archive"],
    ["a newer format", prelude([orders], "0.2"), "expected an archive of format 0.1, got format 0.2"],
    [
      "a collection listed twice",
      prelude([orders, orders]),
      "each collection once in the list, got shop.orders again",
    ],
    [
      "a collection that isn't listed",
      joined([prelude([orders]), blockOf(customers, [])]),
      "expected a collection that the archive's list names, got shop.customers",
    ],
    [
      "a block after a collection's end",
      joined([archiveOf([orders]), blockOf(orders, [])]),
      "expected nothing more of shop.orders, got another block of it",
    ],
    [
      "a document after a collection's end",
      joined([archiveOf([orders]).subarray(0, -4), orders.documents[0]!]),
      "expected a terminator after the end of a collection, got a document",
    ],
    ["two terminators", joined([archiveOf([orders]), terminator]), "expected a header, got a terminator"],
    ["a collection without its end", prelude([orders]), "expected the end of shop.orders"],
    [
      "a block left open",
      archiveOf([orders]).subarray(0, -4),
      "the end of a block, got the end of the archive",
    ],
    [
      "a document that doesn't end as one, with a CRC to match",
      archiveOf([{ ...orders, documents: [Uint8Array.of(6, 0, 0, 0, 0, 7)] }]),
      "expected a document of 6 bytes that ends with a zero byte, got 7",
    ],
    [
      "an oplog entry without a time",
      archiveOf([{ ...oplog, documents: [serialize({ op: "n" })] }]),
      "expected a timestamp in ts of the oplog's entry",
    ],
  ];
  for (const [name, archive, message] of cases) {
    test(name, () => expect(failureOf(archive).message).toContain(message));
  }
});
