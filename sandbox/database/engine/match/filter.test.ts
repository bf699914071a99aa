import { describe, expect, test } from "bun:test";
import { EJSON } from "bson";
import fc from "fast-check";
import { documentArbitrary, valueArbitrary } from "../arbitraries.ts";
import { fromObject } from "../codec.ts";
import { compileCollation } from "../collation.ts";
import { equalValues } from "../compare.ts";
import { ServerError } from "../errors.ts";
import { type Document, typeOf, UNDEFINED, type Value } from "../value.ts";
import { filterBounds, type Interval } from "./bounds.ts";
import { compileFilter, type MatchDetails } from "./filter.ts";

const parse = (json: string): Document => fromObject(EJSON.parse(json, { relaxed: false }) as object);

/** filter, documents that match, documents that don't */
const cases: [string, string[], string[]][] = [
  [
    '{"a":1}',
    ['{"a":1}', '{"a":1.0}', '{"a":{"$numberLong":"1"}}', '{"a":{"$numberDecimal":"1.0"}}', '{"a":[2,1]}'],
    ['{"a":2}', "{}", '{"a":[[1]]}'],
  ],
  ['{"a":[1,2]}', ['{"a":[1,2]}', '{"a":[[1,2]]}'], ['{"a":[2,1]}', '{"a":[1]}', '{"a":[[[1,2]]]}']],
  [
    '{"a":null}',
    ["{}", '{"a":null}', '{"a":[null]}', '{"a":{"$undefined":true}}'],
    ['{"a":1}', '{"a":[]}', '{"a":[1]}'],
  ],
  [
    '{"a.b":null}',
    ["{}", '{"a":1}', '{"a":{}}', '{"a":[{"c":1}]}', '{"a":[{"b":1},{"c":1}]}'],
    ['{"a":[1,2]}', '{"a":[]}', '{"a":{"b":1}}', '{"a":[{"b":1}]}'],
  ],
  ['{"a.b":{"$exists":false}}', ["{}", '{"a":[1]}', '{"a":[{"c":1}]}'], ['{"a":[{"b":null},{"c":1}]}']],
  ['{"a":{"$exists":true}}', ['{"a":null}', '{"a":[]}'], ["{}"]],
  ['{"a":{"$ne":1}}', ["{}", '{"a":2}', '{"a":[2]}'], ['{"a":1}', '{"a":[1,2]}']],
  ['{"a":{"$gt":5,"$lt":3}}', ['{"a":[1,10]}'], ['{"a":4}', '{"a":[4]}']],
  [
    '{"a":{"$gt":1}}',
    ['{"a":2}', '{"a":{"$numberDouble":"Infinity"}}'],
    ['{"a":1}', '{"a":"x"}', '{"a":true}', '{"a":{"$numberDouble":"NaN"}}', '{"a":null}', "{}"],
  ],
  ['{"a":{"$lt":1}}', ['{"a":0}'], ['{"a":{"$numberDouble":"NaN"}}', "{}"]],
  [
    '{"a":{"$numberDouble":"NaN"}}',
    ['{"a":{"$numberDouble":"NaN"}}', '{"a":{"$numberDecimal":"NaN"}}'],
    ['{"a":1}'],
  ],
  ['{"a":{"$gte":null}}', ["{}", '{"a":null}'], ['{"a":1}']],
  ['{"a":{"$gt":{"$minKey":1}}}', ['{"a":1}', "{}"], ['{"a":{"$minKey":1}}']],
  ['{"a":{"$in":[1,null]}}', ["{}", '{"a":1}', '{"a":null}', '{"a":[3,1]}'], ['{"a":2}']],
  ['{"a":{"$in":[1,2,3,4,5,"a","b"]}}', ['{"a":5.0}', '{"a":"b"}'], ['{"a":6}', '{"a":"c"}', "{}"]],
  [
    '{"a":{"$in":[{"$regularExpression":{"pattern":"^x","options":""}},1]}}',
    ['{"a":"xy"}', '{"a":1}'],
    ['{"a":"yx"}'],
  ],
  ['{"a":{"$nin":[1]}}', ["{}", '{"a":2}'], ['{"a":[1]}']],
  ['{"a":{"$all":[1,2]}}', ['{"a":[2,1,3]}'], ['{"a":[1]}', '{"a":1}']],
  ['{"a":{"$all":[]}}', [], ['{"a":[]}', "{}"]],
  ['{"a":{"$all":[[1,2]]}}', ['{"a":[[1,2]]}', '{"a":[1,2]}'], ['{"a":[1]}']],
  [
    '{"a":{"$all":[{"$elemMatch":{"x":1}},{"$elemMatch":{"x":2}}]}}',
    ['{"a":[{"x":1},{"x":2}]}'],
    ['{"a":[{"x":1}]}'],
  ],
  ['{"a":{"$elemMatch":{"$gt":1,"$lt":3}}}', ['{"a":[0,2]}'], ['{"a":[0,4]}', '{"a":2}', '{"a":[[2]]}']],
  ['{"a":{"$elemMatch":{"b":1,"c":2}}}', ['{"a":[{"b":1,"c":2}]}'], ['{"a":[{"b":1},{"c":2}]}']],
  ['{"a":{"$elemMatch":{"$or":[{"b":1},{"b":2}]}}}', ['{"a":[{"b":2}]}'], ['{"a":[{"b":3}]}']],
  ['{"a":{"$elemMatch":{"$elemMatch":{"$eq":1}}}}', ['{"a":[[1]]}'], ['{"a":[1]}']],
  ['{"a":{"$elemMatch":{"0":1}}}', ['{"a":[[1]]}', '{"a":[{"0":1}]}'], ['{"a":[1]}']],
  ['{"a.0":1}', ['{"a":[1,2]}', '{"a":{"0":1}}', '{"a":[{"0":1}]}'], ['{"a":[2,1]}', '{"a":[[1]]}']],
  ['{"a.0.b":1}', ['{"a":[{"b":1}]}', '{"a":{"0":{"b":1}}}'], ['{"a":[{"b":2},{"b":1}]}']],
  ['{"a.b.c":1}', ['{"a":[{"b":[{"c":1}]}]}', '{"a":{"b":{"c":[1]}}}'], ['{"a":[[{"b":{"c":1}}]]}']],
  ['{"a":{"$size":2}}', ['{"a":[1,2]}'], ['{"a":[1]}', '{"a":2}', '{"a":[[1,2]]}']],
  ['{"a":{"$type":"array"}}', ['{"a":[]}', '{"a":[1]}'], ['{"a":1}', "{}"]],
  ['{"a":{"$type":["number","string"]}}', ['{"a":1}', '{"a":"x"}', '{"a":[1]}'], ['{"a":true}', '{"a":[]}']],
  ['{"a":{"$type":-1}}', ['{"a":{"$minKey":1}}'], ['{"a":{"$maxKey":1}}']],
  [
    '{"a":{"$mod":[4,1]}}',
    ['{"a":5}', '{"a":5.9}', '{"a":{"$numberLong":"9007199254740993"}}'],
    ['{"a":6}', '{"a":"5"}', '{"a":{"$numberDouble":"NaN"}}'],
  ],
  [
    '{"a":{"$regex":"^AB","$options":"i"}}',
    ['{"a":"abc"}', '{"a":["x","ab"]}', '{"a":{"$symbol":"ab"}}'],
    ['{"a":"cab"}', '{"a":1}'],
  ],
  ['{"a":{"$regex":"a b # comment","$options":"x"}}', ['{"a":"ab"}'], ['{"a":"a b"}']],
  ['{"a":{"$not":{"$gt":1}}}', ["{}", '{"a":1}', '{"a":"x"}'], ['{"a":2}', '{"a":[0,2]}']],
  ['{"a":{"$not":{"$regularExpression":{"pattern":"x","options":""}}}}', ["{}", '{"a":"y"}'], ['{"a":"x"}']],
  [
    '{"a":{"$bitsAllSet":[0,2]}}',
    ['{"a":5}', '{"a":{"$binary":{"base64":"BQ==","subType":"00"}}}'],
    ['{"a":4}', '{"a":5.5}'],
  ],
  ['{"a":{"$bitsAnyClear":1}}', ['{"a":2}'], ['{"a":3}', '{"a":-1}']],
  ['{"$or":[{"a":1},{"b":1}]}', ['{"a":1}', '{"b":1}'], ["{}"]],
  ['{"$nor":[{"a":1},{"b":1}]}', ["{}"], ['{"b":1}']],
  ['{"$and":[{"a":1},{"b":1}],"$comment":"x"}', ['{"a":1,"b":1}'], ['{"a":1}']],
  ['{"a":{}}', ['{"a":{}}'], ['{"a":{"b":1}}', "{}"]],
  ['{"a":{"b":1,"c":2}}', ['{"a":{"b":1,"c":2}}'], ['{"a":{"c":2,"b":1}}']],
  [
    '{"a":{"$geoWithin":{"$box":[[0,0],[2,2]]}}}',
    [
      '{"a":[1,1]}',
      '{"a":{"x":2,"y":0}}',
      '{"a":[[5,5],[1,1]]}',
      '{"a":{"type":"Point","coordinates":[1,1]}}',
    ],
    ['{"a":[3,1]}', '{"a":"x"}', "{}"],
  ],
  ['{"a":{"$geoWithin":{"$centerSphere":[[0,0],0.1]}}}', ['{"a":[5,0]}'], ['{"a":[6,0]}']],
  [
    '{"a":{"$geoWithin":{"$geometry":{"type":"Polygon","coordinates":[[[0,0],[0,4],[4,4],[4,0],[0,0]],[[1,1],[1,2],[2,2],[2,1],[1,1]]]}}}}',
    ['{"a":[3,3]}', '{"a":{"type":"LineString","coordinates":[[3,3],[3,1]]}}'],
    ['{"a":[1.5,1.5]}', '{"a":[5,5]}'],
  ],
  [
    '{"a":{"$geoIntersects":{"$geometry":{"type":"LineString","coordinates":[[0,0],[4,4]]}}}}',
    [
      '{"a":{"type":"Polygon","coordinates":[[[1,0],[3,0],[3,2],[1,2],[1,0]]]}}',
      '{"a":{"type":"Point","coordinates":[2,2]}}',
    ],
    ['{"a":{"type":"Point","coordinates":[2,1]}}'],
  ],
  ['{"a":{"$ref":"x","$id":1}}', ['{"a":{"$ref":"x","$id":1}}'], ['{"a":1}']],
];

