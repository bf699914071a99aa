/**
 * Keys whose byte order is the order of values, so that an index can live in any store that compares bytes.
 * Numbers: the greatest double that is not above the value (8 sortable bytes), then whether it is exact; what is
 * not exact (large longs, most decimals) adds its exact digits. So equal numbers of different types share a key.
 */
import { binaryBytes, bracketOf } from "./compare.ts";
import { compareDecimals, doubleToDecimal, exactNumber, type FiniteDecimal } from "./numeric.ts";
import {
  type Binary,
  type BSONRegExp,
  type BSONSymbol,
  BsonType,
  type Code,
  type DateTime,
  type DbPointer,
  type Document,
  type NumberValue,
  type ObjectId,
  type Timestamp,
  typeOf,
  type Value,
} from "./value.ts";

const exact = 1;
const withDigits = 2;

class KeyWriter {
  private buffer = Buffer.allocUnsafeSlow(4096);
  private view = new DataView(this.buffer.buffer);
  position = 0;

  private reserve(length: number): void {
    if (this.position + length <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.position + length));
    grown.set(this.buffer.subarray(0, this.position));
    this.buffer = grown;
    this.view = new DataView(grown.buffer);
  }

  /** A copy of the key, and the writer is empty again. */
  finish(): Uint8Array {
    const key = new Uint8Array(this.buffer.subarray(0, this.position));
    this.position = 0;
    return key;
  }

  /** Reverses the order of what was written since `start`. */
  invert(start: number): void {
    for (let i = start; i < this.position; i++) this.buffer[i] = ~this.buffer[i]! & 0xff;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.position++] = value;
  }

  uint32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.position, value >>> 0);
    this.position += 4;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.position);
    this.position += bytes.length;
  }

  int64(value: bigint): void {
    this.reserve(8);
    this.view.setBigUint64(this.position, BigInt.asUintN(64, value) ^ (1n << 63n));
    this.position += 8;
  }

  /** Doubles in their order, NaN first; -0 as 0. */
  double(value: number): void {
    this.reserve(8);
    const at = this.position;
    this.position = at + 8;
    if (Number.isNaN(value)) {
      this.buffer.fill(0, at, at + 8);
      return;
    }
    this.view.setFloat64(at, value === 0 ? 0 : value);
    if (value < 0) this.invert(at);
    else this.buffer[at] = this.buffer[at]! | 0x80;
  }

  /** Text with NUL escaped as 00 FF and 00 00 at the end, so that no key is the beginning of another. */
  text(text: string): void {
    this.reserve(text.length * 6 + 2);
    const start = this.position;
    let end = start + this.buffer.write(text, start, "utf8");
    if (text.includes("\0")) {
      for (let i = this.buffer.indexOf(0, start); i >= 0 && i < end; i = this.buffer.indexOf(0, i + 2)) {
        this.buffer.copyWithin(i + 2, i + 1, end);
        this.buffer[i + 1] = 0xff;
        end++;
      }
    }
    this.buffer[end] = 0;
    this.buffer[end + 1] = 0;
    this.position = end + 2;
  }
}

const writer = new KeyWriter();

/** Nearest double to an exact decimal that is not above it. */
function floorDouble(value: FiniteDecimal): { floor: number; isExact: boolean } {
  const nearest = Number(`${value.coefficient}e${value.exponent}`);
  if (nearest === Infinity) return { floor: Number.MAX_VALUE, isExact: false };
  if (nearest === -Infinity) return { floor: -Infinity, isExact: false };
  const order = compareDecimals(doubleToDecimal(nearest), value);
  if (order === 0) return { floor: nearest, isExact: true };
  return { floor: order < 0 ? nearest : previousDouble(nearest), isExact: false };
}

function previousDouble(value: number): number {
  if (value === 0) return -Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigUint64(0, view.getBigUint64(0) + (value > 0 ? -1n : 1n));
  return view.getFloat64(0);
}

