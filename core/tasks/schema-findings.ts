import Ajv2020, { type ErrorObject } from "ajv/dist/2020.js";
import schema from "../../schemas/tasks.schema.json" with { type: "json" };
import type { TasksFile } from "./model.ts";
import { nearest, quoted } from "./names.ts";
import type { Finding, PathPart } from "./problem.ts";

const validate = new Ajv2020({
  allErrors: true,
  strict: true,
  allowUnionTypes: true,
  verbose: true,
}).compile<TasksFile>(schema);

interface Expectation {
  readonly code: string;
  readonly expected: string;
  readonly fix: string;
}

const collectionName: Expectation = {
  code: "collection-name",
  expected: "a collection name of 1 to 255 characters without $, that does not begin with system.",
  fix: "write the collection's exact name; system collections are not replicated",
};

/** What a name must look like, by the place it stands at. */
const patterns: readonly (readonly [RegExp, Expectation])[] = [
  [
    /^tasks\[\]\.id$/,
    {
      code: "task-id",
      expected: "up to 201 small letters, digits and single hyphens, a letter first (DMS refuses others)",
      fix: "write it like shop-orders",
    },
  ],
  [
    /^tasks\[\]\.database$/,
    {
      code: "database-name",
      expected: 'a database name of 1 to 63 characters without /\\. "$*<>:|? (MongoDB refuses them)',
      fix: "write the database's exact name",
    },
  ],
  [/^tasks\[\]\.collections\[\](\.name|\.renamedFrom)?$/, collectionName],
  [
    /owners\[\]$/,
    {
      code: "owner-name",
      expected: "a team, handle or mail address: letters, digits and @ / . _ -",
      fix: "write it like team-orders",
    },
  ],
  [
    /^targetEndpoints\./,
    {
      code: "endpoint-id",
      expected: "up to 255 letters, digits and single hyphens, a letter first (DMS refuses others)",
      fix: "write the endpoint's identifier as DMS shows it",
    },
  ],
];

/** What the schema refuses, each with code, message and fix; the typed file when it refuses nothing. */
export function readBySchema(value: unknown): { file?: TasksFile; findings: Finding[] } {
  if (validate(value)) return { file: value, findings: [] };
  return { findings: (validate.errors ?? []).map((error) => findingOf(error)) };
}

function findingOf(error: ErrorObject): Finding {
  const path = partsOf(error.instancePath);
  const place = path
    .map((part) => (typeof part === "number" ? "[]" : `.${part}`))
    .join("")
    .replace(/^\./, "");
  const { params } = error;
  switch (error.keyword) {
    case "additionalProperties":
      return unknownKey(path, place, error);
    case "required":
      return {
        code: "missing-key",
        path,
        message: `no ${quoted(params.missingProperty)}; expected ${quoted(params.missingProperty)} here`,
        fix: `add ${params.missingProperty}: …`,
      };
    case "pattern":
      return named(path, place, error.data);
    case "type":
      return wrongType(path, place, error);
    case "const":
    case "enum": {
      const allowed: unknown[] = error.keyword === "const" ? [params.allowedValue] : params.allowedValues;
      const words = allowed.map((word) => JSON.stringify(word)).join(" or ");
      return {
        code: "wrong-value",
        path,
        message: `${shown(error.data)}; expected ${words}`,
        fix: suggestion(error.data, allowed) ?? `write ${words}`,
      };
    }
    default:
      return {
        code: sizeKeywords[error.keyword] ?? "wrong-value",
        path,
        message: `${shown(error.data)}; expected ${expectedSize(error)}`,
        fix: sizeFix(error),
      };
  }
}

const sizeKeywords: Readonly<Record<string, string>> = {
  minimum: "out-of-range",
  maximum: "out-of-range",
  minItems: "too-few",
  maxItems: "too-many",
  minProperties: "too-few",
  maxProperties: "too-many",
  minLength: "too-short",
  maxLength: "too-long",
  uniqueItems: "repeated",
};

