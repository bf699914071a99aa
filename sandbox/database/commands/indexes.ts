/** createIndexes, dropIndexes, listIndexes. */
import { namespace, need } from "../auth/privilege.ts";
import { firstBatch } from "../cursors/reply.ts";
import { ListSource } from "../cursors/sources.ts";
import { encode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import { type Document, isDocument, isNumber, type Value } from "../engine/value.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import type { Collection } from "../storage/collection.ts";
import { createCollection, createIndex, dropIndex, ID_INDEX } from "../storage/ddl.ts";
import { shellText } from "../storage/duplicate-key.ts";
import type { Index } from "../storage/index.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import { normalizeIndex, sameIndexOptions, samePattern } from "./index-spec.ts";
import { checkWriteTarget } from "./write-batch.ts";

const MAX_INDEXES = 64;

/** An existing index a wanted one clashes with or repeats. */
function existing(collection: Collection, spec: Document): Index | "id" | undefined {
  const key = spec.get("key") as Document;
  const name = spec.get("name") as string;
  const [first] = key;
  if (key.size === 1 && first![0] === "_id" && isNumber(first![1]) && exactNumberOf(first![1]) === 1)
    return "id";
  for (const index of collection.indexes) {
    const sameKey = samePattern(index.pattern, key);
    if (sameKey && sameIndexOptions(index.spec, spec)) {
      if (index.name === name) return index;
      throw new ServerError(
        "IndexOptionsConflict",
        `Index already exists with a different name: ${index.name}`,
      );
    }
    if (index.name === name) {
      throw new ServerError(
        "IndexKeySpecsConflict",
        `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: ${shellText(spec)}, existing index: ${shellText(index.spec)}`,
      );
    }
    if (sameKey && sameIdentity(index.spec, spec)) {
      throw new ServerError(
        "IndexOptionsConflict",
        `An equivalent index already exists with the same name but different options. Requested index: ${shellText(spec)}, existing index: ${shellText(index.spec)}`,
      );
    }
  }
  return undefined;
}

/** Indexes on one pattern may stand side by side when their collation or partial filter differ. */
function sameIdentity(a: Document, b: Document): boolean {
  const text = (spec: Document, field: string): string => shellText(spec.get(field) ?? null);
  return ["collation", "partialFilterExpression"].every((field) => text(a, field) === text(b, field));
}

function create(context: CommandContext): Reply {
  const specs = context.array("indexes");
  if (!specs)
    throw new ServerError(40414, "BSON field 'createIndexes.indexes' is missing but a required field");
  if (specs.length === 0) throw new ServerError("BadValue", "Must specify at least one index to create");
  const { ns, storage } = context;
  checkWriteTarget(context, ns);
  const wanted = specs.map((spec) => {
    if (!isDocument(spec))
      throw new ServerError("TypeMismatch", "The elements of the 'indexes' array must be objects");
    return normalizeIndex(spec, context.boolean("ignoreUnknownIndexOptions") ?? false);
  });
  const committed = context.transaction && storage.catalog.get(ns);
  return context.server.mutate(context, (unit) => {
    const found = storage.catalog.get(ns);
    const collection = found ?? createCollection(unit, ns, new Map());
    const before = collection.indexes.length + 1;
    const added = wanted.filter((spec) => existing(collection, spec) === undefined);
    if (committed && added.length > 0) {
      throw new ServerError(
        "OperationNotSupportedInTransaction",
        `Cannot create new indexes on existing collection ${ns} in a multi-document transaction.`,
      );
    }
    if (before + added.length > MAX_INDEXES) {
      throw new ServerError(
        "CannotCreateIndex",
        `add index fails, too many indexes for ${ns} key:${shellText(added[0]!.get("key") as Value)}`,
      );
    }
    for (const spec of added)
      if (existing(collection, spec) === undefined) createIndex(unit, collection, spec);
    const reply = {
      numIndexesBefore: before,
      numIndexesAfter: collection.indexes.length + 1,
      createdCollectionAutomatically: !found,
    };
    return added.length === 0
      ? { ...reply, note: "all indexes already exist" }
      : { ...reply, commitQuorum: "votingMembers" };
  });
}

function notFound(text: string): ServerError {
  return new ServerError("IndexNotFound", text);
}

function chosen(collection: Collection, value: Value): Index[] {
  if (value === "*") return collection.indexes;
  if (Array.isArray(value)) return value.flatMap((name) => chosen(collection, name));
  if (typeof value === "string") {
    if (value === "_id_") throw new ServerError("InvalidOptions", "cannot drop _id index");
    const index = collection.indexes.find((candidate) => candidate.name === value);
    if (!index) throw notFound(`index not found with name [${value}]`);
    return [index];
  }
  if (!isDocument(value))
    throw new ServerError("TypeMismatch", "BSON field 'dropIndexes.index' is the wrong type");
  const found = collection.indexes.filter((candidate) => samePattern(candidate.pattern, value));
  if (found.length > 1)
    throw new ServerError(
      181,
      `${found.length} indexes found for key: ${shellText(value)}, identify by name instead.`,
    );
  if (found.length === 0) {
    if (value.size === 1 && value.has("_id"))
      throw new ServerError("InvalidOptions", "cannot drop _id index");
    throw notFound(`can't find index with key: ${shellText(value)}`);
  }
  return found;
}

function drop(context: CommandContext): Reply {
  const { ns, storage } = context;
  checkWriteTarget(context, ns);
  const collection = storage.catalog.get(ns);
  if (!collection) throw new ServerError("NamespaceNotFound", `ns not found ${ns}`);
  const value = context.body.get("index");
  if (value === undefined)
    throw new ServerError(40414, "BSON field 'dropIndexes.index' is missing but a required field");
  const before = collection.indexes.length + 1;
  const indexes = [...chosen(collection, value)];
  context.storage.write((unit) => {
    for (const index of indexes) dropIndex(unit, collection, index);
  });
  const reply: Reply = { nIndexesWas: before };
  return value === "*" ? { ...reply, msg: "non-_id indexes dropped for collection" } : reply;
}

/** Specifications of a collection's indexes, `_id` first, as listIndexes gives them. */
function indexSpecs(collection: Collection): Document[] {
  const clustered = collection.option("clusteredIndex");
  const collation = collection.option("collation");
  const id: Document = isDocument(collation) ? new Map([...ID_INDEX, ["collation", collation]]) : ID_INDEX;
  const first = isDocument(clustered) ? new Map([...clustered, ["clustered", true]]) : id;
  return [first as Document, ...collection.indexes.map((index) => index.spec)];
}

async function list(context: CommandContext): Promise<Reply> {
  const { ns } = context;
  const cursor = context.document("cursor");
  const size = cursor?.get("batchSize");
  if (context.storage.catalog.view(ns))
    throw new ServerError("CommandNotSupportedOnView", `Namespace ${ns} is a view, not a collection`);
  const collection = context.storage.catalog.get(ns);
  if (!collection) throw new ServerError("NamespaceNotFound", `ns does not exist: ${ns}`);
  const documents = indexSpecs(collection).map((spec) => encode(spec));
  return firstBatch(
    context,
    { ns, source: new ListSource(documents) },
    isNumber(size) ? exactNumberOf(size) : undefined,
  );
}

export const indexCommands: Command[] = [
  {
    name: "createIndexes",
    fields: ["indexes", "ignoreUnknownIndexOptions", "commitQuorum", "v", "isTimeseriesNamespace", "rawData"],
    role: "write",
    txn: true,
    needs: (context) => [need(namespace(context.database, context.collectionName()), "createIndex")],
    run: create,
  },
  {
    name: "dropIndexes",
    aliases: ["deleteIndexes"],
    fields: ["index", "isTimeseriesNamespace", "rawData"],
    role: "write",
    needs: (context) => [need(namespace(context.database, context.collectionName()), "dropIndex")],
    run: drop,
  },
  {
    name: "listIndexes",
    fields: ["cursor", "includeBuildUUIDs", "includeIndexBuildInfo", "isTimeseriesNamespace", "rawData"],
    role: "read",
    needs: (context) => [need(namespace(context.database, context.collectionName()), "listIndexes")],
    run: list,
  },
];
