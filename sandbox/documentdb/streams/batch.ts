/** Replies of change stream cursors: events admitted, looked up late, translated, never more than a reply may hold. */
import { Buffer } from "node:buffer";
import { elementsOf } from "../dialect/greeting.ts";
import type { DialectSession } from "../dialect/shared.ts";
import { isAtLeast } from "../dialect/shared.ts";
import { DialectError, timestampOf } from "../errors.ts";
import { documentOf, element, type Field, findField, readTimestamp, Type } from "../wire/raw.ts";
import { type ChangeEvent, eventsOf, scrambledToken, translateEvent } from "./events.ts";
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

/** Events as they are sent, up to the first that is too large; `failure` is why it ended there. */
interface Translated {
  readonly events: Buffer[];
  readonly failure?: DialectError;
}

async function translate(
  session: DialectSession,
  stream: Stream,
  events: readonly ChangeEvent[],
): Promise<Translated> {
  let found: (Buffer | null | undefined)[] = [];
  if (stream.lookup) {
    const wait = lookupWaitMs(events, session.shared.state.settings.lookupDelayMs);
    if (wait > 0) await Bun.sleep(wait);
    found = await lookUp(session, events);
  }
  const translated: Buffer[] = [];
  for (const [index, event] of events.entries()) {
    const bytes = translateEvent(event, found[index]);
    if (bytes.length > MAX_EVENT_BYTES) {
      const failure = new DialectError(
        10334,
        `BSONObj size: ${bytes.length} is invalid. Size must be between 0 and ${MAX_EVENT_BYTES}`,
      );
      return { events: translated, failure };
    }
    translated.push(bytes);
  }
  return { events: translated };
}

/** Takes from what waits as much as one reply holds. An event that is too large fails the read after those before it. */
async function take(session: DialectSession, stream: Stream, isLast: boolean): Promise<Buffer[]> {
  const taken: Buffer[] = [];
  let bytes = 0;
  while (stream.waiting.length > 0) {
    const slice = stream.lookup ? stream.waiting.slice(0, EVENTS_A_LOOKUP) : stream.waiting;
    const { events, failure } = await translate(session, stream, slice);
    let used = 0;
    for (const each of events) {
      if (taken.length > 0 && bytes + each.length > MAX_EVENT_BYTES && !isLast) break;
      taken.push(each);
      bytes += each.length;
      advance(stream, slice[used++]!);
    }
    const full = used < events.length;
    stream.waiting = stream.waiting.slice(used);
    if (failure && taken.length === 0) throw failure;
    if (full || failure) return taken;
  }
  return taken;
}

function advance(stream: Stream, event: ChangeEvent): void {
  if (event.time !== undefined && event.time > stream.position) stream.position = event.time;
}

/** An array of documents, in one buffer. */
function batchArray(name: string, documents: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  for (const [index, document] of documents.entries())
    parts.push(Buffer.from(`\x03${index}\0`, "latin1"), document);
  return element(Type.Array, name, documentOf(parts));
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
  const last = taken.at(-1);
  const resume = done ? stream.batchToken : last && tokenOfEvent(last);
  if (done && stream.reached > stream.position) stream.position = stream.reached;
  shared.streams.assertRetained(stream.position);
  const elements = [batchArray(page.batch, taken)];
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
  const events = eventsOf(document, findField(document, batch, cursor.value)!);
  stream.batchToken = token && scrambledToken(document, token);
  const operationTime = readTimestamp(document, findField(document, "operationTime")) ?? 0n;
  if (stream.position === 0n || events.length === 0) stream.reached = operationTime;
  // A stream that begins now has nothing behind it that could be lost.
  if (stream.position === 0n) stream.position = operationTime + 1n;
  stream.waiting.push(...session.shared.streams.admit(events));
}
