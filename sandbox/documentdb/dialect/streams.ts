/** Change streams: enabling them, opening, reading on. */
import type { Buffer } from "node:buffer";
import { DialectError, timestampOf } from "../errors.ts";
import type { Decision } from "../session.ts";
import { deliver, type Page } from "../streams/batch.ts";
import { modifyScopes } from "../streams/scopes.ts";
import { newStream, type Stream } from "../streams/stream.ts";
import { unscramble } from "../streams/tokens.ts";
import { field, isOk, type Request } from "../wire/messages.ts";
import {
  arrayOf,
  documentOf,
  editDocument,
  element,
  type Field,
  findField,
  readFields,
  readNumber,
  readString,
  readTimestamp,
  Type,
} from "../wire/raw.ts";
import { elementsOf } from "./greeting.ts";
import { stagesOf } from "./refusals.ts";
import { answer, ask, type DialectSession, isAtLeast, requireRole, type Shared } from "./shared.ts";

/** The admin command that switches recording on or off for a collection, a database ("") or everything ("", ""). */
export async function modifyChangeStreams(request: Request, session: DialectSession): Promise<Decision> {
  const { shared } = session;
  if (request.database !== "admin")
    throw new DialectError(13, "modifyChangeStreams may only be run against the admin database.");
  const database = readString(request.body, field(request, "database"));
  const collection = readString(request.body, field(request, "collection"));
  const enable = readNumber(request.body, field(request, "enable"));
  if (database === undefined || collection === undefined || enable === undefined) {
    throw new DialectError(9, "modifyChangeStreams needs the fields database, collection and enable");
  }
  if (database === "" && collection !== "") throw new DialectError(9, "a collection needs its database");
  const clusterWide = ["root", "clusterAdmin", "clusterManager", "dbAdminAnyDatabase", "restore"];
  await requireRole(session, database === "" ? clusterWide : [...clusterWide, "dbAdmin", "dbOwner"], {
    database,
    action: "modifyChangeStreams",
  });
  // What is written from now on is recorded, nothing from before: the database's own time draws the line.
  const hello = await ask(session, "admin", { ping: 1 });
  const time = hello.operationTime as { high: number; low: number } | undefined;
  const now = time ? (BigInt(time.high >>> 0) << 32n) | BigInt(time.low >>> 0) : shared.operationTime;
  const scopes = modifyScopes(shared.state.scopes, {
    database,
    collection,
    enable: enable !== 0,
    time: now + 1n,
  });
  shared.state.update({ scopes });
  return answer(shared, {});
}

export async function listChangeStreams(_request: Request, session: DialectSession): Promise<Decision> {
  const { shared } = session;
  await requireRole(
    session,
    [
      ...[
        "root",
        "readAnyDatabase",
        "readWriteAnyDatabase",
        "clusterAdmin",
        "clusterManager",
        "clusterMonitor",
      ],
      ...["dbAdminAnyDatabase", "backup"],
    ],
    { action: "listChangeStreams" },
  );
  const rows = shared.state.scopes.map(({ database, collection }) => ({ database, collection }));
  return answer(shared, { cursor: { firstBatch: rows, id: 0n, ns: "admin.$cmd.aggregate" } });
}

const stageOptions = new Set(["fullDocument", "resumeAfter", "startAtOperationTime", "allChangesForCluster"]);
const streamStages = new Set(["$match", "$project", "$redact", "$addFields", "$replaceRoot"]);

function checkStages(request: Request): void {
  for (const { name } of stagesOf(request).slice(1)) {
    if (!streamStages.has(name)) {
      throw new DialectError(304, `Aggregation stage not supported in a change stream: '${name}'`);
    }
  }
}

/** What the client may ask of `$changeStream`, and where its stream begins. */
function checkOptions(
  stage: Buffer,
  specification: Field,
  shared: Shared,
): { lookup: boolean; resume?: { upstream: string }; from?: bigint } {
  const options = readFields(stage, specification.value);
  for (const { name } of options) {
    const of8 = name === "showExpandedEvents" && isAtLeast(shared.engineVersion, "8.0.2");
    if (!stageOptions.has(name) && !of8)
      throw new DialectError(40415, `BSON field '$changeStream.${name}' is an unknown field.`);
  }
  const named = (name: string) => options.find((each) => each.name === name);
  const fullDocument = readString(stage, named("fullDocument")) ?? "default";
  if (fullDocument !== "default" && fullDocument !== "updateLookup") {
    throw new DialectError(9, `fullDocument: expected default or updateLookup, got ${fullDocument}`);
  }
  const lookup = fullDocument === "updateLookup";
  const resumeAfter = named("resumeAfter");
  const from = readTimestamp(stage, named("startAtOperationTime"));
  if (!resumeAfter) return { lookup, ...(from === undefined ? {} : { from }) };
  if (from !== undefined)
    throw new DialectError(9, "Only one type of resume option is allowed, but multiple were found.");
  const data = resumeAfter.type === Type.Document ? findField(stage, "_data", resumeAfter.value) : undefined;
  const { upstream, time } = unscramble(readString(stage, data) ?? "");
  return { lookup, resume: { upstream }, from: time };
}

