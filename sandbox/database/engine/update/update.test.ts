import { describe, expect, test } from "bun:test";
import { EJSON } from "bson";
import fc from "fast-check";
import { documentArbitrary } from "../arbitraries.ts";
import { fromObject, toObject } from "../codec.ts";
import { compareValues, identicalValues } from "../compare.ts";
import { ServerError } from "../errors.ts";
import { type Document, Timestamp, type Value } from "../value.ts";
import { applyDiff, applyOplogUpdate, compileUpdate, computeDiff, updateDescription } from "./index.ts";

const parse = (json: string): Document => fromObject(EJSON.parse(json, { relaxed: false }) as object);
const show = (document: Document): string => EJSON.stringify(toObject(document));

interface Extra {
  query?: string;
  arrayFilters?: string[];
  insert?: boolean;
}

function run(document: string, update: string, { query, arrayFilters, insert }: Extra = {}) {
  const compiled = compileUpdate(parse(update), {
    arrayFilters: arrayFilters?.map(parse),
    now: () => 5n,
    clusterTime: new Timestamp({ t: 7, i: 1 }),
  });
  return compiled.apply(parse(document), { insert, query: query === undefined ? undefined : parse(query) });
}

/** document, update, result, options */
const cases: [string, string, string, Extra?][] = [
  ['{"_id":1,"a":1}', '{"$set":{"b":2,"a":3}}', '{"_id":1,"a":3,"b":2}'],
  ['{"_id":1}', '{"$set":{"z":1,"b":2,"a":3}}', '{"_id":1,"a":3,"b":2,"z":1}'],
  ['{"_id":1}', '{"$set":{"10":1,"9":2,"x.b":1,"x.a":2}}', '{"_id":1,"9":2,"10":1,"x":{"a":2,"b":1}}'],
  ['{"_id":1,"a":{"b":[1,2]}}', '{"$set":{"a.b.1":5,"a.b.4":6}}', '{"_id":1,"a":{"b":[1,5,null,null,6]}}'],
  ['{"_id":1,"a":[{"x":1}]}', '{"$set":{"a.0.x":2,"a.0.y":3}}', '{"_id":1,"a":[{"x":2,"y":3}]}'],
  ['{"_id":1,"a":1,"b":2}', '{"$unset":{"a":"","c.d":""}}', '{"_id":1,"b":2}'],
  ['{"_id":1,"a":[1,2]}', '{"$unset":{"a.0":""}}', '{"_id":1,"a":[null,2]}'],
  ['{"_id":1,"a":1}', '{"$unset":{"a.b":""}}', '{"_id":1,"a":1}'],
  ['{"_id":1,"a":1}', '{"$inc":{"a":2,"b":5}}', '{"_id":1,"a":3,"b":5}'],
  ['{"_id":1,"a":2147483647}', '{"$inc":{"a":1}}', '{"_id":1,"a":2147483648}'],
  ['{"_id":1,"a":{"$numberDecimal":"1.10"}}', '{"$inc":{"a":2}}', '{"_id":1,"a":{"$numberDecimal":"3.10"}}'],
  ['{"_id":1,"a":3}', '{"$mul":{"a":2.5,"b":7}}', '{"_id":1,"a":7.5,"b":0}'],
  ['{"_id":1,"a":3,"b":3}', '{"$min":{"a":2,"b":4,"c":1}}', '{"_id":1,"a":2,"b":3,"c":1}'],
  ['{"_id":1,"a":3,"b":3}', '{"$max":{"a":2,"b":4}}', '{"_id":1,"a":3,"b":4}'],
  ['{"_id":1,"a":1,"b":2}', '{"$rename":{"a":"c.d"}}', '{"_id":1,"b":2,"c":{"d":1}}'],
  ['{"_id":1,"a":1}', '{"$rename":{"x":"y"}}', '{"_id":1,"a":1}'],
  [
    '{"_id":1}',
    '{"$currentDate":{"a":true,"b":{"$type":"timestamp"}}}',
    '{"_id":1,"a":{"$date":"1970-01-01T00:00:00.005Z"},"b":{"$timestamp":{"t":7,"i":1}}}',
  ],
  ['{"_id":1,"a":13}', '{"$bit":{"a":{"and":10,"or":1}}}', '{"_id":1,"a":9}'],
  ['{"_id":1}', '{"$push":{"a":1}}', '{"_id":1,"a":[1]}'],
  ['{"_id":1,"a":[3,1]}', '{"$push":{"a":{"$each":[2,5],"$sort":-1,"$slice":3}}}', '{"_id":1,"a":[5,3,2]}'],
  ['{"_id":1,"a":[1,2]}', '{"$push":{"a":{"$each":[8,9],"$position":-1}}}', '{"_id":1,"a":[1,8,9,2]}'],
  ['{"_id":1,"a":[1,2,3]}', '{"$push":{"a":{"$each":[],"$slice":-2}}}', '{"_id":1,"a":[2,3]}'],
  [
    '{"_id":1,"a":[{"x":2},{"x":1}]}',
    '{"$push":{"a":{"$each":[{"x":0}],"$sort":{"x":1}}}}',
    '{"_id":1,"a":[{"x":0},{"x":1},{"x":2}]}',
  ],
  ['{"_id":1,"a":[1]}', '{"$addToSet":{"a":{"$each":[1,2,2]}}}', '{"_id":1,"a":[1,2]}'],
  ['{"_id":1,"a":[1,2,3,1]}', '{"$pull":{"a":1}}', '{"_id":1,"a":[2,3]}'],
  ['{"_id":1,"a":[1,2,3]}', '{"$pull":{"a":{"$gte":2}}}', '{"_id":1,"a":[1]}'],
  ['{"_id":1,"a":[{"x":1,"y":2},{"x":2}]}', '{"$pull":{"a":{"x":1}}}', '{"_id":1,"a":[{"x":2}]}'],
  ['{"_id":1,"a":[1,2,3]}', '{"$pullAll":{"a":[1,3]}}', '{"_id":1,"a":[2]}'],
  ['{"_id":1,"a":[1,2,3]}', '{"$pop":{"a":-1}}', '{"_id":1,"a":[2,3]}'],
  ['{"_id":1,"a":[1,2,3]}', '{"$set":{"a.$":9}}', '{"_id":1,"a":[1,9,3]}', { query: '{"a":2}' }],
  [
    '{"_id":1,"a":[{"b":1},{"b":2}]}',
    '{"$set":{"a.$.c":9}}',
    '{"_id":1,"a":[{"b":1},{"b":2,"c":9}]}',
    { query: '{"a.b":2}' },
  ],
  ['{"_id":1,"a":[1,2]}', '{"$inc":{"a.$[]":10}}', '{"_id":1,"a":[11,12]}'],
  [
    '{"_id":1,"a":[{"b":1},{"b":5}]}',
    '{"$set":{"a.$[x].c":0}}',
    '{"_id":1,"a":[{"b":1},{"b":5,"c":0}]}',
    { arrayFilters: ['{"x.b":{"$gt":2}}'] },
  ],
  [
    '{"_id":1,"a":[{"b":[1,2]},{"b":[3]}]}',
    '{"$set":{"a.$[].b.$[y]":0}}',
    '{"_id":1,"a":[{"b":[1,0]},{"b":[0]}]}',
    { arrayFilters: ['{"y":{"$gte":2}}'] },
  ],
  ['{"_id":1,"a":1}', '{"b":2}', '{"_id":1,"b":2}'],
  ['{"_id":1,"a":1}', '{"b":2,"_id":1.0}', '{"_id":1,"b":2}'],
  [
    '{"_id":1,"a":{"$timestamp":{"t":1,"i":1}}}',
    '{"a":{"$timestamp":{"t":0,"i":0}}}',
    '{"_id":1,"a":{"$timestamp":{"t":7,"i":1}}}',
  ],
  [
    "{}",
    '{"$set":{"c":1},"$setOnInsert":{"d":2}}',
    '{"a":1,"b":{"x":2},"c":1,"d":2}',
    { insert: true, query: '{"b.x":2,"a":{"$eq":1},"z":{"$gt":3}}' },
  ],
  ["{}", '{"x":1}', '{"_id":5,"x":1}', { insert: true, query: '{"_id":5,"a":1}' }],
  ['{"_id":1}', '{"$setOnInsert":{"d":2}}', '{"_id":1}'],
  ['{"_id":1,"a":{}}', '{"$set":{"a.$x":2}}', '{"_id":1,"a":{"$x":2}}'],
];

