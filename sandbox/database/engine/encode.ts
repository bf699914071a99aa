import {
  type BSONRegExp,
  BsonType,
  type Code,
  type Document,
  type Timestamp,
  typeOf,
  type Value,
} from "./value.ts";

const indexNames: string[] = [];
function indexName(index: number): string {
  let name = indexNames[index];
  if (name === undefined) {
    name = String(index);
    if (index < 4096) indexNames[index] = name;
  }
  return name;
}

class Writer {
  private buffer = Buffer.allocUnsafeSlow(65536);
  private view = new DataView(this.buffer.buffer);
  private position = 0;

  private reserve(length: number): void {
    if (this.position + length <= this.buffer.length) return;
    let capacity = this.buffer.length * 2;
    while (capacity < this.position + length) capacity *= 2;
    const grown = Buffer.allocUnsafeSlow(capacity);
    grown.set(this.buffer.subarray(0, this.position));
    this.buffer = grown;
    this.view = new DataView(grown.buffer);
  }

  /** Gives a copy of what was written, and lets go of an unusually large buffer. */
  finish(): Uint8Array {
    const result = new Uint8Array(this.position);
    result.set(this.buffer.subarray(0, this.position));
    this.reset();
    return result;
  }

  reset(): void {
    this.position = 0;
    if (this.buffer.length <= 4_194_304) return;
    this.buffer = Buffer.allocUnsafeSlow(65536);
    this.view = new DataView(this.buffer.buffer);
  }

  private utf8(text: string): void {
    const { length } = text;
    this.reserve(length * 3 + 1);
    let position = this.position;
    if (length < 48) {
      const { buffer } = this;
      let i = 0;
      for (; i < length; i++) {
        const code = text.charCodeAt(i);
        if (code > 127) break;
        buffer[position + i] = code;
      }
      if (i === length) {
        position += length;
        buffer[position] = 0;
        this.position = position + 1;
        return;
      }
    }
    position += this.buffer.write(text, position, "utf8");
    this.buffer[position] = 0;
    this.position = position + 1;
  }

  private string(text: string): void {
    this.reserve(4);
    const at = this.position;
    this.position = at + 4;
    this.utf8(text);
    this.view.setInt32(at, this.position - at - 4, true);
  }

  private raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.position);
    this.position += bytes.length;
  }

  private int32(value: number): void {
    this.reserve(4);
    this.view.setInt32(this.position, value, true);
    this.position += 4;
  }

  private longOf(value: { low: number; high: number }): void {
    this.int32(value.low);
    this.int32(value.high);
  }

  private byte(value: number): void {
    this.reserve(1);
    this.buffer[this.position++] = value;
  }

  private close(start: number): void {
    this.byte(0);
    this.view.setInt32(start, this.position - start, true);
  }

  document(document: Document): void {
    const start = this.position;
    this.int32(0);
    for (const [name, value] of document) this.element(name, value);
    this.close(start);
  }

  private array(array: Value[]): void {
    const start = this.position;
    this.int32(0);
    for (let i = 0; i < array.length; i++) this.element(indexName(i), array[i]!);
    this.close(start);
  }

  private element(name: string, value: Value): void {
    const type = typeOf(value);
    this.byte(type & 0xff);
    this.utf8(name);
    this.value(type, value);
  }

  // Casts: `type` was computed from `value`, so the branch taken implies the class.
  private value(type: number, value: Value): void {
    switch (type) {
      case BsonType.String:
        this.string(value as string);
        return;
      case BsonType.Int32:
        this.int32((value as { value: number }).value);
        return;
      case BsonType.Double:
        this.reserve(8);
        this.view.setFloat64(this.position, (value as { value: number }).value, true);
        this.position += 8;
        return;
      case BsonType.Object:
        this.document(value as Document);
        return;
      case BsonType.Array:
        this.array(value as Value[]);
        return;
      case BsonType.Boolean:
        this.byte(value === true ? 1 : 0);
        return;
      case BsonType.ObjectId:
        this.raw((value as { id: Uint8Array }).id);
        return;
      case BsonType.Date:
        this.reserve(8);
        this.view.setBigInt64(this.position, (value as { milliseconds: bigint }).milliseconds, true);
        this.position += 8;
        return;
      case BsonType.Long:
      case BsonType.Timestamp:
        this.longOf(value as Timestamp);
        return;
      default:
        this.rareValue(type, value);
        return;
    }
  }

  private rareValue(type: number, value: Value): void {
    switch (type) {
      case BsonType.Binary: {
        const binary = value as { buffer: Uint8Array; position: number; sub_type: number };
        this.int32(binary.position);
        this.byte(binary.sub_type);
        this.raw(binary.buffer.subarray(0, binary.position));
        return;
      }
      case BsonType.RegExp:
        this.utf8((value as BSONRegExp).pattern);
        this.utf8((value as BSONRegExp).options);
        return;
      case BsonType.DbPointer: {
        const pointer = value as { namespace: string; id: { id: Uint8Array } };
        this.string(pointer.namespace);
        this.raw(pointer.id.id);
        return;
      }
      case BsonType.Code:
        this.string((value as Code).code);
        return;
      case BsonType.Symbol:
        this.string((value as { value: string }).value);
        return;
      case BsonType.CodeWithScope: {
        const start = this.position;
        this.int32(0);
        this.string((value as Code).code);
        this.document((value as Code).scope as unknown as Document);
        this.view.setInt32(start, this.position - start, true);
        return;
      }
      case BsonType.Decimal128:
        this.raw((value as { bytes: Uint8Array }).bytes);
        return;
    }
  }
}

const writer = new Writer();

/** Encodes a document as BSON. The result is a fresh array. */
export function encode(document: Document): Uint8Array {
  try {
    writer.document(document);
    return writer.finish();
  } catch (error) {
    writer.reset();
    throw error;
  }
}
