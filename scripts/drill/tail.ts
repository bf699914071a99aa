import type { MongoClient } from "mongodb";
import type { Ledger } from "./ledger.ts";
import { cloneModel, type Model, newDocument, newUpdate } from "./model.ts";
import type { Random } from "./random.ts";
import { drillCollections, namespaceOf } from "./scope.ts";
import { insert } from "./seed.ts";
import type { Revisions } from "./workload.ts";

const target = drillCollections[1]!;
const count = 40;

/** Documents that MongoDB and DocumentDB will disagree about, because MongoDB dies before DMS has carried the writes. */
export class TailStory {
  private readonly before: Model[] = [];
  readonly tailIds: unknown[] = [];
  readonly conflictIds: unknown[] = [];

  constructor(
    private readonly random: Random,
    private readonly revisions: Revisions,
  ) {}

  /** In normal times: they cross. */
  async prepare(mongodb: MongoClient, ledger: Ledger): Promise<void> {
    for (let at = 0; at < count; at++)
      this.before.push(newDocument(this.random, `tail-${at}`, this.revisions.next(), 80));
    await insert(mongodb, target, this.before, ledger);
  }

  /** While DMS lags: updates, deletes and inserts that only MongoDB takes. */
  async onlyOnMongodb(mongodb: MongoClient, tail: Ledger): Promise<void> {
    for (const model of this.before.slice(0, 20)) {
      const change = newUpdate(this.random, model, this.revisions.next());
      await command(mongodb, {
        update: target.collection,
        updates: [{ q: { _id: model.get("_id") }, u: change.update }],
      });
      tail.record(namespaceOf(target), model.get("_id"), change.after);
    }
    for (const model of this.before.slice(20, 25)) {
      await command(mongodb, {
        delete: target.collection,
        deletes: [{ q: { _id: model.get("_id") }, limit: 1 }],
      });
      tail.record(namespaceOf(target), model.get("_id"), undefined);
    }
    const fresh = Array.from({ length: 10 }, (_, at) =>
      newDocument(this.random, `tail-new-${at}`, this.revisions.next(), 80),
    );
    await insert(mongodb, target, fresh, tail);
    this.tailIds.push(
      ...this.before.slice(0, 25).map((model) => model.get("_id")),
      ...fresh.map((model) => model.get("_id")),
    );
  }

  /** In the outage: the application writes to some of the same documents, from what DocumentDB has. */
  async alsoOnDocumentdb(documentdb: MongoClient, outage: Ledger): Promise<number> {
    const both = [...this.before.slice(0, 5), ...this.before.slice(20, 22)];
    for (const model of both) {
      const change = newUpdate(this.random, cloneModel(model), this.revisions.next());
      await command(documentdb, {
        update: target.collection,
        updates: [{ q: { _id: model.get("_id") }, u: change.update }],
      });
      outage.record(namespaceOf(target), model.get("_id"), change.after);
    }
    const again = newDocument(this.random, "tail-new-0", this.revisions.next(), 80);
    await insert(documentdb, target, [again], outage);
    this.conflictIds.push(...both.map((model) => model.get("_id")), "tail-new-0");
    return both.length + 1;
  }
}

async function command(client: MongoClient, body: Record<string, unknown>): Promise<void> {
  const reply = await client.db(target.database).command({ ...body, writeConcern: { w: "majority" } });
  if (reply.n !== 1 || reply.writeErrors) throw new Error(`tail write not done: ${JSON.stringify(reply)}`);
}
