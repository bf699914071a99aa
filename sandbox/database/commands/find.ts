/** find: collections, the oplog and views. */
import { namespace, need } from "../auth/privilege.ts";
import type { DocumentSource } from "../cursors/cursor.ts";
import { OplogBackwardSource, OplogSource, oplogBounds, waitForCommit } from "../cursors/oplog-source.ts";
import { firstBatch } from "../cursors/reply.ts";
import { ListSource, MapSource, ScanSource, SliceSource, SortSource } from "../cursors/sources.ts";
import { decode, encode } from "../engine/codec.ts";
import type { Collator } from "../engine/compare.ts";
import { ServerError } from "../engine/errors.ts";
import { compileFilter, type FilterContext, type Predicate } from "../engine/match/index.ts";
import { compileProjection, type ProjectionOptions } from "../engine/project.ts";
import { compileSort } from "../engine/sort.ts";
import { type Document, isNumber, Long, type Value } from "../engine/value.ts";
import { windowed } from "../query/min-max.ts";
import { choosePlan, type Plan } from "../query/plan.ts";
import { openScan } from "../query/scan.ts";
import { collatorFor } from "../query/target.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import type { Collection, Row } from "../storage/collection.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import { pipelineSource } from "./aggregate.ts";

const OPLOG = "local.oplog.rs";

export interface FindRequest {
  ns: string;
  filter: Document;
  sort: Document | undefined;
  projection: Document | undefined;
  skip: number;
  limit: number;
  singleBatch: boolean;
  tailable: boolean;
  awaitData: boolean;
}

function notNegative(context: CommandContext, field: string): number {
  const value = context.number(field) ?? 0;
  if (value < 0)
    throw new ServerError(51024, `BSON field '${field}' value must be >= 0, actual value '${value}'`);
  return value;
}

function readFind(context: CommandContext, ns: string): FindRequest {
  const limit = context.number("limit") ?? 0;
  const request: FindRequest = {
    ns,
    filter: context.document("filter") ?? new Map(),
    sort: context.document("sort"),
    projection: context.document("projection"),
    skip: notNegative(context, "skip"),
    limit: notNegative(context, "limit"),
    singleBatch: context.boolean("singleBatch") ?? limit < 0,
    tailable: context.boolean("tailable") ?? false,
    awaitData: context.boolean("awaitData") ?? false,
  };
  if (request.awaitData && !request.tailable)
    throw new ServerError("FailedToParse", "Cannot set 'awaitData' without also setting 'tailable'");
  return request;
}

function isBackward(sort: Document | undefined): boolean {
  const natural = sort?.get("$natural");
  return isNumber(natural) && exactNumberOf(natural) < 0;
}

/** Undefined when everything matches. */
export function predicateFor(
  context: CommandContext,
  filter: Document,
  collator: Collator | undefined,
): Predicate | undefined {
  if (filter.size === 0) return undefined;
  const filterContext: FilterContext = {};
  if (collator) filterContext.collation = collator;
  const letValues = context.document("let");
  if (letValues) filterContext.let = letValues;
  return compileFilter(filter, filterContext);
}

function oplogSource(context: CommandContext, request: FindRequest): DocumentSource {
  const matches = predicateFor(context, request.filter, undefined);
  if (isBackward(request.sort) || isBackward(context.document("hint")))
    return new OplogBackwardSource(context.storage, matches);
  const source = new OplogSource(context.storage, oplogBounds(request.filter), matches, request.tailable);
  const natural = request.sort === undefined || request.sort.size === 0 || request.sort.has("$natural");
  return natural ? source : new SortSource(source, compileSort(request.sort!), Number.POSITIVE_INFINITY);
}

function collectionSource(
  context: CommandContext,
  collection: Collection,
  request: FindRequest,
): DocumentSource {
  const collator = collatorFor(collection, context.document("collation"));
  const matches = predicateFor(context, request.filter, collator);
  if (request.tailable && !collection.capped) {
    throw new ServerError(
      "BadValue",
      `error processing query: ns=${request.ns} tailable cursor requested on non capped collection`,
    );
  }
  const hint = context.body.get("hint");
  const chosen = choosePlan(collection, { filter: request.filter, sort: request.sort, hint, collator });
  const plan = windowed(chosen, hint, context.document("min"), context.document("max"));
  const scan = openScan(collection, plan, { tail: request.tailable });
  const source = new ScanSource(scan, matches, () => waitForCommit(context.storage), shapeOf(context, plan));
  if (plan.sorted || !request.sort || request.sort.size === 0) return source;
  const keep = request.limit === 0 ? Number.POSITIVE_INFINITY : request.skip + request.limit;
  return new SortSource(source, compileSort(request.sort, collator), keep);
}

