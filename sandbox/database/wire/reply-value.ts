/** What may stand in a reply. */
import type { Value } from "../engine/value.ts";

/** A whole document as bytes, written without being looked into. */
export class RawDocument {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** An array of documents as bytes: the batch of a cursor. */
export class RawBatch {
  readonly documents: readonly Uint8Array[];
  constructor(documents: readonly Uint8Array[]) {
    this.documents = documents;
  }
}

/** What may stand in a reply. A number is an int32 when it fits and a double otherwise; a bigint is a long. */
export type ReplyValue =
  | Value
  | number
  | bigint
  | Date
  | Uint8Array
  | RawDocument
  | RawBatch
  | undefined
  | ReplyValue[]
  | ReplyMap
  | ReplyObject;
export interface ReplyObject {
  [name: string]: ReplyValue;
}
export type ReplyMap = Map<string, ReplyValue>;
