/** create, drop, dropDatabase, renameCollection: collections come and go. */
import { type Need, namespace, need } from "../auth/privilege.ts";
import { completeCollation } from "../engine/collation.ts";
import { compareValues } from "../engine/compare.ts";
import { ServerError } from "../engine/errors.ts";
import { compileFilter } from "../engine/match/index.ts";
import { type Document, Int32, isDocument, isNumber, Long, type Value } from "../engine/value.ts";
import { checkUserWriteBlock, holds } from "../server/authorize.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import { splitNamespace } from "../storage/catalog.ts";
import type { Collection } from "../storage/collection.ts";
import {
  checkNamespace,
  createCollection,
  createIndex,
  dropCollection,
  dropDatabase,
  ID_INDEX,
  renameCollection,
} from "../storage/ddl.ts";
import { put, removeById } from "../storage/internal.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import type { WriteUnit } from "../storage/write-unit.ts";

const CREATE_FIELDS = [
  "capped",
  "autoIndexId",
  "idIndex",
  "size",
  "max",
  "storageEngine",
  "validator",
  "validationLevel",
  "validationAction",
  "indexOptionDefaults",
  "viewOn",
  "pipeline",
  "collation",
  "writeConcern",
  "flags",
  "timeseries",
  "clusteredIndex",
  "expireAfterSeconds",
  "changeStreamPreAndPostImages",
  "temp",
  "encryptedFields",
  "recordPreImages",
];
/** Options kept with the collection and shown by listCollections. */
const KEPT = [
  "capped",
  "size",
  "max",
  "storageEngine",
  "validator",
  "validationLevel",
  "validationAction",
  "indexOptionDefaults",
  "collation",
  "changeStreamPreAndPostImages",
  "clusteredIndex",
  "expireAfterSeconds",
  "flags",
];
const UNDROPPABLE = new Set([
  "admin.system.users",
  "admin.system.roles",
  "admin.system.version",
  "local.oplog.rs",
]);
const LEAST_CAPPED_BYTES = 4096;

function checkCapped(options: Document): void {
  const size = options.get("size");
  if (options.get("capped") !== true) {
    if (options.has("max") && options.get("capped") === false) {
      throw new ServerError(
        "InvalidOptions",
        "the 'capped' field needs to be true when either the 'size' or 'max' fields are present",
      );
    }
    return;
  }
  if (!isNumber(size) || exactNumberOf(size) < 1)
    throw new ServerError("InvalidOptions", "the 'size' field is required when 'capped' is true");
}

function checkValidatorOptions(options: Document, database: string): void {
  const validator = options.get("validator");
  if (validator !== undefined && !isDocument(validator))
    throw new ServerError(
      "TypeMismatch",
      "BSON field 'create.validator' is the wrong type, expected type 'object'",
    );
  if (isDocument(validator) && validator.size > 0) {
    if (database === "admin" || database === "local" || database === "config") {
      throw new ServerError(
        "InvalidOptions",
        `Document validators are not allowed on collections in the ${database} database`,
      );
    }
    compileFilter(validator);
  }
  const level = options.get("validationLevel");
  if (level !== undefined && level !== "off" && level !== "strict" && level !== "moderate") {
    throw new ServerError(
      "BadValue",
      `Enumeration value '${String(level)}' for field 'create.validationLevel' is not a valid value.`,
    );
  }
  const action = options.get("validationAction");
  if (action !== undefined && action !== "error" && action !== "warn") {
    throw new ServerError(
      "BadValue",
      `Enumeration value '${String(action)}' for field 'create.validationAction' is not a valid value.`,
    );
  }
}

/** A clustered collection stores its documents under `_id`, as every collection here does; the index has no table. */
function clusteredOption(value: Value): Document | undefined {
  if (!isDocument(value)) return undefined;
  const key = value.get("key");
  const onId =
    isDocument(key) &&
    key.size === 1 &&
    isNumber(key.get("_id")) &&
    exactNumberOf(key.get("_id") as never) === 1;
  if (!onId || value.get("unique") !== true) {
    throw new ServerError(
      "InvalidIndexSpecificationOption",
      "The clusteredIndex option requires key: {_id: 1} and unique: true",
    );
  }
  return new Map<string, Value>([
    ["v", ID_INDEX.get("v") as Value],
    ["key", key],
    ["name", value.get("name") ?? "_id_"],
    ["unique", true],
  ]);
}

