/** collStats, dbStats, validate, dataSize: sizes and soundness. */
import { namespace, need } from "../auth/privilege.ts";
import { ServerError } from "../engine/errors.ts";
import { validate as validateBson } from "../engine/raw.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import type { Collection } from "../storage/collection.ts";
import type { Index } from "../storage/index.ts";
import type { ReplyObject } from "../wire/writer.ts";
import { keyOfStored } from "./prepare-document.ts";

/** SQLite doesn't say what a table takes on disk without reading it: entries times a typical size. */
const INDEX_ENTRY_BYTES = 24;

function indexBytes(collection: Collection, index: Index | "id"): number {
  const entries = index === "id" ? collection.sizes().count : index.entries();
  return 4096 + entries * INDEX_ENTRY_BYTES;
}

/** Storage statistics of a collection, as collStats and $collStats give them. */
export function collectionStatistics(collection: Collection, scale: number): ReplyObject {
  const { count, bytes } = collection.sizes();
  const sizes: ReplyObject = { _id_: Math.floor(indexBytes(collection, "id") / scale) };
  for (const index of collection.indexes)
    sizes[index.name] = Math.floor(indexBytes(collection, index) / scale);
  const total = Object.values(sizes).reduce<number>((sum, size) => sum + (size as number), 0);
  const storage = Math.floor((bytes + 4096) / scale);
  return {
    size: Math.floor(bytes / scale),
    count,
    avgObjSize: count === 0 ? undefined : Math.floor(bytes / count),
    numOrphanDocs: 0,
    storageSize: storage,
    freeStorageSize: 0,
    capped: collection.capped,
    max: collection.capped ? (collection.option("max") ?? 0) : undefined,
    maxSize: collection.capped ? collection.option("size") : undefined,
    nindexes: collection.indexes.length + 1,
    indexBuilds: [],
    totalIndexSize: total,
    totalSize: storage + total,
    indexSizes: sizes,
    scaleFactor: scale,
  };
}

function scaleOf(context: CommandContext): number {
  const scale = context.number("scale") ?? 1;
  if (scale < 1)
    throw new ServerError(51024, `BSON field 'scale' value must be >= 1, actual value '${scale}'`);
  return Math.floor(scale);
}

function collStats(context: CommandContext): Reply {
  const { ns, storage } = context;
  if (storage.catalog.view(ns))
    throw new ServerError("CommandNotSupportedOnView", `Namespace ${ns} is a view, not a collection`);
  const scale = scaleOf(context);
  if (ns === "local.oplog.rs") return oplogStatistics(context, scale);
  const collection = storage.catalog.get(ns);
  if (!collection) {
    return {
      ns,
      size: 0,
      count: 0,
      numOrphanDocs: 0,
      storageSize: 0,
      totalSize: 0,
      nindexes: 0,
      totalIndexSize: 0,
      indexDetails: {},
      indexSizes: {},
      scaleFactor: scale,
    };
  }
  return { ns, ...collectionStatistics(collection, scale) };
}

function oplogStatistics(context: CommandContext, scale: number): Reply {
  const { oplog } = context.storage;
  const size = Math.floor(oplog.bytes / scale);
  return {
    ns: "local.oplog.rs",
    size,
    count: oplog.count(),
    storageSize: size,
    capped: true,
    max: -1,
    maxSize: Math.floor(oplog.maxBytes / scale),
    nindexes: 0,
    totalIndexSize: 0,
    totalSize: size,
    indexSizes: {},
    scaleFactor: scale,
  };
}

function dbStats(context: CommandContext): Reply {
  const { catalog } = context.storage;
  const scale = scaleOf(context);
  const collections = catalog.inDatabase(context.database);
  const sum = (of: (collection: Collection) => number): number =>
    collections.reduce((total, collection) => total + of(collection), 0);
  const objects = sum((collection) => collection.sizes().count);
  const bytes = sum((collection) => collection.sizes().bytes);
  const indexSize = sum(
    (collection) =>
      indexBytes(collection, "id") +
      collection.indexes.reduce((total, index) => total + indexBytes(collection, index), 0),
  );
  return {
    db: context.database,
    collections: collections.length,
    views: catalog.views(context.database).length,
    objects,
    avgObjSize: objects === 0 ? 0 : bytes / objects,
    dataSize: bytes / scale,
    storageSize: (bytes + 4096 * collections.length) / scale,
    indexes: sum((collection) => collection.indexes.length + 1),
    indexSize: indexSize / scale,
    totalSize: (bytes + indexSize) / scale,
    scaleFactor: scale,
    fsUsedSize: 0,
    fsTotalSize: 0,
  };
}

/** Reads every document and its index entries again. */
function validate(context: CommandContext): Reply {
  const { ns, storage } = context;
  if (storage.catalog.view(ns))
    throw new ServerError("CommandNotSupportedOnView", `Cannot validate a view: ${ns}`);
  const collection = storage.catalog.get(ns);
  if (!collection)
    throw new ServerError("NamespaceNotFound", `Collection '${ns}' does not exist to validate.`);
  if (context.boolean("background") && context.boolean("full")) {
    throw new ServerError(
      "CommandNotSupported",
      "Running the validate command with both { background: true } and { full: true } is not supported.",
    );
  }
  const errors: string[] = [];
  let records = 0;
  let invalid = 0;
  const rows = collection
    .statement("SELECT rid, key, document FROM $ ORDER BY rid")
    .iterate() as IterableIterator<{ rid: number; key: Uint8Array; document: Uint8Array }>;
  for (const row of rows) {
    records++;
    try {
      validateBson(row.document);
      if (Buffer.compare(keyOfStored(row.document), row.key) !== 0)
        throw new Error("the key of _id differs from the one stored");
    } catch (error) {
      invalid++;
      if (errors.length < 100) errors.push(`record ${row.rid}: ${(error as Error).message}`);
    }
  }
  const keysPerIndex: ReplyObject = { _id_: records };
  const details: ReplyObject = { _id_: { valid: true } };
  for (const index of collection.indexes) {
    keysPerIndex[index.name] = index.entries();
    details[index.name] = { valid: true };
  }
  return {
    ns,
    uuid: undefined,
    nInvalidDocuments: invalid,
    nNonCompliantDocuments: 0,
    nrecords: records,
    nIndexes: collection.indexes.length + 1,
    keysPerIndex,
    indexDetails: details,
    valid: errors.length === 0,
    repaired: false,
    readTimestamp: undefined,
    warnings: [],
    errors,
    extraIndexEntries: [],
    missingIndexEntries: [],
    corruptRecords: [],
  };
}

export const statisticsCommands: Command[] = [
  {
    name: "collStats",
    aliases: ["collstats"],
    fields: ["scale"],
    role: "read",
    needs: (context) => [need(namespace(context.database, context.collectionName()), "collStats")],
    run: collStats,
  },
  {
    name: "dbStats",
    aliases: ["dbstats"],
    fields: ["scale", "freeStorage"],
    role: "read",
    needs: (context) => [need(namespace(context.database, ""), "dbStats")],
    run: dbStats,
  },
  {
    name: "validate",
    fields: [
      "full",
      "repair",
      "metadata",
      "background",
      "scandata",
      "checkBSONConformance",
      "fixMultikey",
      "enforceFastCount",
    ],
    role: "read",
    needs: (context) => [need(namespace(context.database, context.collectionName()), "validate")],
    run: validate,
  },
];
