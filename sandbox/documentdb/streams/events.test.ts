import { expect, test } from "bun:test";
import { Buffer } from "node:buffer";
import { deserialize, Int32, ObjectId, serialize, Timestamp } from "bson";
import { idText, readEvent, translateEvent } from "./events.ts";

const token = "8265AABBCC000000012B022C0100296E5A";
const base = {
  _id: { _data: token },
  clusterTime: new Timestamp({ t: 1_700_000_000, i: 1 }),
  wallTime: new Date(1_700_000_000_500),
  ns: { db: "shop", coll: "orders" },
  documentKey: { _id: new Int32(7) },
};
const event = (fields: object) => readEvent(Buffer.from(serialize({ ...base, ...fields })));

test("an insert keeps its document byte for byte and loses what DocumentDB doesn't report", () => {
  const fullDocument = { _id: new Int32(7), 0: "numeric", nested: { a: [1.5, null] } };
  const lsid = { id: "x" };
  const translated = translateEvent(
    event({ operationType: "insert", fullDocument, lsid, collectionUUID: "u" }),
    undefined,
  );
  const read = deserialize(translated);
  expect(Object.keys(read).sort()).toEqual([
    "_id",
    "clusterTime",
    "documentKey",
    "fullDocument",
    "ns",
    "operationType",
  ]);
  expect(read._id._data).not.toBe(token);
  expect(translated.includes(Buffer.from(serialize(fullDocument)))).toBe(true);
});

test("an update loses disambiguatedPaths and an empty truncatedArrays, and keeps one that says something", () => {
  const description = {
    updatedFields: { "a.0": 1 },
    removedFields: ["b"],
    truncatedArrays: [],
    disambiguatedPaths: { x: [1] },
  };
  const quiet = deserialize(
    translateEvent(event({ operationType: "update", updateDescription: description }), undefined),
  );
  expect(quiet.updateDescription).toEqual({ updatedFields: { "a.0": 1 }, removedFields: ["b"] });
  const cut = { ...description, truncatedArrays: [{ field: "t", newSize: 2 }] };
  const loud = deserialize(
    translateEvent(event({ operationType: "update", updateDescription: cut }), undefined),
  );
  expect(loud.updateDescription.truncatedArrays).toEqual([{ field: "t", newSize: 2 }]);
});

test("a looked-up document is added, and null where there was none any more", () => {
  const update = event({
    operationType: "update",
    updateDescription: { updatedFields: {}, removedFields: [] },
  });
  expect(deserialize(translateEvent(update, serialize({ _id: 7, later: true }))).fullDocument).toEqual({
    _id: 7,
    later: true,
  });
  expect(deserialize(translateEvent(update, null)).fullDocument).toBeNull();
  expect("fullDocument" in deserialize(translateEvent(update, undefined))).toBe(false);
});

test("what an event says of itself is read without decoding it", () => {
  const read = event({ operationType: "delete" });
  expect([read.operation, read.database, read.collection, read.wallMs]).toEqual([
    "delete",
    "shop",
    "orders",
    1_700_000_000_500,
  ]);
  expect(read.time).toBe((1_700_000_000n << 32n) | 1n);
  expect(idText(read)).toBe("7");
  expect(idText(event({ documentKey: { _id: new ObjectId("64b7f1f77bcf86cd799439aa") } }))).toBe(
    "64b7f1f77bcf86cd799439aa",
  );
  expect(idText(event({ documentKey: { _id: "text" } }))).toBe("text");
});
