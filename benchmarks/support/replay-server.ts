/**
 * A server that answers change streams from memory, as fast as a socket takes them: with it the client is what is
 * measured. It speaks as much of the wire protocol as the driver and the worker ask for; nothing is stored.
 * `bun benchmarks/support/replay-server.ts --events N`; the first line of its output is its connection string.
 */
import { parseArgs } from "node:util";
import { type Document, deserialize, Long, serialize, Timestamp } from "bson";
import { changeEvent } from "../../tests/support/change-events.ts";
import { orderOf } from "./order.ts";

const { values } = parseArgs({ options: { events: { type: "string", default: "100000" } } });
const eventsMax = Number(values.events);

const replyBytesMax = 16 * 1024 * 1024;
const distinctEvents = 2000;
const opReply = 1;
const opQuery = 2004;
const opMessage = 2013;
const time = { t: 1_700_000_000, i: 1 };

/** As change-events.ts words it: the event's place in the stream. */
function digitsOf(number: number): string {
  return number.toString(16).padStart(16, "0");
}

function tokenOf(number: number): Document {
  return { _data: digitsOf(number) };
}

/** The digits of a token stand at the same place in every event: they are written anew for each number. */
const templates = Array.from({ length: distinctEvents }, (_, index) => {
  const number = index + 1;
  return Buffer.from(changeEvent(number, { id: number, time, fullDocument: orderOf(number) }));
});
const digitsAt = templates[0]!.indexOf(digitsOf(1), 0, "latin1");

interface Cursor {
  position: number;
}

interface Connection {
  pending: Buffer;
  outgoing: Buffer[];
}

const cursors = new Map<string, Cursor>();
let nextId = 1;

const server = Bun.listen<Connection>({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    open(socket) {
      socket.data = { pending: Buffer.alloc(0), outgoing: [] };
    },
    data(socket, chunk) {
      const { data } = socket;
      data.pending = Buffer.concat([data.pending, chunk]);
      while (data.pending.length >= 4 && data.pending.length >= data.pending.readInt32LE(0)) {
        const length = data.pending.readInt32LE(0);
        const frame = data.pending.subarray(0, length);
        data.pending = data.pending.subarray(length);
        void answer(frame).then((reply) => send(socket, reply));
      }
    },
    drain: (socket) => flush(socket),
  },
});
process.stdout.write(`mongodb://127.0.0.1:${server.port}/?directConnection=true\n`);
process.stdin.on("end", () => process.exit(0)).resume();

function send(socket: Bun.Socket<Connection>, reply: Buffer): void {
  socket.data.outgoing.push(reply);
  flush(socket);
}

function flush(socket: Bun.Socket<Connection>): void {
  const { outgoing } = socket.data;
  while (outgoing.length > 0) {
    const written = socket.write(outgoing[0]!);
    if (written < outgoing[0]!.length) {
      outgoing[0] = outgoing[0]!.subarray(Math.max(0, written));
      return;
    }
    outgoing.shift();
  }
}

async function answer(frame: Buffer): Promise<Buffer> {
  const requestId = frame.readInt32LE(4);
  const operation = frame.readInt32LE(12);
  if (operation === opQuery) {
    const body = serialize(hello());
    return message(
      requestId,
      opReply,
      Buffer.concat([Buffer.from(new Int32Array([8, 0, 0, 0, 1]).buffer), body]),
    );
  }
  const command = deserialize(frame.subarray(21), {
    allowObjectSmallerThanBufferSize: true,
    promoteLongs: false,
  });
  return message(requestId, opMessage, Buffer.concat([Buffer.from([0, 0, 0, 0, 0]), await bodyFor(command)]));
}

async function bodyFor(command: Document): Promise<Buffer> {
  if (command.getMore !== undefined) return getMore(command);
  if (command.aggregate !== undefined) return Buffer.from(serialize(aggregate(command)));
  if (command.hello || command.ismaster || command.isMaster) return Buffer.from(serialize(hello()));
  if (command.update) return Buffer.from(serialize({ ok: 1, n: 1, nModified: 1 }));
  return Buffer.from(serialize({ ok: 1 }));
}