function expectedSize({ keyword, params }: ErrorObject): string {
  switch (keyword) {
    case "minimum":
      return `at least ${params.limit}`;
    case "maximum":
      return `at most ${params.limit}`;
    case "minItems":
    case "minProperties":
    case "minLength":
      return `${params.limit} or more`;
    case "maxItems":
    case "maxProperties":
    case "maxLength":
      return `${params.limit} or fewer`;
    default:
      return "each value once";
  }
}

function sizeFix({ keyword, params }: ErrorObject): string {
  if (keyword === "uniqueItems") return `remove item ${Math.max(params.i, params.j) + 1}, it repeats another`;
  if (keyword === "minItems") return "add an item, or remove the whole";
  if (keyword === "minProperties") return "add what is different, or remove the key";
  if (keyword === "maxProperties") return "keep one of the keys";
  return "write a value within the limits";
}

function unknownKey(path: readonly PathPart[], place: string, error: ErrorObject): Finding {
  const key: string = error.params.additionalProperty;
  const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {});
  const meant = nearest(key, known);
  if (/^tasks\[\](\.collections\[\])?$/.test(place) && ["database", "databases", "schema"].includes(key))
    return twoDatabases([...path, key], quoted(key), true);
  return {
    code: "unknown-key",
    path: [...path, key],
    atKey: true,
    message: `unknown key ${quoted(key)}; expected one of ${known.join(", ")}`,
    fix: meant ? `write ${meant}` : "remove it, or put it where it belongs",
  };
}

function wrongType(path: readonly PathPart[], place: string, error: ErrorObject): Finding {
  if (place === "tasks[].database" && (Array.isArray(error.data) || isObject(error.data)))
    return twoDatabases(path, shown(error.data));
  const type: string | string[] = error.params.type;
  const words = [type].flat().map((name) => typeWords[name] ?? name);
  const scalar = typeof error.data === "number" || typeof error.data === "boolean" || error.data === null;
  const wantsText = [type].flat().includes("string");
  return {
    code: "wrong-type",
    path,
    message: `${shown(error.data)}${typeOf(error.data)}; expected ${words.join(" or ")}`,
    fix:
      scalar && wantsText && error.data !== null ? `put it in quotes: "${error.data}"` : `write ${words[0]}`,
  };
}

function twoDatabases(path: readonly PathPart[], shownText: string, atKey = false): Finding {
  return {
    code: "two-databases",
    path,
    atKey,
    message: `${shownText} gives one task more than one database; expected one database a task, its target endpoint comes from it`,
    fix: "make a task of its own for each database (roundtrip tasks add-database)",
  };
}

function named(path: readonly PathPart[], place: string, value: unknown): Finding {
  const found = patterns.find(([pattern]) => pattern.test(place))?.[1];
  const { code, expected, fix } = found ?? {
    code: "wrong-value",
    expected: "another form",
    fix: "see tasks.schema.json",
  };
  return { code, path, message: `${shown(value)} can't be used; expected ${expected}`, fix };
}

const typeWords: Readonly<Record<string, string>> = {
  string: "text",
  object: "keys with values",
  array: "a list",
  boolean: "true or false",
  integer: "a whole number",
};

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return " here";
  if (typeof value === "object") return "";
  if (typeof value === "boolean") return " is true or false";
  return typeof value === "string" ? " is text" : " is a number";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function shown(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isObject(value)) return `${Object.keys(value).length} keys`;
  return value === null || value === undefined ? "nothing" : String(value);
}

function suggestion(value: unknown, allowed: readonly unknown[]): string | undefined {
  const words = allowed.filter((word): word is string => typeof word === "string");
  const meant = typeof value === "string" ? nearest(value, words) : undefined;
  return meant && `write ${meant}`;
}

/** ajv's JSON pointer as keys and indexes; a part is an index where the thing it is taken from is a list. */
function partsOf(pointer: string): PathPart[] {
  const parts = pointer.split("/").slice(1);
  return parts.map((part, index) => {
    const text = part.replaceAll("~1", "/").replaceAll("~0", "~");
    const parent = parts[index - 1];
    return /^\d+$/.test(text) && parent !== undefined && listKeys.has(parent) ? Number(text) : text;
  });
}

const listKeys = new Set(["tasks", "collections", "owners", "boundaries"]);
