import { MongoServerError } from "mongodb";
import { RoundtripError } from "../../core/errors.ts";
import { isUnreachable, type Subject } from "./failure.ts";

/**
 * 136 CappedPositionLost is what DocumentDB answers for an expired token, 286 ChangeStreamHistoryLost what MongoDB
 * does; after 280 ChangeStreamFatalError the same token must never be tried again. 260 and 9 refuse the token itself.
 */
const historyLostCodes = new Set([136, 286, 280, 260, 9]);
const historyLostNames = new Set(["CappedPositionLost", "ChangeStreamHistoryLost", "ChangeStreamFatalError"]);

/** What the change streams specification adds to elections and lost connections; 50 is a read that only waited. */
const resumableCodes = new Set([43, 50, 63, 150, 234, 13388]);

/** 10334 BSONObjectTooLarge: the next event is larger than a reply may be. */
const oversizeCodes = new Set([10334]);

/** True when what was to be read is gone, or the token is refused for good. */
export function isHistoryLost(error: unknown): boolean {
  return (
    error instanceof MongoServerError &&
    (historyLostCodes.has(Number(error.code)) || historyLostNames.has(String(error.codeName)))
  );
}

/** True when opening the stream again after the last token can help. */
export function isResumable(error: unknown): boolean {
  if (isUnreachable(error)) return true;
  return (
    error instanceof MongoServerError &&
    (error.hasErrorLabel("ResumableChangeStreamError") || resumableCodes.has(Number(error.code)))
  );
}

export function isOversize(error: unknown): boolean {
  return error instanceof MongoServerError && oversizeCodes.has(Number(error.code));
}

/** The failure a capture stops with when the stream lost what was not yet read. */
export function historyLost(error: unknown, subject: Subject, from: string): RoundtripError {
  return new RoundtripError(
    {
      kind: "historyLost",
      what: subject.what,
      expected: `the change stream to hold everything after ${from}`,
      got: describe(error),
      wayOut:
        "changes after that point are lost to the log: restore refuses to cross the gap. Keep the applications' writes on DocumentDB and recopy the collections in scope to MongoDB from there",
    },
    { cause: error },
  );
}

/** The failure a capture stops with when an event can't be read even without its documents. */
export function cannotPass(error: unknown, subject: Subject, from: string): RoundtripError {
  return new RoundtripError(
    {
      kind: "historyLost",
      what: subject.what,
      expected: `the event after ${from}, which is over 16 MB, to be readable without its documents`,
      got: describe(error),
      wayOut:
        "the stream can't be read past that event: find the document that was written then, recopy its collection, and start a new failback",
    },
    { cause: error },
  );
}

function describe(error: unknown): string {
  if (!(error instanceof MongoServerError)) return String(error);
  return `code ${error.code}${error.codeName ? ` ${error.codeName}` : ""}: ${error.message}`;
}