describe("compileFilter", () => {
  for (const [filter, matching, other] of cases) {
    test(filter, () => {
      const matches = compileFilter(parse(filter));
      for (const document of matching) expect([document, matches(parse(document))]).toEqual([document, true]);
      for (const document of other) expect([document, matches(parse(document))]).toEqual([document, false]);
    });
  }

  const errors: [string, number, string][] = [
    [
      '{"$foo":1}',
      2,
      "unknown top level operator: $foo. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.",
    ],
    ['{"a":{"$foo":1}}', 2, "unknown operator: $foo"],
    ['{"a":{"$gt":1,"b":2}}', 2, "unknown operator: b"],
    ['{"$and":[]}', 2, "$and/$or/$nor must be a nonempty array"],
    ['{"$or":1}', 2, "$or must be an array"],
    ['{"a":{"$in":1}}', 2, "$in needs an array"],
    ['{"a":{"$in":[{"$gt":1}]}}', 2, "cannot nest $ under $in"],
    ['{"a":{"$not":1}}', 2, "$not needs a regex or a document"],
    ['{"a":{"$size":-1}}', 2, "Failed to parse $size. Expected a non-negative number in: $size: -1"],
    ['{"a":{"$size":"1"}}', 2, 'Failed to parse $size. Expected a number in: $size: "1"'],
    ['{"a":{"$type":"foo"}}', 2, "Unknown type name alias: foo"],
    ['{"a":{"$mod":[0,1]}}', 2, "divisor cannot be 0"],
    ['{"a":{"$regex":"("}}', 51091, "Regular expression is invalid"],
    ['{"a":{"$options":"i"}}', 2, "$options needs a $regex"],
    ['{"a":{"$near":[1,1]}}', 291, "error processing query"],
    ['{"$where":"1"}', 2, "no globalScriptEngine in $where parsing"],
    ['{"$text":{"$search":"x"}}', 27, "text index required for $text query"],
  ];
  for (const [filter, code, message] of errors) {
    test(`${filter} is refused with ${code}`, () => {
      try {
        compileFilter(parse(filter));
        throw new Error("was accepted");
      } catch (error) {
        expect((error as Error).message).toStartWith(message);
        expect((error as ServerError).code).toBe(code);
      }
    });
  }

  test("gives the array element that matched for the positional operator", () => {
    const details: MatchDetails = {};
    expect(
      compileFilter(parse('{"a":{"$elemMatch":{"b":2}}}'))(parse('{"a":[{"b":1},{"b":2}]}'), details),
    ).toBe(true);
    expect(details.arrayIndex).toBe(1);
    compileFilter(parse('{"a.b.c":3}'))(parse('{"a":[{"b":[]},{"b":[{"c":1},{"c":2},{"c":3}]}]}'), details);
    expect(details.arrayIndex).toBe(1);
  });

  test("strings compare by the collation", () => {
    const collation = compileCollation(parse('{"locale":"en","strength":2}'));
    expect(compileFilter(parse('{"a":"X"}'), { collation })(parse('{"a":"x"}'))).toBe(true);
    expect(compileFilter(parse('{"a":{"$in":["A","X"]}}'), { collation })(parse('{"a":["x"]}'))).toBe(true);
    expect(compileFilter(parse('{"a":"X"}'))(parse('{"a":"x"}'))).toBe(false);
  });

  test("a field equals its own value, whatever it is", () => {
    fc.assert(
      fc.property(valueArbitrary, (value) => {
        const unqueryable =
          [6, 11, -1, 127].includes(typeOf(value)) ||
          JSON.stringify([...(value instanceof Map ? value.keys() : [])]).includes('"$');
        fc.pre(!unqueryable);
        expect(compileFilter(new Map([["a", value]]))(new Map([["a", value]]))).toBe(true);
      }),
    );
  });
});