/** The options of a create command as they are stored. */
export function storedOptions(given: Document, database: string): Document {
  checkCapped(given);
  checkValidatorOptions(given, database);
  const options: Document = new Map();
  for (const name of KEPT) {
    const value = given.get(name);
    if (value === undefined || value === null || value === false) continue;
    if (name === "collation" && isDocument(value)) {
      if (value.get("locale") !== "simple") options.set(name, completeCollation(value));
    } else if (name === "clusteredIndex") options.set(name, clusteredOption(value) ?? value);
    else if (name === "size" && isNumber(value)) options.set(name, roundedSize(value));
    else options.set(name, value);
  }
  if (options.has("validator")) {
    if (!options.has("validationLevel")) options.set("validationLevel", "strict");
    if (!options.has("validationAction")) options.set("validationAction", "error");
  }
  const images = options.get("changeStreamPreAndPostImages");
  if (isDocument(images) && images.get("enabled") !== true) options.delete("changeStreamPreAndPostImages");
  return options;
}

function roundedSize(value: Value): Value {
  const wanted = Math.max(LEAST_CAPPED_BYTES, Math.ceil(exactNumberOf(value as never) / 256) * 256);
  return wanted < 2_147_483_648 ? new Int32(wanted) : Long.fromNumber(wanted);
}

function createView(context: CommandContext, unit: WriteUnit, ns: string): void {
  const { database } = splitNamespace(ns);
  const viewOn = context.string("viewOn")!;
  if (viewOn === "") throw new ServerError("BadValue", "'viewOn' cannot be empty");
  const pipeline = context.array("pipeline") ?? [];
  for (const stage of pipeline) {
    if (isDocument(stage) && (stage.has("$out") || stage.has("$merge") || stage.has("$changeStream"))) {
      throw new ServerError(
        "OptionNotSupportedOnView",
        `The aggregation stage ${[...stage.keys()][0]} cannot be used in a view definition`,
      );
    }
  }
  const views = `${database}.system.views`;
  if (!context.storage.catalog.get(views)) createCollection(unit, views, new Map());
  const definition: Document = new Map<string, Value>([
    ["_id", ns],
    ["viewOn", viewOn],
    ["pipeline", pipeline],
  ]);
  const collation = context.document("collation");
  if (collation) definition.set("collation", completeCollation(collation));
  put(unit, views, definition);
}

function create(context: CommandContext): Reply {
  const { ns, storage } = context;
  checkNamespace(ns);
  checkUserWriteBlock(context, context.database);
  const name = context.collectionName();
  if (
    name.startsWith("system.") &&
    !["system.js", "system.users", "system.views", "system.profile"].includes(name) &&
    context.database !== "admin"
  ) {
    throw new ServerError("InvalidNamespace", `Cannot create system collection ${ns}`);
  }
  if (context.body.has("timeseries")) {
    throw new ServerError("NotImplemented", "time-series collections are not supported by this server");
  }
  if (context.body.has("pipeline") && !context.body.has("viewOn"))
    throw new ServerError("InvalidOptions", "'pipeline' requires 'viewOn' to also be specified");
  if (context.body.has("viewOn")) {
    if (storage.catalog.get(ns) || storage.catalog.view(ns))
      throw new ServerError("NamespaceExists", `a view already exists. NS: ${ns}`);
    context.storage.write((unit) => createView(context, unit, ns));
    return {};
  }
  const options = storedOptions(context.body, context.database);
  const existing = storage.catalog.get(ns);
  if (existing && !context.transaction && compareValues(existing.options, options) === 0) return {};
  if (existing || storage.catalog.view(ns))
    throw new ServerError("NamespaceExists", `Collection ${ns} already exists.`);
  context.server.mutate(context, (unit) => createCollection(unit, ns, options));
  return {};
}

function drop(context: CommandContext): Reply {
  const { ns, storage } = context;
  checkNamespace(ns);
  checkUserWriteBlock(context, context.database);
  if (UNDROPPABLE.has(ns)) throw new ServerError("IllegalOperation", `Can't drop internal collection ${ns}`);
  if (storage.catalog.view(ns)) {
    context.storage.write((unit) => removeById(unit, `${context.database}.system.views`, ns));
    return { ns };
  }
  const collection = storage.catalog.get(ns);
  // Since 7.0 dropping what isn't there succeeds.
  if (!collection) return {};
  const indexes = collection.indexes.length + 1;
  context.storage.write((unit) => dropCollection(unit, collection));
  return { nIndexesWas: indexes, ns };
}

