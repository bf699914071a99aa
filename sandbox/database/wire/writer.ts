/**
 * Builds BSON in one growing buffer. Replies are made of three kinds of material: plain JavaScript objects (the
 * server's own answers), BSON values (parts of documents) and raw bytes (whole documents, passed through untouched).
 */
import { Buffer } from "node:buffer";
import type { ReplyMap, ReplyObject, ReplyValue } from "./reply-value.ts";
import { writeValue } from "./value-writer.ts";

export { RawBatch, RawDocument, type ReplyMap, type ReplyObject, type ReplyValue } from "./reply-value.ts";

const indexNames = Array.from({ length: 2000 }, (_, index) => String(index));

export class BsonWriter {
  private buffer: Buffer;
  private position = 0;

  constructor(capacity = 1024) {
    this.buffer = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.position;
  }

  /** The bytes written so far; a view, valid until the next write. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.position);
  }

  /** Forgets what was written and keeps the buffer. */
  reset(): void {
    this.position = 0;
  }

  reserve(count: number): number {
    const needed = this.position + count;
    if (needed > this.buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
      grown.set(this.buffer.subarray(0, this.position));
      this.buffer = grown;
    }
    return this.position;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.position++] = value;
  }

  rawInt32(value: number): void {
    const at = this.reserve(4);
    this.buffer.writeInt32LE(value | 0, at);
    this.position += 4;
  }

  setInt32(at: number, value: number): void {
    this.buffer.writeInt32LE(value, at);
  }

  raw(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.buffer.set(bytes, at);
    this.position += bytes.length;
  }

  cstring(text: string): void {
    const at = this.reserve(text.length * 3 + 1);
    const length = this.writeText(text, at);
    this.buffer[at + length] = 0;
    this.position = at + length + 1;
  }

  private writeText(text: string, at: number): number {
    if (text.length < 32) {
      const buffer = this.buffer;
      let index = 0;
      for (; index < text.length; index++) {
        const code = text.charCodeAt(index);
        if (code > 127) break;
        buffer[at + index] = code;
      }
      if (index === text.length) return index;
    }
    return this.buffer.write(text, at, "utf8");
  }

  /** A string's value: length, bytes, terminator. */
  text(text: string): void {
    const at = this.reserve(text.length * 3 + 5);
    const length = this.writeText(text, at + 4);
    this.buffer.writeInt32LE(length + 1, at);
    this.buffer[at + 4 + length] = 0;
    this.position = at + length + 5;
  }

  /** Type byte and name of an element. */
  head(type: number, name: string): void {
    this.byte(type);
    this.cstring(name);
  }

  /** Begins a document at the top, or in the place of a value; give the result to {@link end}. */
  begin(): number {
    const at = this.position;
    this.rawInt32(0);
    return at;
  }

  beginObject(name: string): number {
    this.head(3, name);
    return this.begin();
  }

  beginArray(name: string): number {
    this.head(4, name);
    return this.begin();
  }

  end(at: number): void {
    this.byte(0);
    this.buffer.writeInt32LE(this.position - at, at);
  }

  int32(name: string, value: number): void {
    this.head(16, name);
    this.rawInt32(value);
  }

  double(name: string, value: number): void {
    this.head(1, name);
    const at = this.reserve(8);
    this.buffer.writeDoubleLE(value, at);
    this.position += 8;
  }

  /** int64, also the payload of dates. */
  int64(type: number, name: string, value: bigint): void {
    this.head(type, name);
    const at = this.reserve(8);
    this.buffer.writeBigInt64LE(BigInt.asIntN(64, value), at);
    this.position += 8;
  }

  long(name: string, value: bigint | number): void {
    this.int64(18, name, BigInt(value));
  }

  date(name: string, milliseconds: number): void {
    this.int64(9, name, BigInt(milliseconds));
  }

  boolean(name: string, value: boolean): void {
    this.head(8, name);
    this.byte(value ? 1 : 0);
  }

  string(name: string, value: string): void {
    this.head(2, name);
    this.text(value);
  }

  timestamp(name: string, seconds: number, increment: number): void {
    this.head(17, name);
    this.rawInt32(increment);
    this.rawInt32(seconds);
  }

  binary(name: string, bytes: Uint8Array, subtype: number): void {
    this.head(5, name);
    this.rawInt32(bytes.length);
    this.byte(subtype);
    this.raw(bytes);
  }

  document(name: string, bytes: Uint8Array): void {
    this.head(3, name);
    this.raw(bytes);
  }

  batch(name: string, documents: readonly Uint8Array[]): void {
    const at = this.beginArray(name);
    for (let index = 0; index < documents.length; index++) {
      this.document(indexNames[index] ?? String(index), documents[index]!);
    }
    this.end(at);
  }

  object(name: string, fields: ReplyObject | ReplyMap): void {
    const at = this.beginObject(name);
    this.fields(fields);
    this.end(at);
  }

  array(name: string, values: readonly ReplyValue[]): void {
    const at = this.beginArray(name);
    for (let index = 0; index < values.length; index++)
      this.value(indexNames[index] ?? String(index), values[index]);
    this.end(at);
  }

  fields(fields: ReplyObject | ReplyMap): void {
    if (fields instanceof Map) for (const [name, value] of fields) this.value(name, value);
    else for (const name of Object.keys(fields)) this.value(name, fields[name]);
  }

  /** Writes one field; `undefined` writes nothing, as an option that isn't set. */
  value(name: string, value: ReplyValue): void {
    writeValue(this, name, value);
  }
}

/** Encodes a plain object or map of reply values as one document. */
export function encodeReply(fields: ReplyObject | ReplyMap): Uint8Array {
  const writer = new BsonWriter(256);
  const at = writer.begin();
  writer.fields(fields);
  writer.end(at);
  return writer.bytes();
}
