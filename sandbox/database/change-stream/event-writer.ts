/** Builds change events in the server's field order, from the bytes of oplog entries. */
import { decode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import { updateDescription } from "../engine/update/index.ts";
import type { Document } from "../engine/value.ts";
import { splitNamespace } from "../storage/catalog.ts";
import { BsonWriter, encodeReply, type ReplyObject } from "../wire/writer.ts";
import type { Images } from "./images.ts";
import type { StreamOptions } from "./options.ts";
import { type Position, tokenText } from "./token.ts";

/** A change to one document, wherever it stood: an entry of its own, or an operation of a transaction. */
export interface DocumentChange {
  position: Position;
  seconds: number;
  increment: number;
  wall: bigint;
  operation: "i" | "u" | "d";
  ns: string;
  uuid: Uint8Array | undefined;
  body: Uint8Array;
  key: Uint8Array;
  delta: boolean;
  transaction: { lsid: Uint8Array; number: bigint } | undefined;
}

const NAMES = { i: "insert", d: "delete", u: "update", r: "replace" } as const;

const nsDocuments = new Map<string, Uint8Array>();
const NS_CACHE = 10_000;

function nsDocument(ns: string): Uint8Array {
  let bytes = nsDocuments.get(ns);
  if (!bytes) {
    const { database, name } = splitNamespace(ns);
    bytes = new Uint8Array(encodeReply({ db: database, coll: name }));
    if (nsDocuments.size >= NS_CACHE) nsDocuments.clear();
    nsDocuments.set(ns, bytes);
  }
  return bytes;
}

export class EventWriter {
  private readonly writer = new BsonWriter(65_536);
  private readonly options: StreamOptions;
  private readonly images: Images;

  constructor(options: StreamOptions, images: Images) {
    this.options = options;
    this.images = images;
  }

  private head(position: Position, type: string, seconds: number, increment: number): number {
    const { writer } = this;
    writer.reset();
    const start = writer.begin();
    const id = writer.beginObject("_id");
    writer.string("_data", tokenText(position));
    writer.end(id);
    writer.string("operationType", type);
    writer.timestamp("clusterTime", seconds, increment);
    return start;
  }

  private finish(start: number): Uint8Array {
    this.writer.end(start);
    return new Uint8Array(this.writer.bytes());
  }

  /** @throws ServerError NoMatchingDocument when a required image is missing */
  change(change: DocumentChange): Uint8Array {
    const { writer, options } = this;
    const kind = change.operation === "u" && !change.delta ? "r" : change.operation;
    const start = this.head(change.position, NAMES[kind], change.seconds, change.increment);
    if (options.expanded && change.uuid) writer.binary("collectionUUID", change.uuid, 4);
    if (change.transaction) {
      writer.long("txnNumber", change.transaction.number);
      writer.document("lsid", change.transaction.lsid);
    }
    writer.date("wallTime", Number(change.wall));
    this.fullDocument(change, kind);
    writer.document("ns", nsDocument(change.ns));
    writer.document("documentKey", change.key);
    if (kind === "u") this.description(change.body);
    if (options.fullDocumentBeforeChange !== "off" && kind !== "i") this.before(change);
    return this.finish(start);
  }

  private fullDocument(change: DocumentChange, kind: "i" | "u" | "d" | "r"): void {
    const { writer, options } = this;
    if (kind === "i" || kind === "r") writer.document("fullDocument", change.body);
    else if (kind === "u" && options.fullDocument !== "default") {
      const lookup = options.fullDocument === "updateLookup";
      const found = lookup
        ? this.images.current(change.ns, change.uuid, change.key)
        : this.images.after(change);
      this.image(
        "fullDocument",
        found,
        options.fullDocument === "required" ? () => missing("post", change) : undefined,
      );
    }
  }

  private before(change: DocumentChange): void {
    const required = this.options.fullDocumentBeforeChange === "required";
    this.image(
      "fullDocumentBeforeChange",
      this.images.before(change),
      required ? () => missing("pre", change) : undefined,
    );
  }

  /** An image, or null when there is none and it isn't required. */
  private image(
    name: string,
    found: Uint8Array | undefined,
    otherwise: (() => ServerError) | undefined,
  ): void {
    if (found) this.writer.document(name, found);
    else if (otherwise) throw otherwise();
    else this.writer.value(name, null);
  }

  private description(body: Uint8Array): void {
    const description = updateDescription(decode(body).get("diff") as Document);
    const at = this.writer.beginObject("updateDescription");
    this.writer.value("updatedFields", description.updatedFields);
    this.writer.value("removedFields", description.removedFields);
    this.writer.value("truncatedArrays", description.truncatedArrays);
    if (this.options.expanded) this.writer.value("disambiguatedPaths", description.disambiguatedPaths);
    this.writer.end(at);
  }

  /** An event about a collection, a database or the stream itself. */
  command(event: {
    position: Position;
    seconds: number;
    increment: number;
    wall: bigint;
    type: string;
    uuid?: Uint8Array | undefined;
    ns?: ReplyObject | undefined;
    more?: ReplyObject | undefined;
  }): Uint8Array {
    const { writer } = this;
    const start = this.head(event.position, event.type, event.seconds, event.increment);
    if (this.options.expanded && event.uuid) writer.binary("collectionUUID", event.uuid, 4);
    writer.date("wallTime", Number(event.wall));
    if (event.ns) writer.object("ns", event.ns);
    if (event.more) writer.fields(event.more);
    return this.finish(start);
  }
}

function missing(image: "pre" | "post", change: DocumentChange): ServerError {
  return new ServerError(
    "NoMatchingDocument",
    `Change stream was configured to require a ${image}-image for all update, delete and replace events, but the ${image}-image was not found for event: ${tokenText(change.position)} on ${change.ns}`,
  );
}
