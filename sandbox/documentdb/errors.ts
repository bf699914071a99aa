/** Errors as DocumentDB gives them: a code and a message; a `codeName` only where the server has MongoDB's code. */
import { Buffer } from "node:buffer";
import { serialize, Timestamp } from "bson";

const codeNames: Readonly<Record<number, string>> = {
  1: "InternalError",
  9: "FailedToParse",
  13: "Unauthorized",
  43: "CursorNotFound",
  72: "InvalidOptions",
  136: "CappedPositionLost",
  10334: "BSONObjectTooLarge",
  10107: "NotWritablePrimary",
  40415: "Location40415",
};

/** Answered to the client instead of asking the database. */
export class DialectError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** A command, option or operator DocumentDB doesn't have. */
export function unsupported(feature: string): DialectError {
  return new DialectError(303, `Feature not supported: ${feature}`);
}

export function unauthorized(message = "Authorization failure"): DialectError {
  return new DialectError(13, message);
}

/** The document of an error reply. */
export function errorDocument(error: DialectError, operationTime: bigint): Buffer {
  const codeName = codeNames[error.code];
  return Buffer.from(
    serialize({
      ok: 0,
      code: error.code,
      errmsg: error.message,
      ...(codeName === undefined ? {} : { codeName }),
      operationTime: timestampOf(operationTime),
    }),
  );
}

export function timestampOf(value: bigint): Timestamp {
  return new Timestamp({ t: Number(value >> 32n), i: Number(value & 0xffffffffn) });
}
