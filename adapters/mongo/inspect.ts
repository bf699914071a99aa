import { type Document, type MongoClient, MongoServerError } from "mongodb";
import { RoundtripError } from "../../core/errors.ts";
import type { LiveCollection, LiveDatabase } from "../../core/live/live-state.ts";
import { reservedDatabases } from "../../core/tasks/names.ts";
import { askAll } from "./ask-all.ts";

export interface InspectOptions {
  /** Databases to read; those that don't exist are left out. Absent: all but the server's and Roundtrip's own. */
  readonly databases?: readonly string[];
  /** True: documents are counted, as far as time allows; false: the server's own numbers. */
  readonly exact: boolean;
  /** Aborts the reading between two questions; its reason is thrown. */
  readonly signal: AbortSignal;
}

const collectionsMax = 10_000;
/** One question must not hold the whole reading up. */
const questionMsMax = 20_000;
const maxTimeMsExpired = 50;
/** The collection went away between being listed and being asked. */
const namespaceNotFound = 26;

/**
 * Databases, collections, sizes and index names of a server, sorted by name. Views and `system.…` collections are left
 * out. Bounded: over 10,000 collections is refused (`refused`). Otherwise fails with what the driver throws.
 */
export async function inspectDatabases(
  client: MongoClient,
  options: InspectOptions,
): Promise<LiveDatabase[]> {
  const found: { database: string; collection: string }[] = [];
  const names = await databaseNames(client, options.databases);
  for (const database of names) {
    options.signal.throwIfAborted();
    const listed = await client.db(database).listCollections({}, { nameOnly: true }).toArray();
    const own = listed.filter(({ name, type }) => type !== "view" && !name.startsWith("system."));
    found.push(...own.map(({ name }) => ({ database, collection: name })));
    if (found.length > collectionsMax) throw tooMany(names);
  }
  const collections = await askAll(found, options.signal, ({ database, collection }) =>
    inspectCollection(client, database, collection, options.exact),
  );
  return names.map((name) => ({
    name,
    collections: found
      .flatMap(({ database }, index) => (database === name ? (collections[index] ?? []) : []))
      .sort((left, right) => (left.name < right.name ? -1 : 1)),
  }));
}

/** The databases there are: those asked for, or all but the server's and Roundtrip's own. */
export async function databaseNames(
  client: MongoClient,
  asked: readonly string[] | undefined,
): Promise<string[]> {
  const reply = await client.db("admin").command({ listDatabases: 1, nameOnly: true });
  const names = (reply.databases as Document[]).map(({ name }) => String(name));
  return names
    .filter((name) => (asked ? asked.includes(name) : !reservedDatabases.includes(name)))
    .sort((left, right) => (left < right ? -1 : 1));
}

async function inspectCollection(
  client: MongoClient,
  database: string,
  name: string,
  exact: boolean,
): Promise<LiveCollection[]> {
  const db = client.db(database);
  try {
    const statistics = await db.command({ collStats: name, maxTimeMS: questionMsMax });
    const indexes = await db.collection(name).listIndexes().toArray();
    const counted = exact ? await count(client, database, name) : undefined;
    return [
      {
        name,
        ...(counted === undefined
          ? await estimate(client, database, name, statistics)
          : { documents: counted }),
        bytes: Number(statistics.size ?? 0),
        indexes: indexes.map((index) => String(index.name)).sort(),
      },
    ];
  } catch (error) {
    if (error instanceof MongoServerError && error.code === namespaceNotFound) return [];
    throw error;
  }
}

/** `undefined`: it takes longer than one question may. */
async function count(client: MongoClient, database: string, name: string): Promise<number | undefined> {
  try {
    return await client.db(database).collection(name).countDocuments({}, { maxTimeMS: questionMsMax });
  } catch (error) {
    if (error instanceof MongoServerError && error.code === maxTimeMsExpired) return undefined;
    throw error;
  }
}

/** The server's number may lag behind: only a read shows that a collection is empty, and that it isn't. */
async function estimate(
  client: MongoClient,
  database: string,
  name: string,
  statistics: Document,
): Promise<Pick<LiveCollection, "documents" | "estimated">> {
  const first = await client
    .db(database)
    .collection(name)
    .findOne({}, { projection: { _id: 1 } });
  if (!first) return { documents: 0 };
  return { documents: Math.max(1, Number(statistics.count ?? 0)), estimated: true };
}

function tooMany(databases: readonly string[]): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `list the collections of ${databases.length} databases`,
    expected: `at most ${collectionsMax} collections`,
    got: "more",
    wayOut: "name the databases of interest",
  });
}
