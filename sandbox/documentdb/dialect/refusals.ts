/** What DocumentDB doesn't have: commands, options, stages and operators, by the list of its supported APIs. */
import type { Buffer } from "node:buffer";
import { DialectError, unauthorized, unsupported } from "../errors.ts";
import { field, type Request } from "../wire/messages.ts";
import {
  findField,
  isContainer,
  readDocuments,
  readFields,
  readNumber,
  readString,
  Type,
} from "../wire/raw.ts";
import { isAtLeast } from "./shared.ts";

/** Commands that pass to the database, besides those the dialect handles itself. */
export const supportedCommands: ReadonlySet<string> = new Set([
  ...["find", "insert", "update", "delete", "findAndModify", "findandmodify", "count", "distinct", "explain"],
  ...[
    "saslStart",
    "saslContinue",
    "authenticate",
    "logout",
    "connectionStatus",
    "ping",
    "whatsmyuri",
    "getnonce",
  ],
  ...["drop", "dropDatabase", "dropIndexes", "deleteIndexes", "renameCollection", "currentOp", "killOp"],
  ...[
    "collStats",
    "collstats",
    "dbStats",
    "dbstats",
    "dataSize",
    "hostInfo",
    "listCommands",
    "top",
    "getLastError",
  ],
  ...["startSession", "endSessions", "refreshSessions", "commitTransaction", "abortTransaction"],
]);

const systemDatabases = new Set(["local", "admin", "config"]);
const dataCommands = new Set([
  ...[
    "find",
    "aggregate",
    "count",
    "distinct",
    "insert",
    "update",
    "delete",
    "findAndModify",
    "findandmodify",
  ],
  ...[
    "create",
    "createIndexes",
    "drop",
    "dropIndexes",
    "deleteIndexes",
    "collMod",
    "listIndexes",
    "collStats",
    "collstats",
    "dataSize",
  ],
]);

/** There are no collections in `local`, `config` and `admin`, and none called `system.…`. */
export function refuseSystemCollections(request: Request): void {
  if (!dataCommands.has(request.command)) return;
  const collection = readString(request.body, request.fields[0]);
  if (collection === undefined) return;
  if (systemDatabases.has(request.database) || collection.startsWith("system.")) throw unauthorized();
}

/** Retryable writes, and causal consistency. */
export function refuseSessionFeatures(request: Request, engineVersion: string): void {
  for (const each of request.fields) {
    if (each.name === "txnNumber" && !field(request, "autocommit") && !isAtLeast(engineVersion, "8.0.2")) {
      throw new DialectError(301, "Retryable writes are not supported");
    }
    if (each.name === "readConcern" && each.type === Type.Document) {
      const clause = readFields(request.body, each.value).find((part) => part.name.endsWith("ClusterTime"));
      if (clause) throw unsupported(`readConcern.${clause.name}`);
    }
  }
}

const writeCommands = new Set([
  ...[
    "insert",
    "update",
    "delete",
    "findAndModify",
    "findandmodify",
    "create",
    "createIndexes",
    "drop",
    "dropDatabase",
  ],
  ...["dropIndexes", "deleteIndexes", "renameCollection", "collMod", "modifyChangeStreams"],
  ...[
    "createUser",
    "updateUser",
    "dropUser",
    "grantRolesToUser",
    "revokeRolesFromUser",
    "createRole",
    "updateRole",
    "dropRole",
  ],
]);

/** Readers take no writes; before 5.0 they have no change streams either. */
export function refuseOnReader(request: Request, engineVersion: string): void {
  if (writeCommands.has(request.command)) throw new DialectError(10107, "not primary");
  if (isAtLeast(engineVersion, "5.0.0")) return;
  if (stagesOf(request)[0]?.name === "$changeStream") throw unsupported("$changeStream on a reader");
}

const refusedFlags = ["noCursorTimeout", "tailable", "awaitData", "oplogReplay"] as const;

export function refuseOptions(request: Request): void {
  for (const name of refusedFlags) {
    if (readNumber(request.body, field(request, name))) throw unsupported(name);
  }
  if (field(request, "collation")) throw unsupported("collation");
}

const refusedOperators: ReadonlyMap<string, number> = new Map([
  ...["$where", "$jsonSchema"].map((name) => [name, 303] as const),
  ...["$function", "$accumulator", "$getField", "$setField", "$unsetField", "$toHashedIndexKey"].map(
    (name) => [name, 304] as const,
  ),
  ...["$sampleRate", "$rand", "$bsonSize", "$binarySize"].map((name) => [name, 304] as const),
]);

/** Looks for operators DocumentDB refuses, at any depth of a filter or pipeline. */
export function refuseOperators(buffer: Buffer, start: number, engineVersion: string): void {
  for (const each of readFields(buffer, start)) {
    const code = each.name.startsWith("$") ? refusedOperators.get(each.name) : undefined;
    if (code !== undefined) throw new DialectError(code, `Feature not supported: ${each.name}`);
    if (each.name === "$type" && each.type === Type.Array && !isAtLeast(engineVersion, "8.0.0")) {
      throw new DialectError(303, "Feature not supported: $type with an array");
    }
    if (isContainer(each)) refuseOperators(buffer, each.value, engineVersion);
  }
}

const refusedStages = new Set([
  ...[
    "$facet",
    "$bucketAuto",
    "$graphLookup",
    "$setWindowFields",
    "$densify",
    "$fill",
    "$collStats",
    "$documents",
  ],
  ...["$planCacheStats", "$listSessions", "$listLocalSessions", "$unionWith", "$shardedDataDistribution"],
]);
const stagesOf8 = new Set(["$merge", "$replaceWith", "$set", "$unset", "$bucket"]);

/** The stages of a pipeline, by name and bytes. */
export function stagesOf(request: Request): { name: string; bytes: Buffer }[] {
  const pipeline = field(request, "pipeline");
  if (pipeline?.type !== Type.Array) return [];
  return readDocuments(request.body, pipeline).map((bytes) => ({
    name: readFields(bytes)[0]?.name ?? "",
    bytes,
  }));
}

export function refuseStages(request: Request, engineVersion: string): void {
  const modern = isAtLeast(engineVersion, "8.0.0");
  for (const { name, bytes } of stagesOf(request)) {
    if (refusedStages.has(name) || (!modern && stagesOf8.has(name))) {
      throw new DialectError(304, `Aggregation stage not supported: '${name}'`);
    }
    const specification = readFields(bytes)[0];
    if (
      name === "$lookup" &&
      !modern &&
      specification?.type === Type.Document &&
      findField(bytes, "pipeline", specification.value)
    ) {
      throw new DialectError(
        304,
        "Aggregation stage not supported: '$lookup on multiple join conditions and uncorrelated subquery'",
      );
    }
    refuseOperators(bytes, 0, engineVersion);
  }
}
