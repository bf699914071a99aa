import { describe, expect, test } from "bun:test";
import { Decimal128, Double, deserialize, Int32, Long, MinKey, ObjectId, serialize, Timestamp } from "bson";
import fc from "fast-check";
import { changeEvent, tokenBytes } from "../../tests/support/change-events.ts";
import { BsonType } from "../bson/raw.ts";
import { EventReader } from "./event.ts";

const reader = new EventReader();

describe("reading a raw change event", () => {
  test("the fields a capture needs, as slices of the bytes that came in", () => {
    const id = new ObjectId();
    const raw = changeEvent(7, { id, operationType: "update", time: { t: 1_700_000_123, i: 9 } });
    const event = reader.read(raw);
    expect(event.operationType).toBe("update");
    expect([event.database, event.collection]).toEqual(["shop", "orders"]);
    expect(event.clusterTime).toEqual({ t: 1_700_000_123, i: 9 });
    expect(event.fullDocument).toBe("present");
    expect(event.id?.type).toBe(BsonType.objectId);
    expect(Buffer.from(event.id!.bytes).toString("hex")).toBe(id.toHexString());
    expect(Buffer.from(event.token!.bytes)).toEqual(Buffer.from(tokenBytes(7)));
    expect(event.token!.bytes.buffer).toBe(raw.buffer);
  });

  test("a null lookup, a missing lookup, and an event on a whole database are told apart", () => {
    expect(reader.read(changeEvent(1, { operationType: "update", fullDocument: null })).fullDocument).toBe(
      "null",
    );
    expect(reader.read(changeEvent(1, { operationType: "delete" })).fullDocument).toBe("absent");
    const dropped = reader.read(
      changeEvent(1, { operationType: "dropDatabase", collection: "", fields: { documentKey: undefined } }),
    );
    expect([dropped.database, dropped.collection, dropped.id]).toEqual(["shop", "", undefined]);
  });

  test("an unknown type with unknown fields is read like any other", () => {
    const event = reader.read(
      changeEvent(1, { operationType: "somethingNew", fields: { novelty: { a: [1, 2] } } }),
    );
    expect([event.operationType, event.readable]).toEqual(["somethingNew", true]);
  });

  test("the namespace of the event before is not taken for this one's", () => {
    const own = new EventReader();
    const names = ["a", "b", "a", "", "b"].map(
      (collection) => own.read(changeEvent(1, { collection, database: `db${collection}` })).collection,
    );
    expect(names).toEqual(["a", "b", "a", "", "b"]);
  });

  test("bytes cut anywhere never throw: the event is marked unreadable", () => {
    const raw = changeEvent(1);
    for (let length = 0; length < raw.length; length++) {
      expect(reader.read(raw.subarray(0, length)).readable).toBe(false);
    }
  });

  test("any _id type is found with its exact bytes", () => {
    const ids = [
      1,
      new Int32(5),
      new Double(1.5),
      Long.fromString("9007199254740993"),
      "text/with/slash",
      { nested: [1, { deep: true }] },
      Decimal128.fromString("1.10"),
      new Date(0),
      null,
      true,
      new MinKey(),
      new Timestamp({ t: 1, i: 2 }),
      /a+/i,
      Buffer.from("bytes"),
    ];
    for (const id of ids) {
      const found = reader.read(changeEvent(1, { id, fullDocument: {} })).id!;
      const wrapped = serialize({ v: id });
      expect(found.type).toBe(wrapped[4]!);
      expect(Buffer.from(found.bytes)).toEqual(Buffer.from(wrapped.subarray(7, -1)));
    }
  });

  test("any order and any neighbours of the top-level fields give the same reading", () => {
    const extra = fc.dictionary(
      fc.stringMatching(/^[a-zA-Z]{1,14}$/),
      fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.integer())),
      { maxKeys: 6 },
    );
    fc.assert(
      fc.property(fc.uint32Array({ minLength: 12, maxLength: 12 }), extra, (order, neighbours) => {
        const known = deserialize(changeEvent(3), { promoteValues: false });
        const fields = Object.entries({ ...neighbours, ...known }).map(([name, value], index) => ({
          name,
          value,
          rank: order[index % order.length]!,
        }));
        fields.sort((left, right) => left.rank - right.rank);
        const event = reader.read(
          serialize(Object.fromEntries(fields.map(({ name, value }) => [name, value]))),
        );
        expect(event.readable).toBe(true);
        expect([event.database, event.collection, event.operationType]).toEqual(["shop", "orders", "insert"]);
        expect(Buffer.from(event.token!.bytes)).toEqual(Buffer.from(tokenBytes(3)));
      }),
    );
  });
});
