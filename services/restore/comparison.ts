import { deserialize, EJSON } from "bson";
import { compareCollection } from "../../adapters/mongo/compare.ts";
import type { KnownConflict } from "../../adapters/state/conflict-ledger.ts";
import type { TailImages } from "../../adapters/state/tail-ledger.ts";
import type { CollectionVerdict } from "../../core/failback/documents.ts";
import { type Explanation, explainerOf } from "../../core/verdict/explain.ts";
import type { Difference } from "../../core/verdict/matcher.ts";
import { CompareProgress } from "./progress.ts";
import type { Restore } from "./restore.ts";

/** Collections at a time: each reads two cursors, and holds a few replies of up to 16 MB. */
const atATime = 2;
const listedMax = 100;
/** Lines kept in memory for a collection's list of differences. */
const linesMax = 100_000;

export type ComparedCollection = CollectionVerdict & { readonly complete: boolean };

export interface Compared {
  readonly collections: readonly ComparedCollection[];
  /** Conflicts that were not settled, of documents that do differ. */
  readonly openConflicts: readonly string[];
}

/** Compares every collection of the scope, each difference explained by the tail, by a conflict, or by nothing. */
export async function compareScope(
  restore: Restore,
  tail: TailImages,
  conflicts: readonly KnownConflict[],
): Promise<Compared> {
  const open = new Map(
    conflicts.filter(({ settled }) => !settled).map((each) => [`${each.namespace} ${each.key}`, each.what]),
  );
  const openConflicts = new Set<string>();
  const progress = new CompareProgress(restore.service);
  const wanted = restore.failback.scope.databases.flatMap(({ name, collections }) =>
    collections.map((collection) => ({ database: name, collection })),
  );
  const results: ComparedCollection[] = [];
  const queue = wanted.entries();
  const work = async () => {
    for (const [index, { database, collection }] of queue) {
      const namespace = `${database}.${collection}`;
      const explainOne = explainerOf({ tail, conflicts }, namespace);
      const explain = (difference: Difference) => {
        // An earlier run's conflict may have been mended since: it is open only while the document differs.
        const conflict = open.get(`${namespace} ${difference.key}`);
        if (conflict) openConflicts.add(conflict);
        return explainOne(difference);
      };
      results[index] = await compareOne(restore, database, collection, explain, progress);
    }
  };
  await Promise.all(Array.from({ length: atATime }, work));
  return { collections: results, openConflicts: [...openConflicts] };
}

async function compareOne(
  restore: Restore,
  database: string,
  collection: string,
  explain: (difference: Difference) => Explanation,
  progress: CompareProgress,
): Promise<ComparedCollection> {
  const { service, mongodb, documentdb } = restore;
  const found = new Found(explain);
  try {
    const counts = await compareCollection({
      source: { client: documentdb.client },
      target: { client: mongodb.client, readConcern: "majority" },
      database,
      collection,
      signal: service.signal,
      onDifference: (difference) => found.add(difference),
      onProgress: (documents) => progress.read(documents),
    });
    const differencesKey = await found.write(restore, database, collection);
    return {
      database,
      collection,
      documents: { documentdb: counts.source, mongodb: counts.target },
      equal: counts.equal,
      tail: found.counts.tail,
      conflicts: found.counts.conflict,
      differing: found.counts.differs,
      differingIds: found.listed,
      ...(differencesKey && { differencesKey }),
      complete: true,
    };
  } catch (error) {
    throw documentdb.failure(error, `compare ${database}.${collection} with MongoDB`);
  }
}

class Found {
  readonly counts: Record<Explanation, number> = { tail: 0, conflict: 0, differs: 0 };
  readonly listed: string[] = [];
  private readonly lines: string[] = [];

  constructor(private readonly explain: (difference: Difference) => Explanation) {}

  add(difference: Difference): void {
    const as = this.explain(difference);
    this.counts[as]++;
    const id = EJSON.stringify(deserialize(difference.id, { promoteValues: false, bsonRegExp: true })._id, {
      relaxed: false,
    });
    if (as === "differs" && this.listed.length < listedMax) this.listed.push(id);
    if (this.lines.length >= linesMax) return;
    const [documentdb, mongodb] = [difference.source !== null, difference.target !== null];
    this.lines.push(`{"_id":${id},"documentdb":${documentdb},"mongodb":${mongodb},"as":"${as}"}`);
  }

  /** Key of the list; `undefined` when nothing differs. */
  async write(
    { service, failback }: Restore,
    database: string,
    collection: string,
  ): Promise<string | undefined> {
    if (this.lines.length === 0) return undefined;
    const key = failback.keys.differences(database, collection);
    const { tail, conflict, differs } = this.counts;
    const left = tail + conflict + differs - this.lines.length;
    const more = left > 0 ? `{"more":${left}}\n` : "";
    await service.store.put(key, new TextEncoder().encode(`${this.lines.join("\n")}\n${more}`));
    return key;
  }
}
