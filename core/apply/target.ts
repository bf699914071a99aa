/** What replaying the log needs from MongoDB. `adapters/mongo/apply.ts` implements it; tests model it in memory. */

/** The last change of one document within a step. */
export interface Write {
  readonly namespace: string;
  readonly key: string;
  /** `{_id: <value>}` as the source has it. */
  readonly id: Uint8Array;
  readonly sequence: number;
  /** The whole document, or null for a delete. */
  readonly post: Uint8Array | null;
  /**
   * What the target still holds goes first. A replacement alone would keep the old `_id`'s type (1 where the source
   * now has 1.0).
   */
  readonly recreate: boolean;
}

/** A write that a unique index refused. */
export interface Collision {
  readonly write: Write;
  /** The server's message, which names the index. */
  readonly message: string;
  /** `{<field>: <value>, …}` of the index, when the server says so. */
  readonly keyValue?: Uint8Array;
}

/** A document of the target that holds what a colliding write wants. */
export interface Blocker {
  readonly key: string;
  readonly id: Uint8Array;
  readonly image: Uint8Array;
}

/** Options and indexes of a collection, opaque here; JSON, because it is kept in the checkpoint. */
export interface Definition {
  readonly options: Readonly<Record<string, unknown>>;
  readonly indexes: readonly Readonly<Record<string, unknown>>[];
}

export interface Target {
  /**
   * Applies writes of distinct documents in any order, deletes first. Resolves once a majority has them, with those
   * that a unique index refused; every other failure is thrown.
   */
  write(writes: readonly Write[]): Promise<readonly Collision[]>;
  /** Documents that hold the unique value this write wants, the write's own excluded. */
  blockers(collision: Collision): Promise<readonly Blocker[]>;
  /** `undefined` when there is no such collection. */
  definition(namespace: string): Promise<Definition | undefined>;
  /** Drops a collection; one that is not there counts as dropped. */
  drop(namespace: string): Promise<void>;
  /** Creates a collection with options and indexes; what is there already counts as created. */
  create(namespace: string, definition: Definition): Promise<void>;
  /** Renames, over an existing target collection; a source that is not there counts as renamed. */
  rename(from: string, to: string): Promise<void>;
}
