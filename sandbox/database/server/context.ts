/** What a command is given, and what a command is. */
import type { Need } from "../auth/privilege.ts";
import { ServerError } from "../engine/errors.ts";
import { type Document, isNumber, Timestamp, type Value } from "../engine/value.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import type { Storage } from "../storage/storage.ts";
import { type Ts, tsIncrement, tsSeconds } from "../storage/timestamp.ts";
import type { Transaction } from "../transactions/transaction.ts";
import type { Request } from "../wire/message.ts";
import type { ReplyMap, ReplyObject } from "../wire/writer.ts";
import type { Connection } from "./connection.ts";
import type { Server } from "./server.ts";
import type { Session } from "./sessions.ts";

export type Reply = ReplyObject | ReplyMap;

export class CommandContext {
  readonly server: Server;
  readonly connection: Connection;
  readonly request: Request;
  readonly command: Command;
  /** The command's name as the client spelled it: the first field. */
  readonly name: string;
  readonly database: string;
  readonly body: Document;
  /** Arrays of documents left as bytes: `documents`, `updates`, `deletes`, `ops`. */
  readonly batches: ReadonlyMap<string, Uint8Array[]>;
  session: Session | undefined;
  transaction: Transaction | undefined;
  /** Cluster time to read at: read concern snapshot outside transactions. */
  snapshot: Ts | undefined;
  /** The command itself was begun: its write concern counts even if it fails. */
  begun = false;
  /** Set by commands that answer several times (exhaust). */
  exhaust: (() => Promise<Reply>) | undefined;
  /** Ends reads that took too long: absolute time in milliseconds, from maxTimeMS. */
  deadline: number | undefined;
  killed: ServerError | undefined;
  readonly startedAt = Date.now();
  readonly operationId: number;

  constructor(fields: {
    server: Server;
    connection: Connection;
    request: Request;
    command: Command;
    name: string;
    database: string;
    body: Document;
    batches: ReadonlyMap<string, Uint8Array[]>;
    operationId: number;
  }) {
    this.server = fields.server;
    this.connection = fields.connection;
    this.request = fields.request;
    this.command = fields.command;
    this.name = fields.name;
    this.database = fields.database;
    this.body = fields.body;
    this.batches = fields.batches;
    this.operationId = fields.operationId;
  }

  get storage(): Storage {
    return this.server.storage;
  }

  /** {@link snapshot} as replies carry it. */
  snapshotTime(): Timestamp | undefined {
    return this.snapshot === undefined
      ? undefined
      : new Timestamp({ t: tsSeconds(this.snapshot), i: tsIncrement(this.snapshot) });
  }

  /** The command's first value as a collection's name. */
  collectionName(): string {
    const value = this.body.get(this.name);
    if (typeof value !== "string") {
      throw new ServerError(
        "InvalidNamespace",
        `collection name has invalid type ${value === undefined ? "missing" : "object"}`,
      );
    }
    if (value === "")
      throw new ServerError("InvalidNamespace", `Invalid namespace specified '${this.database}.'`);
    return value;
  }

  get ns(): string {
    return `${this.database}.${this.collectionName()}`;
  }

  number(field: string): number | undefined {
    return numberField(this.body, field, this.name);
  }

  boolean(field: string): boolean | undefined {
    const value = this.body.get(field);
    if (value === undefined || value === null) return undefined;
    if (typeof value === "boolean") return value;
    if (isNumber(value)) return exactNumberOf(value) !== 0;
    throw wrongType(`${this.name}.${field}`, value, "bool");
  }

  document(field: string): Document | undefined {
    const value = this.body.get(field);
    if (value === undefined || value === null) return undefined;
    if (value instanceof Map) return value;
    throw wrongType(`${this.name}.${field}`, value, "object");
  }

  array(field: string): Value[] | undefined {
    const value = this.body.get(field);
    if (value === undefined || value === null) return undefined;
    if (Array.isArray(value)) return value;
    throw wrongType(`${this.name}.${field}`, value, "array");
  }

  string(field: string): string | undefined {
    const value = this.body.get(field);
    if (value === undefined || value === null) return undefined;
    if (typeof value === "string") return value;
    throw wrongType(`${this.name}.${field}`, value, "string");
  }

  /** Stops a long read: past its time, killed, or its client gone. */
  checkInterrupt(): void {
    if (this.killed) throw this.killed;
    if (this.deadline !== undefined && Date.now() > this.deadline) {
      throw new ServerError("MaxTimeMSExpired", "operation exceeded time limit");
    }
  }
}

/** The server's error for a field of the wrong type. */
function wrongType(path: string, value: Value, expected: string): ServerError {
  return new ServerError(
    "TypeMismatch",
    `BSON field '${path}' is the wrong type '${typeNameOf(value)}', expected type '${expected}'`,
  );
}

function typeNameOf(value: Value): string {
  if (value === null) return "null";
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (Array.isArray(value)) return "array";
  if (value instanceof Map) return "object";
  const names: Record<string, string> = {
    Int32: "int",
    Long: "long",
    Double: "double",
    ObjectId: "objectId",
    DateTime: "date",
    Decimal128: "decimal",
    Timestamp: "timestamp",
    Binary: "binData",
  };
  return names[value._bsontype] ?? value._bsontype.toLowerCase();
}

export function numberField(document: Document, field: string, path: string): number | undefined {
  const value = document.get(field);
  if (value === undefined || value === null) return undefined;
  if (isNumber(value)) return exactNumberOf(value);
  throw wrongType(`${path}.${field}`, value, "int");
}

export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Fields of this command beside the ones every command takes; any other is refused (40415). */
  readonly fields: readonly string[];
  /** Runs on `admin` only. */
  readonly adminOnly?: boolean;
  /** `write` needs the primary; `read` follows the read preference; `any` runs on every member. */
  readonly role: "write" | "read" | "any";
  /** Runs before login. */
  readonly open?: boolean;
  /** Arrays of documents kept as bytes. */
  readonly raw?: readonly string[];
  readonly txn?: boolean;
  /** Fields unknown to this server pass, as the real one lets them for this command. */
  readonly lenient?: boolean;
  /** What the caller must be allowed to do; none means any logged-in user. */
  needs?(context: CommandContext): Need[];
  run(context: CommandContext): Reply | Promise<Reply>;
}
