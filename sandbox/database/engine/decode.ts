import { ServerError } from "./errors.ts";
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DateTime,
  DbPointer,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UNDEFINED,
  type Value,
} from "./value.ts";

/** The deepest nesting a server reads (its BSONDepth limit). */
const maxDepth = 200;
const minKey = new MinKey();
const maxKey = new MaxKey();

function invalid(message: string): ServerError {
  return new ServerError("InvalidBSON", message);
}

/** Field names repeat in every document: a small cache by hash avoids making the same string again. */
const nameCacheSize = 4096;
const nameCache: (string | undefined)[] = new Array(nameCacheSize);

class Reader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly buffer: Buffer;
  private position: number;
  private depth = 0;

  constructor(bytes: Uint8Array, offset: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.buffer = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = offset;
  }

  private name(): string {
    const { bytes } = this;
    const start = this.position;
    let end = start;
    let hash = 0;
    let ascii = true;
    for (let byte = bytes[end]; byte !== 0; byte = bytes[++end]) {
      if (byte === undefined) throw invalid("field name is not terminated");
      if (byte > 127) ascii = false;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    this.position = end + 1;
    const length = end - start;
    if (!ascii || length > 64) return this.buffer.toString("utf8", start, end);
    const slot = (hash ^ (hash >>> 12)) & (nameCacheSize - 1);
    const cached = nameCache[slot];
    if (cached !== undefined && cached.length === length) {
      let i = 0;
      while (i < length && cached.charCodeAt(i) === bytes[start + i]) i++;
      if (i === length) return cached;
    }
    const name = this.buffer.toString("latin1", start, end);
    nameCache[slot] = name;
    return name;
  }

  private cstring(): string {
    const end = this.bytes.indexOf(0, this.position);
    if (end < 0) throw invalid("string is not terminated");
    const text = this.buffer.toString("utf8", this.position, end);
    this.position = end + 1;
    return text;
  }

  private string(): string {
    const length = this.view.getInt32(this.position, true);
    const start = this.position + 4;
    const end = start + length - 1;
    if (length < 1 || this.bytes[end] !== 0) throw invalid("invalid string length or terminator");
    this.position = end + 1;
    return this.buffer.toString("utf8", start, end);
  }

  private take(length: number): Uint8Array {
    const start = this.position;
    if (length < 0 || start + length > this.bytes.length) throw invalid("invalid length");
    this.position = start + length;
    return new Uint8Array(this.bytes.subarray(start, start + length));
  }

  /** Start of an embedded document or array: checks its length and gives the position of its end. */
  private open(): number {
    const length = this.view.getInt32(this.position, true);
    const end = this.position + length;
    if (length < 5 || end > this.bytes.length || this.bytes[end - 1] !== 0) {
      throw invalid(`invalid document length ${length}`);
    }
    if (++this.depth > maxDepth) throw invalid(`nested deeper than ${maxDepth} levels`);
    this.position += 4;
    return end;
  }

  private close(end: number): void {
    if (this.position !== end) throw invalid("document length does not match its contents");
    this.depth--;
  }

  document(): Document {
    const end = this.open();
    const document: Document = new Map();
    for (let type = this.bytes[this.position++]!; type !== 0; type = this.bytes[this.position++]!) {
      const name = this.name();
      document.set(name, this.value(type));
    }
    this.close(end);
    return document;
  }

  private array(): Value[] {
    const end = this.open();
    const array: Value[] = [];
    const { bytes } = this;
    for (let type = bytes[this.position++]!; type !== 0; type = bytes[this.position++]!) {
      while (bytes[this.position] !== 0) {
        if (this.position++ >= end) throw invalid("array index is not terminated");
      }
      this.position++;
      array.push(this.value(type));
    }
    this.close(end);
    return array;
  }

  private value(type: number): Value {
    const { view } = this;
    const at = this.position;
    switch (type) {
      case 0x01:
        this.position = at + 8;
        return new Double(view.getFloat64(at, true));
      case 0x02:
        return this.string();
      case 0x03:
        return this.document();
      case 0x04:
        return this.array();
      case 0x07:
        return new ObjectId(this.take(12));
      case 0x08:
        this.position = at + 1;
        return this.bytes[at] !== 0;
      case 0x09:
        this.position = at + 8;
        return new DateTime(view.getBigInt64(at, true));
      case 0x0a:
        return null;
      case 0x10:
        this.position = at + 4;
        return new Int32(view.getInt32(at, true));
      case 0x12:
        this.position = at + 8;
        return new Long(view.getInt32(at, true), view.getInt32(at + 4, true));
      default:
        return this.rareValue(type);
    }
  }

  private rareValue(type: number): Value {
    const { view } = this;
    const at = this.position;
    switch (type) {
      case 0x05: {
        const length = view.getInt32(at, true);
        this.position = at + 5;
        return new Binary(this.take(length), this.bytes[at + 4]!);
      }
      case 0x06:
        return UNDEFINED;
      case 0x0b:
        return regExp(this.cstring(), this.cstring());
      case 0x0c:
        return new DbPointer(this.string(), new ObjectId(this.take(12)));
      case 0x0d:
        return new Code(this.string());
      case 0x0e:
        return new BSONSymbol(this.string());
      case 0x0f:
        return this.codeWithScope();
      case 0x11:
        this.position = at + 8;
        return new Timestamp(new Long(view.getInt32(at, true), view.getInt32(at + 4, true), true));
      case 0x13:
        return new Decimal128(this.take(16));
      case 0x7f:
        return maxKey;
      case 0xff:
        return minKey;
      default:
        throw invalid(`unrecognized BSON type ${type}`);
    }
  }

  private codeWithScope(): Code {
    const start = this.position;
    const length = this.view.getInt32(start, true);
    this.position += 4;
    const code = this.string();
    const scope = this.document();
    if (this.position !== start + length)
      throw invalid("length of code with scope does not match its contents");
    return new Code(code, scope);
  }
}

/** Makes a regular expression as stored; js-bson's constructor would sort the options and refuse unknown ones. */
export function regExp(pattern: string, options: string): BSONRegExp {
  const value = Object.create(BSONRegExp.prototype) as BSONRegExp;
  value.pattern = pattern;
  value.options = options;
  return value;
}

/**
 * Decodes the BSON document that starts at `offset`. Binary values are copied, so `bytes` may be reused.
 * A value of binary subtype 2 keeps the inner length in its buffer.
 * @throws ServerError InvalidBSON
 */
export function decode(bytes: Uint8Array, offset = 0): Document {
  try {
    return new Reader(bytes, offset).document();
  } catch (error) {
    if (error instanceof RangeError)
      throw new ServerError("InvalidBSON", "document is cut off", { cause: error });
    throw error;
  }
}
