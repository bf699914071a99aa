/** Why a document failed validation: `errInfo.details` of a DocumentValidationFailure. */
import { type Document, Int32, typeName, type Value } from "../value.ts";
import { compileFilter, isOperatorDocument } from "./filter.ts";
import { compileKeyword } from "./json-schema.ts";

const reasons: Record<string, string> = {
  $type: "type did not match",
  $exists: "path does not exist",
  $regex: "regular expression did not match",
  $in: "no matching value found in array",
  $nin: "matching value found in array",
  $mod: "$mod did not evaluate to expected remainder",
  $size: "array length was not equal to given size",
  $elemMatch: "array did not satisfy the child predicate",
  $ne: "comparison succeeded",
  bsonType: "type did not match",
  type: "type did not match",
  enum: "value was not found in enum",
  minLength: "specified string length was not satisfied",
  maxLength: "specified string length was not satisfied",
  pattern: "regular expression did not match",
  multipleOf: "considered value is not a multiple of the specified value",
  minItems: "array did not match specified length",
  maxItems: "array did not match specified length",
  uniqueItems: "found a duplicate item",
  minProperties: "specified number of properties was not satisfied",
  maxProperties: "specified number of properties was not satisfied",
};

function consideredAt(document: Document, path: string): Value | undefined {
  let value: Value | undefined = document;
  for (const name of path.split(".")) value = value instanceof Map ? value.get(name) : undefined;
  return value;
}

function leafDetails(operator: string, specifiedAs: Document, considered: Value | undefined): Document {
  const details: Document = new Map<string, Value>([
    ["operatorName", operator],
    ["specifiedAs", specifiedAs],
  ]);
  if (considered === undefined && operator !== "$exists") {
    details.set("reason", "field was missing");
    return details;
  }
  details.set("reason", reasons[operator] ?? "comparison failed");
  if (considered !== undefined) {
    details.set("consideredValue", considered);
    if (["$type", "bsonType", "type"].includes(operator)) details.set("consideredType", typeName(considered));
  }
  return details;
}

function explainField(path: string, value: Value, document: Document): Document[] {
  const considered = consideredAt(document, path);
  if (!isOperatorDocument(value)) return [leafDetails("$eq", new Map([[path, value]]), considered)];
  const failed: Document[] = [];
  for (const [operator, operand] of value) {
    const single: Document = new Map([[path, new Map([[operator, operand]])]]);
    if (
      operator === "$options" ||
      compileFilter(operator === "$regex" ? new Map([[path, value]]) : single)(document)
    )
      continue;
    failed.push(leafDetails(operator, single, considered));
  }
  return failed;
}

function clauses(operator: string, filters: Value[], document: Document): Document {
  const unsatisfied: Document[] = [];
  filters.forEach((filter, index) => {
    const matched = compileFilter(filter as Document)(document);
    if (matched !== (operator === "$nor")) return;
    unsatisfied.push(
      new Map<string, Value>([
        ["index", new Int32(index)],
        ["details", operator === "$nor" ? new Map() : explainFilter(filter as Document, document)],
      ]),
    );
  });
  const key = operator === "$nor" ? "clausesSatisfied" : "clausesNotSatisfied";
  return new Map<string, Value>([
    ["operatorName", operator],
    [key, unsatisfied],
  ]);
}

function explainSchema(schema: Document, value: Value): Document[] {
  const failed: Document[] = [];
  for (const [keyword, operand] of schema) {
    if (compileKeyword(keyword, operand, schema)(value)) continue;
    if (keyword === "properties" && value instanceof Map)
      failed.push(explainProperties(operand as Document, value));
    else if (keyword === "required" && value instanceof Map) {
      failed.push(
        new Map<string, Value>([
          ["operatorName", "required"],
          ["specifiedAs", new Map([["required", operand]])],
          ["missingProperties", (operand as Value[]).filter((name) => !value.has(name as string))],
        ]),
      );
    } else if (keyword === "additionalProperties" && value instanceof Map) {
      const known = schema.get("properties");
      const extra = [...value.keys()].filter((name) => !(known instanceof Map && known.has(name)));
      failed.push(
        new Map<string, Value>([
          ["operatorName", "additionalProperties"],
          ["specifiedAs", new Map([["additionalProperties", operand]])],
          ["additionalProperties", extra],
        ]),
      );
    } else failed.push(leafDetails(keyword, new Map([[keyword, operand]]), value));
  }
  return failed;
}

function explainProperties(properties: Document, value: Document): Document {
  const failed: Document[] = [];
  for (const [name, schema] of properties) {
    const field = value.get(name);
    if (field === undefined) continue;
    const details = explainSchema(schema as Document, field);
    if (details.length === 0) continue;
    const entry: Document = new Map([["propertyName", name]]);
    const description = (schema as Document).get("description");
    if (description !== undefined) entry.set("description", description);
    failed.push(entry.set("details", details));
  }
  return new Map<string, Value>([
    ["operatorName", "properties"],
    ["propertiesNotSatisfied", failed],
  ]);
}

function explainClause(name: string, value: Value, document: Document): Document[] {
  if (compileFilter(new Map([[name, value]]))(document)) return [];
  switch (name) {
    case "$jsonSchema":
      return [
        new Map<string, Value>([
          ["operatorName", name],
          ["schemaRulesNotSatisfied", explainSchema(value as Document, document)],
        ]),
      ];
    case "$and":
    case "$or":
    case "$nor":
      return [clauses(name, value as Value[], document)];
    case "$expr":
      return [
        new Map<string, Value>([
          ["operatorName", name],
          ["specifiedAs", new Map([[name, value]])],
          ["reason", "expression did not match"],
          ["expressionResult", false],
        ]),
      ];
    default:
      return name.startsWith("$")
        ? [leafDetails(name, new Map([[name, value]]), document)]
        : explainField(name, value, document);
  }
}

/** Details of why `document` doesn't match the validator `filter`. */
function explainFilter(filter: Document, document: Document): Document {
  const failed = [...filter].flatMap(([name, value]) => explainClause(name, value, document));
  const [only] = failed;
  if (only !== undefined && failed.length === 1) return only;
  return new Map<string, Value>([
    ["operatorName", "$and"],
    [
      "clausesNotSatisfied",
      failed.map(
        (details, index): Document =>
          new Map<string, Value>([
            ["index", new Int32(index)],
            ["details", details],
          ]),
      ),
    ],
  ]);
}

/** The whole `errInfo` for a document that a collection's validator refuses. */
export function validationErrorInfo(validator: Document, document: Document): Document {
  return new Map<string, Value>([
    ["failingDocumentId", document.get("_id") ?? null],
    ["details", explainFilter(validator, document)],
  ]);
}
