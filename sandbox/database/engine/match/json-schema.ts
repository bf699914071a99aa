/** `$jsonSchema`: the server's dialect of JSON Schema draft 4 with `bsonType`. */
import { toNumber } from "../arithmetic.ts";
import { compareValues } from "../compare.ts";
import { decimalOf, remainderDecimals } from "../decimal.ts";
import { ServerError } from "../errors.ts";
import { type Document, isNumber, typeName, typeOf, type Value } from "../value.ts";
import { parseTypeSet } from "./leaf-operators.ts";
import { exactInteger } from "./numbers.ts";
import { toJavaScriptRegExp } from "./regex.ts";

/** Whether a value fulfils a schema or keyword; a keyword about another type is always fulfilled. */
export type SchemaTest = (value: Value) => boolean;

type Compile = (operand: Value, schema: Document, keyword: string) => SchemaTest;

const mismatch = (keyword: string, wanted: string, operand?: Value): ServerError =>
  new ServerError(
    "TypeMismatch",
    `$jsonSchema keyword '${keyword}' must be ${wanted}${operand === undefined ? "" : `, but got an element of type ${typeName(operand)}`}`,
  );

function numberOf(keyword: string, operand: Value) {
  if (!isNumber(operand)) throw mismatch(keyword, "a number");
  return operand;
}

function countOf(keyword: string, operand: Value): number {
  const count = isNumber(operand) ? exactInteger(operand) : undefined;
  if (!isNumber(operand)) throw mismatch(keyword, "a number");
  if (count === undefined || count < 0n) {
    throw new ServerError("FailedToParse", `$jsonSchema keyword '${keyword}' must be a non-negative integer`);
  }
  return Number(count);
}

function objectOf(keyword: string, operand: Value): Document {
  if (operand instanceof Map) return operand;
  throw mismatch(keyword, "an object");
}

function arrayOf(keyword: string, operand: Value): Value[] {
  if (!Array.isArray(operand)) throw mismatch(keyword, "an array", operand);
  if (operand.length === 0)
    throw new ServerError("FailedToParse", `$jsonSchema keyword '${keyword}' cannot be an empty array`);
  return operand;
}

function stringsOf(keyword: string, operand: Value): string[] {
  return arrayOf(keyword, operand).map((element) => {
    if (typeof element !== "string") throw mismatch(keyword, "an array of strings", element);
    return element;
  });
}

function schemasOf(keyword: string, operand: Value): SchemaTest[] {
  return arrayOf(keyword, operand).map((element) => {
    if (!(element instanceof Map)) throw mismatch(keyword, "an array of objects", element);
    return compileSchema(element);
  });
}

const onNumbers =
  (make: (operand: Value, exclusive: boolean) => (value: Value) => boolean, exclusiveName: string): Compile =>
  (operand, schema, keyword) => {
    numberOf(keyword, operand);
    const exclusive = schema.get(exclusiveName) ?? false;
    if (typeof exclusive !== "boolean") throw mismatch(exclusiveName, "a boolean");
    const test = make(operand, exclusive);
    return (value) => !isNumber(value) || test(value);
  };

const onCount =
  (
    count: (value: Value) => number | undefined,
    accept: (actual: number, limit: number) => boolean,
  ): Compile =>
  (operand, _, keyword) => {
    const limit = countOf(keyword, operand);
    return (value) => {
      const actual = count(value);
      return actual === undefined || accept(actual, limit);
    };
  };

const exclusiveNeeds =
  (partner: string): Compile =>
  (operand, schema, keyword) => {
    if (typeof operand !== "boolean") throw mismatch(keyword, "a boolean");
    if (!schema.has(partner)) {
      throw new ServerError(
        "FailedToParse",
        `$jsonSchema keyword '${partner}' must be a present if ${keyword} is present`,
      );
    }
    return () => true;
  };

const textLength = (value: Value) => (typeof value === "string" ? [...value].length : undefined);
const arrayLength = (value: Value) => (Array.isArray(value) ? value.length : undefined);
const fieldCount = (value: Value) => (value instanceof Map ? value.size : undefined);
const atLeast = (actual: number, limit: number) => actual >= limit;
const atMost = (actual: number, limit: number) => actual <= limit;

const jsonTypes: Record<string, string> = {
  object: "object",
  array: "array",
  number: "number",
  boolean: "bool",
  string: "string",
  null: "null",
};

