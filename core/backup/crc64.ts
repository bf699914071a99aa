/**
 * CRC-64 with the ECMA-182 polynomial, reflected, as Go's `crc64.ECMA` and so mongodump's archives have it. Two halves of
 * 32 bits, eight bytes at a step: JavaScript has no fast integers of 64 bits.
 */
const polynomial = 0xc96c5795d7870f42n;
const step = 8;
const values = 256;
const lowTable = new Int32Array(values * step);
const highTable = new Int32Array(values * step);

for (let value = 0; value < values; value++) {
  let sum = BigInt(value);
  for (let bit = 0; bit < 8; bit++) sum = sum & 1n ? (sum >> 1n) ^ polynomial : sum >> 1n;
  lowTable[value] = Number(BigInt.asIntN(32, sum));
  highTable[value] = Number(BigInt.asIntN(32, sum >> 32n));
}
// A byte followed by one more zero byte than in the row before.
for (let index = values; index < values * step; index++) {
  const low = lowTable[index - values]!;
  const high = highTable[index - values]!;
  lowTable[index] = ((low >>> 8) | (high << 24)) ^ lowTable[low & 255]!;
  highTable[index] = (high >>> 8) ^ highTable[low & 255]!;
}

export class Crc64 {
  private low = -1;
  private high = -1;

  add(bytes: Uint8Array): void {
    const whole = bytes.length - (bytes.length % step);
    for (let at = 0; at < whole; at += step) this.addStep(bytes, at);
    for (let at = whole; at < bytes.length; at++) {
      const index = (this.low ^ bytes[at]!) & 255;
      this.low = ((this.low >>> 8) | (this.high << 24)) ^ lowTable[index]!;
      this.high = (this.high >>> 8) ^ highTable[index]!;
    }
  }

  /** Of the bytes so far, as a signed integer of 64 bits: what BSON keeps. */
  value(): bigint {
    return (BigInt(~this.high) << 32n) | BigInt(~this.low >>> 0);
  }

  private addStep(bytes: Uint8Array, at: number): void {
    const low =
      this.low ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    const high =
      this.high ^ (bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24));
    const a = 7 * values + (low & 255);
    const b = 6 * values + ((low >>> 8) & 255);
    const c = 5 * values + ((low >>> 16) & 255);
    const d = 4 * values + (low >>> 24);
    const e = 3 * values + (high & 255);
    const f = 2 * values + ((high >>> 8) & 255);
    const g = values + ((high >>> 16) & 255);
    const h = high >>> 24;
    this.low =
      lowTable[a]! ^
      lowTable[b]! ^
      lowTable[c]! ^
      lowTable[d]! ^
      lowTable[e]! ^
      lowTable[f]! ^
      lowTable[g]! ^
      lowTable[h]!;
    this.high =
      highTable[a]! ^
      highTable[b]! ^
      highTable[c]! ^
      highTable[d]! ^
      highTable[e]! ^
      highTable[f]! ^
      highTable[g]! ^
      highTable[h]!;
  }
}
