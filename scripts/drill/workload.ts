import { Long } from "bson";
import type { Document as DriverDocument, MongoClient } from "mongodb";
import type { Ledger } from "./ledger.ts";
import { type Model, newDocument, newId, newUpdate } from "./model.ts";
import type { Random } from "./random.ts";
import { type DrillCollection, namespaceOf } from "./scope.ts";

const batchMax = 25;
const unauthorized = 13;

export interface Acknowledgement {
  readonly rev: number;
  /** Milliseconds since the epoch at which the server's reply was in. */
  readonly at: number;
}

export interface WorkloadOptions {
  readonly client: MongoClient;
  readonly collections: readonly DrillCollection[];
  readonly random: Random;
  readonly ledger: Ledger;
  /** Writes to do; a worker stops earlier only when the server refuses it. */
  readonly changes: number;
  /** Writes a second over all workers; 0 is as fast as it goes. */
  readonly rate: number;
  readonly workers: number;
  readonly acknowledged?: (acknowledgement: Acknowledgement) => void;
  readonly signal: AbortSignal;
}

export interface WorkloadResult {
  readonly changes: number;
  /** True when the server took the right to write away (code 13) before the work was done. */
  readonly refused: boolean;
}

/** Numbers every write of a drill; a document's `rev` says which write made it what it is. */
export class Revisions {
  private last = 0;
  next(): number {
    this.last++;
    return this.last;
  }
}

/** Documents a worker owns: only it writes to them, so it always knows what they must be. */
export type Owned = Map<string, Model[]>;

/**
 * The application: inserts, updates of nested arrays and numeric names, replaces, deletes, re-inserts of deleted
 * ids. Each worker owns its documents and waits for each reply, so the ledger is exact.
 */
export async function runWorkload(
  options: WorkloadOptions,
  revisions: Revisions,
  owned: readonly Owned[],
): Promise<WorkloadResult> {
  const started = performance.now();
  const budget = { left: options.changes, done: 0, refused: false };
  const work = async (index: number): Promise<void> => {
    const worker = new Worker(options, revisions, owned[index]!, options.random.fork(index), index);
    while (budget.left > 0 && !budget.refused && !options.signal.aborted) {
      const size = Math.min(budget.left, 1 + worker.random.integer(batchMax));
      budget.left -= size;
      try {
        // Not `+= await`: the sum would be read before the wait, and other workers' writes lost from it.
        const done = await worker.step(size);
        budget.done += done;
      } catch (error) {
        if ((error as { code?: number }).code !== unauthorized) throw error;
        budget.refused = true;
      }
      await pace(options.rate, budget.done, started);
    }
  };
  await Promise.all(owned.map((_, index) => work(index)));
  return { changes: budget.done, refused: budget.refused };
}

async function pace(rate: number, done: number, started: number): Promise<void> {
  if (rate <= 0) return;
  const ahead = (done / rate) * 1000 - (performance.now() - started);
  if (ahead > 0) await Bun.sleep(ahead);
}

class Worker {
  constructor(
    private readonly options: WorkloadOptions,
    private readonly revisions: Revisions,
    private readonly owned: Owned,
    readonly random: Random,
    private readonly index: number,
  ) {}

  /** Does `size` writes in one command (two for a re-insert) and gives how many were acknowledged. */
  async step(size: number): Promise<number> {
    const target = this.random.pick(this.options.collections);
    const models = this.modelsOf(target);
    const dice = this.random.integer(100);
    if (models.length < size * 2 || dice < 25) return this.insert(target, size);
    if (dice < 75) return this.update(target, size);
    if (dice < 88) return this.replace(target, size);
    if (dice < 94) return this.delete(target, size);
    return target.unique && dice > 96 ? this.swap(target) : this.reinsert(target, size);
  }

  private modelsOf(target: DrillCollection): Model[] {
    const namespace = namespaceOf(target);
    const models = this.owned.get(namespace) ?? [];
    this.owned.set(namespace, models);
    return models;
  }

  private newModel(): Model {
    const rev = this.revisions.next();
    // Ids of different workers never meet: each has its own million.
    return newDocument(this.random, newId(this.random, (this.index + 1) * 1_000_000 + rev), rev, 200);
  }

  private async insert(target: DrillCollection, size: number): Promise<number> {
    const models = Array.from({ length: size }, () => this.newModel());
    await this.command(target, { insert: target.collection, documents: models, ordered: true }, size);
    this.modelsOf(target).push(...models);
    for (const model of models) this.acknowledge(target, model.get("_id"), model);
    return size;
  }

