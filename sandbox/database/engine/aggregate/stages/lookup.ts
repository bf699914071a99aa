import { describeElement } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import { compileFilter } from "../../match/index.ts";
import { BsonType, type Document, typeOf, type Value } from "../../value.ts";
import {
  type Cell,
  checkVariableName,
  compileExpression,
  splitFieldPath,
  typeNameOf,
  valueAtPath,
} from "../expression.ts";
import { compilePipeline, type StageCompiler, type StageContext } from "../pipeline.ts";
import { withPath } from "./basic.ts";
import { JoinIndex } from "./join-index.ts";
import { subContext } from "./sub-pipeline.ts";

interface LookupOptions {
  from?: { collection: string; database?: string };
  as: string[];
  localField?: string;
  foreignField?: string;
  let?: Document;
  pipeline?: Value[];
}

function namespaceOf(value: Value, name: string): { collection: string; database?: string } {
  if (typeof value === "string") return { collection: value };
  if (value instanceof Map && typeof value.get("coll") === "string") {
    return { collection: value.get("coll") as string, database: value.get("db") as string | undefined };
  }
  throw new ServerError(
    "FailedToParse",
    `${name} argument 'from: ${describeElement("from", value)}' must be a string, is type ${typeNameOf(value)}`,
  );
}

function lookupOptions(specification: Value): LookupOptions {
  if (!(specification instanceof Map))
    throw new ServerError(
      "FailedToParse",
      `the $lookup stage specification must be an object, but found ${typeNameOf(specification)}`,
    );
  const options: LookupOptions = { as: [] };
  for (const [field, value] of specification) {
    if (field === "pipeline") {
      if (!Array.isArray(value))
        throw new ServerError("TypeMismatch", "'pipeline' option must be specified as an array");
      options.pipeline = value;
    } else if (field === "let") {
      if (!(value instanceof Map))
        throw new ServerError(
          "FailedToParse",
          `$lookup argument '${describeElement("let", value)}' must be an object, is type ${typeNameOf(value)}`,
        );
      options.let = value;
    } else if (field === "from") options.from = namespaceOf(value, "$lookup");
    else if (["as", "localField", "foreignField"].includes(field)) {
      if (typeof value !== "string")
        throw new ServerError(
          "FailedToParse",
          `$lookup argument '${describeElement(field, value)}' must be a string, is type ${typeNameOf(value)}`,
        );
      if (field === "as") options.as = splitFieldPath(value);
      else options[field as "localField" | "foreignField"] = value;
    } else throw new ServerError("FailedToParse", `unknown argument to $lookup: ${field}`);
  }
  checkLookup(options);
  return options;
}

function checkLookup({ as, from, localField, foreignField, pipeline, let: variables }: LookupOptions): void {
  if (as.length === 0) throw new ServerError("FailedToParse", "must specify 'as' field for a $lookup");
  const startsWithDocuments = pipeline?.[0] instanceof Map && pipeline[0].has("$documents");
  if (from === undefined && !startsWithDocuments)
    throw new ServerError("FailedToParse", "must specify 'pipeline' when 'from' is empty");
  if (pipeline === undefined) {
    if (localField === undefined || foreignField === undefined)
      throw new ServerError(
        "FailedToParse",
        "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified",
      );
    if (variables !== undefined)
      throw new ServerError("FailedToParse", "$lookup with a 'let' argument must also specify 'pipeline'");
  } else if ((localField === undefined) !== (foreignField === undefined)) {
    throw new ServerError(
      "FailedToParse",
      "$lookup requires both or neither of 'localField' and 'foreignField' to be specified",
    );
  }
}

/** What a local document joins by: the elements of an array, null for nothing. */
function localValues(document: Document, path: string[]): Value[] {
  const value = valueAtPath(document, path, 0);
  if (value === undefined) return [null];
  return Array.isArray(value) ? value : [value];
}

function finder(options: LookupOptions, context: StageContext): (local: Document) => Document[] {
  const { from, localField, foreignField } = options;
  let loaded: Document[] | undefined;
  const foreign = (): Document[] => {
    loaded ??= from === undefined ? [] : [...context.collection(from.collection, from.database)];
    return loaded;
  };
  if (localField === undefined || foreignField === undefined) return foreign;
  const localPath = splitFieldPath(localField);
  if (context.collation !== undefined) {
    return (local) => {
      const matches = compileFilter(
        new Map([
          [
            foreignField,
            new Map([
              ["$in", localValues(local, localPath).filter((value) => typeOf(value) !== BsonType.RegExp)],
            ]),
          ],
        ]),
        { collation: context.collation },
      );
      return foreign().filter((document) => matches(document));
    };
  }
  let index: JoinIndex | undefined;
  return (local) => {
    index ??= new JoinIndex(foreign(), foreignField);
    return index.find(localValues(local, localPath));
  };
}

const lookup: StageCompiler = (specification, context) => {
  const options = lookupOptions(specification);
  const cells: [string, Cell][] = [];
  const values = [...(options.let ?? [])].map(([name, value]) => {
    checkVariableName(name);
    cells.push([name, { value: undefined }]);
    return compileExpression(value, context.expressions);
  });
  const inner =
    options.pipeline === undefined
      ? undefined
      : compilePipeline(options.pipeline, subContext(context, cells), "$lookup");
  return function* run(input) {
    const find = finder(options, context);
    for (const document of input) {
      let found: Value[] = find(document);
      if (inner !== undefined) {
        const computed = values.map((value) => value(document));
        cells.forEach(([, cell], index) => {
          // A variable that is missing outside is missing inside too.
          cell.value = computed[index];
        });
        found = [...inner(found as Document[])];
      }
      yield withPath(document, options.as, found);
    }
  };
};

export const lookupStages: Record<string, StageCompiler> = { $lookup: lookup };
