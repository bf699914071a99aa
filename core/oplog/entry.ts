import { wrap } from "../bson/build.ts";
import { equalityKey } from "../bson/equality-key.ts";
import {
  BsonType,
  documentIn,
  documentsInArray,
  type Element,
  elementsOf,
  findElement,
  textIn,
  timestampIn,
  valueBytes,
} from "../bson/raw.ts";
import type { OperationTime } from "../ports.ts";

/** One operation of MongoDB's oplog; a transaction's or a vectored write's entry gives several. */
export interface OplogOperation {
  readonly at: OperationTime;
  /** insert, update, delete, command. */
  readonly kind: "i" | "u" | "d" | "c";
  /** Of a command: the collection it names, or `<database>.` when it is about the whole database. */
  readonly namespace: string;
  /** `{_id: …}` and its key, of a document's operation. */
  readonly id?: Uint8Array;
  readonly key?: string;
  /** Name of the command. */
  readonly command?: string;
  /** Hex id of the session that wrote it; absent where the server keeps none. */
  readonly session?: string;
}

/** When a raw entry was written. Fails with an Error for one without a time. */
export function timeOfEntry(raw: Uint8Array): OperationTime {
  const time = timestampIn(findElement(raw, "ts"));
  if (time) return time;
  throw new Error("an entry of the oplog without a time");
}

/** Takes a raw oplog entry apart; what it can't place is given as a command by its own name, never dropped. */
export function readOplogEntry(raw: Uint8Array): OplogOperation[] {
  const at = timestampIn(findElement(raw, "ts")) ?? { t: 0, i: 0 };
  return operationsOf(raw, at, sessionOf(raw));
}

function operationsOf(raw: Uint8Array, at: OperationTime, session: string | undefined): OplogOperation[] {
  const kind = textIn(findElement(raw, "op"));
  const namespace = textIn(findElement(raw, "ns")) ?? "";
  const body = documentIn(findElement(raw, "o"));
  const origin = { at, ...(session && { session }) };
  if (kind === "n") return [];
  if (kind === "c" && body) return commandOf(body, namespace, at, session);
  if ((kind !== "i" && kind !== "u" && kind !== "d") || !body) {
    return [{ ...origin, kind: "c", namespace, command: `operation ${kind}` }];
  }
  // An update names its document in o2; a sharded collection's o2 has the shard key in front.
  const holder = kind === "u" ? documentIn(findElement(raw, "o2")) : body;
  const id = holder && findElement(holder, "_id");
  if (!id) return [{ ...origin, kind, namespace }];
  const key = equalityKey({ type: id.type, bytes: valueBytes(id) });
  return [{ ...origin, kind, namespace, id: wrap(id, "_id"), key }];
}

function commandOf(
  body: Uint8Array,
  namespace: string,
  at: OperationTime,
  session: string | undefined,
): OplogOperation[] {
  const [first] = elementsOf(body);
  const command = first?.name ?? "";
  if (command === "applyOps" && first?.type === BsonType.array) {
    return documentsInArray(first.bytes, first.valueStart).flatMap((inner) =>
      operationsOf(inner, at, session),
    );
  }
  const database = namespace.slice(0, namespace.indexOf("."));
  const origin = { at, kind: "c" as const, command, ...(session && { session }) };
  if (command === "renameCollection") {
    // Full namespaces on both ends, and both collections change.
    const ends = [first, findElement(body, "to")].flatMap((end) => textIn(end) ?? []);
    return ends.map((end) => ({ ...origin, namespace: end }));
  }
  return [{ ...origin, namespace: `${database}.${textIn(first) ?? ""}` }];
}

function sessionOf(raw: Uint8Array): string | undefined {
  const lsid = documentIn(findElement(raw, "lsid"));
  const id: Element | undefined = lsid && findElement(lsid, "id");
  if (id?.type !== BsonType.binary) return undefined;
  return Buffer.from(id.bytes.subarray(id.valueStart + 5, id.valueEnd)).toString("hex");
}
