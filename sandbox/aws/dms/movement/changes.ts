/** From a change on the source to what is done on the target, byte for byte. */
import { Buffer } from "node:buffer";
import { type ChangeEvent, readEvent } from "../../../documentdb/streams/events.ts";
import {
  documentOf,
  element,
  findField,
  readDocuments,
  readFields,
  readNumber,
  readString,
  Type,
} from "../../../documentdb/wire/raw.ts";

export type Kind = "insert" | "update" | "delete" | "drop";

/** One change. `statements` go into one `update` (or `delete`) command each, in this order. */
export interface Change {
  readonly kind: Kind;
  readonly schema: string;
  readonly table: string;
  readonly statements: readonly Buffer[];
  readonly wallMs: number;
}

const upsert = Buffer.concat([Buffer.from("\x08upsert\0", "latin1"), Buffer.from([1])]);
const limitOne = (() => {
  const one = Buffer.alloc(4);
  one.writeInt32LE(1);
  return element(Type.Int32, "limit", one);
})();

function query(id: Buffer): Buffer {
  return element(Type.Document, "q", documentOf([id]));
}

/** The delta as update operators: set, unset, and arrays cut short first. */
function updateStatements(event: ChangeEvent, id: Buffer): Buffer[] {
  const { bytes } = event;
  const description = findField(bytes, "updateDescription");
  if (description?.type !== Type.Document)
    throw new Error("expected an updateDescription in an update event");
  const part = (name: string) => findField(bytes, name, description.value);
  const statements: Buffer[] = [];
  const truncated = part("truncatedArrays");
  if (truncated?.type === Type.Array) {
    const cuts = readDocuments(bytes, truncated).map((cut) => {
      const size = Buffer.alloc(4);
      size.writeInt32LE(readNumber(cut, findField(cut, "newSize")) ?? 0);
      const push = documentOf([
        element(Type.Array, "$each", documentOf([])),
        element(Type.Int32, "$slice", size),
      ]);
      return element(Type.Document, readString(cut, findField(cut, "field")) ?? "", push);
    });
    if (cuts.length > 0)
      statements.push(documentOf([query(id), operator([element(Type.Document, "$push", documentOf(cuts))])]));
  }
  const operators: Buffer[] = [];
  const updated = part("updatedFields");
  if (updated?.type === Type.Document && updated.end - updated.value > 5) {
    operators.push(element(Type.Document, "$set", bytes.subarray(updated.value, updated.end)));
  }
  const removed = part("removedFields");
  const names =
    removed?.type === Type.Array
      ? readFields(bytes, removed.value).map((field) => readString(bytes, field) ?? "")
      : [];
  if (names.length > 0) {
    const nothing = Buffer.from([1, 0, 0, 0, 0]);
    operators.push(
      element(Type.Document, "$unset", documentOf(names.map((name) => element(Type.String, name, nothing)))),
    );
  }
  if (operators.length > 0) statements.push(documentOf([query(id), operator(operators)]));
  return statements;
}

function operator(operators: readonly Buffer[]): Buffer {
  return element(Type.Document, "u", documentOf(operators));
}

function replaceStatement(event: ChangeEvent, id: Buffer): Buffer {
  const document = findField(event.bytes, "fullDocument");
  if (document?.type !== Type.Document)
    throw new Error(`expected a fullDocument in an ${event.operation} event`);
  return documentOf([
    query(id),
    element(Type.Document, "u", event.bytes.subarray(document.value, document.end)),
    upsert,
  ]);
}

/** The change an event stands for; undefined for what DMS doesn't carry (renames, indexes, other DDL). */
export function changeOf(bytes: Buffer): Change | undefined {
  const event = readEvent(bytes);
  const { operation, database, collection, id } = event;
  if (database === undefined || collection === undefined) return undefined;
  const place = { schema: database, table: collection, wallMs: event.wallMs ?? 0 };
  if (operation === "drop") return { kind: "drop", ...place, statements: [] };
  if (!id) return undefined;
  switch (operation) {
    case "insert":
      return { kind: "insert", ...place, statements: [replaceStatement(event, id)] };
    case "replace":
      return { kind: "update", ...place, statements: [replaceStatement(event, id)] };
    case "update":
      return { kind: "update", ...place, statements: updateStatements(event, id) };
    case "delete":
      return { kind: "delete", ...place, statements: [documentOf([query(id), limitOne])] };
  }
  return undefined;
}
