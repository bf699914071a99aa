/** The assertions a case makes about an error. */
import {
  type Document,
  MongoBulkWriteError,
  MongoClientBulkWriteError,
  MongoError,
  MongoServerError,
} from "mongodb";
import type { Entities } from "./entities.ts";
import { difference, show } from "./match.ts";
import type { ExpectedError } from "./schema.ts";

/** The error of a client's bulk write wraps the one that ended it. */
function isFromServer(error: Error): boolean {
  if (error instanceof MongoClientBulkWriteError && error.cause instanceof Error)
    return isFromServer(error.cause);
  return error instanceof MongoServerError;
}

/** All messages of an error that gathers several. */
function messagesOf(error: Error): string {
  const gathered =
    error instanceof MongoBulkWriteError ? [error.writeErrors].flat().map(({ errmsg }) => errmsg) : [];
  const cause =
    error instanceof MongoClientBulkWriteError && error.cause instanceof Error ? error.cause.message : "";
  return [error.message, ...gathered, cause].join("\n").toLowerCase();
}

function resultOf(error: unknown): unknown {
  if (error instanceof MongoBulkWriteError) return error.result;
  if (error instanceof MongoClientBulkWriteError) return error.partialResult;
  return undefined;
}

function codeNameOf(error: Document): unknown {
  return error.codeName ?? error.errorResponse?.codeName ?? error.result?.writeConcernErrors?.[0]?.codeName;
}

/** @returns the first assertion that doesn't hold */
export function differenceOfError(
  expected: ExpectedError,
  error: unknown,
  entities: Entities,
): string | undefined {
  if (!(error instanceof Error)) return `error: expected an Error, got ${show(error)}`;
  const got = `got ${show(error)}`;
  const document = error as Document;
  const labels = (error instanceof MongoError && error.errorLabels) || [];
  if (expected.isClientError !== undefined && expected.isClientError === isFromServer(error))
    return `error: expected ${expected.isClientError ? "one of the client" : "one of the server"}, ${got}`;
  if (
    expected.isTimeoutError !== undefined &&
    expected.isTimeoutError !== (error.name === "MongoOperationTimeoutError")
  )
    return `error: expected isTimeoutError ${expected.isTimeoutError}, ${got}`;
  if (
    expected.errorContains !== undefined &&
    !messagesOf(error).includes(expected.errorContains.toLowerCase())
  )
    return `error: expected a message with '${expected.errorContains}', ${got}`;
  if (expected.errorCode !== undefined && document.code !== expected.errorCode)
    return `error: expected code ${expected.errorCode}, got ${document.code} (${error.message})`;
  if (expected.errorCodeName !== undefined && codeNameOf(document) !== expected.errorCodeName)
    return `error: expected codeName ${expected.errorCodeName}, got ${codeNameOf(document)} (${error.message})`;
  const missing = expected.errorLabelsContain?.find((label) => !labels.includes(label));
  if (missing) return `error: expected the label ${missing}, got [${labels}] on ${show(error)}`;
  const unwanted = expected.errorLabelsOmit?.find((label) => labels.includes(label));
  if (unwanted) return `error: expected no label ${unwanted}, got [${labels}] on ${show(error)}`;
  return (
    (expected.errorResponse &&
      difference(expected.errorResponse, document.errorResponse, {
        entities,
        path: "error.errorResponse",
        isRoot: true,
      })) ??
    differenceOfWriteErrors(expected, document, entities) ??
    ("expectResult" in expected
      ? difference(expected.expectResult, resultOf(error), { entities, path: "error.result", isRoot: true })
      : undefined)
  );
}

function differenceOfWriteErrors(
  { writeErrors, writeConcernErrors }: ExpectedError,
  error: Document,
  entities: Entities,
): string | undefined {
  if (writeErrors) {
    const actual = Object.fromEntries((error.writeErrors as Map<number, Document>) ?? []);
    const wanted = Object.fromEntries(
      Object.entries(writeErrors).map(([index, one]) => [index, { $$matchAsRoot: one }]),
    );
    const found = difference(wanted, actual, { entities, path: "error.writeErrors" });
    if (found) return found;
  }
  return (
    writeConcernErrors &&
    difference(writeConcernErrors, error.writeConcernErrors, {
      entities,
      path: "error.writeConcernErrors",
      isRoot: true,
    })
  );
}
