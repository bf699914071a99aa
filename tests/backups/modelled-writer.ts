/** Writes to MongoDB at random and keeps, beside it, what the data are after each operation and when that was. */
import type { ClientSession, Collection, Db, MongoClient } from "mongodb";
import type { OperationTime } from "../../core/ports.ts";

interface Item {
  readonly _id: string;
  readonly n: number;
  readonly key: string;
}

interface ModelledCollection {
  readonly documents: Map<string, Item>;
  readonly indexes: Map<string, string>;
}

/** What a collection is: its documents in order of `_id`, its indexes in order of name. */
export type Content = Readonly<Record<string, { documents: readonly Item[]; indexes: readonly string[] }>>;

export interface Written {
  readonly at: OperationTime;
  readonly what: string;
  readonly content: string;
}

const database = "shop";

export class ModelledWriter {
  readonly written: Written[] = [];
  /** mongodump refuses renames while it dumps. */
  renames = true;
  private readonly model = new Map<string, ModelledCollection>();
  private readonly session: ClientSession;
  private readonly db: Db;
  private serial = 0;

  constructor(
    client: MongoClient,
    private readonly random: () => number,
  ) {
    this.session = client.startSession();
    this.db = client.db(database);
  }

  /** One operation, acknowledged by a majority. */
  async step(): Promise<void> {
    const dice = this.random();
    const name = this.name();
    let what = "";
    if (dice < 0.35) what = await this.insert(name);
    else if (dice < 0.55) what = await this.update(name);
    else if (dice < 0.65) what = await this.replaceOrDelete(name);
    else if (dice < 0.75) what = await this.transaction(name);
    else if (dice < 0.82) what = await this.createIndex(name);
    else if (dice < 0.87) what = await this.dropIndex(name);
    else if (dice < 0.9) what = await this.changeTtl(name);
    else if (dice < 0.93) what = await this.drop(name);
    else if (this.renames) what = await this.rename(name);
    if (what === "") return;
    const at = this.session.operationTime!;
    this.written.push({
      at: { t: at.getHighBitsUnsigned(), i: at.getLowBitsUnsigned() },
      what: `${what} ${name}`,
      content: JSON.stringify(this.content()),
    });
  }

  end(): Promise<void> {
    return this.session.endSession();
  }

  private content(): Content {
    const entries = [...this.model].sort(([one], [other]) => (one < other ? -1 : 1));
    return Object.fromEntries(
      entries.map(([name, { documents, indexes }]) => [
        name,
        {
          documents: [...documents.values()].sort((one, other) => (one._id < other._id ? -1 : 1)),
          indexes: [...indexes.values()].sort(),
        },
      ]),
    );
  }

  private name(): string {
    return `c${Math.floor(this.random() * 4)}`;
  }

  private collection(name: string): Collection<Item> {
    return this.db.collection<Item>(name, { writeConcern: { w: "majority" } });
  }

  private modelled(name: string): ModelledCollection {
    const found = this.model.get(name) ?? { documents: new Map(), indexes: new Map() };
    this.model.set(name, found);
    return found;
  }

  private item(): Item {
    const n = this.serial++;
    return { _id: `i${n}`, n, key: `key ${n}` };
  }

  private one(name: string): Item | undefined {
    const all = [...(this.model.get(name)?.documents.values() ?? [])];
    return all[Math.floor(this.random() * all.length)];
  }

  private async insert(name: string): Promise<string> {
    const items = Array.from({ length: 1 + Math.floor(this.random() * 5) }, () => this.item());
    await this.collection(name).insertMany(items, { session: this.session });
    for (const item of items) this.modelled(name).documents.set(item._id, item);
    return "insert";
  }

  private async update(name: string): Promise<string> {
    const item = this.one(name);
    if (!item) return "";
    const n = this.serial++;
    await this.collection(name).updateOne({ _id: item._id }, { $set: { n } }, { session: this.session });
    this.modelled(name).documents.set(item._id, { ...item, n });
    return "update";
  }

