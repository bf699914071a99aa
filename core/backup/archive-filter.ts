/**
 * mongodump's archive without the collections and oplog entries that are not to be restored. mongorestore takes no such
 * choice together with `--oplogReplay`, and without that a dump of a server that was written to is of no one moment.
 */
import { findElement } from "../bson/raw.ts";
import { FrameCutter } from "./archive-frames.ts";
import { readBlockHeader, readListedCollection } from "./archive-headers.ts";
import { Crc64 } from "./crc64.ts";

export interface ArchiveChoice {
  /** @param namespace `<database>.<collection>` */
  keepsCollection(namespace: string): boolean;
  /** @param entry raw BSON of the archive's oplog, valid during the call only */
  keepsEntry(entry: Uint8Array): boolean;
  /** Keeps of collections their options and indexes only: for a server that has their documents already. */
  readonly withoutDocuments?: boolean;
}

const terminator = Uint8Array.of(255, 255, 255, 255);
const sumOfNothing = new Crc64().value();
const magic = Uint8Array.of(0x6d, 0xe2, 0x99, 0x81);

/** Push pieces of the archive in their order; each push gives what of it goes on. */
export class ArchiveFilter {
  private readonly cutter: FrameCutter;
  private out: Uint8Array[] = [magic];
  private part: "header" | "list" | "blocks" = "header";
  /** What the open block holds; `undefined` between blocks. */
  private block: "kept" | "dropped" | "oplog" | undefined;
  private readonly oplogCrc = new Crc64();

  constructor(
    what: string,
    private readonly choice: ArchiveChoice,
  ) {
    this.cutter = new FrameCutter(what, {
      document: (bytes) => this.document(bytes),
      terminator: () => this.terminator(),
    });
  }

  /** Fails `logCorrupt` for bytes that are no archive. */
  push(chunk: Uint8Array): Uint8Array {
    this.cutter.push(chunk);
    const { out } = this;
    this.out = [];
    return Buffer.concat(out);
  }

  /** Fails `logCorrupt` when the archive ends within a document. */
  end(): void {
    this.cutter.end();
  }

  private document(bytes: Uint8Array): void {
    if (this.part === "header") {
      this.part = "list";
      this.keep(bytes);
    } else if (this.part === "list") {
      const { database, name } = readListedCollection(bytes);
      if (this.isKept(database, name)) this.keep(bytes);
    } else if (this.block === undefined) this.header(bytes);
    else if (this.block === "kept" && this.choice.withoutDocuments) return;
    else if (this.block === "kept") this.keep(bytes);
    else if (this.block === "oplog" && this.choice.keepsEntry(bytes)) {
      this.oplogCrc.add(bytes);
      this.keep(bytes);
    }
  }

  private header(bytes: Uint8Array): void {
    const { database, name, ends } = readBlockHeader(bytes);
    const isOplog = database === "" && name === "oplog";
    this.block = isOplog ? "oplog" : this.isKept(database, name) ? "kept" : "dropped";
    if (this.block === "dropped") return;
    const header = new Uint8Array(bytes);
    const crc = ends && (isOplog || this.choice.withoutDocuments) ? findElement(header, "CRC") : undefined;
    // The sum of what is left; mongorestore holds it against what it reads.
    const left = isOplog ? this.oplogCrc.value() : sumOfNothing;
    if (crc) new DataView(header.buffer).setBigInt64(crc.valueStart, left, true);
    this.out.push(header);
  }

  private terminator(): void {
    if (this.part === "list") this.part = "blocks";
    else {
      const { block } = this;
      this.block = undefined;
      if (block === "dropped") return;
    }
    this.out.push(terminator);
  }

  private isKept(database: string, name: string): boolean {
    return database === "" || this.choice.keepsCollection(`${database}.${name}`);
  }

  /** The cutter uses its memory again. A Buffer's own slice would be no copy. */
  private keep(bytes: Uint8Array): void {
    this.out.push(new Uint8Array(bytes));
  }
}
