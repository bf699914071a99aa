/**
 * Cases that say nothing about the server, because the npm driver 6.16.0 doesn't do what they ask for: the cases were
 * written for later drivers, or the driver differs on purpose. Each was looked up in the driver's sources.
 */
import type { Document } from "mongodb";
import type { Case } from "./schema.ts";

interface Limit {
  /** Matches the path of the file and the description of the case, joined by a colon and a space. */
  readonly cases: RegExp;
  readonly reason: string;
}

const limits: readonly Limit[] = [
  {
    cases: /-hint-unacknowledged\.json: .* on 4\.[24]\+ server$/,
    reason:
      "the driver refuses a hint in unacknowledged writes (operations/update.ts, delete.ts, find_and_modify.ts)",
  },
  {
    cases: /bypassDocumentValidation\.json: (Aggregate|BulkWrite|FindOneAnd|InsertMany).*: false$/,
    reason:
      "the driver leaves bypassDocumentValidation: false out (aggregate.ts, find_and_modify.ts, bulk/common.ts)",
  },
  {
    cases: /create-null-ids\.json: .* via (insertOne|insertMany|bulkWrite)$/,
    reason: "the driver replaces an _id of null by an ObjectId (utils.ts, maybeAddIdToDocuments)",
  },
  {
    cases: /crud.*\/find\.json: Find with batchSize equal to limit$/,
    reason: "the driver sends a batchSize equal to the limit as it is (operations/find.ts)",
  },
  {
    cases: /(updateOne|replaceOne)-sort\.json: .* unsupported/,
    reason: "the driver's updateOne and replaceOne have no sort (operations/update.ts)",
  },
  {
    cases: /findOne\.json: FindOne with filter/,
    reason: "the driver's findOne sends batchSize: 1 (collection.ts)",
  },
  {
    cases: /retryable-writes.*bulkWrite\.json: First insertOne is never committed$/,
    reason: "the driver's result of a bulk write cut off by the network lists every _id (bulk/common.ts)",
  },
  { cases: /\/backpressure-.*\.json: /, reason: "the driver knows no back-pressure labels" },
  {
    cases:
      /commit\.json: reset session state|retryable-writes\.json: increment txnNumber|callback-(aborts|commits)\.json: .* extra op$|callback-retry\.json: .*connection errors$/,
    reason: "the driver sends afterClusterTime with reads only (sessions.ts, commandSupportsReadConcern)",
  },
  {
    cases: /gridfs.*download\.json: download when final chunk is missing$/,
    reason: "the driver takes the last chunk it finds for the end of the file (gridfs/download.ts)",
  },
  {
    cases: /monitoring\/find\.json: A (successful|failed) find/,
    reason: "the driver's command succeeded and failed events have no databaseName",
  },
];

/** @returns why the driver can't run the case, if so */
export function limitOf(path: string, test: Case): string | undefined {
  const name = `${path}: ${test.description}`;
  return limits.find(({ cases }) => cases.test(name))?.reason;
}

const ownTimeoutMs = 10_000;

/**
 * The driver adds a `wtimeout` of its own to every commit and abort with a write concern, where the cases want it in
 * repeated commits only. Everything else in such a command is still compared.
 */
export function withoutOwnTimeout(command: Document, expected: Document | undefined): Document {
  const { writeConcern } = command;
  const isEnd = "commitTransaction" in command || "abortTransaction" in command;
  if (!isEnd || writeConcern?.wtimeout !== ownTimeoutMs || expected?.writeConcern?.wtimeout !== undefined)
    return command;
  const { wtimeout: _, ...rest } = writeConcern;
  return { ...command, writeConcern: rest };
}
