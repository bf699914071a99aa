import { expect, test } from "bun:test";
import { Binary, BSON, Code, DBRef, Decimal128, Long, MaxKey, MinKey, ObjectId, Timestamp } from "bson";
import fc from "fast-check";
import { documentOf, wrap } from "./build.ts";
import { BsonError, documentsOf, elementsOf, findElement, textIn, timestampIn } from "./raw.ts";

const value = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.string(),
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.date({ noInvalidDate: true }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => Long.fromBigInt(n)),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => new Binary(bytes)),
    fc.constantFrom(
      new ObjectId(),
      new MinKey(),
      new MaxKey(),
      new Code("f()"),
      new Code("f()", { a: 1 }),
      Decimal128.fromString("1.5"),
      new Timestamp({ t: 7, i: 9 }),
      /a.*b/i,
      new DBRef("c", new ObjectId()),
    ),
  ),
  node: fc.oneof(
    { maxDepth: 3 },
    tie("leaf"),
    fc.array(tie("node"), { maxLength: 3 }),
    fc.dictionary(
      fc.string({ minLength: 1, maxLength: 5 }).filter((name) => !name.includes("\0")),
      tie("node"),
      {
        maxKeys: 3,
      },
    ),
  ),
})).node;

test("a document taken apart and put together again is the same bytes, for every type", () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 5 }), (values) => {
      const bytes = BSON.serialize(Object.fromEntries(values.map((each, index) => [`f${index}`, each])));
      const fields = [...elementsOf(bytes)].map((element) => ({
        name: element.name,
        type: element.type,
        value: bytes.subarray(element.valueStart, element.valueEnd),
      }));
      expect(Buffer.compare(documentOf(fields), bytes)).toBe(0);
    }),
  );
});

test("bytes cut off or changed are refused or read within bounds, never beyond", () => {
  const bytes = BSON.serialize({ a: "text", b: { c: [1, 2] }, d: new Binary(Buffer.from("xyz")) });
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, replacement) => {
      const broken = Uint8Array.from(bytes);
      broken[at] = replacement;
      try {
        for (const element of elementsOf(broken)) expect(element.valueEnd).toBeLessThanOrEqual(broken.length);
      } catch (error) {
        expect(error).toBeInstanceOf(BsonError);
      }
      expect(() => [...elementsOf(bytes.subarray(0, at))]).toThrow(BsonError);
    }),
  );
});

test("one field is found by its exact name, and wrapped under another", () => {
  const bytes = BSON.serialize({ ab: 1, a: "x", ts: new Timestamp({ t: 4_000_000_000, i: 3 }) });
  expect(textIn(findElement(bytes, "a"))).toBe("x");
  expect(findElement(bytes, "abc")).toBeUndefined();
  expect(timestampIn(findElement(bytes, "ts"))).toEqual({ t: 4_000_000_000, i: 3 });
  expect(BSON.deserialize(wrap(findElement(bytes, "a")!, "_id"))).toEqual({ _id: "x" });
});

test("concatenated documents come apart one by one", () => {
  const all = Buffer.concat([BSON.serialize({ a: 1 }), BSON.serialize({}), BSON.serialize({ b: "c" })]);
  expect([...documentsOf(all)].map((each) => BSON.deserialize(each))).toEqual([{ a: 1 }, {}, { b: "c" }]);
  expect(() => [...documentsOf(all.subarray(0, -1))]).toThrow(BsonError);
});
