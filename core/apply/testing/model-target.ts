/** MongoDB as replaying sees it, in memory: unique indexes, `_id` under the server's equality, and kills on demand. */
import { BSON, type Document } from "bson";
import { documentKey } from "../../bson/equality-key.ts";
import type { Blocker, Collision, Definition, Target, Write } from "../target.ts";

export class Killed extends Error {}

/** How a server may treat a replacement whose `_id` is equal but of another type than the stored one. */
export type IdChange = "keep-old" | "take-new" | "refuse";

export interface ModelCollection {
  readonly unique: readonly string[];
  readonly documents: Map<string, Uint8Array>;
}

export class ModelTarget implements Target {
  readonly collections = new Map<string, ModelCollection>();
  /** Half effects until the next kill: it may come before an effect and right after it. */
  killIn = Number.POSITIVE_INFINITY;

  constructor(
    private readonly idChange: IdChange,
    /** Order in which the writes of one call take effect. */
    private readonly shuffle: (writes: readonly Write[]) => readonly Write[],
  ) {}

  async write(writes: readonly Write[]): Promise<readonly Collision[]> {
    const keys = writes.map(({ namespace, key }) => `${namespace}/${key}`);
    if (new Set(keys).size !== keys.length) throw new Error("two writes of one document in one call");
    const collisions: Collision[] = [];
    for (const write of this.shuffle(writes.filter((each) => each.post === null || each.recreate))) {
      this.effect(() => this.collections.get(write.namespace)?.documents.delete(write.key));
    }
    for (const write of this.shuffle(writes.filter(({ post }) => post !== null))) {
      const collision = this.effect(() => this.put(write));
      if (collision) collisions.push(collision);
    }
    return collisions;
  }

  private put(write: Write): Collision | undefined {
    const { namespace, key, post } = write;
    const collection = this.collections.get(namespace) ?? { unique: [], documents: new Map() };
    this.collections.set(namespace, collection);
    for (const field of collection.unique) {
      if (this.holders(namespace, field, post!, key).length > 0) {
        const value = (BSON.deserialize(post!, { promoteValues: false }) as Document)[field];
        return { write, message: `duplicate ${field}`, keyValue: BSON.serialize({ [field]: value }) };
      }
    }
    const stored = collection.documents.get(key);
    const changed = stored !== undefined && !Buffer.from(idBytes(stored)).equals(idBytes(post!));
    if (changed && this.idChange === "refuse") return { write, message: "immutable _id" };
    collection.documents.set(key, changed && this.idChange === "keep-old" ? withId(post!, stored) : post!);
    return undefined;
  }

  private holders(namespace: string, field: string, image: Uint8Array, key: string): Blocker[] {
    const wanted = valueOfField(image, field);
    if (wanted === undefined) return [];
    return [...(this.collections.get(namespace)?.documents ?? [])]
      .filter(([other, document]) => other !== key && valueOfField(document, field) === wanted)
      .map(([other, document]) => ({
        key: other,
        id: BSON.serialize({ _id: idOf(document) }),
        image: document,
      }));
  }

  async blockers({ write, keyValue }: Collision): Promise<readonly Blocker[]> {
    if (!keyValue) return [];
    const field = Object.keys(BSON.deserialize(keyValue))[0]!;
    return this.holders(write.namespace, field, keyValue, write.key);
  }

  async definition(namespace: string): Promise<Definition | undefined> {
    const collection = this.collections.get(namespace);
    return collection && { options: {}, indexes: collection.unique.map((field) => ({ field })) };
  }

  async drop(namespace: string): Promise<void> {
    this.effect(() => this.collections.delete(namespace));
  }

  async create(namespace: string, definition: Definition): Promise<void> {
    const unique = definition.indexes.map(({ field }) => String(field));
    const documents = this.collections.get(namespace)?.documents ?? new Map();
    this.effect(() => this.collections.set(namespace, { unique, documents }));
  }

  async rename(from: string, to: string): Promise<void> {
    const collection = this.collections.get(from);
    if (!collection) return;
    this.effect(() => {
      this.collections.delete(from);
      this.collections.set(to, collection);
    });
  }

  private effect<T>(run: () => T): T {
    if (this.killIn-- <= 0) throw new Killed();
    const result = run();
    if (this.killIn-- <= 0) throw new Killed();
    return result;
  }
}

function idOf(document: Uint8Array): unknown {
  return (BSON.deserialize(document, { promoteValues: false }) as Document)._id;
}

function idBytes(document: Uint8Array): Uint8Array {
  return BSON.serialize({ _id: idOf(document) });
}

function withId(document: Uint8Array, other: Uint8Array): Uint8Array {
  return BSON.serialize({ ...BSON.deserialize(document, { promoteValues: false }), _id: idOf(other) });
}

/** Equal values give equal text; `undefined` when the field is absent, which a sparse unique index lets pass. */
function valueOfField(document: Uint8Array, field: string): string | undefined {
  const value = (BSON.deserialize(document) as Document)[field];
  return value === undefined ? undefined : documentKey(BSON.serialize({ _id: value }));
}
