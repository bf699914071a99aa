import { hash } from "node:crypto";

/**
 * Digest of a set of documents whatever their order: the sum of their sha256 in eight lanes of 32 bits. Dump and server
 * give a collection's documents in different orders; `_id` makes each one unique, so that a sum can't cancel out.
 */
const lanes = 8;

export class ContentDigest {
  private readonly sums = new Uint32Array(lanes);
  private count = 0;

  /** @param document raw BSON */
  add(document: Uint8Array): void {
    const own = hash("sha256", document, "buffer");
    for (let lane = 0; lane < lanes; lane++) this.sums[lane]! += own.readUInt32BE(lane * 4);
    this.count++;
  }

  /** Number of documents and their digest: `<count>:<64 hex digits>`. */
  toString(): string {
    const hex = [...this.sums].map((sum) => sum.toString(16).padStart(8, "0")).join("");
    return `${this.count}:${hex}`;
  }
}
