/** `$out` and `$merge`: the last stage of a pipeline that writes. */
import { describeDocument } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import { type Document, Int32, type Value } from "../../value.ts";
import { type Cell, compileExpression, typeNameOf, valueAtPath } from "../expression.ts";
import {
  compilePipeline,
  type MergeTarget,
  type OutTarget,
  type StageCompiler,
  type StageContext,
} from "../pipeline.ts";

function namespaceOf(
  value: Value | undefined,
  context: StageContext,
  name: string,
  code: number,
): { database: string; collection: string } {
  if (typeof value === "string") return { database: context.db, collection: value };
  if (value instanceof Map && typeof value.get("coll") === "string") {
    const database = value.get("db");
    return {
      database: typeof database === "string" ? database : context.db,
      collection: value.get("coll") as string,
    };
  }
  throw new ServerError(
    code,
    `${name} only supports a string or object argument, but found ${typeNameOf(value)}`,
  );
}

const out: StageCompiler = (specification, context) => {
  const target: OutTarget = namespaceOf(specification, context, "$out", 16990);
  if (specification instanceof Map && specification.get("timeseries") instanceof Map) {
    target.timeseries = specification.get("timeseries") as Document;
  }
  const { writeOut } = context;
  if (writeOut === undefined) throw new ServerError("InvalidOptions", "$out cannot be used in this context");
  // biome-ignore lint/correctness/useYield: the stage only writes, and must do so when the result is read
  return function* run(input) {
    writeOut(target, input);
  };
};

interface Target {
  database: string;
  collection: string;
  on: string[];
}

type WhenMatched = (existing: Document, document: Document) => Document | undefined;

/** What inserting a document that is already there fails with. */
function duplicateKey({ database, collection, on }: Target, document: Document): ServerError {
  const keyPattern: Document = new Map(on.map((field) => [field, new Int32(1)]));
  const keyValue: Document = new Map(
    on.map((field) => [field, valueAtPath(document, field.split("."), 0) ?? null]),
  );
  const index = on.length === 1 && on[0] === "_id" ? "_id_" : on.map((field) => `${field}_1`).join("_");
  return new ServerError(
    "DuplicateKey",
    `PlanExecutor error during aggregation :: caused by :: E11000 duplicate key error collection: ${database}.${collection} ` +
      `index: ${index} dup key: ${describeDocument(keyValue)}`,
    {
      extra: new Map<string, unknown>([
        ["keyPattern", keyPattern],
        ["keyValue", keyValue],
      ]),
    },
  );
}

function whenMatchedOf(
  value: Value | undefined,
  specification: Document,
  target: Target,
  context: StageContext,
): WhenMatched {
  if (Array.isArray(value)) return mergePipeline(value, specification, context);
  switch (value ?? "merge") {
    case "merge":
      return (existing, document) => new Map([...existing, ...document]);
    case "replace":
      return (existing, document) => {
        const id = existing.get("_id");
        return id === undefined || document.has("_id") ? document : new Map([["_id", id], ...document]);
      };
    case "keepExisting":
      return () => undefined;
    case "fail":
      return (_, document) => {
        throw duplicateKey(target, document);
      };
    default:
      throw new ServerError(
        "BadValue",
        `Enumeration value '${String(value)}' for field '$merge.whenMatched' is not a valid value.`,
      );
  }
}

function mergePipeline(stages: Value[], specification: Document, context: StageContext): WhenMatched {
  const given = specification.get("let");
  const variables = given instanceof Map ? given : new Map<string, Value>([["new", "$$ROOT"]]);
  const cells = [...variables].map(([name]): [string, Cell] => [name, { value: undefined }]);
  const values = [...variables.values()].map((value) => compileExpression(value, context.expressions));
  const run = compilePipeline(stages, {
    ...context,
    variables: new Map([...context.expressions.variables, ...cells]),
  });
  return (existing, document) => {
    cells.forEach(([, cell], index) => {
      cell.value = values[index]!(document);
    });
    const [result] = run([existing]);
    return result;
  };
}

function mergeTarget(specification: Value, context: StageContext): MergeTarget {
  const options: Document = specification instanceof Map ? specification : new Map([["into", specification]]);
  for (const field of options.keys()) {
    if (!["into", "on", "let", "whenMatched", "whenNotMatched"].includes(field)) {
      throw new ServerError(40415, `BSON field '$merge.${field}' is an unknown field.`);
    }
  }
  if (!options.has("into"))
    throw new ServerError(40414, "BSON field '$merge.into' is missing but a required field");
  const namespace = namespaceOf(options.get("into"), context, "$merge", 51178);
  const on = options.get("on") ?? "_id";
  const fields = Array.isArray(on) ? on : [on];
  if (fields.length === 0 || fields.some((field) => typeof field !== "string")) {
    throw new ServerError(
      51186,
      `$merge 'on' field  must be either a string or an array of strings, but found ${typeNameOf(on)}`,
    );
  }
  const target: Target = { ...namespace, on: fields as string[] };
  const matched = whenMatchedOf(options.get("whenMatched"), options, target, context);
  const notMatched = options.get("whenNotMatched") ?? "insert";
  if (!["insert", "discard", "fail"].includes(String(notMatched))) {
    throw new ServerError(
      "BadValue",
      `Enumeration value '${String(notMatched)}' for field '$merge.whenNotMatched' is not a valid value.`,
    );
  }
  return {
    ...target,
    merge: (existing, document) => {
      if (existing !== undefined) return matched(existing, document);
      if (notMatched === "insert") return document;
      if (notMatched === "discard") return undefined;
      throw new ServerError(
        13113,
        "$merge could not find a matching document in the target collection for at least one document in the source collection",
      );
    },
  };
}

const merge: StageCompiler = (specification, context) => {
  const target = mergeTarget(specification, context);
  const { writeMerge } = context;
  if (writeMerge === undefined)
    throw new ServerError("InvalidOptions", "$merge cannot be used in this context");
  // biome-ignore lint/correctness/useYield: the stage only writes, and must do so when the result is read
  return function* run(input) {
    writeMerge(target, input);
  };
};

export const outputStages: Record<string, StageCompiler> = { $out: out, $merge: merge };