describe("filterBounds", () => {
  const within = (
    key: Value,
    { low, lowInclusive, high, highInclusive }: Interval,
    compare: (a: Value, b: Value) => number,
  ) => {
    const a = compare(key, low);
    const b = compare(key, high);
    return (a > 0 || (a === 0 && lowInclusive)) && (b < 0 || (b === 0 && highInclusive));
  };

  test("a range on a field without arrays is intersected, on one with arrays it isn't", () => {
    const filter = parse('{"a":{"$gte":1,"$lt":5},"b":"x"}');
    const [a, b, c] = filterBounds(filter, ["a", "b", "c"], { multikey: false });
    expect(a).toHaveLength(1);
    expect(a![0]).toMatchObject({ lowInclusive: true, highInclusive: false });
    expect(equalValues(b![0]!.low, "x")).toBe(true);
    expect(c).toBeUndefined();
    expect(filterBounds(parse('{"a":{"$gt":5,"$lt":3}}'), ["a"], { multikey: false })[0]).toEqual([]);
    expect(filterBounds(parse('{"a":{"$gt":5,"$lt":3}}'), ["a"])[0]).toHaveLength(1);
  });

  test("no key of a matching document lies outside of the bounds", async () => {
    const { compareValues } = await import("../compare.ts");
    const operand = fc.oneof(
      valueArbitrary,
      fc.integer({ min: 0, max: 3 }).map((n) => fromObject({ n }).get("n")!),
    );
    const condition = fc.oneof(
      operand,
      fc
        .tuple(fc.constantFrom("$eq", "$gt", "$gte", "$lt", "$lte"), operand)
        .map(([name, value]): Value => new Map([[name, value]])),
      fc.array(operand, { maxLength: 3 }).map((values): Value => new Map([["$in", values]])),
    );
    fc.assert(
      fc.property(
        fc.array(condition, { minLength: 1, maxLength: 2 }),
        operand,
        fc.boolean(),
        (conditions, value, inArray) => {
          const filter: Document = new Map([["$and", conditions.map((c): Value => new Map([["a", c]]))]]);
          let matches: (document: Document) => boolean;
          try {
            matches = compileFilter(filter);
          } catch (error) {
            if (error instanceof ServerError) return;
            throw error;
          }
          const document: Document = new Map([["a", inArray ? [value, null] : value]]);
          if (!matches(document)) return;
          const multikey = inArray || Array.isArray(value);
          const bounds = filterBounds(filter, ["a"], { multikey })[0];
          if (bounds === undefined) return;
          // What an index on the field holds: the elements of an array, undefined for an empty one.
          const elements = document.get("a") as Value[];
          const keys = multikey ? (elements.length === 0 ? [UNDEFINED] : elements) : [value];
          expect(keys.some((key) => bounds.some((interval) => within(key, interval, compareValues)))).toBe(
            true,
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("a whole array is found by its first element, and inside of another array by itself", () => {
    const bounds = filterBounds(parse('{"a":[1,2]}'), ["a"])[0]!;
    expect(bounds).toHaveLength(2);
    expect(equalValues(bounds[0]!.low, parse('{"v":1}').get("v")!)).toBe(true);
    expect(Array.isArray(bounds[1]!.low)).toBe(true);
  });

  test("documentArbitrary as filters never crashes the parser", () => {
    fc.assert(
      fc.property(documentArbitrary, documentArbitrary, (filter, document) => {
        try {
          compileFilter(filter)(document);
          filterBounds(filter, ["a", "b"]);
        } catch (error) {
          if (!(error instanceof ServerError)) throw error;
        }
      }),
    );
  });
});