/** Streams with a pipeline of their own may hide where an event came from: then the database filters, as of now. */
function scopeStage(shared: Shared): Buffer {
  const scopes = shared.state.scopes.map(({ database, collection, since }) => ({
    ...(database === "" ? {} : { "ns.db": database }),
    ...(collection === "" ? {} : { "ns.coll": collection }),
    clusterTime: { $gte: timestampOf(BigInt(since)) },
  }));
  const match = scopes.length > 0 ? { $or: scopes } : { operationType: "none is recorded" };
  return documentOf([elementsOf({ $match: match })]);
}

/** `aggregate` with `$changeStream`. On a namespace that isn't enabled it opens, and yields nothing. */
export function openStream(request: Request, session: DialectSession): Decision {
  const { shared } = session;
  checkStages(request);
  const [first, ...rest] = stagesOf(request);
  const stage = first!.bytes;
  const specification = readFields(stage)[0]!;
  if (specification.type !== Type.Document)
    throw new DialectError(9, "$changeStream must take a nested object");
  const { lookup, resume, from } = checkOptions(stage, specification, shared);
  if (from !== undefined) shared.streams.assertRetained(from);
  const replaced = new Set(["fullDocument", "resumeAfter", "showExpandedEvents"]);
  const upstreamStage = editDocument(stage.subarray(specification.value, specification.end), replaced, [
    ...(resume ? [elementsOf({ resumeAfter: { _data: resume.upstream } })] : []),
    // The client's stages may look into the looked-up document: then the database looks it up, and at once.
    ...(lookup && rest.length > 0 ? [elementsOf({ fullDocument: "updateLookup" })] : []),
  ]);
  const stages = [
    documentOf([element(Type.Document, "$changeStream", upstreamStage)]),
    ...(rest.length > 0 ? [scopeStage(shared)] : []),
    ...rest.map(({ bytes }) => bytes),
  ];
  const body = editDocument(request.body, new Set(["pipeline"]), [
    element(Type.Array, "pipeline", arrayOf(stages)),
  ]);
  const stream = newStream(lookup && rest.length === 0, from ?? 0n);
  return { forward: true, body, reply: (document) => onReply(session, document, stream, "firstBatch") };
}

async function onReply(
  session: DialectSession,
  document: Buffer,
  stream: Stream,
  batch: Page["batch"],
): Promise<Buffer> {
  const { streams } = session.shared;
  const cursor = findField(document, "cursor");
  if (!isOk(document) || !cursor) throw translatedError(document);
  const id = document.readBigInt64LE(findField(document, "id", cursor.value)!.value);
  if (id === 0n) stream.exhausted = true;
  else streams.add(id, stream);
  try {
    return await deliver(session, stream, { id, document, cursor, batch });
  } catch (cause) {
    streams.remove(id);
    if (id !== 0n) void closeUpstream(session, id, document, cursor);
    throw cause;
  }
}

/** The database's own loss of history is DocumentDB's CappedPositionLost. */
function translatedError(document: Buffer): DialectError {
  const code = readNumber(document, findField(document, "code")) ?? 1;
  const message = readString(document, findField(document, "errmsg")) ?? "the database gave no reason";
  return new DialectError(code === 286 ? 136 : code, message);
}

async function closeUpstream(
  session: DialectSession,
  id: bigint,
  document: Buffer,
  cursor: Field,
): Promise<void> {
  const namespace = readString(document, findField(document, "ns", cursor.value)) ?? "";
  const dot = namespace.indexOf(".");
  await session
    .request(namespace.slice(0, dot), { killCursors: namespace.slice(dot + 1), cursors: [id] })
    .catch(() => undefined);
}

export function getMore(request: Request, session: DialectSession): Decision | Promise<Decision> {
  const { streams } = session.shared;
  const id = request.body.readBigInt64LE(request.fields[0]!.value);
  const stream = streams.get(id);
  if (!stream) return { forward: true };
  try {
    streams.assertRetained(stream.position);
  } catch (cause) {
    streams.remove(id);
    throw cause;
  }
  if (stream.waiting.length > 0)
    return deliver(session, stream, { id, batch: "nextBatch" }).then((bytes) => ({ answer: bytes }));
  return {
    forward: true,
    reply: (document) => {
      if (!isOk(document)) streams.remove(id);
      return onReply(session, document, stream, "nextBatch");
    },
  };
}

export function killCursors(request: Request, session: DialectSession): Decision {
  const cursors = field(request, "cursors");
  if (cursors?.type === Type.Array) {
    for (const each of readFields(request.body, cursors.value)) {
      if (each.type === Type.Int64) session.shared.streams.remove(request.body.readBigInt64LE(each.value));
    }
  }
  return { forward: true };
}
