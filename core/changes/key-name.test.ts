import { describe, expect, test } from "bun:test";
import { ObjectId, serialize } from "bson";
import fc from "fast-check";
import type { RawValue } from "./event.ts";
import {
  decodeDocumentId,
  decodeNamespacePart,
  encodeDocumentId,
  encodeNamespacePart,
  keyNameOf,
  sequenceInKey,
} from "./key-name.ts";

function rawValue(value: unknown): RawValue {
  const wrapped = serialize({ v: value });
  return { type: wrapped[4]!, bytes: wrapped.subarray(7, -1) };
}

const time = { t: 1_700_000_000, i: 1 };
const anyId = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }).filter((text) => text.isWellFormed() && !text.includes("\0")),
  fc.stringMatching(/^[0-9a-f]{24}$/),
  fc.stringMatching(/^[0-9a-f]{24}$/).map((hex) => new ObjectId(hex)),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.boolean(),
  fc.constant(null),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.integer(), { maxKeys: 30 }),
);

/** S3's list of safe characters, plus the slash between parts. */
const safeKey = /^[A-Za-z0-9!_.*'()/-]+$/;

describe("names of log objects", () => {
  test("the seeds' layout: database, collection, timestamp, document id", () => {
    const id = rawValue(new ObjectId("65f0c0ffee65f0c0ffee65f0"));
    expect(keyNameOf({ database: "shop", collection: "orders", sequence: 42, time, id })).toBe(
      "shop/orders/20231114T221320Z-000000000042_65f0c0ffee65f0c0ffee65f0.bson",
    );
  });

  test("ids that hold a slash, are no text, or are long stay one safe part", () => {
    expect(encodeDocumentId(rawValue("a/b c"))).toBe("a!2Fb!20c");
    expect(encodeDocumentId(rawValue(7))).toBe("!t10.BwAAAA");
    expect(encodeDocumentId(rawValue("x".repeat(500)))).toMatch(/^!sha256\.[0-9a-f]{64}$/);
    expect(encodeDocumentId(undefined)).toBe("!none");
    expect(encodeDocumentId(rawValue(""))).toMatch(/^!t02\./);
  });

  test("different ids never share a name, and every name that isn't a hash gives its id back", () => {
    fc.assert(
      fc.property(anyId, anyId, (left, right) => {
        const [one, two] = [rawValue(left), rawValue(right)];
        const same = one.type === two.type && Buffer.compare(one.bytes, two.bytes) === 0;
        expect(encodeDocumentId(one) === encodeDocumentId(two)).toBe(same);
        const encoded = encodeDocumentId(one);
        const decoded = decodeDocumentId(encoded);
        if (encoded.startsWith("!sha256.")) expect(decoded).toBeUndefined();
        else
          expect(decoded && [decoded.type, Buffer.from(decoded.bytes)]).toEqual([
            one.type,
            Buffer.from(one.bytes),
          ]);
      }),
      { numRuns: 2000 },
    );
  });

  test("namespace parts are safe, reversible, and never empty, . or ..", () => {
    const name = fc.string({ unit: "binary", maxLength: 255 }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(fc.oneof(name, fc.constantFrom("", ".", "..", "a.b", "!none", "system.views")), (text) => {
        const part = encodeNamespacePart(text);
        expect(part).toMatch(safeKey);
        expect(part).not.toContain("/");
        expect(["", ".", ".."]).not.toContain(part);
        if (!part.startsWith("!sha256.")) expect(decodeNamespacePart(part)).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });

  test("keys are safe, below 700 bytes, unique by sequence, and sort as the sequence does", () => {
    const step = fc.record({ id: anyId, later: fc.nat({ max: 3 }) });
    const name = fc
      .string({ unit: "binary", minLength: 1, maxLength: 120 })
      .filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(
        name,
        name,
        fc.nat({ max: 1e9 }),
        fc.array(step, { minLength: 2, maxLength: 30 }),
        (database, collection, start, steps) => {
          let { t } = time;
          const keys = steps.map(({ id, later }, index) => {
            t += later;
            return keyNameOf({
              database,
              collection,
              sequence: start + index + 1,
              time: { t, i: 1 },
              id: rawValue(id),
            });
          });
          expect(new Set(keys).size).toBe(keys.length);
          expect(
            keys.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right))),
          ).toEqual(keys);
          for (const [index, key] of keys.entries()) {
            expect(key).toMatch(safeKey);
            expect(key.length).toBeLessThan(700);
            expect(sequenceInKey(key)).toBe(start + index + 1);
          }
        },
      ),
    );
  });

  test("another run's name for the same events differs and keeps its sequence", () => {
    const parts = { database: "shop", collection: "orders", sequence: 5, time, id: undefined };
    const key = keyNameOf({ ...parts, run: "a1b2c3" });
    expect(key).not.toBe(keyNameOf(parts));
    expect(sequenceInKey(key)).toBe(5);
  });
});
