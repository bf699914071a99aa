import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { checksumNames, startChecksum } from "./checksums.ts";

/** The published check values: each algorithm over the ASCII text "123456789". */
const known = {
  crc32: "cbf43926",
  crc32c: "e3069283",
  crc64nvme: "ae8b14860a799888",
  sha1: "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
  sha256: "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
} as const;

describe("checksums", () => {
  for (const name of checksumNames) {
    test(`${name} gives its published check value`, () => {
      const running = startChecksum(name);
      running.update(Buffer.from("123456789"));
      expect(running.digest().toString("hex")).toBe(known[name]);
    });

    test(`${name} is the same however the bytes are cut`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, at) => {
          const [whole, cut] = [startChecksum(name), startChecksum(name)];
          whole.update(bytes);
          cut.update(bytes.subarray(0, at));
          cut.update(bytes.subarray(at));
          expect(cut.digest()).toEqual(whole.digest());
        }),
      );
    });
  }
});
