import { describe, expect, test } from "bun:test";
import { EJSON } from "bson";
import { fromObject, toObject } from "../codec.ts";
import type { Document } from "../value.ts";
import { compileFilter, validationErrorInfo } from "./index.ts";

const parse = (json: string): Document => fromObject(EJSON.parse(json, { relaxed: false }) as object);

const cases: [string, string[], string[]][] = [
  [
    '{"bsonType":"object","required":["a"],"properties":{"a":{"bsonType":"int","minimum":1}}}',
    ['{"a":1}', '{"a":5,"b":1}'],
    ["{}", '{"a":0}', '{"a":"x"}', '{"a":1.5}'],
  ],
  [
    '{"properties":{"a":{"type":"number","maximum":5,"exclusiveMaximum":true}}}',
    ["{}", '{"a":4.9}'],
    ['{"a":5}', '{"a":"x"}'],
  ],
  ['{"properties":{"a":{"enum":[1,"x",null]}}}', ['{"a":1}', '{"a":null}', "{}"], ['{"a":2}']],
  [
    '{"properties":{"a":{"minLength":2,"pattern":"^a"}}}',
    ['{"a":"ab"}', '{"a":1}'],
    ['{"a":"a"}', '{"a":"bb"}'],
  ],
  [
    '{"additionalProperties":false,"properties":{"a":{}},"patternProperties":{"^x":{"bsonType":"string"}}}',
    ['{"a":1,"xy":"s"}'],
    ['{"b":1}', '{"xy":1}'],
  ],
  [
    '{"properties":{"a":{"items":{"bsonType":"int"},"minItems":1,"uniqueItems":true}}}',
    ['{"a":[1,2]}', '{"a":1}'],
    ['{"a":[]}', '{"a":[1,1]}', '{"a":["x"]}'],
  ],
  ['{"oneOf":[{"required":["a"]},{"required":["b"]}]}', ['{"a":1}', '{"b":1}'], ["{}", '{"a":1,"b":1}']],
  ['{"not":{"required":["a"]}}', ["{}"], ['{"a":1}']],
  ['{"dependencies":{"a":["b"]}}', ["{}", '{"a":1,"b":1}'], ['{"a":1}']],
  ['{"properties":{"a":{"multipleOf":0.1}}}', ['{"a":0.3}', '{"a":2}'], ['{"a":0.35}']],
];

describe("$jsonSchema", () => {
  for (const [schema, valid, invalid] of cases) {
    test(schema, () => {
      const matches = compileFilter(new Map([["$jsonSchema", parse(schema)]]));
      for (const document of valid) expect([document, matches(parse(document))]).toEqual([document, true]);
      for (const document of invalid) expect([document, matches(parse(document))]).toEqual([document, false]);
    });
  }

  test("an unknown keyword is refused", () => {
    expect(() => compileFilter(parse('{"$jsonSchema":{"foo":1}}'))).toThrow(
      "Unknown $jsonSchema keyword: foo",
    );
  });
});

describe("validationErrorInfo", () => {
  const explain = (validator: string, document: string) =>
    toObject(validationErrorInfo(parse(validator), parse(document)));

  test("names the operator, the reason and the value", () => {
    expect(explain('{"x":{"$type":"string"}}', '{"_id":1,"x":1}')).toEqual({
      failingDocumentId: 1,
      details: {
        operatorName: "$type",
        specifiedAs: { x: { $type: "string" } },
        reason: "type did not match",
        consideredValue: 1,
        consideredType: "int",
      },
    });
    expect(explain('{"x":{"$gt":5}}', '{"_id":1}')).toMatchObject({
      details: { operatorName: "$gt", reason: "field was missing" },
    });
  });

  test("follows a schema to the property that failed", () => {
    expect(
      explain(
        '{"$jsonSchema":{"required":["a","b"],"properties":{"a":{"bsonType":"int"}}}}',
        '{"_id":1,"a":"x"}',
      ),
    ).toEqual({
      failingDocumentId: 1,
      details: {
        operatorName: "$jsonSchema",
        schemaRulesNotSatisfied: [
          { operatorName: "required", specifiedAs: { required: ["a", "b"] }, missingProperties: ["b"] },
          {
            operatorName: "properties",
            propertiesNotSatisfied: [
              {
                propertyName: "a",
                details: [
                  {
                    operatorName: "bsonType",
                    specifiedAs: { bsonType: "int" },
                    reason: "type did not match",
                    consideredValue: "x",
                    consideredType: "string",
                  },
                ],
              },
            ],
          },
        ],
      },
    });
  });
});