describe("compileUpdate", () => {
  for (const [document, update, result, extra] of cases) {
    test(`${update} on ${document}`, () => {
      const applied = run(document, update, extra);
      expect(show(applied.doc)).toBe(show(parse(result)));
      if (extra?.insert) return;
      const before = parse(document);
      expect(applied.changed).toBe(!identicalValues(before, applied.doc));
      if (applied.diff !== undefined) {
        expect(show(applyDiff(before, applied.diff))).toBe(show(applied.doc));
        expect(
          show(
            applyOplogUpdate(
              before,
              new Map<string, Value>([
                ["$v", fromObject({ v: 2 }).get("v")!],
                ["diff", applied.diff],
              ]),
            ),
          ),
        ).toBe(show(applied.doc));
      }
    });
  }

  const errors: [string, string, string, string, Extra?][] = [
    [
      '{"_id":1}',
      '{"$foo":{"a":1}}',
      "FailedToParse",
      "Unknown modifier: $foo. Expected a valid update modifier or pipeline-style update specified as an array",
    ],
    [
      '{"_id":1}',
      '{"$set":1}',
      "FailedToParse",
      "Modifiers operate on fields but we found type int instead. For example: {$mod: {<field>: ...}} not {$set: 1}",
    ],
    [
      '{"_id":1}',
      '{"$set":{"a":1,"a.b":2}}',
      "ConflictingUpdateOperators",
      "Updating the path 'a.b' would create a conflict at 'a'",
    ],
    [
      '{"_id":1}',
      '{"$set":{"a":1},"$inc":{"a":2}}',
      "ConflictingUpdateOperators",
      "Updating the path 'a' would create a conflict at 'a'",
    ],
    [
      '{"_id":1}',
      '{"$set":{"_id":2}}',
      "ImmutableField",
      "Performing an update on the path '_id' would modify the immutable field '_id'",
    ],
    [
      '{"_id":1}',
      '{"$unset":{"_id":2}}',
      "ImmutableField",
      "Performing an update on the path '_id' would modify the immutable field '_id'",
    ],
    [
      '{"_id":1}',
      '{"_id":2}',
      "ImmutableField",
      "After applying the update, the (immutable) field '_id' was found to have been altered to _id: 2",
    ],
    ['{"_id":1,"a":1}', '{"$set":{"a.b":2}}', "PathNotViable", "Cannot create field 'b' in element {a: 1}"],
    [
      '{"_id":1,"a":[1]}',
      '{"$set":{"a.b":2}}',
      "PathNotViable",
      "Cannot create field 'b' in element {a: [ 1 ]}",
    ],
    [
      '{"_id":1,"a":1}',
      '{"$pull":{"a.b":2}}',
      "PathNotViable",
      "Cannot use the part (b) of (a.b) to traverse the element ({a: 1})",
    ],
    [
      '{"_id":1,"a":"x"}',
      '{"$inc":{"a":1}}',
      "TypeMismatch",
      "Cannot apply $inc to a value of non-numeric type. {_id: 1} has the field 'a' of non-numeric type string",
    ],
    [
      '{"_id":1}',
      '{"$inc":{"a":"x"}}',
      "TypeMismatch",
      'Cannot increment with non-numeric argument: {a: "x"}',
    ],
    [
      '{"_id":1,"a":{"$numberLong":"9223372036854775807"}}',
      '{"$inc":{"a":1}}',
      "BadValue",
      "Failed to apply $inc operations to current value ((NumberLong)9223372036854775807) for document {_id: 1}",
    ],
    [
      '{"_id":1,"a":1}',
      '{"$push":{"a":1}}',
      "BadValue",
      "The field 'a' must be an array but is of type int in document {_id: 1}",
    ],
    [
      '{"_id":1,"a":1}',
      '{"$addToSet":{"a":1}}',
      "BadValue",
      "Cannot apply $addToSet to non-array field. Field named 'a' has non-array type int",
    ],
    [
      '{"_id":1,"a":1}',
      '{"$pop":{"a":1}}',
      "TypeMismatch",
      "Path 'a' contains an element of non-array type 'int'",
    ],
    ['{"_id":1,"a":1}', '{"$pull":{"a":1}}', "BadValue", "Cannot apply $pull to a non-array value"],
    [
      '{"_id":1}',
      '{"$set":{"a.$":1}}',
      "BadValue",
      "The positional operator did not find the match needed from the query.",
    ],
    [
      '{"_id":1}',
      '{"$set":{"a.$[x]":1}}',
      "BadValue",
      "No array filter found for identifier 'x' in path 'a.$[x]'",
    ],
    [
      '{"_id":1}',
      '{"$set":{"a":1}}',
      "FailedToParse",
      "The array filter for identifier 'x' was not used in the update { $set: { a: 1 } }",
      { arrayFilters: ['{"x":1}'] },
    ],
    [
      '{"_id":1}',
      '{"$set":{"a.$[]":1}}',
      "BadValue",
      "The path 'a' must exist in the document in order to apply array updates.",
    ],
    [
      '{"_id":1,"a":1}',
      '{"$set":{"a.$[]":1}}',
      "BadValue",
      "Cannot apply array updates to non-array element a: 1",
    ],
    ['{"_id":1}', '{"$set":{"":1}}', "EmptyFieldName", "An empty update path is not valid."],
    [
      '{"_id":1}',
      '{"$set":{"a..b":1}}',
      "EmptyFieldName",
      "The update path 'a..b' contains an empty field name, which is not allowed.",
    ],
    [
      '{"_id":1}',
      '{"$rename":{"a":"a.b"}}',
      "BadValue",
      'The source and target field for $rename must not be on the same path: a: "a.b"',
    ],
    [
      "{}",
      '{"$set":{"x":1}}',
      "NotSingleValueField",
      "cannot infer query fields to set, path 'a' is matched twice",
      { insert: true, query: '{"a":1,"$and":[{"a":2}]}' },
    ],
    [
      "{}",
      '{"$set":{"_id":2}}',
      "ImmutableField",
      "Performing an update on the path '_id' would modify the immutable field '_id'",
      { insert: true, query: '{"_id":1}' },
    ],
  ];
  for (const [document, update, codeName, message, extra] of errors) {
    test(`${update} on ${document} fails with ${codeName}`, () => {
      let caught: unknown;
      try {
        run(document, update, extra);
      } catch (error) {
        caught = error;
      }
      expect(caught).toBeInstanceOf(ServerError);
      expect((caught as ServerError).message).toBe(message);
      expect((caught as ServerError).codeName).toBe(codeName);
    });
  }

  test("one array filter and the identifier of another on the same element conflict", () => {
    expect(() =>
      run('{"_id":1,"a":[1]}', '{"$set":{"a.$[x]":1,"a.$[y]":2}}', { arrayFilters: ['{"x":1}', '{"y":1}'] }),
    ).toThrow("Update created a conflict at 'a.0'");
  });
});

