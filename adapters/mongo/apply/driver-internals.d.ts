/**
 * The driver's OP_MSG document sequence (mongodb 6.16.0, pinned): the one way to send statements as raw bytes. Not in
 * its public types; `apply.test.ts` pins what is used of it.
 */
declare module "mongodb/lib/cmap/commands" {
  import type { Document } from "mongodb";

  export class DocumentSequence {
    constructor(field: string);
    push(document: Document, bytes: Uint8Array): number;
  }
}
