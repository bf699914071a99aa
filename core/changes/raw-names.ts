/** Names and small slices of raw BSON, compared without decoding them. */
import { BsonError } from "../bson/raw.ts";

const encoder = new TextEncoder();

/** Names by their length: most are told apart by that alone, and none is decoded. */
export class NameTable<Name extends string> {
  private readonly byLength: { readonly name: Name; readonly bytes: Uint8Array }[][] = [];

  constructor(names: readonly Name[]) {
    for (const name of names) {
      const bytes = encoder.encode(name);
      this.byLength[bytes.length] = [...(this.byLength[bytes.length] ?? []), { name, bytes }];
    }
  }

  at(raw: Uint8Array, start: number, end: number): Name | undefined {
    const candidates = this.byLength[end - start];
    if (candidates === undefined) return undefined;
    for (const { name, bytes } of candidates) if (isSameAt(raw, start, end, bytes)) return name;
    return undefined;
  }
}

/** Names are short: a loop is quicker than a call into the engine. */
export function endOfName(raw: Uint8Array, start: number, limit: number): number {
  let end = start;
  while (raw[end] !== 0) {
    if (end >= limit) throw new BsonError("the end of a field's name", start);
    end++;
  }
  return end;
}

/** Whether some bytes stand at a place. */
export function isSameAt(raw: Uint8Array, start: number, end: number, bytes: Uint8Array): boolean {
  if (end - start !== bytes.length) return false;
  for (let index = 0; index < bytes.length; index++) {
    if (raw[start + index] !== bytes[index]) return false;
  }
  return true;
}
