import { expect, test } from "bun:test";
import { Long, serialize, Timestamp } from "bson";
import fc from "fast-check";
import { ArchiveReader } from "./archive.ts";
import { ArchiveFilter } from "./archive-filter.ts";
import { Crc64 } from "./crc64.ts";

const terminator = Uint8Array.of(255, 255, 255, 255);
const entry = (i: number, ns: string) =>
  serialize({ ts: new Timestamp({ t: 9, i }), op: "i", ns, o: { _id: i } });

interface Collection {
  readonly db: string;
  readonly collection: string;
  readonly documents: readonly Uint8Array[];
}

function archiveOf(collections: readonly Collection[]): Uint8Array {
  const header = {
    concurrent_collections: 4,
    version: "0.1",
    server_version: "7.0.14",
    tool_version: "100.9.5",
  };
  const parts = [Uint8Array.of(0x6d, 0xe2, 0x99, 0x81), serialize(header)];
  for (const { db, collection } of collections)
    parts.push(serialize({ db, collection, metadata: "{}", size: 0, type: "collection" }));
  parts.push(terminator);
  for (const { db, collection, documents } of collections) {
    const crc = new Crc64();
    for (const document of documents) crc.add(document);
    parts.push(serialize({ db, collection, EOF: false, CRC: Long.ZERO }), ...documents, terminator);
    parts.push(serialize({ db, collection, EOF: true, CRC: Long.fromBigInt(crc.value()) }), terminator);
  }
  return Buffer.concat(parts);
}

/** In pieces, each in memory that is used again, as a decompressor gives them. */
function filtered(archive: Uint8Array, pieceBytes: number): Uint8Array {
  const filter = new ArchiveFilter("archive under test", {
    keepsCollection: (namespace) => !namespace.startsWith("admin.system."),
    keepsEntry: (raw) => !Buffer.from(raw).toString("latin1").includes("admin.system."),
  });
  const out: Uint8Array[] = [];
  for (let at = 0; at < archive.length; at += pieceBytes) {
    const piece = Buffer.from(archive.slice(at, at + pieceBytes));
    out.push(filter.push(piece));
    piece.fill(0xaa);
  }
  filter.end();
  return Buffer.concat(out);
}

test("without documents, options and indexes are left, and sums that hold", () => {
  const documents = [serialize({ _id: 1 }), serialize({ _id: 2 })];
  const oplog = { db: "", collection: "oplog", documents: [entry(1, "shop.orders")] };
  const orders = { db: "shop", collection: "orders", documents };
  const filter = new ArchiveFilter("archive under test", {
    keepsCollection: () => true,
    keepsEntry: () => true,
    withoutDocuments: true,
  });
  const rest = filter.push(archiveOf([orders, oplog]));
  expect(rest).toEqual(Buffer.from(archiveOf([{ ...orders, documents: [] }, oplog])));
});

const documents = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 });

test("what is left is the archive as if the rest had never been there, sums of the oplog among it", () => {
  fc.assert(
    fc.property(documents, documents, fc.integer({ min: 1, max: 700 }), (users, orders, pieceBytes) => {
      const of = (db: string, collection: string, values: readonly Uint8Array[]): Collection => ({
        db,
        collection,
        documents: values.map((value, _id) => serialize({ _id, value })),
      });
      const kept = [of("shop", "orders", orders)];
      const entries = [entry(1, "shop.orders"), entry(2, "admin.system.users"), entry(3, "shop.orders")];
      const oplog = { db: "", collection: "oplog", documents: entries };
      const whole = archiveOf([of("admin", "system.users", users), ...kept, oplog]);
      const rest = filtered(whole, pieceBytes);
      expect(rest).toEqual(
        Buffer.from(archiveOf([...kept, { ...oplog, documents: [entries[0]!, entries[2]!] }])),
      );
      const reader = new ArchiveReader("what is left");
      reader.push(rest);
      expect(reader.end().oplog).toEqual({ entries: 2, last: { t: 9, i: 3 } });
    }),
  );
});