describe("diff", () => {
  const diffs: [string, string, string][] = [
    ['{"_id":1,"a":1}', '{"$set":{"a":2,"b":3}}', '{"u":{"a":2},"i":{"b":3}}'],
    [
      '{"_id":1,"a":{"b":1}}',
      '{"$set":{"a.c.d":2},"$unset":{"a.b":1}}',
      '{"sa":{"d":{"b":false},"i":{"c":{"d":2}}}}',
    ],
    ['{"_id":1,"a":[1,2]}', '{"$set":{"a.1":5}}', '{"sa":{"a":true,"u1":5}}'],
    ['{"_id":1,"a":[1,2]}', '{"$push":{"a":5}}', '{"sa":{"a":true,"u2":5}}'],
    ['{"_id":1,"a":[{"b":1}]}', '{"$set":{"a.0.b":5}}', '{"sa":{"a":true,"s0":{"u":{"b":5}}}}'],
    ['{"_id":1,"a":[1,2]}', '{"$pop":{"a":1}}', '{"u":{"a":[1]}}'],
    ['{"_id":1,"a":[1,2]}', '{"$inc":{"a.$[]":1}}', '{"u":{"a":[2,3]}}'],
    ['{"_id":1}', '{"$set":{"a.b":1,"a.c":2}}', '{"i":{"a":{"b":1,"c":2}}}'],
  ];
  for (const [document, update, diff] of diffs) {
    test(`${update} on ${document} is logged as ${diff}`, () => {
      expect(show(run(document, update).diff!)).toBe(diff);
    });
  }

  test("applying the delta between two documents to the first gives the second", () => {
    fc.assert(
      fc.property(documentArbitrary, documentArbitrary, (before, after) => {
        const diff = computeDiff(before, after);
        if (diff === undefined) return;
        expect(identicalValues(applyDiff(before, diff), after)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test("deltas of neighbouring documents are small and right", () => {
    const edit = fc.tuple(
      fc.constantFrom("a", "b", "c", "d"),
      fc.option(documentArbitrary, { nil: undefined }),
    );
    fc.assert(
      fc.property(documentArbitrary, fc.array(edit, { maxLength: 3 }), (base, edits) => {
        const before: Document = new Map<string, Value>([
          ...base,
          ["a", new Map(base)],
          ["b", [...base.values()]],
          ["pad", "x".repeat(200)],
        ]);
        const after: Document = new Map(before);
        for (const [name, value] of edits) {
          if (value === undefined) after.delete(name);
          else after.set(name, name === "b" ? [...value.values()] : value);
        }
        const diff = computeDiff(before, after);
        if (diff !== undefined) expect(identicalValues(applyDiff(before, diff), after)).toBe(true);
        else expect(compareValues(before, after)).not.toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test("updateDescription names updated, removed and truncated paths, and explains ambiguous ones", () => {
    const description = updateDescription(
      parse('{"d":{"x":false},"u":{"a.b":1},"i":{"n":2},"sarr":{"a":true,"l":3,"s0":{"u":{"1":5}},"u2":7}}'),
    );
    expect(show(description.updatedFields)).toBe('{"a.b":1,"n":2,"arr.0.1":5,"arr.2":7}');
    expect(description.removedFields).toEqual(["x"]);
    expect(description.truncatedArrays.map(show)).toEqual(['{"field":"arr","newSize":3}']);
    expect(show(description.disambiguatedPaths)).toBe('{"a.b":["a.b"],"arr.0.1":["arr",0,"1"]}');
  });

  test("an oplog entry of version 1 or a whole document is applied too", () => {
    expect(
      show(applyOplogUpdate(parse('{"_id":1,"a":1}'), parse('{"$v":1,"$set":{"b":2},"$unset":{"a":true}}'))),
    ).toBe('{"_id":1,"b":2}');
    expect(show(applyOplogUpdate(parse('{"_id":1,"a":1}'), parse('{"_id":1,"c":1}')))).toBe(
      '{"_id":1,"c":1}',
    );
    expect(show(applyOplogUpdate(parse('{"_id":1,"a":1}'), parse('{"$set":{"a.b":2,"c":3}}')))).toBe(
      '{"_id":1,"a":1,"c":3}',
    );
  });
});