const compileJsonType: Compile = (operand) => {
  const names = Array.isArray(operand) ? operand : [operand];
  const aliases = names.map((name): Value => {
    if (typeof name !== "string")
      throw new ServerError(
        "TypeMismatch",
        "$jsonSchema keyword 'type' must be either a string or an array of strings",
      );
    if (name === "integer")
      throw new ServerError("FailedToParse", "$jsonSchema type 'integer' is not currently supported.");
    const alias = jsonTypes[name];
    if (alias === undefined) throw new ServerError("BadValue", `Unknown type name alias: ${name}`);
    return alias;
  });
  const types = parseTypeSet(aliases);
  return (value) => types.has(typeOf(value));
};

const compileProperties: Compile = (operand, _, keyword) => {
  const tests = [...objectOf(keyword, operand)].map(([name, schema]): [string, SchemaTest] => {
    if (!(schema instanceof Map))
      throw new ServerError(
        "TypeMismatch",
        `Nested schema for $jsonSchema property '${name}' must be an object`,
      );
    return [name, compileSchema(schema)];
  });
  return (value) =>
    !(value instanceof Map) ||
    tests.every(([name, test]) => {
      const field = value.get(name);
      return field === undefined || test(field);
    });
};

function patternTests(operand: Value | undefined): [RegExp, SchemaTest][] {
  if (operand === undefined) return [];
  return [...objectOf("patternProperties", operand)].map(([pattern, schema]) => [
    toJavaScriptRegExp(pattern, ""),
    compileSchema(objectOf("patternProperties", schema)),
  ]);
}

const compilePatternProperties: Compile = (operand) => {
  const tests = patternTests(operand);
  return (value) =>
    !(value instanceof Map) ||
    [...value].every(([name, field]) => tests.every(([pattern, test]) => !pattern.test(name) || test(field)));
};

function schemaOrBoolean(keyword: string, operand: Value): SchemaTest {
  if (typeof operand === "boolean") return () => operand;
  if (operand instanceof Map) return compileSchema(operand);
  throw new ServerError(
    "TypeMismatch",
    `$jsonSchema keyword '${keyword}' must be either an object or a boolean, but got an element of type ${typeName(operand)}`,
  );
}

const compileAdditionalProperties: Compile = (operand, schema, keyword) => {
  const test = schemaOrBoolean(keyword, operand);
  const properties = schema.get("properties");
  const known = new Set(properties instanceof Map ? properties.keys() : []);
  const patterns = patternTests(schema.get("patternProperties"));
  return (value) =>
    !(value instanceof Map) ||
    [...value].every(
      ([name, field]) => known.has(name) || patterns.some(([pattern]) => pattern.test(name)) || test(field),
    );
};

const compileItems: Compile = (operand, _, keyword) => {
  if (operand instanceof Map) {
    const test = compileSchema(operand);
    return (value) => !Array.isArray(value) || value.every(test);
  }
  if (!Array.isArray(operand)) throw mismatch(keyword, "an array or an object");
  const tests = operand.map((schema) => compileSchema(objectOf(keyword, schema)));
  return (value) =>
    !Array.isArray(value) || tests.every((test, index) => index >= value.length || test(value[index]!));
};

const compileAdditionalItems: Compile = (operand, schema, keyword) => {
  const test = schemaOrBoolean(keyword, operand);
  const items = schema.get("items");
  if (!Array.isArray(items)) return () => true;
  return (value) => !Array.isArray(value) || value.slice(items.length).every(test);
};

const compileDependencies: Compile = (operand, _, keyword) => {
  const tests = [...objectOf(keyword, operand)].map(([name, dependency]): [string, SchemaTest] => {
    if (dependency instanceof Map) return [name, compileSchema(dependency)];
    const needed = stringsOf(keyword, dependency);
    return [name, (value) => needed.every((field) => (value as Document).has(field))];
  });
  return (value) => !(value instanceof Map) || tests.every(([name, test]) => !value.has(name) || test(value));
};

const annotation: Compile = (operand, _, keyword) => {
  if (typeof operand !== "string") throw mismatch(keyword, "a string");
  return () => true;
};

