import type { MongoClient } from "mongodb";

/** What a writer did, counted as DMS counts. */
export interface Written {
  inserts: number;
  updates: number;
  deletes: number;
}

/** An application that goes on writing to MongoDB at a rate, until it is stopped. It keeps a ledger of what was acknowledged. */
export class Writer implements AsyncDisposable {
  readonly written: Written = { inserts: 0, updates: 0, deletes: 0 };
  private going = true;
  private readonly ended: Promise<void>;
  private next: number;

  constructor(
    client: MongoClient,
    private readonly perSecond: number,
    firstId: number,
  ) {
    this.next = firstId;
    this.ended = this.write(client);
  }

  private async write(client: MongoClient): Promise<void> {
    const orders = client.db("shop_orders").collection<{ _id: number; version: number }>("orders");
    const started = performance.now();
    for (let count = 0; this.going; count++) {
      const id = this.next++;
      await orders.insertOne({ _id: id, version: 0 });
      this.written.inserts++;
      // An increment shows an update that was applied twice or not at all.
      await orders.updateOne({ _id: id - (count % 5) }, { $inc: { version: 1 } });
      this.written.updates++;
      if (count % 10 === 9) {
        await orders.deleteOne({ _id: id - 9 });
        this.written.deletes++;
      }
      const ahead = (count + 1) / this.perSecond - (performance.now() - started) / 1000;
      if (ahead > 0) await Bun.sleep(ahead * 1000);
    }
  }

  /** Stops writing; every write is acknowledged. */
  async stop(): Promise<Written> {
    await this[Symbol.asyncDispose]();
    return this.written;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.going = false;
    await this.ended;
  }
}
