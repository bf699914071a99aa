/** listCollections and listDatabases. */
import { CLUSTER, namespace, need, satisfies } from "../auth/privilege.ts";
import { firstBatch } from "../cursors/reply.ts";
import { ListSource } from "../cursors/sources.ts";
import { decode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import { compileFilter } from "../engine/match/index.ts";
import { Binary, type Document, isDocument, isNumber } from "../engine/value.ts";
import { holds } from "../server/authorize.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import type { View } from "../storage/catalog.ts";
import type { Collection } from "../storage/collection.ts";
import { ID_INDEX } from "../storage/ddl.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import { encodeReply, type ReplyObject } from "../wire/writer.ts";

function describeCollection(collection: Collection): ReplyObject {
  const collation = collection.option("collation");
  const idIndex: Document = isDocument(collation)
    ? new Map([...ID_INDEX, ["collation", collation]])
    : ID_INDEX;
  return {
    name: collection.name,
    type: "collection",
    options: collection.options,
    info: { readOnly: false, uuid: new Binary(collection.uuid, 4) },
    idIndex: collection.option("clusteredIndex") ? undefined : idIndex,
  };
}

function describeView(view: View): ReplyObject {
  return {
    name: view.ns.slice(view.ns.indexOf(".") + 1),
    type: "view",
    options: { viewOn: view.viewOn, pipeline: view.pipeline, collation: view.collation },
    info: { readOnly: true },
  };
}

function oplogCollection(): ReplyObject {
  return { name: "oplog.rs", type: "collection", options: { capped: true }, info: { readOnly: false } };
}

function describeAll(context: CommandContext): ReplyObject[] {
  const { catalog } = context.storage;
  const shown = [
    ...catalog.inDatabase(context.database).map(describeCollection),
    ...catalog.views(context.database).map(describeView),
  ];
  if (context.database === "local") shown.push(oplogCollection());
  return shown;
}

/** Without the right to list, `authorizedCollections` shows what the caller may read. */
function visible(context: CommandContext, name: string): boolean {
  if (holds(context, need(namespace(context.database, ""), "listCollections"))) return true;
  return [...context.connection.principals.values()].some((principal) =>
    context.server.authorization
      .current(principal)
      .privileges.some(
        ({ resource }) =>
          resource.kind === "namespace" &&
          resource.database === context.database &&
          (resource.collection === name || resource.collection === ""),
      ),
  );
}

async function listCollections(context: CommandContext): Promise<Reply> {
  const filter = context.document("filter");
  const matches = filter ? compileFilter(filter) : () => true;
  const nameOnly = context.boolean("nameOnly") ?? false;
  const batches: Uint8Array[] = [];
  for (const described of describeAll(context)) {
    if (!visible(context, described.name as string)) continue;
    const shown = nameOnly ? { name: described.name, type: described.type } : described;
    const bytes = new Uint8Array(encodeReply(shown));
    if (matches(decode(new Uint8Array(encodeReply(described))))) batches.push(bytes);
  }
  const size = context.document("cursor")?.get("batchSize");
  return firstBatch(
    context,
    { ns: `${context.database}.$cmd.listCollections`, source: new ListSource(batches) },
    isNumber(size) ? exactNumberOf(size) : undefined,
  );
}

function listDatabases(context: CommandContext): Reply {
  const { catalog } = context.storage;
  const filter = context.document("filter");
  const matches = filter ? compileFilter(filter) : () => true;
  const nameOnly = context.boolean("nameOnly") ?? false;
  const all = holds(context, need(CLUSTER, "listDatabases"));
  const onlyAuthorized = context.boolean("authorizedDatabases") ?? !all;
  if (!all && context.body.get("authorizedDatabases") === false) {
    throw new ServerError("Unauthorized", "Insufficient permissions to list all databases");
  }
  const names = [...new Set([...catalog.databases(), "local"])].sort();
  let total = 0;
  const databases: ReplyObject[] = [];
  for (const name of names) {
    if (onlyAuthorized && !mayRead(context, name)) continue;
    const bytes = catalog
      .inDatabase(name)
      .reduce(
        (sum, collection) => sum + collection.sizes().bytes + 4096,
        name === "local" ? context.storage.oplog.bytes : 0,
      );
    const shown: ReplyObject = nameOnly ? { name } : { name, sizeOnDisk: BigInt(bytes), empty: false };
    if (!matches(decode(new Uint8Array(encodeReply(shown))))) continue;
    total += bytes;
    databases.push(shown);
  }
  if (nameOnly) return { databases };
  return { databases, totalSize: BigInt(total), totalSizeMb: BigInt(Math.floor(total / 1_048_576)) };
}

function mayRead(context: CommandContext, database: string): boolean {
  return [...context.connection.principals.values()].some((principal) => {
    const { privileges } = context.server.authorization.current(principal);
    if (satisfies(privileges, need(namespace(database, ""), "find"))) return true;
    return privileges.some(
      ({ resource, actions }) =>
        resource.kind === "namespace" && resource.database === database && actions.has("find"),
    );
  });
}

export const listingCommands: Command[] = [
  {
    name: "listCollections",
    fields: ["filter", "nameOnly", "authorizedCollections", "cursor", "includePendingDrops", "rawData"],
    role: "read",
    needs(context) {
      const wanted = need(namespace(context.database, ""), "listCollections");
      const own = context.body.get("nameOnly") === true && context.body.get("authorizedCollections") === true;
      return own ? [] : [wanted];
    },
    run: listCollections,
  },
  {
    name: "listDatabases",
    fields: ["filter", "nameOnly", "authorizedDatabases"],
    adminOnly: true,
    role: "read",
    run: listDatabases,
  },
];
