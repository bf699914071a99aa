/**
 * The driver's OP_MSG document sequence (mongodb 6.16.0, pinned): the one way to send statements as raw bytes. Not in
 * its public types; `apply.test.ts` pins what is used of it.
 */
declare module "mongodb/lib/cmap/commands" {
  export class DocumentSequence {
    constructor(field: string);
    /** The whole section: kind 1, its length, the field's name, the documents. */
    toBin(): Uint8Array;
  }
}
