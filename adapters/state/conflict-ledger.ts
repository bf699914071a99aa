import { deserialize, EJSON } from "bson";
import type { ConflictRecord } from "../../core/apply/replay.ts";
import type { TailRule } from "../../core/apply/step.ts";
import { documentField, documentOf, type RawField, textField } from "../../core/bson/build.ts";
import { digestOf, shortKey } from "../../core/bson/digest.ts";
import { documentKey } from "../../core/bson/equality-key.ts";
import { BsonType, documentsOf, findElement, textIn, valueBytes } from "../../core/bson/raw.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { ObjectStore } from "../../core/ports.ts";

/** A conflict as the verdict needs it. */
export interface KnownConflict {
  readonly kind: ConflictRecord["kind"];
  readonly namespace: string;
  /** As `shortKey` gives it. */
  readonly key: string;
  readonly policy: TailRule["policy"];
  readonly settled: boolean;
  /** Of the margin before DMS's checkpoint: no conflict by what DMS says. */
  readonly margin: boolean;
  /** Document and index, for a person. */
  readonly what: string;
}

/**
 * Conflicts with both images, below `restore/conflicts/` as concatenated BSON (bsondump reads it). A restore that is
 * run again writes the same conflicts to the same keys.
 */
export class ConflictLedger {
  constructor(
    private readonly store: ObjectStore,
    private readonly failbackId: string,
  ) {}

  /** Durable when it resolves. */
  async add(records: readonly ConflictRecord[]): Promise<void> {
    if (records.length === 0) return;
    await this.store.put(
      `${keysOf(this.failbackId).conflicts}${nameOf(records)}.bson`,
      concatenated(records),
    );
  }

  /** Every conflict once, the newest record of it. */
  async read(): Promise<KnownConflict[]> {
    const known = new Map<string, KnownConflict>();
    const objects = await Array.fromAsync(this.store.list(keysOf(this.failbackId).conflicts));
    objects.sort((left, right) => left.lastModified.getTime() - right.lastModified.getTime());
    for (const { key } of objects) {
      const object = await this.store.get(key);
      for (const document of documentsOf(object?.body ?? new Uint8Array())) {
        const conflict = decode(document);
        known.set(`${conflict.kind} ${conflict.namespace} ${conflict.key}`, conflict);
      }
    }
    return [...known.values()];
  }
}

/** Of a step's tail conflicts the first sequence; of a unique one the document, so that a later word replaces it. */
function nameOf(records: readonly ConflictRecord[]): string {
  const first = records[0]!;
  if (first.kind === "tail") return `tail-${String(first.sequence).padStart(16, "0")}`;
  const { namespace, key } = first.write;
  return `unique-${Buffer.from(digestOf(`${namespace} ${key}`), "latin1").toString("hex")}`;
}

function concatenated(records: readonly ConflictRecord[]): Uint8Array {
  return Buffer.concat(records.map(encode));
}

function encode(record: ConflictRecord): Uint8Array {
  const { namespace, id, sequence } = record.kind === "tail" ? record : record.write;
  const common = [
    textField("kind", record.kind),
    textField("policy", record.policy),
    textField("ns", namespace),
    idField(id),
    { name: "sequence", type: BsonType.double, value: doubleBytes(sequence) },
  ];
  if (record.kind === "tail") {
    return documentOf([...common, booleanField("margin", record.margin)]);
  }
  const { write, settled, message, blockers } = record;
  const images = blockers.map(({ image }, index) => documentField(String(index), image));
  return documentOf([
    ...common,
    booleanField("settled", settled),
    textField("message", message),
    documentField("documentdb", write.post),
    { name: "mongodb", type: BsonType.array, value: documentOf(images) },
  ]);
}

function decode(document: Uint8Array): KnownConflict {
  const named = (name: string) => textIn(findElement(document, name)) ?? "";
  const kind = named("kind") === "unique" ? "unique" : "tail";
  const namespace = named("ns");
  const { _id } = deserialize(document, { promoteValues: false, bsonRegExp: true });
  return {
    kind,
    namespace,
    key: shortKey(documentKey(document) ?? ""),
    policy: named("policy") as TailRule["policy"],
    settled: kind === "tail" || isTrue(document, "settled"),
    margin: isTrue(document, "margin"),
    what: `${namespace} ${EJSON.stringify(_id, { relaxed: false })}${kind === "unique" ? `: ${named("message")}` : ""}`,
  };
}

function booleanField(name: string, value: boolean): RawField {
  return { name, type: BsonType.boolean, value: Uint8Array.of(value ? 1 : 0) };
}

function isTrue(document: Uint8Array, name: string): boolean {
  const field = findElement(document, name);
  return field?.type === BsonType.boolean && valueBytes(field)[0] === 1;
}

function idField(id: Uint8Array): RawField {
  const element = findElement(id, "_id")!;
  return { name: "_id", type: element.type, value: valueBytes(element) };
}

function doubleBytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}
