import { Binary, type Document, type MongoClient, Timestamp } from "mongodb";
import { type OplogOperation, readOplogEntry } from "../../core/oplog/entry.ts";
import { isInScope } from "../../core/oplog/foreign.ts";
import type { OperationTime } from "../../core/ports.ts";
import { RawScan } from "./raw-scan.ts";

export interface OplogRange {
  /** Entries behind this time, or from it on when `inclusive`. */
  readonly after: OperationTime;
  readonly inclusive?: boolean;
  /** Through this time; open without. */
  readonly through?: OperationTime;
  /** `<database>.<collection>` of the scope. */
  readonly namespaces: readonly string[];
  /** Hex ids of sessions whose entries are of no interest: the server leaves them out. */
  readonly exceptSessions?: readonly string[];
}

/**
 * The operations in scope that MongoDB's oplog holds in a range, oldest first. The primary's, majority committed.
 * Fails with what the driver throws.
 */
export async function* readOplog(client: MongoClient, range: OplogRange): AsyncGenerator<OplogOperation> {
  const namespaces = new Set(range.namespaces);
  await using scan = new RawScan(client, {
    database: "local",
    collection: "oplog.rs",
    filter: filterOf(range),
    sort: { $natural: 1 },
    readConcern: "majority",
  });
  while (true) {
    const entries = await scan.next();
    if (entries.length === 0) return;
    for (const entry of entries) {
      for (const operation of readOplogEntry(entry)) if (isInScope(operation, namespaces)) yield operation;
    }
  }
}

function filterOf({ after, inclusive, through, namespaces, exceptSessions }: OplogRange): Document {
  const databases = new Set(namespaces.map((namespace) => namespace.slice(0, namespace.indexOf("."))));
  const commands = [...databases].map((database) => `${database}.$cmd`);
  const sessions = exceptSessions?.map((hex) => new Binary(Buffer.from(hex, "hex"), Binary.SUBTYPE_UUID));
  return {
    ts: {
      [inclusive ? "$gte" : "$gt"]: timestamp(after),
      ...(through && { $lte: timestamp(through) }),
    },
    ns: { $in: [...namespaces, ...commands, "admin.$cmd"] },
    ...(sessions && sessions.length > 0 && { "lsid.id": { $nin: sessions } }),
  };
}

function timestamp({ t, i }: OperationTime): Timestamp {
  return new Timestamp({ t, i });
}
