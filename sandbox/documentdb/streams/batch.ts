/** Replies of change stream cursors: events admitted, looked up late, translated, never more than a reply may hold. */
import type { Buffer } from "node:buffer";
import { elementsOf } from "../dialect/greeting.ts";
import type { DialectSession } from "../dialect/shared.ts";
import { isAtLeast } from "../dialect/shared.ts";
import { DialectError, timestampOf } from "../errors.ts";
import {
  documentOf,
  element,
  type Field,
  findField,
  readDocuments,
  readTimestamp,
  Type,
} from "../wire/raw.ts";
import { BatchWriter } from "./batch-writer.ts";
import { type ChangeEvent, scrambledToken } from "./events.ts";
import { lookUp } from "./lookup.ts";
import { MAX_EVENT_BYTES, type Stream } from "./stream.ts";

const EVENTS_A_LOOKUP = 1000;

/** One reply to be made: from a reply of the database (`document` with its `cursor`), or from what waits. */
export interface Page {
  readonly id: bigint;
  readonly batch: "firstBatch" | "nextBatch";
  readonly document?: Buffer;
  readonly cursor?: Field;
}

/** How long to wait so that a lookup of these events is late by the setting; nothing for events long past. */
function lookupWaitMs(events: readonly ChangeEvent[], delayMs: number): number {
  let newest = 0;
  for (const event of events) if (event.operation === "update") newest = Math.max(newest, event.wallMs ?? 0);
  if (newest === 0) return 0;
  return Math.min(Math.max(0, newest + delayMs - Date.now()), delayMs);
}

async function lookupsFor(
  session: DialectSession,
  stream: Stream,
  events: readonly ChangeEvent[],
): Promise<(Buffer | null | undefined)[]> {
  if (!stream.lookup) return [];
  const wait = lookupWaitMs(events, session.shared.state.settings.lookupDelayMs);
  if (wait > 0) await Bun.sleep(wait);
  return lookUp(session, events);
}

function tooLarge(bytes: number): DialectError {
  return new DialectError(
    10334,
    `BSONObj size: ${bytes} is invalid. Size must be between 0 and ${MAX_EVENT_BYTES}`,
  );
}

/**
 * Takes from what waits as much as one reply holds: everything when the cursor is at its end.
 * @throws DialectError 10334 for an event that is too large, once nothing stands before it
 */
async function take(session: DialectSession, stream: Stream, isLast: boolean): Promise<BatchWriter> {
  const writer = new BatchWriter(
    Math.min(bytesOf(stream.waiting), MAX_EVENT_BYTES) + stream.waiting.length * 64,
  );
  while (stream.waiting.length > 0) {
    const slice = stream.lookup ? stream.waiting.slice(0, EVENTS_A_LOOKUP) : stream.waiting;
    const lookups = await lookupsFor(session, stream, slice);
    let used = 0;
    let failure: DialectError | undefined;
    for (const [index, event] of slice.entries()) {
      const size = writer.add(event, lookups[index]);
      if (size > MAX_EVENT_BYTES) failure = tooLarge(size);
      if (failure || (writer.count > 1 && writer.bytes > MAX_EVENT_BYTES && !isLast)) {
        writer.removeLast();
        break;
      }
      advance(stream, event);
      used++;
    }
    const full = used < slice.length;
    stream.waiting = stream.waiting.slice(used);
    if (failure && writer.count === 0) throw failure;
    if (full) return writer;
  }
  return writer;
}

function bytesOf(events: readonly ChangeEvent[]): number {
  let bytes = 0;
  for (const event of events) bytes += event.bytes.length;
  return bytes;
}

function advance(stream: Stream, event: ChangeEvent): void {
  if (event.time !== undefined && event.time > stream.position) stream.position = event.time;
}

/** The reply to the client: events, the token to resume from, the cursor. */
export async function deliver(session: DialectSession, stream: Stream, page: Page): Promise<Buffer> {
  const { shared } = session;
  const { document, cursor } = page;
  const token = document && cursor && findField(document, "postBatchResumeToken", cursor.value);
  if (document && cursor) receive(session, stream, document, cursor, page.batch, token);
  shared.streams.assertRetained(stream.position);
  const taken = await take(session, stream, page.id === 0n);
  const done = stream.waiting.length === 0;
  const last = taken.last();
  const resume = done ? stream.batchToken : last && tokenOfEvent(last);
  if (done && stream.reached > stream.position) stream.position = stream.reached;
  shared.streams.assertRetained(stream.position);
  const elements = [element(Type.Array, page.batch, taken.finish())];
  if (resume && isAtLeast(shared.engineVersion, "5.0.0")) elements.push(resume);
  elements.push(elementsOf({ id: page.id, ns: stream.namespace }));
  return documentOf([
    element(Type.Document, "cursor", documentOf(elements)),
    elementsOf({ ok: 1, operationTime: timestampOf(shared.operationTime) }),
  ]);
}

function tokenOfEvent(event: Buffer): Buffer | undefined {
  const id = findField(event, "_id");
  return id && element(Type.Document, "postBatchResumeToken", event.subarray(id.value, id.end));
}

/** Takes a batch of the database in: what of it is reported, where it ends. */
function receive(
  session: DialectSession,
  stream: Stream,
  document: Buffer,
  cursor: Field,
  batch: string,
  token: Field | undefined,
): void {
  const namespace = findField(document, "ns", cursor.value);
  if (namespace) stream.namespace = document.toString("utf8", namespace.value + 4, namespace.end - 1);
  const events = readDocuments(document, findField(document, batch, cursor.value)!);
  stream.batchToken = token && scrambledToken(document, token);
  const operationTime = readTimestamp(document, findField(document, "operationTime")) ?? 0n;
  if (stream.position === 0n || events.length === 0) stream.reached = operationTime;
  // A stream that begins now has nothing behind it that could be lost.
  if (stream.position === 0n) stream.position = operationTime + 1n;
  const admitted = session.shared.streams.admit(events);
  stream.waiting = stream.waiting.length === 0 ? admitted : [...stream.waiting, ...admitted];
}