function dropWholeDatabase(context: CommandContext): Reply {
  if (context.number("dropDatabase") !== 1) throw new ServerError(5255100, "have to pass 1 as db parameter");
  const { database } = context;
  if (database === "admin" || database === "local" || database === "config") {
    throw new ServerError("IllegalOperation", `Dropping the '${database}' database is prohibited.`);
  }
  checkUserWriteBlock(context, database);
  if (context.storage.catalog.inDatabase(database).length === 0) return {};
  context.storage.write((unit) => dropDatabase(unit, database));
  return { dropped: database };
}

function rename(context: CommandContext): Reply {
  const from = context.string("renameCollection") ?? "";
  const to = context.string("to");
  if (to === undefined)
    throw new ServerError(40414, "BSON field 'renameCollection.to' is missing but a required field");
  checkNamespace(from);
  checkNamespace(to);
  const { catalog } = context.storage;
  checkUserWriteBlock(context, splitNamespace(from).database);
  checkUserWriteBlock(context, splitNamespace(to).database);
  if (catalog.view(from)) throw new ServerError("CommandNotSupportedOnView", `cannot rename view: ${from}`);
  const source = catalog.get(from);
  if (!source) throw new ServerError("NamespaceNotFound", `Source collection ${from} does not exist`);
  if (from === to) throw new ServerError("IllegalOperation", "Can't rename a collection to itself");
  if (catalog.view(to))
    throw new ServerError("NamespaceExists", `a view already exists with that name: ${to}`);
  if (catalog.get(to) && context.boolean("dropTarget") !== true)
    throw new ServerError("NamespaceExists", "target namespace exists");
  context.storage.write((unit) => {
    if (splitNamespace(from).database === splitNamespace(to).database) renameCollection(unit, source, to);
    else moveCollection(unit, source, to);
  });
  return {};
}

/** To another database documents are copied, as on the server: a new collection with inserts, then a drop. */
function moveCollection(unit: WriteUnit, source: Collection, to: string): void {
  const { catalog } = unit.storage;
  const old = catalog.get(to);
  if (old) dropCollection(unit, old);
  const target = createCollection(unit, to, source.options);
  for (const index of source.indexes) createIndex(unit, target, index.spec);
  const rows = source.statement("SELECT key, document FROM $ ORDER BY rid").values() as [
    Uint8Array,
    Uint8Array,
  ][];
  for (const [key, document] of rows) unit.insert(target, key, document);
  dropCollection(unit, source);
}

const onCollection =
  (...actions: string[]) =>
  (context: CommandContext): Need[] => [
    need(namespace(context.database, context.collectionName()), ...actions),
  ];

function renameNeeds(context: CommandContext): Need[] {
  const from = splitNamespace(String(context.body.get("renameCollection")));
  const to = splitNamespace(String(context.body.get("to")));
  if (
    from.database === to.database &&
    holds(context, need(namespace(from.database, ""), "renameCollectionSameDB"))
  ) {
    const readable = holds(context, need(namespace(from.database, from.name), "find"));
    if (readable || !holds(context, need(namespace(to.database, to.name), "find"))) return [];
  }
  const needs = [
    need(namespace(from.database, from.name), "find", "dropCollection"),
    need(namespace(to.database, to.name), "insert", "createIndex"),
  ];
  return context.body.get("dropTarget") === true
    ? [...needs, need(namespace(to.database, to.name), "dropCollection")]
    : needs;
}

function createNeeds(context: CommandContext): Need[] {
  const resource = namespace(context.database, context.collectionName());
  const viewOn = context.body.get("viewOn");
  if (typeof viewOn === "string")
    return [need(resource, "createCollection"), need(namespace(context.database, viewOn), "find")];
  return holds(context, need(resource, "insert")) ? [] : [need(resource, "createCollection")];
}

export const collectionCommands: Command[] = [
  { name: "create", fields: CREATE_FIELDS, role: "write", txn: true, needs: createNeeds, run: create },
  { name: "drop", fields: [], role: "write", needs: onCollection("dropCollection"), run: drop },
  {
    name: "dropDatabase",
    fields: [],
    role: "write",
    needs: (context) => [need(namespace(context.database, ""), "dropDatabase")],
    run: dropWholeDatabase,
  },
  {
    name: "renameCollection",
    fields: ["to", "dropTarget", "stayTemp"],
    adminOnly: true,
    role: "write",
    needs: renameNeeds,
    run: rename,
  },
];
