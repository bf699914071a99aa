import type { CollectionInfo, Document, MongoClient } from "mongodb";
import type { Privilege } from "../../core/access/principal.ts";
import type { DataFacts, DmsUserFacts, MongodbFacts, OplogFacts } from "../../core/preflight/model.ts";
import { sampleFindings } from "../../core/preflight/sample.ts";
import { askAll } from "./ask-all.ts";
import { databaseNames } from "./inspect.ts";
import { oplogWindow } from "./replica-set.ts";

const questionMsMax = 10_000;
const sampledEachEnd = 10;
const sampledCollectionsMax = 500;
const findingsMax = 20;

/** What kind of deployment answers. */
export async function readTopology(client: MongoClient): Promise<MongodbFacts["topology"]> {
  const hello = await client.db("admin").command({ hello: 1 });
  if (hello.msg === "isdbgrid") return "sharded";
  return hello.setName ? "replica-set" : "standalone";
}

/** How far the oplog reaches back, how full it is, and what it is told to keep. */
export async function readOplogFacts(client: MongoClient): Promise<OplogFacts> {
  const { first, last } = await oplogWindow(client);
  const statistics = await client.db("local").command({ collStats: "oplog.rs" });
  const status = await client.db("admin").command({ serverStatus: 1 });
  return {
    windowSeconds: Math.max(0, last.t - first.t),
    bytes: Number(statistics.size ?? 0),
    bytesMax: Number(statistics.maxSize ?? 0),
    retentionHours: Number(status.oplogTruncation?.oplogMinRetentionHours ?? 0),
  };
}

/** Of find and changeStream, those the user does not hold on every database, and its mechanisms. */
export async function readDmsUser(
  client: MongoClient,
  { name, db }: { readonly name: string; readonly db: string },
): Promise<Omit<DmsUserFacts, "login">> {
  const reply = await client.db("admin").command({ usersInfo: { user: name, db }, showPrivileges: true });
  const [user] = reply.users as Document[];
  const held = (user?.inheritedPrivileges ?? []) as Privilege[];
  const holds = (action: string) =>
    held.some(
      ({ resource, actions }) =>
        (actions.includes(action) || actions.includes("anyAction")) &&
        (resource.anyResource === true || (resource.db === "" && resource.collection === "")),
    );
  return {
    name,
    exists: user !== undefined,
    mechanisms: ((user?.mechanisms ?? []) as string[]).map(String),
    lacking: ["find", "changeStream"].filter((action) => !holds(action)),
  };
}

type Findings = Record<"longIds" | "deep" | "dollarNames" | "changed", string[]>;

/**
 * The collections there are, and what a few documents of each (the first and last by `_id`) hold that DMS can't carry.
 * Bounded: 20 documents of at most 500 collections, 20 findings of a kind.
 */
export async function readData(
  client: MongoClient,
  databases: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<DataFacts> {
  const found: (CollectionInfo & { database: string })[] = [];
  for (const database of await databaseNames(client, databases)) {
    signal.throwIfAborted();
    const listed: CollectionInfo[] = await client
      .db(database)
      .listCollections({}, { nameOnly: false })
      .toArray();
    found.push(
      ...listed.filter(({ name }) => !name.startsWith("system.")).map((each) => ({ ...each, database })),
    );
  }
  const findings: Findings = { longIds: [], deep: [], dollarNames: [], changed: [] };
  const note = (kind: keyof Findings, words: string) => {
    if (findings[kind].length < findingsMax) findings[kind].push(words);
  };
  for (const { database, name, type, options } of found) {
    const namespace = `${database}.${name}`;
    if (name.includes("$")) note("dollarNames", namespace);
    if (type === "view") note("changed", `${namespace} is a view: not carried over`);
    if (type === "timeseries") note("changed", `${namespace} is a time series: becomes a plain collection`);
    if (options?.capped) note("changed", `${namespace} is capped: becomes uncapped`);
  }
  const plain = found.filter(({ type }) => type !== "view" && type !== "timeseries");
  const counts = await askAll(plain.slice(0, sampledCollectionsMax), signal, (each) =>
    sampleCollection(client, each.database, each.name, note),
  );
  return {
    namespaces: found.map(({ database, name }) => `${database}.${name}`).sort(),
    sampledDocuments: counts.reduce((sum, count) => sum + count, 0),
    ...findings,
  };
}

async function sampleCollection(
  client: MongoClient,
  database: string,
  name: string,
  note: (kind: keyof Findings, words: string) => void,
): Promise<number> {
  const collection = client.db(database).collection(name);
  const options = { limit: sampledEachEnd, maxTimeMS: questionMsMax };
  const documents: Document[] = [
    ...(await collection.find({}, { ...options, sort: { _id: 1 } }).toArray()),
    ...(await collection.find({}, { ...options, sort: { _id: -1 } }).toArray()),
  ];
  const seen = new Set<string>();
  for (const finding of documents.flatMap((document) => sampleFindings(document))) {
    if (seen.has(finding.kind)) continue;
    seen.add(finding.kind);
    note(finding.kind, `${database}.${name}: ${finding.words}`);
  }
  for (const index of await collection.listIndexes().toArray()) {
    const why = incompatible(index);
    if (why) note("changed", `index ${String(index.name)} of ${database}.${name}: ${why}`);
  }
  return Math.min(documents.length, 2 * sampledEachEnd);
}

/** Indexes that the index tool of Amazon DocumentDB flags. */
function incompatible(index: Document): string | undefined {
  if (index.collation) return "collation, not on DocumentDB";
  if (Object.values(index.key as object).includes("hashed")) return "hashed, not on DocumentDB";
  if (Object.keys(index.key as object).some((field) => field.includes("$**")))
    return "wildcard, not on DocumentDB";
  return undefined;
}
