/** count and distinct. */
import { namespace, need } from "../auth/privilege.ts";
import type { DocumentSource } from "../cursors/cursor.ts";
import { Cursor } from "../cursors/cursor.ts";
import { decode } from "../engine/codec.ts";
import { compareValues } from "../engine/compare.ts";
import { ServerError } from "../engine/errors.ts";
import { keyOf } from "../engine/keystring.ts";
import { type Document, isDocument, type Value } from "../engine/value.ts";
import { collatorFor } from "../query/target.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";
import { findSource } from "./find.ts";

const PIECE = 1000;

/** Runs a source to its end, giving other requests their turns. */
async function drain(
  context: CommandContext,
  ns: string,
  source: DocumentSource,
  each: (bytes: Uint8Array) => boolean | undefined,
): Promise<void> {
  const cursor = new Cursor({ ns, source });
  try {
    while (!cursor.exhausted) {
      const batch = await cursor.fill(PIECE, () => context.checkInterrupt());
      for (const bytes of batch) if (each(bytes) === false) return;
      if (batch.length === 0) return;
    }
  } finally {
    cursor.close();
  }
}

async function count(context: CommandContext): Promise<Reply> {
  const { ns, storage } = context;
  const query = context.document("query") ?? new Map();
  const skip = context.number("skip") ?? 0;
  const limit = Math.abs(context.number("limit") ?? 0);
  if (skip < 0) throw new ServerError(51024, `BSON field 'skip' value must be >= 0, actual value '${skip}'`);
  const collection = storage.catalog.get(ns);
  let total = 0;
  const plain =
    query.size === 0 &&
    collection !== undefined &&
    context.transaction === undefined &&
    context.body.get("hint") === undefined;
  if (plain) total = collection.sizes().count;
  else {
    await drain(context, ns, findSource(context, ns, query), () => {
      total++;
      return limit === 0 || total < skip + limit;
    });
  }
  const rest = Math.max(0, total - skip);
  return { n: limit === 0 ? rest : Math.min(rest, limit) };
}

/** Values at a dotted path, with arrays taken apart as an index would. */
function valuesAt(value: Value | undefined, path: readonly string[]): Value[] {
  if (value === undefined) return [];
  if (path.length === 0) return Array.isArray(value) ? value : [value];
  const [name, ...rest] = path;
  if (Array.isArray(value)) {
    const found = value.flatMap((element) => (isDocument(element) ? valuesAt(element, path) : []));
    if (/^\d+$/.test(name!)) found.push(...valuesAt(value[Number(name)], rest));
    return found;
  }
  return isDocument(value) ? valuesAt(value.get(name!), rest) : [];
}

const MOST_BYTES = 16_777_216;

async function distinct(context: CommandContext): Promise<Reply> {
  const { ns, storage } = context;
  const key = context.string("key");
  if (key === undefined)
    throw new ServerError(40414, "BSON field 'distinct.key' is missing but a required field");
  const path = key.split(".");
  const query: Document = context.document("query") ?? new Map();
  const collator = collatorFor(storage.catalog.get(ns), context.document("collation"));
  const values: Value[] = [];
  const seen = new Set<string>();
  let bytes = 0;
  const source = context.server.read(context, () => findSource(context, ns, query));
  await drain(context, ns, source, (raw) => {
    for (const value of valuesAt(decode(raw), path)) {
      const text = Buffer.from(keyOf([value])).toString("latin1");
      if (seen.has(text)) continue;
      seen.add(text);
      if (collator && values.some((other) => compareValues(other, value, collator) === 0)) continue;
      bytes += text.length;
      if (bytes > MOST_BYTES) throw new ServerError(17217, "distinct too big, 16mb cap");
      values.push(value);
    }
    return true;
  });
  values.sort((a, b) => compareValues(a, b, collator));
  return { values, atClusterTime: context.snapshotTime() };
}

export const countCommands: Command[] = [
  {
    name: "count",
    fields: [
      "query",
      "limit",
      "skip",
      "hint",
      "fields",
      "collation",
      "queryOptions",
      "collectionUUID",
      "encryptionInformation",
      "rawData",
    ],
    role: "read",
    needs: (context) => [need(namespace(context.database, context.collectionName()), "find")],
    run: count,
  },
  {
    name: "distinct",
    fields: ["key", "query", "collation", "hint", "rawData"],
    role: "read",
    txn: true,
    needs: (context) => [need(namespace(context.database, context.collectionName()), "find")],
    run: distinct,
  },
];
