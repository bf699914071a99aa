/** Random BSON values for property tests. */
import fc from "fast-check";
import { regExp } from "./codec.ts";
import {
  Binary,
  BSONSymbol,
  bigIntToLong,
  Code,
  DateTime,
  DbPointer,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UNDEFINED,
  type Value,
} from "./value.ts";

const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
const nearPowers = fc
  .tuple(fc.integer({ min: 0, max: 62 }), fc.integer({ min: -2, max: 2 }), fc.boolean())
  .map(([power, offset, negative]) => (2n ** BigInt(power) + BigInt(offset)) * (negative ? -1n : 1n));
const decimalText = fc.oneof(
  fc.constantFrom(
    "NaN",
    "Infinity",
    "-Infinity",
    "0",
    "-0",
    "0E+3",
    "1.0",
    "1",
    "-1.00",
    "9007199254740993",
    "1E400",
    "-1E400",
    "1E-6176",
    "-1E-6176",
    "9.999999999999999999999999999999999E+6144",
    "0.1",
    "1.7976931348623157E308",
    "4.9E-324",
  ),
  fc
    .tuple(fc.bigInt(-(10n ** 33n), 10n ** 33n), fc.integer({ min: -6000, max: 6000 }))
    .map(([digits, exponent]) => `${digits}E${exponent}`),
  fc
    .tuple(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: -3, max: 3 }))
    .map(([d, e]) => `${d}E${e}`),
);

/** Numbers of all four types, close to each other so that equal ones occur. */
export const numberArbitrary: fc.Arbitrary<Value> = fc.oneof(
  fc.integer({ min: -5, max: 5 }).map((n) => new Int32(n)),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((n) => new Int32(n)),
  fc.integer({ min: -5, max: 5 }).map((n) => Long.fromNumber(n)),
  int64.map(bigIntToLong),
  nearPowers.map(bigIntToLong),
  nearPowers.map((n) => new Double(Number(n))),
  nearPowers.map((n) => Decimal128.fromString(n.toString())),
  fc.double().map((n) => new Double(n)),
  fc
    .constantFrom(0, -0, 0.1, 0.5, 1, Number.NaN, Infinity, -Infinity, Number.MAX_VALUE, 5e-324)
    .map((n) => new Double(n)),
  decimalText.map((text) => Decimal128.fromString(text)),
);

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }).map((s) => s.toWellFormed()),
  fc.constantFrom("", "a", "a\0", "a\0b", "\u{10000}", "\uffff", "abc", "é"),
);
const name = fc.oneof(
  fc.constantFrom("a", "b", "0", "10", "2", "__proto__", "_id", "$x", "a.b", "", "é"),
  fc.string({ maxLength: 6 }).map((s) => s.replaceAll("\0", "")),
);
const objectId = fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes));
const binary = fc
  .tuple(fc.uint8Array({ maxLength: 20 }), fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 9, 128, 255))
  .map(([bytes, subtype]) => new Binary(bytes, subtype));

const scalar: fc.Arbitrary<Value> = fc.oneof(
  { weight: 4, arbitrary: numberArbitrary },
  { weight: 2, arbitrary: text },
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom<Value>(new MinKey(), new MaxKey(), UNDEFINED),
  objectId,
  binary,
  int64.map((n) => new DateTime(n)),
  fc
    .tuple(fc.nat(), fc.nat({ max: 0xffffffff }))
    .map(([high, low]) => new Timestamp(new Long(low | 0, high | 0, true))),
  fc.tuple(name, fc.constantFrom("", "i", "msx", "xi")).map(([pattern, options]) => regExp(pattern, options)),
  fc.tuple(text, objectId).map(([namespace, id]) => new DbPointer(namespace, id)),
  text.map((code) => new Code(code)),
  text.map((symbol) => new BSONSymbol(symbol)),
);

const tree = fc.letrec<{ value: Value; document: Document }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small", withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 4 }),
    tie("document"),
    fc.tuple(text, tie("document")).map(([code, scope]) => new Code(code, scope)),
  ),
  document: fc
    .uniqueArray(fc.tuple(name, tie("value")), { maxLength: 5, selector: ([key]) => key })
    .map((entries): Document => new Map(entries)),
}));

/** Any BSON value. */
export const valueArbitrary: fc.Arbitrary<Value> = tree.value;
/** Any document. */
export const documentArbitrary: fc.Arbitrary<Document> = tree.document;
