/**
 * Names of log objects (invariants.md 8): `<database>/<collection>/<timestamp>-<sequence>_<documentId>.bson` below the
 * failback's `replication/`. Only characters that are safe in S3 keys are used; `!` escapes the rest.
 */
import { createHash } from "node:crypto";
import { BsonType } from "../bson/raw.ts";
import type { OperationTime } from "../ports.ts";
import type { RawValue } from "./event.ts";

const sequenceDigits = 12;
/** Keys may have 1,024 bytes: two namespace parts and the id stay well below together. */
const namespacePartMax = 200;
const documentIdMax = 120;

const safeCharacter = /[A-Za-z0-9._-]/;
const objectIdLook = /^[0-9a-f]{24}$/;

export interface KeyName {
  readonly database: string;
  readonly collection: string;
  readonly sequence: number;
  readonly time: OperationTime;
  readonly id: RawValue | undefined;
  /** Given only when another run left an object with this name and other content, which no manifest names. */
  readonly run?: string;
}

/** The key below `replication/`. */
export function keyNameOf({ database, collection, sequence, time, id, run }: KeyName): string {
  const number = String(sequence).padStart(sequenceDigits, "0");
  const suffix = run ? `-${run}` : "";
  const folder = `${encodeNamespacePart(database)}/${encodeNamespacePart(collection)}`;
  return `${folder}/${timestampOf(time)}-${number}${suffix}_${encodeDocumentId(id)}.bson`;
}

/** `20261121T081600Z`: sorts as time does, and has no character that needs escaping. */
function timestampOf(time: OperationTime): string {
  return new Date(time.t * 1000).toISOString().replace(/[-:]|\.000/g, "");
}

/** A database's or collection's name as one part of a key. Never empty, never `.` or `..`. */
export function encodeNamespacePart(name: string): string {
  if (name === "") return "!none";
  const escaped = escapeText(name);
  return escaped.length <= namespacePartMax ? escaped : hashed(new TextEncoder().encode(name));
}

/** The name again; `undefined` when it was too long and stands there as a hash (the events hold it). */
export function decodeNamespacePart(part: string): string | undefined {
  if (part === "!none") return "";
  return part.startsWith("!sha256.") ? undefined : unescapeText(part);
}

/**
 * An `_id` as part of a key: an ObjectId as its 24 hex digits, text as it is where it is safe, any other type as
 * `!t<type>.<base64url>`, what is long as its hash. Different ids never give the same text.
 */
export function encodeDocumentId(id: RawValue | undefined): string {
  if (!id) return "!none";
  const encoded = encodeShort(id);
  return encoded !== undefined && encoded.length <= documentIdMax
    ? encoded
    : hashed(Uint8Array.of(id.type), id.bytes);
}

function encodeShort({ type, bytes }: RawValue): string | undefined {
  if (type === BsonType.objectId) return Buffer.from(bytes).toString("hex");
  if (type === BsonType.string && bytes.length <= documentIdMax + 5) {
    const text = decodeExactly(bytes.subarray(4, -1));
    if (text !== undefined && text !== "") {
      // Text that looks like an ObjectId is told apart from one by its first character.
      return objectIdLook.test(text) ? escapeCharacter(text[0]!) + text.slice(1) : escapeText(text);
    }
  }
  if (bytes.length > documentIdMax) return undefined;
  return `!t${type.toString(16).padStart(2, "0")}.${Buffer.from(bytes).toString("base64url")}`;
}

/** The `_id` again; `undefined` when there is none or it stands there as a hash (the object's events hold it). */
export function decodeDocumentId(encoded: string): RawValue | undefined {
  if (encoded === "!none" || encoded.startsWith("!sha256.")) return undefined;
  if (encoded.startsWith("!t")) {
    const bytes = Uint8Array.from(Buffer.from(encoded.slice(encoded.indexOf(".") + 1), "base64url"));
    return { type: Number.parseInt(encoded.slice(2, 4), 16), bytes };
  }
  if (objectIdLook.test(encoded)) {
    return { type: BsonType.objectId, bytes: Uint8Array.from(Buffer.from(encoded, "hex")) };
  }
  const text = new TextEncoder().encode(unescapeText(encoded));
  const bytes = new Uint8Array(text.length + 5);
  new DataView(bytes.buffer).setInt32(0, text.length + 1, true);
  bytes.set(text, 4);
  return { type: BsonType.string, bytes };
}

/** Sequence of an object's first event, from its key. */
export function sequenceInKey(key: string): number | undefined {
  const name = key.slice(key.lastIndexOf("/") + 1);
  const found = /^\d{8}T\d{6}Z-(\d{12,})(-[^_]+)?_/.exec(name);
  return found ? Number(found[1]) : undefined;
}

function escapeText(text: string): string {
  let escaped = "";
  for (const character of text) {
    // A dot in front would make `.` and `..`, which tools resolve as folders.
    const safe = safeCharacter.test(character) && !(escaped === "" && character === ".");
    escaped += safe ? character : escapeCharacter(character);
  }
  return escaped;
}

function escapeCharacter(character: string): string {
  let escaped = "";
  for (const byte of new TextEncoder().encode(character)) {
    escaped += `!${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return escaped;
}

function unescapeText(escaped: string): string {
  const bytes: number[] = [];
  for (let index = 0; index < escaped.length; index++) {
    if (escaped[index] === "!") {
      bytes.push(Number.parseInt(escaped.slice(index + 1, index + 3), 16));
      index += 2;
    } else {
      bytes.push(escaped.charCodeAt(index));
    }
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

function decodeExactly(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function hashed(...parts: Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return `!sha256.${hash.digest("hex")}`;
}
