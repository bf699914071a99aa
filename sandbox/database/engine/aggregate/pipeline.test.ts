import { describe, expect, test } from "bun:test";
import { EJSON } from "bson";
import { fromObject, toObject } from "../codec.ts";
import { ServerError } from "../errors.ts";
import type { Document } from "../value.ts";
import { type MergeTarget, type PipelineContext, runPipeline } from "./index.ts";

const parseAll = (json: string): Document[] =>
  (EJSON.parse(json, { relaxed: false }) as object[]).map(fromObject);
const show = (documents: Iterable<Document>): string => EJSON.stringify([...documents].map(toObject));

const collections: Record<string, string> = {
  inventory:
    '[{"_id":1,"sku":"a","n":5},{"_id":2,"sku":"b","n":6},{"_id":3},{"_id":4,"sku":["a","c"],"n":1}]',
  people: '[{"_id":1,"name":"A"},{"_id":2,"name":"B","boss":"A"},{"_id":3,"name":"C","boss":"B"}]',
};
const context: PipelineContext = { db: "test", collection: (name) => parseAll(collections[name] ?? "[]") };
const orders = '[{"_id":1,"k":"a","v":1},{"_id":2,"k":"b","v":2},{"_id":3,"k":"a","v":3}]';

/** pipeline, result, input */
const cases: [string, string, string?][] = [
  ['[{"$match":{"k":"a"}},{"$project":{"v":1,"_id":0}}]', '[{"v":1},{"v":3}]'],
  [
    '[{"$group":{"_id":"$k","t":{"$sum":"$v"},"all":{"$push":"$v"},"n":{"$count":{}}}},{"$sort":{"_id":1}}]',
    '[{"_id":"a","t":4,"all":[1,3],"n":2},{"_id":"b","t":2,"all":[2],"n":1}]',
  ],
  [
    '[{"$group":{"_id":null,"avg":{"$avg":"$v"},"max":{"$max":"$v"},"first":{"$first":"$k"},"sd":{"$stdDevPop":"$v"}}}]',
    '[{"_id":null,"avg":2,"max":3,"first":"a","sd":0.816496580927726}]',
  ],
  [
    '[{"$group":{"_id":{"x":"$k","y":"$zzz"},"top":{"$top":{"sortBy":{"v":-1},"output":"$v"}}}},{"$sort":{"_id":1}}]',
    '[{"_id":{"x":"a"},"top":3},{"_id":{"x":"b"},"top":2}]',
  ],
  ['[{"$sort":{"v":-1}},{"$limit":2},{"$skip":1}]', '[{"_id":2,"k":"b","v":2}]'],
  [
    '[{"$addFields":{"w":{"$add":["$v",1]},"x.y":1}},{"$unset":["k","v"]},{"$limit":1}]',
    '[{"_id":1,"w":2,"x":{"y":1}}]',
  ],
  ['[{"$count":"n"}]', '[{"n":3}]'],
  ['[{"$match":{"k":"none"}},{"$count":"n"}]', "[]"],
  ['[{"$replaceRoot":{"newRoot":{"z":"$v"}}},{"$limit":1}]', '[{"z":1}]'],
  ['[{"$replaceWith":{"$mergeObjects":[{"d":0},"$$ROOT"]}},{"$limit":1}]', '[{"d":0,"_id":1,"k":"a","v":1}]'],
  [
    '[{"$unwind":"$a"}]',
    '[{"_id":1,"a":1},{"_id":1,"a":2},{"_id":3,"a":7}]',
    '[{"_id":1,"a":[1,2]},{"_id":2,"a":[]},{"_id":3,"a":7},{"_id":4}]',
  ],
  [
    '[{"$unwind":{"path":"$a","includeArrayIndex":"i","preserveNullAndEmptyArrays":true}}]',
    '[{"_id":1,"a":1,"i":0},{"_id":2,"i":null},{"_id":4,"i":null}]',
    '[{"_id":1,"a":[1]},{"_id":2,"a":[]},{"_id":4}]',
  ],
  ['[{"$sortByCount":"$k"}]', '[{"_id":"a","count":2},{"_id":"b","count":1}]'],
  [
    '[{"$lookup":{"from":"inventory","localField":"k","foreignField":"sku","as":"i"}},{"$project":{"i":"$i._id"}}]',
    '[{"_id":1,"i":[1,4]},{"_id":2,"i":[2]},{"_id":3,"i":[1,4]}]',
  ],
  [
    '[{"$lookup":{"from":"inventory","localField":"zzz","foreignField":"sku","as":"i"}},{"$limit":1},{"$project":{"i":"$i._id"}}]',
    '[{"_id":1,"i":[3]}]',
  ],
  [
    '[{"$lookup":{"from":"inventory","let":{"w":"$v"},"pipeline":[{"$match":{"$expr":{"$eq":["$_id","$$w"]}}},{"$project":{"n":1,"_id":0}}],"as":"i"}},{"$project":{"i":1}}]',
    '[{"_id":1,"i":[{"n":5}]},{"_id":2,"i":[{"n":6}]},{"_id":3,"i":[{}]}]',
  ],
  [
    '[{"$graphLookup":{"from":"people","startWith":"$boss","connectFromField":"boss","connectToField":"name","as":"up","depthField":"d"}},{"$project":{"up":"$up.name","d":"$up.d"}}]',
    '[{"_id":3,"up":["B","A"],"d":[0,1]}]',
    '[{"_id":3,"boss":"B"}]',
  ],
  [
    '[{"$unionWith":{"coll":"people","pipeline":[{"$limit":1}]}},{"$project":{"_id":1}}]',
    '[{"_id":1},{"_id":2},{"_id":3},{"_id":1}]',
  ],
  [
    '[{"$facet":{"a":[{"$match":{"k":"a"}},{"$count":"n"}],"b":[{"$group":{"_id":null,"s":{"$sum":"$v"}}}]}}]',
    '[{"a":[{"n":2}],"b":[{"_id":null,"s":6}]}]',
  ],
  [
    '[{"$bucket":{"groupBy":"$v","boundaries":[0,2,3],"default":"rest"}}]',
    '[{"_id":0,"count":1},{"_id":2,"count":1},{"_id":"rest","count":1}]',
  ],
  [
    '[{"$bucketAuto":{"groupBy":"$v","buckets":2}}]',
    '[{"_id":{"min":1,"max":3},"count":2},{"_id":{"min":3,"max":3},"count":1}]',
  ],
  [
    '[{"$redact":{"$cond":[{"$eq":["$secret",true]},"$$PRUNE","$$DESCEND"]}}]',
    '[{"_id":1,"a":{"x":1},"c":[{"y":2}]}]',
    '[{"_id":1,"a":{"x":1},"b":{"secret":true},"c":[{"y":2},{"secret":true}]}]',
  ],
  ['[{"$documents":[{"x":1},{"x":{"$add":[1,1]}}]}]', '[{"x":1},{"x":2}]'],
  [
    '[{"$project":{"_id":0,"a.b":1,"c":{"$literal":1}}}]',
    '[{"a":[{"b":1},{}],"c":1}]',
    '[{"_id":1,"a":[{"b":1,"z":1},{"z":2},3]}]',
  ],
  [
    '[{"$project":{"a":{"b":"$x"}}}]',
    '[{"_id":1,"a":[{"b":9},{"b":9}]}]',
    '[{"_id":1,"x":9,"a":[{"b":1,"z":1},3]}]',
  ],
  [
    '[{"$setWindowFields":{"partitionBy":"$k","sortBy":{"v":1},"output":{"run":{"$sum":"$v","window":{"documents":["unbounded","current"]}},"rank":{"$rank":{}},"prev":{"$shift":{"output":"$v","by":-1}}}}},{"$project":{"run":1,"rank":1,"prev":1}}]',
    '[{"_id":1,"run":1,"rank":1,"prev":null},{"_id":3,"run":4,"rank":2,"prev":1},{"_id":2,"run":2,"rank":1,"prev":null}]',
  ],
  [
    '[{"$setWindowFields":{"sortBy":{"v":1},"output":{"near":{"$push":"$v","window":{"range":[-1,1]}}}}},{"$project":{"near":1}}]',
    '[{"_id":1,"near":[1,2]},{"_id":2,"near":[1,2,3]},{"_id":3,"near":[2,3]}]',
  ],
  [
    '[{"$fill":{"sortBy":{"t":1},"output":{"x":{"method":"linear"},"y":{"method":"locf"},"z":{"value":0}}}}]',
    '[{"t":1,"x":10,"y":"a","z":0},{"t":2,"x":15,"y":"a","z":0},{"t":3,"x":20,"z":5,"y":"a"}]',
    '[{"t":1,"x":10,"y":"a"},{"t":2,"x":null},{"t":3,"x":20,"z":5}]',
  ],
  [
    '[{"$densify":{"field":"t","range":{"step":2,"bounds":"full"}}}]',
    '[{"t":1},{"t":3},{"t":4},{"t":5},{"t":7}]',
    '[{"t":1},{"t":4},{"t":7}]',
  ],
  ['[{"$set":{"a":"$$REMOVE","b":1}}]', '[{"_id":1,"b":1}]', '[{"_id":1,"a":1}]'],
];