function writeNumber(value: NumberValue): void {
  const number = exactNumber(value);
  if (typeof number === "number") {
    writer.double(number);
    writer.byte(exact);
    return;
  }
  const { floor, isExact } = floorDouble(number);
  writer.double(floor);
  writer.byte(isExact ? exact : withDigits);
  if (!isExact) writeDigits(number);
}

/** Exact digits of a decimal that is not 0: power of ten, then the digits without trailing zeros. */
function writeDigits({ coefficient, exponent }: FiniteDecimal): void {
  const start = writer.position;
  const negative = coefficient < 0n;
  const digits = (negative ? -coefficient : coefficient).toString();
  writer.uint32(digits.length + exponent + 0x8000);
  writer.raw(Buffer.from(digits.replace(/0+$/, ""), "latin1"));
  writer.byte(0);
  if (negative) writer.invert(start);
}

/** The type byte: brackets shifted so that 0 can end a document or array. */
function typeByte(type: number): number {
  return bracketOf(type) + 2;
}

function writeDocument(document: Document): void {
  for (const [name, value] of document) {
    const type = typeOf(value);
    writer.byte(typeByte(type));
    writer.text(name);
    writeBody(type, value);
  }
  writer.byte(0);
}

// Casts: `type` was computed from `value`.
function writeBody(type: number, value: Value): void {
  switch (type) {
    case BsonType.Int32:
    case BsonType.Double:
    case BsonType.Long:
    case BsonType.Decimal128:
      writeNumber(value as NumberValue);
      return;
    case BsonType.String:
      writer.text(value as string);
      return;
    case BsonType.Symbol:
      writer.text((value as BSONSymbol).value);
      return;
    case BsonType.Object:
      writeDocument(value as Document);
      return;
    case BsonType.Array:
      for (const element of value as Value[]) writeValue(element);
      writer.byte(0);
      return;
    case BsonType.ObjectId:
      writer.raw((value as ObjectId).id);
      return;
    case BsonType.Boolean:
      writer.byte(value === true ? 1 : 0);
      return;
    case BsonType.Date:
      writer.int64((value as DateTime).milliseconds);
      return;
    default:
      writeRareBody(type, value);
      return;
  }
}

function writeRareBody(type: number, value: Value): void {
  switch (type) {
    case BsonType.Timestamp:
      writer.uint32((value as Timestamp).high);
      writer.uint32((value as Timestamp).low);
      return;
    case BsonType.Binary:
      writer.uint32((value as Binary).position);
      writer.byte((value as Binary).sub_type);
      writer.raw(binaryBytes(value as Binary));
      return;
    case BsonType.RegExp:
      writer.text((value as BSONRegExp).pattern);
      writer.text((value as BSONRegExp).options);
      return;
    case BsonType.DbPointer: {
      const namespace = Buffer.from((value as DbPointer).namespace);
      writer.uint32(namespace.length);
      writer.raw(namespace);
      writer.raw((value as DbPointer).id.id);
      return;
    }
    case BsonType.Code:
      writer.text((value as Code).code);
      return;
    case BsonType.CodeWithScope:
      writer.text((value as Code).code);
      writeDocument((value as Code).scope as unknown as Document);
      return;
  }
}

function writeValue(value: Value): void {
  const type = typeOf(value);
  writer.byte(typeByte(type));
  writeBody(type, value);
}

/**
 * The key of a compound value: `memcmp` of two keys has the sign of comparing the values one after the other.
 * @param directions one number for each value, negative for descending; ascending when left out
 */
export function keyOf(values: Value[], directions?: number[]): Uint8Array {
  writer.position = 0;
  for (let i = 0; i < values.length; i++) {
    const start = writer.position;
    writeValue(values[i]!);
    if (directions !== undefined && directions[i]! < 0) writer.invert(start);
  }
  return writer.finish();
}
