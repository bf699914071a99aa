/** Frames of the wire protocol, as far as a proxy needs them: where a command's body lies, and how to answer one. */
import { Buffer } from "node:buffer";
import { type Field, findField, readFields, readString, readTimestamp } from "./raw.ts";

const OpCode = { Reply: 1, Query: 2004, Message: 2013 } as const;
const HEADER_BYTES = 16;
const MORE_TO_COME = 2;
const EXHAUST_ALLOWED = 1 << 16;
const CHECKSUM_PRESENT = 1;

/** The client speaks something that can't be answered; its connection is closed. */
export class ProtocolViolation extends Error {}

/** A command on its way to the database. `body` is a view into `frame`. */
export interface Request {
  readonly frame: Buffer;
  readonly requestId: number;
  /** It came as OP_QUERY (drivers greet that way) and is answered by OP_REPLY. */
  readonly legacy: boolean;
  readonly database: string;
  readonly command: string;
  readonly body: Buffer;
  readonly fields: readonly Field[];
  /** Behind the body: document sequences, as they are. */
  readonly sequences: Buffer;
  /** No reply is expected (write concern 0). */
  readonly silent: boolean;
}

export function field(request: Request, name: string): Field | undefined {
  return request.fields.find((each) => each.name === name);
}

/** Reads a frame of a client. The body of an OP_MSG stands first, as every driver sends it. */
export function readRequest(frame: Buffer): Request {
  const requestId = frame.readInt32LE(4);
  const code = frame.readInt32LE(12);
  if (code === OpCode.Message) {
    const flags = frame.readUInt32LE(HEADER_BYTES);
    if (frame[20] !== 0) throw new ProtocolViolation("expected the body as first section of an OP_MSG");
    const end = 21 + frame.readInt32LE(21);
    const body = frame.subarray(21, end);
    const fields = readFields(body);
    return {
      frame,
      requestId,
      legacy: false,
      database:
        readString(
          body,
          fields.find((each) => each.name === "$db"),
        ) ?? "",
      command: fields[0]?.name ?? "",
      body,
      fields,
      sequences: frame.subarray(end, frame.length - (flags & CHECKSUM_PRESENT ? 4 : 0)),
      silent: (flags & MORE_TO_COME) !== 0,
    };
  }
  if (code === OpCode.Query) {
    const nameEnd = frame.indexOf(0, HEADER_BYTES + 4);
    const body = frame.subarray(nameEnd + 9, nameEnd + 9 + frame.readInt32LE(nameEnd + 9));
    const fields = readFields(body);
    const database = frame.toString("utf8", HEADER_BYTES + 4, nameEnd).replace(/\.\$cmd$/, "");
    const command = fields[0]?.name ?? "";
    const sequences = Buffer.alloc(0);
    return { frame, requestId, legacy: true, database, command, body, fields, sequences, silent: false };
  }
  throw new ProtocolViolation(`expected OP_MSG or OP_QUERY, got opcode ${code}`);
}

/** An OP_MSG request of that body, with the document sequences of another where given. */
export function messageOf(body: Uint8Array, requestId: number, sequences?: Buffer, silent = false): Buffer {
  const length = 21 + body.length + (sequences?.length ?? 0);
  const frame = Buffer.allocUnsafe(length);
  frame.writeInt32LE(length, 0);
  frame.writeInt32LE(requestId, 4);
  frame.writeInt32LE(0, 8);
  frame.writeInt32LE(OpCode.Message, 12);
  frame.writeUInt32LE(silent ? MORE_TO_COME : 0, 16);
  frame[20] = 0;
  frame.set(body, 21);
  if (sequences) frame.set(sequences, 21 + body.length);
  return frame;
}

/** The frame as it may go upstream: exhaust replies are never asked for, since each reply is looked at once. */
export function withoutExhaust(request: Request): Buffer {
  if (!request.legacy) {
    const flags = request.frame.readUInt32LE(HEADER_BYTES);
    if (flags & EXHAUST_ALLOWED) request.frame.writeUInt32LE((flags & ~EXHAUST_ALLOWED) >>> 0, HEADER_BYTES);
  }
  return request.frame;
}

let lastReplyId = 0;

/** The frame answering `request` with that document. */
export function replyTo(request: Request, document: Uint8Array): Buffer {
  lastReplyId = (lastReplyId + 1) & 0x7fffffff;
  const prefix = request.legacy ? 36 : 21;
  const frame = Buffer.allocUnsafe(prefix + document.length);
  frame.fill(0, 0, prefix);
  frame.writeInt32LE(frame.length, 0);
  frame.writeInt32LE(lastReplyId, 4);
  frame.writeInt32LE(request.requestId, 8);
  frame.writeInt32LE(request.legacy ? OpCode.Reply : OpCode.Message, 12);
  if (request.legacy) {
    frame.writeInt32LE(8, 16);
    frame.writeInt32LE(1, 32);
  }
  frame.set(document, prefix);
  return frame;
}

/** Where the document of a reply begins. */
function documentStart(frame: Buffer): number {
  return frame.readInt32LE(12) === OpCode.Reply ? 36 : 21;
}

/** The document of a reply, a view into its frame. */
export function replyDocument(frame: Buffer): Buffer {
  const start = documentStart(frame);
  return frame.subarray(start, start + frame.readInt32LE(start));
}

/**
 * Takes `$clusterTime` out of a reply, in place: DocumentDB doesn't gossip it. Gives the shortened frame, and the
 * reply's operationTime where it has one.
 */
export function withoutClusterTime(frame: Buffer): { frame: Buffer; operationTime: bigint | undefined } {
  const start = documentStart(frame);
  const fields = readFields(frame, start);
  const operationTime = readTimestamp(
    frame,
    fields.find((each) => each.name === "operationTime"),
  );
  const gossip = fields.find((each) => each.name === "$clusterTime");
  if (!gossip) return { frame, operationTime };
  const cut = gossip.end - gossip.start;
  frame.copyWithin(gossip.start, gossip.end);
  frame.writeInt32LE(frame.readInt32LE(start) - cut, start);
  frame.writeInt32LE(frame.length - cut, 0);
  return { frame: frame.subarray(0, frame.length - cut), operationTime };
}

/** Whether a reply says ok. */
export function isOk(document: Buffer): boolean {
  const ok = findField(document, "ok");
  if (!ok) return false;
  return ok.type === 1 ? document.readDoubleLE(ok.value) === 1 : document[ok.value] === 1;
}
