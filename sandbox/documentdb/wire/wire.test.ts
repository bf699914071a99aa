import { expect, test } from "bun:test";
import { Buffer } from "node:buffer";
import { Binary, Decimal128, deserialize, Int32, Long, ObjectId, serialize, Timestamp } from "bson";
import fc from "fast-check";
import { Framer } from "./framer.ts";
import {
  messageOf,
  ProtocolViolation,
  readRequest,
  replyDocument,
  replyTo,
  withoutClusterTime,
} from "./messages.ts";
import { documentOf, editDocument, findField, MalformedDocument, readFields, readNumber } from "./raw.ts";

const values = fc.oneof(
  fc.string(),
  fc.boolean(),
  fc.constant(null),
  fc.double().map((value) => value),
  fc.integer().map((value) => new Int32(value)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => Long.fromBigInt(value)),
  fc.uint8Array().map((bytes) => new Binary(bytes)),
  fc.constant(new ObjectId("64b7f1f77bcf86cd799439aa")),
  fc.constant(Decimal128.fromString("1.50")),
  fc.array(fc.string(), { maxLength: 3 }),
  fc.record({ inner: fc.string() }),
  fc.constant(/a.*b/i),
);
const names = fc.stringMatching(/^[a-z][a-zA-Z0-9]{0,6}$/);
const documents = fc.dictionary(names, values, { maxKeys: 8 });

test("fields of a document are found where the serializer put them, and whole elements make it again", () => {
  fc.assert(
    fc.property(documents, (document) => {
      const bytes = Buffer.from(serialize(document));
      const fields = readFields(bytes);
      expect(fields.map(({ name }) => name)).toEqual(Object.keys(document));
      expect(documentOf(fields.map(({ start, end }) => bytes.subarray(start, end)))).toEqual(bytes);
    }),
  );
});

test("editing takes fields out and appends others, and leaves the rest byte for byte", () => {
  const bytes = Buffer.from(serialize({ keep: new Int32(1), drop: { deep: [1, 2] }, also: "é" }));
  const added = Buffer.from(serialize({ new: true }));
  const edited = editDocument(bytes, new Set(["drop"]), [added.subarray(4, added.length - 1)]);
  expect(edited).toEqual(Buffer.from(serialize({ keep: new Int32(1), also: "é", new: true })));
});

test("a document whose element runs past its end is refused", () => {
  const bytes = Buffer.from(serialize({ text: "hello" }));
  bytes.writeInt32LE(500, bytes.indexOf("hello") - 4);
  expect(() => readFields(bytes)).toThrow(MalformedDocument);
});

test("a stream cut anywhere gives the same frames", () => {
  const frames = [{ ping: 1 }, { hello: 1, filler: "x".repeat(300) }, { a: 1 }].map((body, index) =>
    messageOf(serialize({ ...body, $db: "admin" }), index + 1),
  );
  const whole = Buffer.concat(frames);
  fc.assert(
    fc.property(fc.array(fc.nat(whole.length), { maxLength: 12 }), (cuts) => {
      const seen: Buffer[] = [];
      const framer = new Framer((frame) => seen.push(Buffer.from(frame)));
      const ordered = [0, ...cuts.sort((left, right) => left - right), whole.length];
      for (let index = 1; index < ordered.length; index++) {
        const chunk = whole.subarray(ordered[index - 1], ordered[index]);
        if (chunk.length > 0) framer.push(Buffer.from(chunk));
      }
      expect(seen).toEqual(frames);
    }),
  );
});

test("a frame that claims an impossible length closes the connection", () => {
  const framer = new Framer(() => undefined);
  expect(() => framer.push(Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]))).toThrow(ProtocolViolation);
});

test("$clusterTime is cut out of a reply and nothing else", () => {
  const request = readRequest(messageOf(serialize({ ping: 1, $db: "admin" }), 7));
  const operationTime = new Timestamp({ t: 1_700_000_000, i: 3 });
  const reply = {
    cursor: { id: new Int32(0) },
    ok: 1,
    $clusterTime: { clusterTime: operationTime },
    operationTime,
  };
  const { frame, operationTime: seen } = withoutClusterTime(replyTo(request, serialize(reply)));
  expect(frame.readInt32LE(0)).toBe(frame.length);
  expect(seen).toBe((1_700_000_000n << 32n) | 3n);
  const document = replyDocument(frame);
  expect(Object.keys(deserialize(document))).toEqual(["cursor", "ok", "operationTime"]);
  expect(readNumber(document, findField(document, "ok"))).toBe(1);
});