  /** Takes distinct documents out of the worker's list, so that one command never touches one twice. */
  private take(target: DrillCollection, size: number): Model[] {
    const models = this.modelsOf(target);
    const taken: Model[] = [];
    while (taken.length < size && models.length > 0) {
      const at = this.random.integer(models.length);
      taken.push(models[at]!);
      models[at] = models.at(-1)!;
      models.pop();
    }
    return taken;
  }

  private async update(target: DrillCollection, size: number): Promise<number> {
    const before = this.take(target, size);
    const changes = before.map((model) => newUpdate(this.random, model, this.revisions.next()));
    const updates = changes.map((change, at) => ({
      q: new Map([["_id", before[at]!.get("_id")]]),
      u: change.update,
    }));
    await this.command(target, { update: target.collection, updates, ordered: true }, size);
    return this.keep(
      target,
      changes.map((change) => change.after),
    );
  }

  private async replace(target: DrillCollection, size: number): Promise<number> {
    const before = this.take(target, size);
    const after = before.map((model) =>
      newDocument(this.random, model.get("_id"), this.revisions.next(), this.random.integer(400)),
    );
    const updates = after.map((model) => ({ q: new Map([["_id", model.get("_id")]]), u: model }));
    await this.command(target, { update: target.collection, updates, ordered: true }, size);
    return this.keep(target, after);
  }

  private async delete(target: DrillCollection, size: number): Promise<number> {
    const gone = this.take(target, size);
    await this.remove(target, gone);
    return size;
  }

  private async reinsert(target: DrillCollection, size: number): Promise<number> {
    const half = Math.max(1, Math.floor(size / 2));
    const gone = this.take(target, half);
    await this.remove(target, gone);
    // The same ids, and in a unique collection the same e-mail, as new documents.
    const back = gone.map((model) => {
      const again = newDocument(this.random, model.get("_id"), this.revisions.next(), 100);
      return again.set("email", model.get("email"));
    });
    await this.command(target, { insert: target.collection, documents: back, ordered: true }, half);
    return half + this.keep(target, back);
  }

  /** Two documents exchange their unique e-mail by way of a third: no order of the final states alone can be applied. */
  private async swap(target: DrillCollection): Promise<number> {
    const [first, second] = this.take(target, 2) as [Model, Model];
    const emails = [first.get("email"), second.get("email")];
    await this.setEmail(target, first, `${this.random.hex(20)}@between.example.org`);
    await this.setEmail(target, second, emails[0]);
    await this.setEmail(target, first, emails[1]);
    this.modelsOf(target).push(first, second);
    return 3;
  }

  private async setEmail(target: DrillCollection, model: Model, email: unknown): Promise<void> {
    const rev = Long.fromNumber(this.revisions.next());
    const set = new Map<string, unknown>([
      ["rev", rev],
      ["email", email],
    ]);
    const updates = [{ q: new Map([["_id", model.get("_id")]]), u: new Map([["$set", set]]) }];
    await this.command(target, { update: target.collection, updates, ordered: true }, 1);
    for (const [name, value] of set) model.set(name, value);
    this.acknowledge(target, model.get("_id"), model);
  }

  private async remove(target: DrillCollection, gone: readonly Model[]): Promise<void> {
    const deletes = gone.map((model) => ({ q: new Map([["_id", model.get("_id")]]), limit: 1 }));
    await this.command(target, { delete: target.collection, deletes, ordered: true }, gone.length);
    for (const model of gone) this.acknowledge(target, model.get("_id"), undefined);
  }

  private keep(target: DrillCollection, models: readonly Model[]): number {
    this.modelsOf(target).push(...models);
    for (const model of models) this.acknowledge(target, model.get("_id"), model);
    return models.length;
  }

  private acknowledge(target: DrillCollection, id: unknown, after: Model | undefined): void {
    this.options.ledger.record(namespaceOf(target), id, after);
    if (!after) return;
    const rev = Number(after.get("rev"));
    this.options.acknowledged?.({ rev, at: performance.timeOrigin + performance.now() });
  }

  /** A reply that does not account for every statement is a fault of the drill, never shrugged off. */
  private async command(target: DrillCollection, command: DriverDocument, expected: number): Promise<void> {
    const reply = await this.options.client
      .db(target.database)
      .command({ ...command, writeConcern: { w: "majority" } });
    const errors = reply.writeErrors as { code: number; errmsg: string }[] | undefined;
    if (errors?.length)
      throw Object.assign(new Error(`write refused: ${errors[0]!.errmsg}`), { code: errors[0]!.code });
    if (reply.n !== expected)
      throw new Error(`expected ${expected} writes in ${namespaceOf(target)}, got ${reply.n}`);
  }
}
