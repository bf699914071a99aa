/** Frames of the wire protocol: reading OP_MSG, OP_QUERY and OP_COMPRESSED; writing OP_MSG and OP_REPLY. */
import { Buffer } from "node:buffer";
import { deflateSync, inflateSync } from "node:zlib";
import { BsonWriter } from "./writer.ts";

const OpCode = { Reply: 1, Query: 2004, Compressed: 2012, Message: 2013 } as const;
export const MAX_MESSAGE_BYTES = 48_000_000;
export const HEADER_BYTES = 16;
const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;
const EXHAUST_ALLOWED = 1 << 16;

/** A kind 1 section: documents named like the array they stand for. */
export interface DocumentSequence {
  name: string;
  documents: Uint8Array[];
}

/** A request, whatever the opcode it came in. `body` and the sequences are views into the frame. */
export interface Request {
  requestId: number;
  /** The reply must use the opcode family of the request. */
  legacy: boolean;
  /** Database of an OP_QUERY on `<db>.$cmd`; OP_MSG carries it in `$db`. */
  database: string | undefined;
  body: Uint8Array;
  sequences: DocumentSequence[];
  moreToCome: boolean;
  exhaustAllowed: boolean;
  /** Compressor number to answer with, when the request was compressed. */
  compressor: number | undefined;
}

/** The frame can't be answered: the server closes the connection, as the real one does. */
export class ProtocolViolation extends Error {}

function documentAt(frame: Buffer, at: number, limit: number): Uint8Array {
  if (at + 5 > limit) throw new ProtocolViolation("a document begins past the end of the message");
  const length = frame.readInt32LE(at);
  if (length < 5 || at + length > limit || frame[at + length - 1] !== 0) {
    throw new ProtocolViolation(`a document's length ${length} doesn't fit into the message`);
  }
  return frame.subarray(at, at + length);
}

function cstringEnd(frame: Buffer, at: number, limit: number): number {
  const end = frame.indexOf(0, at);
  if (end < 0 || end >= limit) throw new ProtocolViolation("a name has no end");
  return end;
}

function readSequence(
  frame: Buffer,
  start: number,
  limit: number,
): { sequence: DocumentSequence; end: number } {
  const size = frame.readInt32LE(start);
  const end = start + size;
  if (size < 5 || end > limit)
    throw new ProtocolViolation(`a section's size ${size} doesn't fit into the message`);
  const nameEnd = cstringEnd(frame, start + 4, end);
  const documents: Uint8Array[] = [];
  let at = nameEnd + 1;
  while (at < end) {
    const document = documentAt(frame, at, end);
    documents.push(document);
    at += document.length;
  }
  return { sequence: { name: frame.toString("latin1", start + 4, nameEnd), documents }, end };
}

function readMessage(frame: Buffer, requestId: number, compressor: number | undefined): Request {
  const flags = frame.readUInt32LE(HEADER_BYTES);
  if ((flags & 0xffff & ~(CHECKSUM_PRESENT | MORE_TO_COME)) !== 0) {
    throw new ProtocolViolation(`unknown required flags in OP_MSG: ${flags}`);
  }
  const limit = frame.length - (flags & CHECKSUM_PRESENT ? 4 : 0);
  const sequences: DocumentSequence[] = [];
  let body: Uint8Array | undefined;
  let at = HEADER_BYTES + 4;
  while (at < limit) {
    const kind = frame[at++];
    if (kind === 0) {
      if (body !== undefined) throw new ProtocolViolation("two bodies in one OP_MSG");
      body = documentAt(frame, at, limit);
      at += body.length;
    } else if (kind === 1) {
      const { sequence, end } = readSequence(frame, at, limit);
      sequences.push(sequence);
      at = end;
    } else throw new ProtocolViolation(`unknown kind of section: ${kind}`);
  }
  if (body === undefined) throw new ProtocolViolation("OP_MSG without a body");
  return {
    requestId,
    legacy: false,
    database: undefined,
    body,
    sequences,
    moreToCome: (flags & MORE_TO_COME) !== 0,
    exhaustAllowed: (flags & EXHAUST_ALLOWED) !== 0,
    compressor,
  };
}