const keywords: Record<string, Compile> = {
  bsonType: (operand) => {
    const types = parseTypeSet(operand);
    return (value) => types.has(typeOf(value));
  },
  type: compileJsonType,
  enum: (operand, _, keyword) => {
    const values = arrayOf(keyword, operand);
    return (value) => values.some((wanted) => compareValues(wanted, value) === 0);
  },
  minimum: onNumbers(
    (limit, exclusive) => (value) =>
      exclusive ? compareValues(value, limit) > 0 : compareValues(value, limit) >= 0,
    "exclusiveMinimum",
  ),
  maximum: onNumbers(
    (limit, exclusive) => (value) =>
      exclusive ? compareValues(value, limit) < 0 : compareValues(value, limit) <= 0,
    "exclusiveMaximum",
  ),
  exclusiveMinimum: exclusiveNeeds("minimum"),
  exclusiveMaximum: exclusiveNeeds("maximum"),
  multipleOf: (operand, _, keyword) => {
    const divisor = numberOf(keyword, operand);
    if (toNumber(divisor) <= 0)
      throw new ServerError("FailedToParse", "$jsonSchema keyword 'multipleOf' must have a positive value");
    return (value) => {
      if (!isNumber(value)) return true;
      const rest = remainderDecimals(decimalOf(value), decimalOf(divisor));
      return typeof rest !== "number" && rest.coefficient === 0n;
    };
  },
  minLength: onCount(textLength, atLeast),
  maxLength: onCount(textLength, atMost),
  minItems: onCount(arrayLength, atLeast),
  maxItems: onCount(arrayLength, atMost),
  minProperties: onCount(fieldCount, atLeast),
  maxProperties: onCount(fieldCount, atMost),
  pattern: (operand, _, keyword) => {
    if (typeof operand !== "string") throw mismatch(keyword, "a string");
    const pattern = toJavaScriptRegExp(operand, "");
    return (value) => typeof value !== "string" || pattern.test(value);
  },
  uniqueItems: (operand, _, keyword) => {
    if (typeof operand !== "boolean") throw mismatch(keyword, "a boolean");
    return (value) => {
      if (!operand || !Array.isArray(value)) return true;
      const sorted = [...value].sort(compareValues);
      return sorted.every(
        (element, index) => index === 0 || compareValues(element, sorted[index - 1]!) !== 0,
      );
    };
  },
  required: (operand, _, keyword) => {
    const names = stringsOf(keyword, operand);
    return (value) => !(value instanceof Map) || names.every((name) => value.has(name));
  },
  properties: compileProperties,
  patternProperties: compilePatternProperties,
  additionalProperties: compileAdditionalProperties,
  items: compileItems,
  additionalItems: compileAdditionalItems,
  dependencies: compileDependencies,
  allOf: (operand, _, keyword) => {
    const tests = schemasOf(keyword, operand);
    return (value) => tests.every((test) => test(value));
  },
  anyOf: (operand, _, keyword) => {
    const tests = schemasOf(keyword, operand);
    return (value) => tests.some((test) => test(value));
  },
  oneOf: (operand, _, keyword) => {
    const tests = schemasOf(keyword, operand);
    return (value) => tests.filter((test) => test(value)).length === 1;
  },
  not: (operand, _, keyword) => {
    const test = compileSchema(objectOf(keyword, operand));
    return (value) => !test(value);
  },
  title: annotation,
  description: annotation,
};

const unsupported = new Set(["$ref", "$schema", "default", "definitions", "format", "id"]);

/** Compiles one keyword of a schema. */
export function compileKeyword(keyword: string, operand: Value, schema: Document): SchemaTest {
  const compile = keywords[keyword];
  if (compile !== undefined) return compile(operand, schema, keyword);
  if (unsupported.has(keyword))
    throw new ServerError("FailedToParse", `$jsonSchema keyword '${keyword}' is not currently supported`);
  throw new ServerError("FailedToParse", `Unknown $jsonSchema keyword: ${keyword}`);
}

function compileSchema(schema: Document): SchemaTest {
  if (schema.has("type") && schema.has("bsonType")) {
    throw new ServerError("FailedToParse", "Cannot specify both $jsonSchema keywords 'type' and 'bsonType'");
  }
  const tests = [...schema].map(([keyword, operand]) => compileKeyword(keyword, operand, schema));
  return (value) => tests.every((test) => test(value));
}

/**
 * Compiles the operand of `$jsonSchema`.
 * @throws ServerError FailedToParse, TypeMismatch
 */
export function compileJsonSchema(schema: Document): (document: Document) => boolean {
  return compileSchema(schema);
}
