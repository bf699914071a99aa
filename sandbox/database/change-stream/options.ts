/** Options of `$changeStream`, what it watches, and where it starts. */
import { ServerError } from "../engine/errors.ts";
import { type Document, isDocument, Timestamp } from "../engine/value.ts";
import type { Storage } from "../storage/storage.ts";
import { packTs } from "../storage/timestamp.ts";
import { atTime, type Position, readToken } from "./token.ts";

export type Lookup = "default" | "updateLookup" | "whenAvailable" | "required" | "off";

export interface StreamOptions {
  fullDocument: Lookup;
  fullDocumentBeforeChange: Lookup;
  expanded: boolean;
  systemEvents: boolean;
  start: Position;
}

export type Scope =
  | { kind: "collection"; database: string; ns: string }
  | { kind: "database"; database: string }
  | { kind: "cluster" };

const FIELDS = new Set([
  "fullDocument",
  "fullDocumentBeforeChange",
  "resumeAfter",
  "startAfter",
  "startAtOperationTime",
  "allChangesForCluster",
  "showExpandedEvents",
  "showSystemEvents",
  "showMigrationEvents",
  "showRawUpdateDescription",
  "allowToRunOnConfigDB",
  "allowToRunOnSystemNS",
  "ignoreRemovedShards",
]);

const LOOKUPS: Record<string, readonly string[]> = {
  fullDocument: ["default", "updateLookup", "whenAvailable", "required"],
  fullDocumentBeforeChange: ["off", "whenAvailable", "required"],
};

function lookup(stage: Document, field: string, fallback: Lookup): Lookup {
  const value = stage.get(field);
  if (value === undefined) return fallback;
  if (typeof value !== "string") {
    throw new ServerError(
      "TypeMismatch",
      `BSON field '$changeStream.${field}' is the wrong type, expected type 'string'`,
    );
  }
  if (LOOKUPS[field]!.includes(value)) return value as Lookup;
  throw new ServerError(
    "BadValue",
    `Enumeration value '${value}' for field '$changeStream.${field}' is not a valid value.`,
  );
}

const HISTORY_LOST = 286;

export function historyLost(): ServerError {
  return new ServerError(
    HISTORY_LOST,
    "Executor error during getMore :: caused by :: Resume of change stream was not possible, as the resume point may no longer be in the oplog.",
  );
}

function token(stage: Document, field: string): Position | undefined {
  const value = stage.get(field);
  if (value === undefined) return undefined;
  if (isDocument(value)) return readToken(value);
  throw new ServerError(
    "TypeMismatch",
    `BSON field '$changeStream.${field}' is the wrong type, expected type 'object'`,
  );
}

function startOf(stage: Document, storage: Storage): Position {
  const resumeAfter = token(stage, "resumeAfter");
  const startAfter = token(stage, "startAfter");
  const time = stage.get("startAtOperationTime");
  if ([resumeAfter, startAfter, time].filter((given) => given !== undefined).length > 1) {
    throw new ServerError(40674, "Only one type of resume option is allowed, but multiple were found.");
  }
  if (resumeAfter?.kind === "invalidate") {
    throw new ServerError(
      260,
      "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate notification.",
    );
  }
  const position = resumeAfter ?? startAfter;
  if (position) return position;
  if (time === undefined) return { ...atTime(storage.clock.last + 1) };
  if (!(time instanceof Timestamp)) {
    throw new ServerError(
      "TypeMismatch",
      "BSON field '$changeStream.startAtOperationTime' is the wrong type, expected type 'timestamp'",
    );
  }
  return atTime(packTs(time.high >>> 0, time.low >>> 0));
}

/** @throws ServerError for unknown fields, wrong values, bad tokens, and a start that is no longer in the oplog */
export function readStreamOptions(stage: Document, storage: Storage): StreamOptions {
  for (const field of stage.keys()) {
    if (!FIELDS.has(field))
      throw new ServerError(40415, `BSON field '$changeStream.${field}' is an unknown field.`);
  }
  const start = startOf(stage, storage);
  if (storage.oplog.isLost(start.ts)) throw historyLost();
  return {
    fullDocument: lookup(stage, "fullDocument", "default"),
    fullDocumentBeforeChange: lookup(stage, "fullDocumentBeforeChange", "off"),
    expanded: stage.get("showExpandedEvents") === true,
    systemEvents: stage.get("showSystemEvents") === true,
    start,
  };
}

const INTERNAL = new Set(["admin", "local", "config"]);

/** What a stream on `database` (and `collection`) watches. */
export function scopeOf(stage: Document, database: string, collection: string | undefined): Scope {
  if (stage.get("allChangesForCluster") === true) {
    if (database === "admin" && collection === undefined) return { kind: "cluster" };
    const found = collection === undefined ? database : `${database}.${collection}`;
    throw new ServerError(
      "InvalidOptions",
      `A $changeStream with 'allChangesForCluster:true' may only be opened on the 'admin' database, and with no collection name; found ${found}`,
    );
  }
  if (INTERNAL.has(database) && stage.get("allowToRunOnConfigDB") !== true) {
    throw new ServerError(
      "InvalidNamespace",
      `$changeStream may not be opened on the internal ${database} database`,
    );
  }
  if (collection?.startsWith("system.") && stage.get("allowToRunOnSystemNS") !== true) {
    throw new ServerError(
      "InvalidNamespace",
      `$changeStream may not be opened on the internal ${database}.${collection} collection`,
    );
  }
  return collection === undefined
    ? { kind: "database", database }
    : { kind: "collection", database, ns: `${database}.${collection}` };
}
