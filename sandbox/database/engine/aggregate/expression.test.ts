import { describe, expect, test } from "bun:test";
import { EJSON } from "bson";
import { fromObject, toPlain } from "../codec.ts";
import { ServerError } from "../errors.ts";
import type { Document, Value } from "../value.ts";
import { compileExpression, makeContext } from "./index.ts";

const parse = (json: string): Value =>
  fromObject(EJSON.parse(`{"v":${json}}`, { relaxed: false }) as object).get("v")!;
const show = (value: Value | undefined): string =>
  value === undefined ? "missing" : EJSON.stringify(toPlain(value));

const root =
  '{"a":1,"b":2.5,"s":"Hello","n":null,"arr":[3,1,2],"docs":[{"x":1,"y":2},{"x":3},5],"o":{"p":{"q":7}},"d":{"$date":"2021-03-14T15:09:26.535Z"},"l":{"$numberLong":"5000000000"},"m":{"$numberDecimal":"1.10"}}';

const cases: [string, string][] = [
  ['"$a"', "1"],
  ['"$o.p.q"', "7"],
  ['"$docs.x"', "[1,3]"],
  ['"$zzz"', "missing"],
  ['"$$ROOT.a"', "1"],
  ['"$$CURRENT.a"', "1"],
  ['"$$REMOVE"', "missing"],
  ['["$a","$zzz"]', "[1,null]"],
  ['{"k":"$a","z":"$zzz"}', '{"k":1}'],
  ['{"$literal":"$a"}', '"$a"'],
  ['{"$add":["$a","$b"]}', "3.5"],
  ['{"$add":[2147483647,1]}', "2147483648"],
  ['{"$add":["$d",1000]}', '{"$date":"2021-03-14T15:09:27.535Z"}'],
  ['{"$add":["$a",null]}', "null"],
  ['{"$add":["$m",1]}', '{"$numberDecimal":"2.10"}'],
  ['{"$subtract":["$d",{"$toDate":{"$numberLong":"0"}}]}', "1615734566535"],
  ['{"$multiply":["$a","$b",2]}', "5"],
  ['{"$divide":[7,2]}', "3.5"],
  [
    '{"$divide":[{"$numberDecimal":"1"},{"$numberDecimal":"3"}]}',
    '{"$numberDecimal":"0.3333333333333333333333333333333333"}',
  ],
  ['{"$mod":[-7,3]}', "-1"],
  ['{"$abs":-3}', "3"],
  ['{"$ceil":1.2}', "2"],
  ['{"$floor":-1.2}', "-2"],
  ['{"$round":[2.5]}', "2"],
  ['{"$round":[1.2345,2]}', "1.23"],
  ['{"$round":[1250,-2]}', "1200"],
  ['{"$trunc":[1.99,1]}', "1.9"],
  ['{"$pow":[2,10]}', "1024"],
  ['{"$sqrt":16}', "4"],
  ['{"$cmp":[1,2]}', "-1"],
  ['{"$eq":[1,1.0]}', "true"],
  ['{"$gt":["$zzz",null]}', "false"],
  ['{"$lt":["$zzz",null]}', "true"],
  ['{"$and":[1,"x",[]]}', "true"],
  ['{"$and":[]}', "true"],
  ['{"$or":[0,null,"$zzz"]}', "false"],
  ['{"$not":[0]}', "true"],
  ['{"$cond":["$a","y","n"]}', '"y"'],
  ['{"$cond":{"if":false,"then":1,"else":2}}', "2"],
  ['{"$ifNull":["$zzz","$n","dflt"]}', '"dflt"'],
  [
    '{"$switch":{"branches":[{"case":{"$eq":["$a",2]},"then":"two"},{"case":true,"then":"other"}]}}',
    '"other"',
  ],
  ['{"$let":{"vars":{"x":"$a"},"in":{"$add":["$$x",1]}}}', "2"],
  ['{"$arrayElemAt":["$arr",-1]}', "2"],
  ['{"$arrayElemAt":["$arr",9]}', "missing"],
  ['{"$first":"$arr"}', "3"],
  ['{"$filter":{"input":"$arr","as":"i","cond":{"$gte":["$$i",2]}}}', "[3,2]"],
  ['{"$filter":{"input":"$arr","cond":{"$gte":["$$this",1]},"limit":1}}', "[3]"],
  ['{"$map":{"input":"$arr","in":{"$multiply":["$$this",2]}}}', "[6,2,4]"],
  ['{"$reduce":{"input":"$arr","initialValue":0,"in":{"$add":["$$value","$$this"]}}}', "6"],
  ['{"$zip":{"inputs":[[1,2],["a"]],"useLongestLength":true,"defaults":[0,"z"]}}', '[[1,"a"],[2,"z"]]'],
  ['{"$range":[0,10,3]}', "[0,3,6,9]"],
  ['{"$slice":["$arr",-2]}', "[1,2]"],
  ['{"$slice":["$arr",1,1]}', "[1]"],
  ['{"$in":[2,"$arr"]}', "true"],
  ['{"$size":"$arr"}', "3"],
  ['{"$concatArrays":[[1],["$a"],[]]}', "[1,1]"],
  ['{"$reverseArray":"$arr"}', "[2,1,3]"],
  ['{"$indexOfArray":["$arr",2]}', "2"],
  ['{"$sortArray":{"input":"$arr","sortBy":1}}', "[1,2,3]"],
  ['{"$maxN":{"input":"$arr","n":2}}', "[3,2]"],
  ['{"$isArray":["$arr"]}', "true"],
  ['{"$sum":"$arr"}', "6"],
  ['{"$sum":["$a","$b","x"]}', "3.5"],
  ['{"$avg":"$arr"}', "2"],
  ['{"$max":[1,"$zzz",3]}', "3"],
  ['{"$objectToArray":"$o"}', '[{"k":"p","v":{"q":7}}]'],
  ['{"$arrayToObject":[[["a",1],["b",2]]]}', '{"a":1,"b":2}'],
  ['{"$mergeObjects":["$o",{"z":1},null]}', '{"p":{"q":7},"z":1}'],
  ['{"$getField":"a"}', "1"],
  ['{"$setField":{"field":"x.y","input":{},"value":1}}', '{"x.y":1}'],
  ['{"$setUnion":[[1,2],[2,3]]}', "[1,2,3]"],
  ['{"$setIntersection":[[1,2],[2,3]]}', "[2]"],
  ['{"$setDifference":[[1,2],[2]]}', "[1]"],
  ['{"$setEquals":[[1,2],[2,1,1]]}', "true"],
  ['{"$setIsSubset":[[1],[1,2]]}', "true"],
  ['{"$anyElementTrue":[[0,1]]}', "true"],
  ['{"$concat":["$s","!"]}', '"Hello!"'],
  ['{"$concat":["$s","$n"]}', "null"],
  ['{"$toUpper":"$s"}', '"HELLO"'],
  ['{"$substrCP":["$s",1,3]}', '"ell"'],
  ['{"$substrBytes":["$s",0,-1]}', '"Hello"'],
  ['{"$strLenCP":"$s"}', "5"],
  ['{"$split":["a-b-c","-"]}', '["a","b","c"]'],
  ['{"$trim":{"input":"  x "}}', '"x"'],
  ['{"$indexOfCP":["$s","l"]}', "2"],
  ['{"$replaceAll":{"input":"aXbX","find":"X","replacement":"-$&"}}', '"a-$&b-$&"'],
  ['{"$regexMatch":{"input":"$s","regex":"^h","options":"i"}}', "true"],
  ['{"$regexFind":{"input":"$s","regex":"l(l)"}}', '{"match":"ll","idx":2,"captures":["l"]}'],
  ['{"$year":"$d"}', "2021"],
  ['{"$month":"$d"}', "3"],
  ['{"$dayOfWeek":"$d"}', "1"],
  ['{"$dayOfYear":"$d"}', "73"],
  ['{"$isoWeek":"$d"}', "10"],
  ['{"$hour":{"date":"$d","timezone":"America/New_York"}}', "11"],
  ['{"$hour":{"date":"$d","timezone":"+05:30"}}', "20"],
  ['{"$dateToString":{"date":"$d"}}', '"2021-03-14T15:09:26.535Z"'],
  ['{"$dateToString":{"date":"$d","format":"%Y-%m-%d %H:%M"}}', '"2021-03-14 15:09"'],
  ['{"$dateFromString":{"dateString":"2020-02-29T10:00:00Z"}}', '{"$date":"2020-02-29T10:00:00Z"}'],
  ['{"$dateFromParts":{"year":2021,"month":14,"day":1}}', '{"$date":"2022-02-01T00:00:00Z"}'],
  [
    '{"$dateAdd":{"startDate":{"$date":"2021-01-31T00:00:00Z"},"unit":"month","amount":1}}',
    '{"$date":"2021-02-28T00:00:00Z"}',
  ],
  [
    '{"$dateDiff":{"startDate":{"$date":"2020-12-31T23:00:00Z"},"endDate":{"$date":"2021-01-01T01:00:00Z"},"unit":"year"}}',
    "1",
  ],
  ['{"$dateTrunc":{"date":"$d","unit":"month"}}', '{"$date":"2021-03-01T00:00:00Z"}'],
  ['{"$dateTrunc":{"date":"$d","unit":"week","startOfWeek":"monday"}}', '{"$date":"2021-03-08T00:00:00Z"}'],
  ['{"$toInt":"42"}', "42"],
  ['{"$toLong":3.9}', "3"],
  ['{"$toDouble":"1.5"}', "1.5"],
  ['{"$toString":1.0}', '"1"'],
  ['{"$toString":"$d"}', '"2021-03-14T15:09:26.535Z"'],
  ['{"$toBool":"false"}', "true"],
  ['{"$toDecimal":"1.20"}', '{"$numberDecimal":"1.20"}'],
  ['{"$toObjectId":"507f1f77bcf86cd799439011"}', '{"$oid":"507f1f77bcf86cd799439011"}'],
  ['{"$convert":{"input":"x","to":"int","onError":"bad"}}', '"bad"'],
  ['{"$type":"$zzz"}', '"missing"'],
  ['{"$type":"$l"}', '"long"'],
  ['{"$bitAnd":[6,3]}', "2"],
];

