/** The full documents of updates, as they are when looked up: later than the event, or gone. */
import { Buffer } from "node:buffer";
import { DialectError } from "../errors.ts";
import type { Session } from "../session.ts";
import { isOk } from "../wire/messages.ts";
import {
  documentOf,
  element,
  findField,
  readDocuments,
  readFields,
  readNumber,
  readString,
  Type,
} from "../wire/raw.ts";
import type { ChangeEvent } from "./events.ts";

const IDS_A_QUERY = 1000;

function int32(name: string, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return element(Type.Int32, name, bytes);
}

function text(name: string, value: string): Buffer {
  const bytes = Buffer.from(`    ${value}\0`);
  bytes.writeInt32LE(bytes.length - 4, 0);
  return element(Type.String, name, bytes);
}

/** `{_id: {$in: [...]}}` out of whole `_id` elements, byte for byte. */
function idFilter(ids: readonly Buffer[]): Buffer {
  const members = ids.map((id, index) => element(id[0]!, String(index), id.subarray(5)));
  const within = documentOf([element(Type.Array, "$in", documentOf(members))]);
  return documentOf([element(Type.Document, "_id", within)]);
}

function documentsOf(reply: Buffer, batch: string): { documents: Buffer[]; cursor: bigint } {
  if (!isOk(reply)) {
    const code = readNumber(reply, findField(reply, "code")) ?? 1;
    throw new DialectError(
      code,
      readString(reply, findField(reply, "errmsg")) ?? "looking a document up failed",
    );
  }
  const cursor = findField(reply, "cursor")!;
  const documents = readDocuments(reply, findField(reply, batch, cursor.value)!);
  return { documents, cursor: reply.readBigInt64LE(findField(reply, "id", cursor.value)!.value) };
}

async function findByIds(
  session: Session,
  database: string,
  collection: string,
  ids: readonly Buffer[],
): Promise<Buffer[]> {
  const find = documentOf([
    text("find", collection),
    element(Type.Document, "filter", idFilter(ids)),
    int32("batchSize", ids.length + 1),
    text("$db", database),
  ]);
  let page = documentsOf(await session.request(database, find), "firstBatch");
  const found = [...page.documents];
  while (page.cursor !== 0n) {
    page = documentsOf(await session.request(database, { getMore: page.cursor, collection }), "nextBatch");
    found.push(...page.documents);
  }
  return found;
}

function idElement(document: Buffer): Buffer | undefined {
  const id = readFields(document).find((field) => field.name === "_id");
  return id && document.subarray(id.start, id.end);
}

/** Looks up one namespace's documents; the key is the `_id` element's bytes. */
async function lookupNamespace(
  session: Session,
  database: string,
  collection: string,
  ids: Map<string, Buffer>,
): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const wanted = [...ids.values()];
  for (let start = 0; start < wanted.length; start += IDS_A_QUERY) {
    const asked = wanted.slice(start, start + IDS_A_QUERY);
    const documents = await findByIds(session, database, collection, asked);
    let strangers = 0;
    for (const document of documents) {
      const key = idElement(document)?.toString("latin1");
      if (key !== undefined && ids.has(key)) found.set(key, document);
      else strangers++;
    }
    // Deleted and inserted again with an equal number of another type (1 and 1.0): ask for those one by one.
    if (strangers === 0) continue;
    for (const id of asked) {
      if (found.has(id.toString("latin1"))) continue;
      const [document] = await findByIds(session, database, collection, [id]);
      if (document) found.set(id.toString("latin1"), document);
    }
  }
  return found;
}

/** For each event: the document (null when it is gone); undefined for events that carry none or their own. */
export async function lookUp(
  session: Session,
  events: readonly ChangeEvent[],
): Promise<(Buffer | null | undefined)[]> {
  const namespaces = new Map<
    string,
    { database: string; collection: string; ids: Map<string, Buffer>; found?: Map<string, Buffer> }
  >();
  const namespaceOf = (event: ChangeEvent) => `${event.database}\0${event.collection}`;
  const wants = (event: ChangeEvent) =>
    event.operation === "update" &&
    event.id !== undefined &&
    event.database !== undefined &&
    event.collection !== undefined;
  for (const event of events) {
    if (!wants(event)) continue;
    const name = namespaceOf(event);
    const group = namespaces.get(name) ?? {
      database: event.database!,
      collection: event.collection!,
      ids: new Map(),
    };
    namespaces.set(name, group);
    group.ids.set(event.id!.toString("latin1"), event.id!);
  }
  for (const group of namespaces.values()) {
    group.found = await lookupNamespace(session, group.database, group.collection, group.ids);
  }
  return events.map((event) =>
    wants(event)
      ? (namespaces.get(namespaceOf(event))?.found?.get(event.id!.toString("latin1")) ?? null)
      : undefined,
  );
}
