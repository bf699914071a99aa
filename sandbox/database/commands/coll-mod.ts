/** collMod: options of a collection, a view or an index. */
import { namespace, need } from "../auth/privilege.ts";
import { decode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import { bigIntToLong, type Document, Int32, isDocument, isNumber, type Value } from "../engine/value.ts";
import { checkUserWriteBlock } from "../server/authorize.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import type { Collection } from "../storage/collection.ts";
import { modifyCollection } from "../storage/ddl.ts";
import type { Index } from "../storage/index.ts";
import { put, readById } from "../storage/internal.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import type { ReplyObject } from "../wire/writer.ts";
import { storedOptions } from "./collections.ts";
import { samePattern } from "./index-spec.ts";

const OPTIONS = ["validator", "validationLevel", "validationAction", "changeStreamPreAndPostImages"];

function indexOf(collection: Collection, wanted: Document): Index {
  const name = wanted.get("name");
  const pattern = wanted.get("keyPattern");
  const found = collection.indexes.find((index) =>
    typeof name === "string"
      ? index.name === name
      : isDocument(pattern) && samePattern(index.pattern, pattern),
  );
  if (!found)
    throw new ServerError("IndexNotFound", `cannot find index ${String(name ?? "")} for ns ${collection.ns}`);
  return found;
}

/** As the oplog has it: the index by its name, and seconds as a long (makeCollModCmdObj of the server). */
function loggedChange(index: Index, wanted: Document): Document {
  const logged: Document = new Map([["name", index.name]]);
  for (const [field, value] of wanted) {
    if (field === "name" || field === "keyPattern") continue;
    logged.set(field, isNumber(value) ? bigIntToLong(BigInt(Math.trunc(exactNumberOf(value)))) : value);
  }
  return logged;
}

/** What the change of an index replies with, and its new specification. */
function changedIndex(
  collection: Collection,
  index: Index,
  wanted: Document,
): { spec: Document; reply: ReplyObject } {
  const spec: Document = new Map(index.spec);
  const reply: ReplyObject = {};
  const seconds = wanted.get("expireAfterSeconds");
  if (isNumber(seconds)) {
    if (index.pattern.size > 1 && index.expireAfterSeconds === undefined)
      throw new ServerError(
        "InvalidOptions",
        "TTL indexes are single-field indexes, compound indexes do not support TTL",
      );
    reply.expireAfterSeconds_old = spec.get("expireAfterSeconds");
    spec.set("expireAfterSeconds", seconds);
    reply.expireAfterSeconds_new = seconds;
  }
  const hidden = wanted.get("hidden");
  if (typeof hidden === "boolean") {
    reply.hidden_old = index.hidden;
    if (hidden) spec.set("hidden", true);
    else spec.delete("hidden");
    reply.hidden_new = hidden;
  }
  if (wanted.get("prepareUnique") === true) spec.set("prepareUnique", true);
  if (wanted.get("unique") === true) {
    refuseDuplicates(collection, index);
    spec.set("unique", true);
    spec.delete("prepareUnique");
    reply.unique_new = true;
  }
  return { spec, reply };
}

/** @throws ServerError CannotConvertIndexToUnique (359) naming the `_id`s that share a key */
function refuseDuplicates(collection: Collection, index: Index): void {
  const violations = index.duplicates().map((rids) => ({
    ids: rids.map((rid) => decode(collection.byRid(rid)!.document).get("_id") as Value),
  }));
  if (violations.length === 0) return;
  throw new ServerError(
    359,
    "Cannot convert the index to unique. Please resolve conflicting documents before running collMod again.",
    { extra: new Map<string, unknown>([["violations", violations]]) },
  );
}

function modifyView(context: CommandContext): Reply {
  const views = `${context.database}.system.views`;
  const definition = readById(context.storage, views, context.ns)!;
  const viewOn = context.string("viewOn");
  const pipeline = context.array("pipeline");
  if (viewOn !== undefined) definition.set("viewOn", viewOn);
  if (pipeline) definition.set("pipeline", pipeline);
  context.storage.write((unit) => put(unit, views, definition));
  return {};
}

function run(context: CommandContext): Reply {
  const { ns, storage } = context;
  checkUserWriteBlock(context, context.database);
  if (storage.catalog.view(ns)) return modifyView(context);
  const collection = storage.catalog.get(ns);
  if (!collection) throw new ServerError("NamespaceNotFound", `ns does not exist: ${ns}`);
  if (context.body.has("viewOn") || context.body.has("pipeline"))
    throw new ServerError("InvalidOptions", "option not supported on a collection: viewOn");
  const wanted = context.document("index");
  const index = wanted && indexOf(collection, wanted);
  const change = index && wanted && changedIndex(collection, index, wanted);
  const options: Document = new Map(collection.options);
  const asked: ReplyObject = {};
  for (const name of OPTIONS) {
    const value = context.body.get(name);
    if (value === undefined) continue;
    options.set(name, value);
    asked[name] = value;
  }
  if (isDocument(options.get("validator")) && (options.get("validator") as Document).size === 0)
    options.delete("validator");
  resizeCapped(context, options);
  if (index && wanted) asked.index = loggedChange(index, wanted);
  const before: ReplyObject = {
    collectionOptions_old: Object.fromEntries(collection.options) as Record<string, Value>,
  };
  context.storage.write((unit) => {
    if (index && change) unit.storage.catalog.setIndexSpec(index, change.spec);
    modifyCollection(unit, collection, storedOptions(options, context.database), asked, before);
  });
  return change?.reply ?? {};
}

function resizeCapped(context: CommandContext, options: Document): void {
  const size = context.number("cappedSize");
  if (size !== undefined) options.set("size", new Int32(size));
  const max = context.number("cappedMax");
  if (max !== undefined) options.set("max", new Int32(max));
}

export const collModCommand: Command = {
  name: "collMod",
  fields: [
    "index",
    ...OPTIONS,
    "viewOn",
    "pipeline",
    "cappedSize",
    "cappedMax",
    "expireAfterSeconds",
    "timeseries",
    "dryRun",
    "recordPreImages",
  ],
  role: "write",
  needs: (context) => [need(namespace(context.database, context.collectionName()), "collMod")],
  run,
};
