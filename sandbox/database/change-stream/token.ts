/**
 * Resume tokens: `{_data: <hex>}`, ordered as text like the events they stand for. The layout begins like the
 * server's (type byte 0x82, seconds, increment); what follows is this server's own, as the contents are opaque.
 */
import { ServerError } from "../engine/errors.ts";
import type { Document } from "../engine/value.ts";
import { packTs, type Ts, tsIncrement, tsSeconds } from "../storage/timestamp.ts";
import { encodeReply } from "../wire/writer.ts";

export interface Position {
  ts: Ts;
  /** Number of the operation inside a transaction. */
  operation: number;
  /** The token of a large event's fragment; 0 for the first or only one. */
  fragment: number;
  /** `time`: nothing at `ts` was seen yet; `event`: that event was; `invalidate`: the one that closed the stream. */
  kind: "time" | "event" | "invalidate";
}

const KINDS = ["time", "event", "invalidate"] as const;

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}

export function tokenText(position: Position): string {
  const { ts, operation, fragment, kind } = position;
  return `82${hex(tsSeconds(ts), 8)}${hex(tsIncrement(ts), 8)}2B${hex(KINDS.indexOf(kind), 2)}2C${hex(operation, 8)}29${hex(fragment, 4)}04`;
}

/** The token as a document's bytes. */
export function tokenDocument(position: Position): Uint8Array {
  return encodeReply({ _data: tokenText(position) });
}

const PATTERN = /^82([0-9A-F]{8})([0-9A-F]{8})2B(0[0-2])2C([0-9A-F]{8})29([0-9A-F]{4})04$/;

/** @throws ServerError InvalidResumeToken for a token this server never made */
export function readToken(token: Document): Position {
  const data = token.get("_data");
  if (data === undefined) throw new ServerError(40647, "Bad resume token: _data of missing or of wrong type");
  if (typeof data !== "string")
    throw new ServerError(40648, "Bad resume token: _data of missing or of wrong type");
  const match = PATTERN.exec(data);
  if (!match) throw new ServerError(260, `Bad resume token: '${data}' was not made by this server`);
  return {
    ts: packTs(Number.parseInt(match[1]!, 16), Number.parseInt(match[2]!, 16)),
    kind: KINDS[Number.parseInt(match[3]!, 16)]!,
    operation: Number.parseInt(match[4]!, 16),
    fragment: Number.parseInt(match[5]!, 16),
  };
}

/** The place before everything at `ts`. */
export function atTime(ts: Ts): Position {
  return { ts, operation: 0, fragment: 0, kind: "time" };
}
