import { expect, test } from "bun:test";
import { ObjectId } from "bson";
import fc from "fast-check";
import { sampleFindings } from "./sample.ts";

const kinds = (document: Record<string, unknown>) => sampleFindings(document).map(({ kind }) => kind);

function nested(levels: number, asArrays = false): Record<string, unknown> {
  let value: unknown = 1;
  for (let level = 1; level < levels; level++) value = asArrays ? [value] : { inner: value };
  return { top: value };
}

test("texts as _id up to 200 characters are fine, counted as characters", () => {
  expect(kinds({ _id: "é".repeat(200) })).toEqual([]);
  expect(kinds({ _id: "🙂".repeat(200) })).toEqual([]);
  expect(kinds({ _id: "x".repeat(201) })).toEqual(["longIds"]);
  expect(kinds({ _id: new ObjectId() })).toEqual([]);
});

test("97 levels of documents or arrays are fine, 98 are not", () => {
  for (const asArrays of [false, true]) {
    expect(kinds(nested(97, asArrays))).toEqual([]);
    expect(kinds(nested(98, asArrays))).toEqual(["deep"]);
  }
});

test("a $ in a field's name is found at any depth, in a value it is none", () => {
  expect(sampleFindings({ price: "$5", list: [{ a$b: 1 }] })).toEqual([
    { kind: "dollarNames", words: "field a$b" },
  ]);
  expect(kinds({ price: "$5", at: new Date(), id: new ObjectId() })).toEqual([]);
});

test("any document is looked at without an error, however deep", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.anything({ maxDepth: 6 })), (document) => {
      sampleFindings(document);
    }),
  );
  expect(kinds(nested(5000))).toEqual(["deep"]);
});
