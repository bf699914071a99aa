import { describe, expect, test } from "bun:test";
import {
  calculateObjectSize,
  deserialize,
  EJSON,
  Long as JsLong,
  ObjectId as JsObjectId,
  serialize,
} from "bson";
import fc from "fast-check";
import { documentArbitrary } from "./arbitraries.ts";
import { decode, encode, fromObject, toObject } from "./codec.ts";
import { identicalValues } from "./compare.ts";
import { ServerError } from "./errors.ts";
import { prependObjectId, rawField, validate, withIdFirst } from "./raw.ts";
import { Binary, Int32, typeOf } from "./value.ts";

/** One element of each type with content that a lossy codec would change. */
const everyTypeHex = [
  "01 64 00 9a9999999999f13f", // double 1.1
  "01 6e 00 0000000000000080", // double -0
  "02 73 00 06000000 c3a9005a5a 00", // string with NUL inside
  "03 30 00 05000000 00", // document named "0"
  "04 61 00 0c000000 10 30 00 01000000 00", // array
  "05 62 00 02000000 80 0102", // binary, user subtype
  "05 6f 00 06000000 02 02000000 0102", // binary, old subtype with inner length
  "06 75 00", // undefined
  "07 69 00 0102030405060708090a0b0c", // ObjectId
  "08 74 00 01", // true
  "09 44 00 0000000000000080", // the earliest datetime
  "0a 4e 00", // null
  "0b 72 00 61 00 786900", // regular expression with unsorted options
  "0c 70 00 02000000 6e00 0102030405060708090a0b0c", // DBPointer
  "0d 63 00 02000000 6300", // code
  "0e 79 00 02000000 7900", // symbol
  "0f 77 00 16000000 02000000 7700 0c000000 08 5f616263 00 00 00", // code with scope
  "10 5f5f70726f746f5f5f 00 ffffffff", // int32 named __proto__
  "11 54 00 ffffffffffffffff", // timestamp
  "12 4c 00 ffffffffffffff7f", // long
  "13 4d 00 000000000000000000000000000040b0", // decimal -0
  "13 51 00 0100000000000000000000000000007e", // NaN with payload
  "ff 6d 00",
  "7f 78 00",
];

function everyType(): Uint8Array {
  const hex = everyTypeHex.join("").replaceAll(" ", "");
  const body = Buffer.from(hex, "hex");
  const bytes = new Uint8Array(body.length + 5);
  new DataView(bytes.buffer).setInt32(0, bytes.length, true);
  bytes.set(body, 4);
  return bytes;
}

describe("codec", () => {
  test("one document with every BSON type comes back byte for byte", () => {
    const bytes = everyType();
    expect(validate(bytes)).toBe(bytes.length);
    const document = decode(bytes);
    expect(Buffer.from(encode(document)).toString("hex")).toBe(Buffer.from(bytes).toString("hex"));
    expect(new Set([...document.values()].map(typeOf)).size).toBe(21);
    expect([...document.keys()]).toContain("__proto__");
  });

  test("decode(encode(document)) is identical, and its bytes are valid", () => {
    fc.assert(
      fc.property(documentArbitrary, (document) => {
        const bytes = encode(document);
        expect(validate(bytes)).toBe(bytes.length);
        const back = decode(bytes);
        expect(identicalValues(back, document)).toBe(true);
        expect(Buffer.compare(encode(back), bytes)).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test("js-bson reads what encode writes, and decode what js-bson writes", () => {
    const object = {
      _id: new JsObjectId(),
      n: 1,
      f: 1.5,
      l: JsLong.fromString("9007199254740993"),
      d: new Date(5),
      a: [1, { b: null }],
      b: new Binary(new Uint8Array([1, 2]), 2),
    };
    const theirs = serialize(object);
    expect(theirs.length).toBe(calculateObjectSize(object));
    const ours = encode(fromObject(object));
    expect(Buffer.from(ours).toString("hex")).toBe(Buffer.from(theirs).toString("hex"));
    const relaxed = (value: unknown) => EJSON.stringify(value as object);
    expect(relaxed(deserialize(ours))).toBe(relaxed(deserialize(theirs)));
    expect(relaxed(toObject(decode(theirs)))).toBe(relaxed(deserialize(theirs, { promoteLongs: true })));
  });

  test("integer-like names keep their order", () => {
    const document = new Map([
      ["10", new Int32(1)],
      ["2", new Int32(2)],
      ["a", new Int32(3)],
      ["0", new Int32(4)],
    ]);
    expect([...decode(encode(document)).keys()]).toEqual(["10", "2", "a", "0"]);
  });
});

describe("raw", () => {
  test("rawField finds each top-level field with its bytes", () => {
    fc.assert(
      fc.property(documentArbitrary, (document) => {
        const bytes = encode(document);
        for (const [name, value] of document) {
          const field = rawField(bytes, name)!;
          const element = encode(new Map([[name, value]])).subarray(4, -1);
          expect(Buffer.compare(bytes.subarray(field.elementStart, field.end), element)).toBe(0);
        }
        expect(rawField(bytes, "no such field")).toBeUndefined();
      }),
    );
  });

  test("withIdFirst moves _id to the front, prependObjectId adds one", () => {
    const id = new JsObjectId();
    expect([...decode(withIdFirst(encode(fromObject({ a: 1, _id: 2, b: 3 })))).keys()]).toEqual([
      "_id",
      "a",
      "b",
    ]);
    expect(decode(prependObjectId(encode(fromObject({ a: 1 })), id.id)).get("_id")).toEqual(id);
  });

  test("any cut or changed length is InvalidBSON, never a crash", () => {
    const bytes = everyType();
    for (let length = 0; length < bytes.length; length++) {
      expect(() => validate(bytes.subarray(0, length))).toThrow(ServerError);
      expect(() => decode(bytes.subarray(0, length))).toThrow(ServerError);
    }
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const damaged = bytes.slice();
        damaged[at] = byte;
        try {
          validate(damaged);
          decode(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(ServerError);
          expect((error as ServerError).code).toBe(22);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("more than 200 levels are refused", () => {
    let document = fromObject({});
    for (let i = 0; i < 200; i++) document = new Map([["a", document]]);
    expect(() => validate(encode(document))).toThrow("depth");
  });
});
