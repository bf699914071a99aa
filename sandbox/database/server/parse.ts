/** From a request's bytes to a command's fields; arrays of documents that a command keeps as bytes aren't decoded. */
import { decode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import { rawElements, validate } from "../engine/raw.ts";
import type { Document } from "../engine/value.ts";
import type { Request } from "../wire/message.ts";

export interface Parsed {
  body: Document;
  batches: Map<string, Uint8Array[]>;
}

/** Name of the command: the first field of the body. */
export function commandName(bytes: Uint8Array): string {
  const end = bytes.indexOf(0, 5);
  if (bytes.length <= 5 || end < 0) return "";
  return Buffer.from(bytes.buffer, bytes.byteOffset + 5, end - 5).toString("utf8");
}

function liftArray(bytes: Uint8Array, start: number, name: string): Uint8Array[] {
  const documents: Uint8Array[] = [];
  for (const element of rawElements(bytes, start)) {
    if (element.type !== 3) {
      throw new ServerError(
        "TypeMismatch",
        `BSON field '${name}.${documents.length}' is the wrong type, expected type 'object'`,
      );
    }
    documents.push(bytes.subarray(element.start, element.end));
  }
  return documents;
}

/** Takes the arrays named in `lift` out of the body as bytes and decodes what is left. */
export function parseCommand(request: Request, name: string, lift: readonly string[]): Parsed {
  const batches = new Map<string, Uint8Array[]>();
  for (const sequence of request.sequences) batches.set(sequence.name, sequence.documents);
  const bytes = request.body;
  validate(bytes);
  if (lift.length === 0) {
    const body = decode(bytes);
    for (const [field, documents] of batches)
      body.set(
        field,
        documents.map((document) => decode(document)),
      );
    return { body, batches };
  }
  const kept: Uint8Array[] = [];
  let length = 5;
  for (const element of rawElements(bytes)) {
    const field = Buffer.from(
      bytes.buffer,
      bytes.byteOffset + element.elementStart + 1,
      element.nameEnd - element.elementStart - 1,
    ).toString("latin1");
    if (element.type === 4 && lift.includes(field)) {
      batches.set(field, liftArray(bytes, element.start, `${name}.${field}`));
      continue;
    }
    kept.push(bytes.subarray(element.elementStart, element.end));
    length += element.end - element.elementStart;
  }
  const rest = new Uint8Array(length);
  new DataView(rest.buffer).setInt32(0, length, true);
  let at = 4;
  for (const element of kept) {
    rest.set(element, at);
    at += element.length;
  }
  return { body: decode(rest), batches };
}

const GENERIC = new Set([
  "$db",
  "$audit",
  "$client",
  "$clusterTime",
  "$configServerState",
  "$configTime",
  "$oplogQueryData",
  "$queryOptions",
  "$readPreference",
  "$replData",
  "$topologyTime",
  "$tenant",
  "allowImplicitCollectionCreation",
  "apiVersion",
  "apiStrict",
  "apiDeprecationErrors",
  "autocommit",
  "clientOperationKey",
  "comment",
  "coordinator",
  "databaseVersion",
  "expectPrefix",
  "help",
  "lsid",
  "maxTimeMS",
  "maxTimeMSOpOnly",
  "mayBypassWriteBlocking",
  "readConcern",
  "shardVersion",
  "startTransaction",
  "stmtId",
  "stmtIds",
  "tracking_info",
  "txnNumber",
  "txnRetryCounter",
  "writeConcern",
]);

/** @throws ServerError 40415 for a field the command doesn't know */
export function refuseUnknownFields(
  command: string,
  fields: readonly string[],
  body: Document,
  name: string,
): void {
  for (const field of body.keys()) {
    if (field === name || GENERIC.has(field) || fields.includes(field)) continue;
    throw new ServerError(40415, `BSON field '${command}.${field}' is an unknown field.`);
  }
}
