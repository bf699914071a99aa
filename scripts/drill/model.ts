import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  serialize,
  Timestamp,
  UUID,
} from "bson";
import type { Random } from "./random.ts";

/**
 * A document as the workload knows it: ordered, as BSON is. A plain object would move integer-like names to the
 * front, and then the ledger could not say which order is the right one.
 */
export type Model = Map<string, unknown>;

export function bytesOf(model: Model): Uint8Array {
  return serialize(model);
}

/** A stable text for an `_id`: its type and bytes. */
export function idKey(id: unknown): string {
  return Buffer.from(serialize(new Map([["", id]]))).toString("base64");
}

/** Ids of every shape the log must be able to name: text with slashes, long text, numbers, nested documents, … */
export function newId(random: Random, number: number): unknown {
  switch (number % 11) {
    case 0:
      return new Int32(number);
    case 1:
      return Long.fromBigInt(9_000_000_000n + BigInt(number));
    case 2:
      return `order/${number}/ñandú?&%+ ${random.hex(4)}`;
    case 3:
      return `${number}-${"long-".repeat(60)}`;
    case 4:
      return new Map<string, unknown>([
        ["region", "eu"],
        ["10", new Int32(number)],
        ["2", new Int32(1)],
      ]);
    case 5:
      return new UUID(Buffer.from(random.hex(32), "hex"));
    case 6:
      return new Date(1_700_000_000_000 + number * 1000);
    case 7:
      return new Double(number + 0.5);
    case 8:
      return Decimal128.fromString(`${number}.250`);
    default:
      return new ObjectId(`${number.toString(16).padStart(8, "0")}${random.hex(16)}`);
  }
}

/** One value of every BSON type that can be written. */
export function everyType(random: Random): Model {
  return new Map<string, unknown>([
    ["double", new Double(-0)],
    ["nan", new Double(Number.NaN)],
    ["text", "naïve 日本語 \u0001"],
    [
      "document",
      new Map<string, unknown>([
        ["b", new Int32(1)],
        ["a", new Int32(2)],
        ["0", "first"],
      ]),
    ],
    ["array", [new Int32(1), new Double(1), Long.fromNumber(1), [], new Map()]],
    ["binary", new Binary(Buffer.from(random.hex(20), "hex"), 0)],
    ["userBinary", new Binary(Buffer.from(random.hex(8), "hex"), 0x80)],
    ["uuid", new UUID(Buffer.from(random.hex(32), "hex"))],
    ["objectId", new ObjectId(random.hex(24))],
    ["true", true],
    ["date", new Date(-1)],
    ["null", null],
    ["regex", new BSONRegExp("^a/b", "im")],
    ["code", new Code("function () { return 1; }")],
    ["scoped", new Code("x", { x: 1 })],
    ["symbol", new BSONSymbol("sym")],
    ["int", new Int32(-7)],
    ["timestamp", new Timestamp({ t: 1_700_000_000, i: 3 })],
    ["long", Long.MAX_VALUE],
    ["decimal", Decimal128.fromString("1.10E+3")],
    ["min", new MinKey()],
    ["max", new MaxKey()],
  ]);
}

/** A new document. `rev` is the number of the write that made it so; no two writes share one. */
export function newDocument(random: Random, id: unknown, rev: number, padding: number): Model {
  return new Map<string, unknown>([
    ["_id", id],
    ["rev", Long.fromNumber(rev)],
    ["email", `${random.hex(12)}-${rev}@example.org`],
    ["10", new Int32(rev % 1000)],
    ["2", "numeric names keep their place"],
    ["lines", [line(random), line(random), line(random)]],
    [
      "matrix",
      [
        [new Int32(1), new Int32(2)],
        [new Int32(3), [new Int32(4), new Int32(5)]],
      ],
    ],
    ["total", new Double(random.integer(10_000) / 100)],
    ["note", random.hex(8).repeat(Math.max(1, Math.ceil(padding / 8)))],
  ]);
}

function line(random: Random): Model {
  return new Map<string, unknown>([
    ["sku", random.hex(6)],
    ["quantity", new Int32(random.integer(9) + 1)],
    ["0", new Map<string, unknown>([["deep", new Int32(random.integer(100))]])],
  ]);
}

export interface Change {
  /** The update document to send. */
  readonly update: Map<string, unknown>;
  /** What the document must be once the server has acknowledged it. */
  readonly after: Model;
}

/** An update that changes something, with what the document must look like afterwards, byte for byte. */
export function newUpdate(random: Random, before: Model, rev: number): Change {
  const after = cloneModel(before);
  const set = new Map<string, unknown>([["rev", Long.fromNumber(rev)]]);
  const update = new Map<string, unknown>([["$set", set]]);
  after.set("rev", Long.fromNumber(rev));
  const lines = after.get("lines") as Model[];
  switch (random.integer(5)) {
    case 0: {
      const at = random.integer(lines.length);
      set.set(`lines.${at}.0.deep`, new Int32(rev % 2_000_000));
      (lines[at]!.get("0") as Model).set("deep", new Int32(rev % 2_000_000));
      break;
    }
    case 1: {
      const added = line(random);
      update.set("$push", new Map([["lines", added]]));
      lines.push(cloneModel(added));
      break;
    }
    case 2:
      set.set("matrix.1.1.0", new Int32(rev % 2_000_000));
      ((after.get("matrix") as unknown[][])[1]![1] as unknown[])[0] = new Int32(rev % 2_000_000);
      break;
    case 3:
      set.set("10", new Int32(rev % 1_000_000));
      after.set("10", new Int32(rev % 1_000_000));
      break;
    default:
      set.set("total", new Double(rev / 100));
      after.set("total", new Double(rev / 100));
  }
  return { update, after };
}

export function cloneModel(model: Model): Model {
  return new Map([...model].map(([name, value]) => [name, cloneValue(value)]));
}

function cloneValue(value: unknown): unknown {
  if (value instanceof Map) return cloneModel(value as Model);
  return Array.isArray(value) ? value.map(cloneValue) : value;
}