describe("expressions", () => {
  for (const [expression, expected] of cases) {
    test(`${expression} is ${expected}`, () => {
      const compiled = compileExpression(parse(expression), makeContext({}));
      expect(show(compiled(parse(root) as Document))).toBe(expected);
    });
  }

  const errors: [string, number, string][] = [
    ['{"$foo":1}', 168, "Unrecognized expression '$foo'"],
    [
      '{"$add":[1],"$sum":1}',
      15983,
      "an object representing an expression must have exactly one field: { $add: [ 1 ], $sum: 1 }",
    ],
    ['"$$nope"', 17276, "Use of undefined variable: nope"],
    ['"$a."', 40353, "FieldPath must not end with a '.'."],
    ['{"$add":["x",1]}', 14, "$add only supports numeric or date types, not string"],
    ['{"$divide":[1,0]}', 2, "can't $divide by zero"],
    ['{"$subtract":[1]}', 16020, "Expression $subtract takes exactly 2 arguments. 1 were passed in."],
    ['{"$size":"$zzz"}', 17124, "The argument to $size must be an array, but was of type: missing"],
    ['{"$concat":[1]}', 16702, "$concat only supports strings, not int"],
    [
      '{"$switch":{"branches":[{"case":false,"then":1}]}}',
      40066,
      "$switch could not find a matching branch for an input, and no default was specified.",
    ],
    [
      '{"$toInt":"abc"}',
      241,
      "Failed to parse number 'abc' in $convert with no onError value: Did not consume any digits",
    ],
    ['{"$a.b":1}', 168, "Unrecognized expression '$a.b'"],
    ['{"a.b":1}', 16412, "FieldPath field names may not contain '.'. Consider using $getField or $setField."],
  ];
  for (const [expression, code, message] of errors) {
    test(`${expression} fails with ${code}`, () => {
      let caught: unknown;
      try {
        compileExpression(parse(expression), makeContext({}))(parse(root) as Document);
      } catch (error) {
        caught = error;
      }
      expect(caught).toBeInstanceOf(ServerError);
      expect((caught as ServerError).message).toBe(message);
      expect((caught as ServerError).code).toBe(code);
    });
  }
});