function hello(): Document {
  const limits = {
    maxBsonObjectSize: 16_777_216,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
  };
  const versions = { minWireVersion: 0, maxWireVersion: 9, logicalSessionTimeoutMinutes: 30 };
  return {
    ismaster: true,
    isWritablePrimary: true,
    helloOk: true,
    ...limits,
    ...versions,
    readOnly: false,
    ok: 1,
  };
}

function aggregate(command: Document): Document {
  const [stage] = command.pipeline;
  const ns = "admin.$cmd.aggregate";
  const operationTime = new Timestamp({ t: time.t, i: time.i });
  if (stage.$listChangeStreams) {
    const firstBatch = [{ database: "", collection: "" }];
    return { cursor: { firstBatch, id: Long.ZERO, ns }, ok: 1, operationTime };
  }
  const token = stage.$changeStream?.resumeAfter?._data as string | undefined;
  const position = token ? Number.parseInt(token, 16) : 0;
  const id = nextId++;
  cursors.set(String(id), { position });
  const cursor = { firstBatch: [], id: Long.fromNumber(id), ns, postBatchResumeToken: tokenOf(position) };
  return { cursor, ok: 1, operationTime };
}

async function getMore(command: Document): Promise<Buffer> {
  const cursor = cursors.get(String(command.getMore))!;
  const wanted = Number(command.batchSize ?? Number.POSITIVE_INFINITY);
  const left = Math.min(wanted, eventsMax - cursor.position);
  if (left === 0) await Bun.sleep(Math.min(Number(command.maxTimeMS ?? 1000), 1000));
  const batch = eventArray(cursor, left);
  const inner = serialize({
    id: command.getMore,
    ns: "admin.$cmd.aggregate",
    postBatchResumeToken: tokenOf(cursor.position),
  });
  const cursorDocument = withArray(inner, "nextBatch", batch);
  const outer = serialize({ ok: 1, operationTime: new Timestamp({ t: time.t, i: time.i }) });
  return withElement(outer, 3, "cursor", cursorDocument);
}

/** A BSON array of the next events, as many as a reply holds. */
function eventArray(cursor: Cursor, wanted: number): Buffer {
  const bytes = Buffer.allocUnsafe(replyBytesMax + 1024 * 1024);
  let offset = 4;
  for (let index = 0; index < wanted && offset < replyBytesMax; index++) {
    const number = ++cursor.position;
    const event = templates[number % distinctEvents]!;
    bytes[offset++] = 3;
    offset += bytes.write(String(index), offset, "latin1");
    bytes[offset++] = 0;
    event.copy(bytes, offset);
    bytes.write(digitsOf(number), offset + digitsAt, "latin1");
    offset += event.length;
  }
  bytes[offset++] = 0;
  bytes.writeInt32LE(offset, 0);
  return bytes.subarray(0, offset);
}

function withArray(document: Uint8Array, name: string, array: Buffer): Buffer {
  return withElement(document, 4, name, array);
}

/** A document with one more element in front. */
function withElement(document: Uint8Array, type: number, name: string, value: Buffer): Buffer {
  const head = Buffer.alloc(4 + 1 + name.length + 1);
  head.writeInt32LE(document.length + 2 + name.length + value.length, 0);
  head[4] = type;
  head.write(name, 5, "latin1");
  return Buffer.concat([head, value, document.subarray(4)]);
}

function message(responseTo: number, operation: number, body: Buffer): Buffer {
  const header = Buffer.alloc(16);
  header.writeInt32LE(16 + body.length, 0);
  header.writeInt32LE(responseTo, 8);
  header.writeInt32LE(operation, 12);
  return Buffer.concat([header, body]);
}
