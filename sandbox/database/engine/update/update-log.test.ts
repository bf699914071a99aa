import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { valueArbitrary } from "../arbitraries.ts";
import { decode, encode } from "../codec.ts";
import { identicalValues } from "../compare.ts";
import { describeDocument } from "../describe.ts";
import { ServerError } from "../errors.ts";
import { type Document, Int32, type Value } from "../value.ts";
import { applyDiff, compileUpdate, idFirst, updateDescription } from "./index.ts";

const int = fc.integer({ min: 0, max: 3 }).map((n): Value => new Int32(n));
const name = fc.constantFrom("a", "b", "0", "1");
const tree = fc.letrec<{ value: Value; document: Document }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    int,
    fc.array(tie("value"), { maxLength: 3 }),
    tie("document"),
  ),
  document: fc
    .uniqueArray(fc.tuple(name, tie("value")), { maxLength: 4, selector: ([key]) => key })
    .map((entries): Document => new Map(entries)),
}));
const document = tree.document.map(
  (fields): Document => new Map<string, Value>([["_id", new Int32(1)], ...fields]),
);
const path = fc
  .array(fc.oneof({ weight: 8, arbitrary: name }, fc.constantFrom("$[]", "$[x]", "2")), {
    minLength: 1,
    maxLength: 3,
  })
  .map((parts) => parts.join("."));
const change = fc.oneof(
  fc.tuple(
    fc.constantFrom("$set", "$set", "$setOnInsert", "$unset", "$min", "$max", "$push", "$pull", "$addToSet"),
    path,
    tree.value,
  ),
  fc.tuple(fc.constantFrom("$inc", "$mul", "$pop"), path, fc.constant<Value>(new Int32(1))),
  fc.tuple(
    fc.constant("$rename"),
    path,
    path.map((target): Value => target),
  ),
);

function toUpdate(changes: [string, string, Value][]): Document {
  const update: Document = new Map();
  for (const [operator, at, operand] of changes) {
    const fields = (update.get(operator) as Document | undefined) ?? new Map<string, Value>();
    update.set(operator, fields.set(at, operand));
  }
  return update;
}

describe("the delta of an update", () => {
  test("applied to the old document gives the new one, for any operators", () => {
    let changed = 0;
    fc.assert(
      fc.property(document, fc.array(change, { minLength: 1, maxLength: 4 }), (before, changes) => {
        const update = toUpdate(changes);
        const usesFilter = changes.some(([, at]) => at.includes("$[x]"));
        const bytes = encode(before);
        let result: { doc: Document; changed: boolean; diff?: Document };
        try {
          result = compileUpdate(update, {
            arrayFilters: usesFilter
              ? [new Map<string, Value>([["x", new Map<string, Value>([["$gte", new Int32(1)]])]])]
              : [],
          }).apply(before, {});
        } catch (error) {
          if (error instanceof ServerError) return;
          throw error;
        }
        // The document that was read stays as it was.
        expect(Buffer.compare(encode(before), bytes)).toBe(0);
        if (!result.changed) {
          expect(identicalValues(result.doc, before)).toBe(true);
          return;
        }
        changed++;
        const shown = `${describeDocument(before)} ${describeDocument(update)} ${describeDocument(result.diff!)}`;
        const applied = applyDiff(before, decode(encode(result.diff!)));
        expect(`${shown} ${describeDocument(applied)}`).toBe(`${shown} ${describeDocument(result.doc)}`);
        updateDescription(result.diff!);
      }),
      { numRuns: 5000 },
    );
    expect(changed).toBeGreaterThan(500);
  });

  test("setting a top level field to anything and back leaves the document as it was", () => {
    fc.assert(
      fc.property(valueArbitrary, valueArbitrary, (first, second) => {
        const before: Document = new Map<string, Value>([
          ["_id", new Int32(1)],
          ["a", first],
        ]);
        const set = (value: Value): Document => new Map([["$set", new Map([["a", value]])]]);
        const there = compileUpdate(set(second)).apply(before, {});
        const back = compileUpdate(set(first)).apply(there.doc, {});
        expect(identicalValues(idFirst(back.doc), before)).toBe(true);
        expect(there.changed).toBe(!identicalValues(first, second));
      }),
    );
  });
});
