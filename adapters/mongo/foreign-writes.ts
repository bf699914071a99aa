import { type Document, type Filter, type MongoClient, Timestamp } from "mongodb";
import type { Scope } from "../../core/failback/documents.ts";
import type { OperationTime } from "../../core/ports.ts";

export interface ForeignWrite {
  readonly at: OperationTime;
  readonly namespace: string;
  readonly operation: string;
}

const queryMsMax = 120_000;

/**
 * The first entry of MongoDB's oplog behind `after` that touches a collection of the scope; `undefined` when there is
 * none. For use when nobody, Roundtrip included, should have written since: it asks who for none of them.
 */
export async function firstWriteAfter(
  client: MongoClient,
  scope: Scope,
  after: OperationTime,
): Promise<ForeignWrite | undefined> {
  const namespaces = scope.databases.flatMap(({ name, collections }) =>
    collections.map((collection) => `${name}.${collection}`),
  );
  const commands = scope.databases.map(({ name }) => `${name}.$cmd`);
  const filter: Filter<Document> = {
    ts: { $gt: new Timestamp({ t: after.t, i: after.i }) },
    op: { $ne: "n" },
    $or: [{ ns: { $in: namespaces } }, { "o.applyOps.ns": { $in: namespaces } }, { ns: { $in: commands } }],
  };
  const entries = client
    .db("local")
    .collection("oplog.rs")
    .find(filter, { sort: { $natural: 1 }, maxTimeMS: queryMsMax });
  for await (const entry of entries) {
    const namespace = namespaceOf(entry, new Set(namespaces));
    if (!namespace) continue;
    const ts = entry.ts as Timestamp;
    return {
      at: { t: ts.getHighBitsUnsigned(), i: ts.getLowBitsUnsigned() },
      namespace,
      operation: String(entry.op),
    };
  }
  return undefined;
}

/** The collection of the scope an entry touches. A command names it as its own value: `{drop: "orders"}`. */
function namespaceOf(entry: Document, namespaces: ReadonlySet<string>): string | undefined {
  const namespace = String(entry.ns);
  if (namespaces.has(namespace)) return namespace;
  const inner = entry.o?.applyOps as Document[] | undefined;
  const nested = inner?.map((operation) => String(operation.ns)).find((name) => namespaces.has(name));
  if (nested) return nested;
  const database = namespace.slice(0, -".$cmd".length);
  if (entry.o?.dropDatabase) return `${database}.*`;
  const named = Object.values((entry.o ?? {}) as Document).map((value) => `${database}.${String(value)}`);
  return named.find((name) => namespaces.has(name));
}