describe("runPipeline", () => {
  for (const [pipeline, result, input] of cases) {
    test(pipeline, () => {
      expect(show(runPipeline(parseAll(pipeline), parseAll(input ?? orders), context))).toBe(result);
    });
  }

  const errors: [string, number, string][] = [
    ['[{"$foo":1}]', 40324, "Unrecognized pipeline stage name: '$foo'"],
    [
      '[{"$match":{},"$limit":1}]',
      40323,
      "A pipeline stage specification object must contain exactly one field.",
    ],
    ['[{"$limit":0}]', 15958, "the limit must be positive"],
    [
      '[{"$limit":-1}]',
      5107201,
      "invalid argument to $limit stage: Expected a non-negative number in: $limit: -1",
    ],
    ['[{"$group":{}}]', 15955, "a group specification must include an _id"],
    ['[{"$group":{"_id":1,"a":{"$foo":1}}}]', 15952, "unknown group operator '$foo'"],
    ['[{"$out":"x"},{"$limit":1}]', 40601, "$out can only be the final stage in the pipeline"],
    ['[{"$facet":{"a":[{"$out":"x"}]}}]', 40600, "$out is not allowed to be used within a $facet stage"],
    [
      '[{"$project":{}}]',
      51272,
      "Invalid $project :: caused by :: projection specification must have at least one field",
    ],
    ['[{"$unwind":"a"}]', 28818, "path option to $unwind stage should be prefixed with a '$': a"],
    ['[{"$sort":{"a":2}}]', 15975, "$sort key ordering must be 1 (for ascending) or -1 (for descending)"],
  ];
  for (const [pipeline, code, message] of errors) {
    test(`${pipeline} is refused with ${code}`, () => {
      let caught: unknown;
      try {
        runPipeline(parseAll(pipeline), [], context);
      } catch (error) {
        caught = error;
      }
      expect(caught).toBeInstanceOf(ServerError);
      expect((caught as ServerError).message).toBe(message);
      expect((caught as ServerError).code).toBe(code);
    });
  }

  test("is lazy: a limit stops reading its input", () => {
    let read = 0;
    const input = (function* generate(): Generator<Document> {
      for (;;) {
        read++;
        yield fromObject({ n: read });
      }
    })();
    expect([
      ...runPipeline(parseAll('[{"$match":{"n":{"$gt":2}}},{"$limit":2}]'), input, context),
    ]).toHaveLength(2);
    expect(read).toBe(4);
  });

  test("$out hands its documents over, $merge decides document by document", () => {
    const written: string[] = [];
    const merged: (string | undefined)[] = [];
    const writing: PipelineContext = {
      ...context,
      writeOut: (target, documents) =>
        written.push(`${target.database}.${target.collection} ${show(documents)}`),
      writeMerge: (target: MergeTarget, documents) => {
        for (const document of documents) {
          const [existing] = document.get("k") === "a" ? parseAll('[{"_id":9,"old":true,"v":0}]') : [];
          const result = target.merge(existing, document);
          merged.push(result && show([result]));
        }
      },
    };
    expect([
      ...runPipeline(
        parseAll('[{"$limit":1},{"$project":{"v":1}},{"$out":{"db":"d","coll":"c"}}]'),
        parseAll(orders),
        writing,
      ),
    ]).toEqual([]);
    expect(written).toEqual(['d.c [{"_id":1,"v":1}]']);
    const merge = (options: string) => [
      ...runPipeline(parseAll(`[{"$limit":2},{"$merge":${options}}]`), parseAll(orders), writing),
    ];
    merge('{"into":"t","whenNotMatched":"discard"}');
    merge('{"into":"t","whenMatched":[{"$set":{"sum":{"$add":["$v","$$new.v"]}}}]}');
    let caught: unknown;
    try {
      merge('{"into":"t","whenMatched":"fail"}');
    } catch (error) {
      caught = error;
    }
    expect((caught as ServerError).code).toBe(11000);
    expect((caught as ServerError).extra.get("keyValue")).toEqual(fromObject({ _id: 1 }));
    expect(merged).toEqual([
      '[{"_id":1,"old":true,"v":1,"k":"a"}]',
      undefined,
      '[{"_id":9,"old":true,"v":0,"sum":1}]',
      '[{"_id":2,"k":"b","v":2}]',
    ]);
  });
});
