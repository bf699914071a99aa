/**
 * Resume tokens. DocumentDB's are hex text that carries the time of the event and is otherwise opaque; MongoDB's can
 * be read as a KeyString. The proxy's are the upstream token with all but the time scrambled, digit for digit: as
 * long as the original, so that a batch of events is rewritten in place, and never readable as MongoDB's.
 */
import type { Buffer } from "node:buffer";
import { DialectError } from "../errors.ts";

const MARK = "01";
const UPSTREAM_MARK = "82";
/** Type byte of the token's version number in a MongoDB token: shows that unscrambling gave what was scrambled. */
const UPSTREAM_VERSION = "2B";
const TIME_END = 18;
const digits = "0123456789abcdef";

function shiftAt(position: number): number {
  return (5 + position * 7) & 15;
}

function nibble(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  if (lower >= 97 && lower <= 102) return lower - 87;
  throw new Error(`expected a hex digit in an upstream resume token, got character ${code}`);
}

/** Turns the upstream token at `start` (`length` hex digits) into DocumentDB's form, in place. */
export function scrambleInPlace(buffer: Buffer, start: number, length: number): void {
  if (length < TIME_END + 2 || buffer.toString("latin1", start, start + 2) !== UPSTREAM_MARK) {
    throw new Error(
      `expected a resume token of the database to begin with ${UPSTREAM_MARK}, got ${buffer.toString("latin1", start, start + length)}`,
    );
  }
  buffer.write(MARK, start, "latin1");
  for (let index = 2; index < length; index++) {
    const value = nibble(buffer[start + index]!);
    const digit = index < TIME_END ? value : (value + shiftAt(index)) & 15;
    buffer[start + index] = digits.charCodeAt(digit);
  }
}

function malformed(): DialectError {
  return new DialectError(9, "Invalid resume token");
}

/** A client's token: what to resume upstream with, and the time it stands for. Fails with code 9 when malformed. */
export function unscramble(data: string): { upstream: string; time: bigint } {
  if (!/^01[0-9a-f]{18,}$/.test(data) || data.length % 2 !== 0) throw malformed();
  let upstream = UPSTREAM_MARK + data.slice(2, TIME_END);
  for (let index = TIME_END; index < data.length; index++) {
    upstream += digits[(nibble(data.charCodeAt(index)) - shiftAt(index)) & 15];
  }
  upstream = upstream.toUpperCase();
  if (upstream.slice(TIME_END, TIME_END + 2) !== UPSTREAM_VERSION) throw malformed();
  return { upstream, time: BigInt(`0x${data.slice(2, TIME_END)}`) };
}