function readQuery(frame: Buffer, requestId: number, compressor: number | undefined): Request {
  const nameEnd = cstringEnd(frame, HEADER_BYTES + 4, frame.length);
  const name = frame.toString("utf8", HEADER_BYTES + 4, nameEnd);
  if (!name.endsWith(".$cmd")) throw new ProtocolViolation(`OP_QUERY is no longer supported on ${name}`);
  return {
    requestId,
    legacy: true,
    database: name.slice(0, -5),
    body: documentAt(frame, nameEnd + 9, frame.length),
    sequences: [],
    moreToCome: false,
    exhaustAllowed: false,
    compressor,
  };
}

function inflate(frame: Buffer): { frame: Buffer; compressor: number } {
  const compressor = frame[HEADER_BYTES + 8]!;
  const size = frame.readInt32LE(HEADER_BYTES + 4);
  const payload = frame.subarray(HEADER_BYTES + 9);
  if (size < 0 || size > MAX_MESSAGE_BYTES)
    throw new ProtocolViolation(`uncompressed size ${size} out of bounds`);
  if (compressor !== 0 && compressor !== 2) {
    throw new ProtocolViolation(`compressor ${compressor} was not negotiated: this server speaks zlib`);
  }
  const plain = compressor === 0 ? payload : inflateSync(payload, { maxOutputLength: size });
  if (plain.length !== size)
    throw new ProtocolViolation(`expected ${size} uncompressed bytes, got ${plain.length}`);
  const header = Buffer.from(frame.subarray(0, HEADER_BYTES));
  header.writeInt32LE(HEADER_BYTES + size, 0);
  header.writeInt32LE(frame.readInt32LE(HEADER_BYTES), 12);
  return { frame: Buffer.concat([header, plain]), compressor };
}

/**
 * Reads one whole frame.
 * @throws ProtocolViolation when nothing sensible can be answered
 */
export function readRequest(whole: Buffer): Request {
  let frame = whole;
  let compressor: number | undefined;
  if (frame.readInt32LE(12) === OpCode.Compressed) ({ frame, compressor } = inflate(frame));
  const requestId = frame.readInt32LE(4);
  const code = frame.readInt32LE(12);
  if (code === OpCode.Message) return readMessage(frame, requestId, compressor);
  if (code === OpCode.Query) return readQuery(frame, requestId, compressor);
  throw new ProtocolViolation(`opcode ${code} is not supported`);
}

let lastRequestId = 0;

/** Opens a reply: the caller writes the document's fields into `writer`, then calls {@link finishReply}. */
export function beginReply(request: Request): { writer: BsonWriter; document: number } {
  const writer = new BsonWriter(512);
  lastRequestId = (lastRequestId + 1) & 0x7fffffff;
  writer.rawInt32(0);
  writer.rawInt32(lastRequestId);
  writer.rawInt32(request.requestId);
  writer.rawInt32(request.legacy ? OpCode.Reply : OpCode.Message);
  if (request.legacy) {
    writer.rawInt32(8);
    writer.raw(new Uint8Array(12));
    writer.rawInt32(1);
  } else {
    writer.rawInt32(0);
    writer.byte(0);
  }
  return { writer, document: writer.begin() };
}

/** Closes the reply's document and gives the frame to send; compressed when the request was. */
export function finishReply(
  request: Request,
  writer: BsonWriter,
  document: number,
  moreToCome = false,
): Buffer {
  writer.end(document);
  writer.setInt32(0, writer.length);
  if (moreToCome) writer.setInt32(HEADER_BYTES, MORE_TO_COME);
  const frame = writer.bytes();
  if (request.compressor === undefined) return frame;
  return deflateFrame(frame, request.compressor);
}

function deflateFrame(frame: Buffer, compressor: number): Buffer {
  const payload = frame.subarray(HEADER_BYTES);
  const packed = compressor === 0 ? payload : deflateSync(payload);
  const header = Buffer.alloc(HEADER_BYTES + 9);
  header.writeInt32LE(header.length + packed.length, 0);
  frame.copy(header, 4, 4, 12);
  header.writeInt32LE(OpCode.Compressed, 12);
  header.writeInt32LE(frame.readInt32LE(12), HEADER_BYTES);
  header.writeInt32LE(payload.length, HEADER_BYTES + 4);
  header[HEADER_BYTES + 8] = compressor;
  return Buffer.concat([header, packed]);
}
