import { describe, expect, test } from "bun:test";
import { EJSON } from "bson";
import { fromObject, toObject } from "./codec.ts";
import type { ServerError } from "./errors.ts";
import { compileProjection } from "./project.ts";
import type { Document } from "./value.ts";

const parse = (json: string): Document => fromObject(EJSON.parse(json, { relaxed: false }) as object);
const show = (document: Document): string => EJSON.stringify(toObject(document));

/** projection, document, result, query */
const cases: [string, string, string, string?][] = [
  ["{}", '{"_id":1,"a":1}', '{"_id":1,"a":1}'],
  ['{"b":1}', '{"_id":1,"a":1,"b":2}', '{"_id":1,"b":2}'],
  ['{"b":1,"_id":0}', '{"_id":1,"a":1,"b":2}', '{"b":2}'],
  ['{"_id":1}', '{"_id":1,"a":1}', '{"_id":1}'],
  ['{"_id":0}', '{"_id":1,"a":1}', '{"a":1}'],
  ['{"a":0}', '{"_id":1,"a":1,"b":2}', '{"_id":1,"b":2}'],
  ['{"a.b":1}', '{"_id":1,"a":{"b":1,"c":2}}', '{"_id":1,"a":{"b":1}}'],
  ['{"a.b":1}', '{"_id":1,"a":[{"b":1,"c":2},3,[{"b":4}]]}', '{"_id":1,"a":[{"b":1},[{"b":4}]]}'],
  ['{"a.b":1}', '{"_id":1,"a":5}', '{"_id":1}'],
  ['{"a.b":0}', '{"_id":1,"a":[{"b":1,"c":2},3]}', '{"_id":1,"a":[{"c":2},3]}'],
  ['{"a":{"b":1}}', '{"_id":1,"a":{"b":1,"c":2}}', '{"_id":1,"a":{"b":1}}'],
  ['{"c":"$a","d":{"$literal":1}}', '{"_id":1,"a":7}', '{"_id":1,"c":7,"d":1}'],
  ['{"a":{"$slice":2}}', '{"_id":1,"a":[1,2,3],"b":1}', '{"_id":1,"a":[1,2],"b":1}'],
  ['{"a":{"$slice":-1},"b":0}', '{"_id":1,"a":[1,2,3],"b":1,"c":2}', '{"_id":1,"a":[3],"c":2}'],
  ['{"a":{"$slice":[1,1]},"c":1}', '{"_id":1,"a":[1,2,3],"b":1,"c":2}', '{"_id":1,"a":[2],"c":2}'],
  [
    '{"a":{"$elemMatch":{"x":2}}}',
    '{"_id":1,"a":[{"x":1},{"x":2,"y":1},{"x":2}],"b":1}',
    '{"_id":1,"a":[{"x":2,"y":1}]}',
  ],
  ['{"a":{"$elemMatch":{"$gt":1}},"b":1}', '{"_id":1,"a":[1,2,3],"b":1}', '{"_id":1,"b":1,"a":[2]}'],
  ['{"a":{"$elemMatch":{"x":9}}}', '{"_id":1,"a":[{"x":1}]}', '{"_id":1}'],
  ['{"a.$":1}', '{"_id":1,"a":[1,2,3],"b":1}', '{"_id":1,"a":[2]}', '{"a":{"$gte":2}}'],
  ['{"a.x.$":1}', '{"_id":1,"a":{"x":[1,2],"y":1}}', '{"_id":1,"a":{"x":[2]}}', '{"a.x":2}'],
];

describe("compileProjection", () => {
  for (const [projection, document, result, query] of cases) {
    test(`${projection} of ${document}`, () => {
      const project = compileProjection(parse(projection), {
        query: query === undefined ? undefined : parse(query),
      });
      expect(show(project(parse(document)))).toBe(result);
    });
  }

  const errors: [string, number][] = [
    ['{"a":1,"b":0}', 31254],
    ['{"a":0,"b":1}', 31253],
    ['{"a":1,"a.b":1}', 31249],
    ['{"a.b":1,"a":1}', 31250],
    ['{"a.$":1,"b.$":1}', 31276],
    ['{"a.$.b":1}', 31394],
    ['{"a.b":{"$elemMatch":{"x":1}}}', 31275],
    ['{"a":{"$foo":1}}', 168],
  ];
  for (const [projection, code] of errors) {
    test(`${projection} is refused with ${code}`, () => {
      let caught: unknown;
      try {
        compileProjection(parse(projection), { query: new Map() });
      } catch (error) {
        caught = error;
      }
      expect((caught as ServerError | undefined)?.code).toBe(code);
    });
  }
});
