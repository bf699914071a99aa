/** Stages only the server can answer: statistics, operations, sessions. */

import { operations } from "../commands/operations.ts";
import { searchNotEnabled } from "../commands/search-indexes.ts";
import { collectionStatistics } from "../commands/statistics.ts";
import { decode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import { type Document, isDocument, Long, type Value } from "../engine/value.ts";
import type { CommandContext } from "../server/context.ts";
import type { Collection } from "../storage/collection.ts";
import { ID_INDEX } from "../storage/ddl.ts";
import { encodeReply, type ReplyObject } from "../wire/writer.ts";

function documentOf(fields: ReplyObject): Document {
  return decode(new Uint8Array(encodeReply(fields)));
}

function target(context: CommandContext): Collection | undefined {
  const name = context.body.get(context.name);
  return typeof name === "string" ? context.storage.catalog.get(`${context.database}.${name}`) : undefined;
}

function indexStats(context: CommandContext): Document[] {
  const collection = target(context);
  if (!collection) return [];
  const host = context.connection.member.host;
  const id: ReplyObject = {
    name: "_id_",
    key: ID_INDEX.get("key") as Value,
    host,
    accesses: { ops: 0n, since: new Date(context.server.startedAt) },
    spec: ID_INDEX,
  };
  const others = collection.indexes.map(
    (index): ReplyObject => ({
      name: index.name,
      key: index.pattern,
      host,
      accesses: { ops: Long.fromNumber(index.accesses), since: new Date(index.since) },
      spec: index.spec,
    }),
  );
  return [id, ...others].map(documentOf);
}

function collStats(context: CommandContext, specification: Value): Document[] {
  if (!isDocument(specification))
    throw new ServerError(40166, "$collStats must take a nested object but found a scalar");
  const collection = target(context);
  const ns = context.ns;
  if (!collection)
    throw new ServerError(
      "NamespaceNotFound",
      `Unable to retrieve storageStats in $collStats stage :: caused by :: Collection [${ns}] not found.`,
    );
  const fields: ReplyObject = { ns, host: context.connection.member.host, localTime: new Date() };
  if (specification.has("storageStats")) fields.storageStats = collectionStatistics(collection, 1);
  if (specification.has("count")) fields.count = collection.sizes().count;
  if (specification.has("latencyStats"))
    fields.latencyStats = {
      reads: { latency: 0n, ops: 0n },
      writes: { latency: 0n, ops: 0n },
      commands: { latency: 0n, ops: 0n },
    };
  return [documentOf(fields)];
}

function listSessions(context: CommandContext): Document[] {
  return [...context.server.sessions.all()].map((session) =>
    documentOf({ _id: decode(session.lsid), lastUse: new Date(session.lastUse) }),
  );
}

/** By stage name, what gives its documents. */
export function serverStages(
  context: CommandContext,
): Record<string, (specification: Value) => Iterable<Document>> {
  return {
    $indexStats: () => indexStats(context),
    $collStats: (specification) => collStats(context, specification),
    $currentOp: () => operations(context).map(documentOf),
    $listSessions: () => listSessions(context),
    $listLocalSessions: () => listSessions(context),
    $planCacheStats: () => [],
    $listSearchIndexes: () => {
      throw searchNotEnabled();
    },
  };
}