/** `returnKey` gives the index's fields and nothing else, `showRecordId` adds the row's number. */
function shapeOf(context: CommandContext, plan: Plan): ((row: Row) => Uint8Array) | undefined {
  const keys = context.boolean("returnKey") ?? false;
  const record = context.boolean("showRecordId") ?? false;
  if (!keys && !record) return undefined;
  const fields = plan.index === "id" ? ["_id"] : (plan.index?.fields ?? []);
  return (row) => {
    const stored = decode(row.document);
    const shown: Document = keys ? new Map() : stored;
    if (keys) for (const field of fields) if (stored.has(field)) shown.set(field, stored.get(field) as Value);
    if (record && !keys) shown.set("$recordId", Long.fromNumber(row.rid));
    return encode(shown);
  };
}

/** The documents of a find before projection. */
function sourceOf(context: CommandContext, request: FindRequest): DocumentSource {
  if (request.ns === OPLOG) return oplogSource(context, request);
  if (context.storage.catalog.view(request.ns)) return viewSource(context, request);
  const collection = context.storage.catalog.get(request.ns);
  if (!collection) {
    predicateFor(context, request.filter, undefined);
    return new ListSource([]);
  }
  return collectionSource(context, collection, request);
}

function viewSource(context: CommandContext, request: FindRequest): DocumentSource {
  if (request.tailable)
    throw new ServerError("CommandNotSupportedOnView", "Tailable cursors are not supported on views");
  const stages: Document[] = [];
  if (request.filter.size > 0) stages.push(new Map([["$match", request.filter]]));
  if (request.sort && request.sort.size > 0 && !request.sort.has("$natural"))
    stages.push(new Map([["$sort", request.sort]]));
  return pipelineSource(context, request.ns, stages);
}

/** Everything that matches, for commands that aren't cursors. */
export function findSource(context: CommandContext, ns: string, filter: Document): DocumentSource {
  return sourceOf(context, {
    ns,
    filter,
    sort: undefined,
    projection: undefined,
    skip: 0,
    limit: 0,
    singleBatch: false,
    tailable: false,
    awaitData: false,
  });
}

/** Skipped, limited and projected. */
function shapedSource(context: CommandContext, request: FindRequest): DocumentSource {
  let source = sourceOf(context, request);
  if (request.skip > 0 || request.limit > 0) source = new SliceSource(source, request.skip, request.limit);
  const collator = collatorFor(context.storage.catalog.get(request.ns), context.document("collation"));
  return project(context, request.projection, request.filter, collator, source);
}

async function run(context: CommandContext): Promise<Reply> {
  const { ns } = context;
  const request = readFind(context, ns);
  const tailing = request.tailable && (ns === OPLOG || context.storage.catalog.get(ns) !== undefined);
  const source = context.server.read(context, () => shapedSource(context, request));
  context.server.counters.query++;
  const batchSize = context.number("batchSize");
  return firstBatch(
    context,
    {
      ns,
      source,
      tailable: tailing,
      awaitData: tailing && request.awaitData,
      noTimeout: context.boolean("noCursorTimeout") ?? false,
      singleBatch: request.singleBatch,
    },
    batchSize ?? undefined,
  );
}

/** The shape asked for. Without a projection the bytes stay as they are stored. */
function project(
  context: CommandContext,
  projection: Document | undefined,
  filter: Document,
  collator: Collator | undefined,
  source: DocumentSource,
): DocumentSource {
  if (!projection || projection.size === 0) return source;
  const options: ProjectionOptions = { query: filter };
  if (collator) options.collation = collator;
  const letValues = context.document("let");
  if (letValues) options.let = letValues;
  const shape = compileProjection(projection, options);
  return new MapSource(source, (document) => encode(shape(document)));
}

export const findCommand: Command = {
  name: "find",
  fields: [
    "filter",
    "sort",
    "projection",
    "hint",
    "skip",
    "limit",
    "batchSize",
    "singleBatch",
    "max",
    "min",
    "returnKey",
    "showRecordId",
    "tailable",
    "oplogReplay",
    "noCursorTimeout",
    "awaitData",
    "allowPartialResults",
    "collation",
    "allowDiskUse",
    "let",
    "term",
    "ntoreturn",
    "runtimeConstants",
    "options",
    "mirrored",
    "rawData",
    "readOnce",
    "allowSpeculativeMajorityRead",
    "requestResumeToken",
    "resumeAfter",
    "includeQueryStatsMetrics",
  ],
  role: "read",
  txn: true,
  needs: (context) => [need(namespace(context.database, context.collectionName()), "find")],
  run,
};
