import { createHash } from "node:crypto";

/** 128 bits of the sha256, as latin1 text: enough to tell two images apart, small enough to keep many. */
export function digestOf(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest().toString("latin1", 0, 16);
}

/** Keys up to this length are kept as they are. */
const keyLengthMax = 64;

/** An equality key for ledgers and maps that hold many: a long one becomes its digest. */
export function shortKey(key: string): string {
  return key.length > keyLengthMax ? `#${digestOf(key)}` : key;
}
