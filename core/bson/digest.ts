import { createHash } from "node:crypto";

/** 128 bits of the sha256, as latin1 text: enough to tell two images apart, small enough to keep many. */
export function digestOf(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest().toString("latin1", 0, 16);
}