  private async replaceOrDelete(name: string): Promise<string> {
    const item = this.one(name);
    if (!item) return "";
    const { session } = this;
    if (this.random() < 0.5) {
      await this.collection(name).deleteOne({ _id: item._id }, { session });
      this.modelled(name).documents.delete(item._id);
      return "delete";
    }
    const { _id: _, ...rest } = this.item();
    await this.collection(name).replaceOne({ _id: item._id }, rest, { session });
    this.modelled(name).documents.set(item._id, { _id: item._id, ...rest });
    return "replace";
  }

  /** Moves a value that may be unique from one document to another, and inserts in another collection. */
  private async transaction(name: string): Promise<string> {
    const item = this.one(name);
    const other = [...this.model.keys()].find((each) => each !== name);
    if (!item || !other) return "";
    const moved = { ...this.item(), key: item.key };
    const added = this.item();
    const { session } = this;
    await session.withTransaction(
      async () => {
        await this.db.collection<Item>(name).deleteOne({ _id: item._id }, { session });
        await this.db.collection<Item>(name).insertOne(moved, { session });
        await this.db.collection<Item>(other).insertOne(added, { session });
      },
      { writeConcern: { w: "majority" } },
    );
    this.modelled(name).documents.delete(item._id);
    this.modelled(name).documents.set(moved._id, moved);
    this.modelled(other).documents.set(added._id, added);
    return "transaction";
  }

  private async createIndex(name: string): Promise<string> {
    const kinds = [
      { name: "by key", spec: { key: 1 }, options: { unique: true }, shown: "by key {key:1} unique" },
      { name: "by n", spec: { n: -1 }, options: {}, shown: "by n {n:-1}" },
      { name: "ttl", spec: { at: 1 }, options: { expireAfterSeconds: 3600 }, shown: "ttl {at:1} 3600" },
    ] as const;
    const kind = kinds[Math.floor(this.random() * kinds.length)]!;
    if (!this.model.has(name) || this.modelled(name).indexes.has(kind.name)) return "";
    await this.collection(name).createIndex(kind.spec, {
      ...kind.options,
      name: kind.name,
      session: this.session,
    });
    this.modelled(name).indexes.set(kind.name, kind.shown);
    return `create index ${kind.name} of`;
  }

  private async dropIndex(name: string): Promise<string> {
    const [index] = this.model.get(name)?.indexes.keys() ?? [];
    if (!index) return "";
    await this.collection(name).dropIndex(index, { session: this.session });
    this.modelled(name).indexes.delete(index);
    return `drop index ${index} of`;
  }

  private async changeTtl(name: string): Promise<string> {
    if (!this.model.get(name)?.indexes.has("ttl")) return "";
    const expireAfterSeconds = 3600 + this.serial++;
    const { session } = this;
    await this.db.command({ collMod: name, index: { name: "ttl", expireAfterSeconds } }, { session });
    this.modelled(name).indexes.set("ttl", `ttl {at:1} ${expireAfterSeconds}`);
    return "collMod";
  }

  private async drop(name: string): Promise<string> {
    if (!this.model.has(name)) return "";
    await this.collection(name).drop({ session: this.session });
    this.model.delete(name);
    return "drop";
  }

  private async rename(name: string): Promise<string> {
    const found = this.model.get(name);
    const to = this.name();
    if (!found || to === name) return "";
    await this.db.renameCollection(name, to, { dropTarget: true, session: this.session });
    this.model.delete(name);
    this.model.set(to, found);
    return `rename to ${to} of`;
  }
}

/** What a server really holds, in the model's words. */
export async function contentOf(client: MongoClient): Promise<string> {
  const db = client.db(database);
  const content: Record<string, Content[string]> = {};
  const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
  for (const name of names.sort()) {
    const indexes = await db.collection(name).listIndexes().toArray();
    content[name] = {
      documents: await db.collection<Item>(name).find().sort({ _id: 1 }).toArray(),
      indexes: indexes
        .filter((index) => index.name !== "_id_")
        .map((index) => {
          const key = JSON.stringify(index.key).replaceAll('"', "");
          const rest = [index.unique ? " unique" : "", index.expireAfterSeconds ?? ""].filter(String);
          return `${index.name} ${key}${rest.map((word) => (typeof word === "number" ? ` ${word}` : word)).join("")}`;
        })
        .sort(),
    };
  }
  return JSON.stringify(content);
}
