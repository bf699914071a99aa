/** S3's additional checksums, computed while the bytes go by. Values travel as base64 of the big-endian digest. */

export const checksumNames = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"] as const;
export type ChecksumName = (typeof checksumNames)[number];

export interface RunningChecksum {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

/** Eight tables of the reflected CRC-32C polynomial: eight bytes a step ("slicing by 8"). */
function crc32cTables(): Uint32Array[] {
  const tables = Array.from({ length: 8 }, () => new Uint32Array(256));
  for (let index = 0; index < 256; index += 1) {
    let crc = index;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    tables[0]![index] = crc;
  }
  for (let slice = 1; slice < 8; slice += 1) {
    for (let index = 0; index < 256; index += 1) {
      const previous = tables[slice - 1]![index]!;
      tables[slice]![index] = (previous >>> 8) ^ tables[0]![previous & 255]!;
    }
  }
  return tables;
}

let tables32: Uint32Array[] | undefined;

function crc32c(): RunningChecksum {
  tables32 ??= crc32cTables();
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables32 as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  let crc = 0xffffffff;
  return {
    update(bytes) {
      let at = 0;
      for (; at + 8 <= bytes.length; at += 8) {
        const low =
          crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
        crc =
          t7[low & 255]! ^
          t6[(low >>> 8) & 255]! ^
          t5[(low >>> 16) & 255]! ^
          t4[low >>> 24]! ^
          t3[bytes[at + 4]!]! ^
          t2[bytes[at + 5]!]! ^
          t1[bytes[at + 6]!]! ^
          t0[bytes[at + 7]!]!;
      }
      for (; at < bytes.length; at += 1) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]!) & 255]!;
    },
    digest() {
      const digest = Buffer.alloc(4);
      digest.writeUInt32BE((crc ^ 0xffffffff) >>> 0);
      return digest;
    },
  };
}

/** The reflected CRC-64/NVME polynomial 0x9a6c9329ac4bc9b5 as two tables of 32-bit halves. */
function crc64Tables(): { high: Uint32Array; low: Uint32Array } {
  const high = new Uint32Array(256);
  const low = new Uint32Array(256);
  for (let index = 0; index < 256; index += 1) {
    let upper = 0;
    let lower = index;
    for (let bit = 0; bit < 8; bit += 1) {
      const carry = lower & 1;
      lower = ((lower >>> 1) | (upper << 31)) >>> 0;
      upper >>>= 1;
      if (carry === 1) {
        upper = (upper ^ 0x9a6c9329) >>> 0;
        lower = (lower ^ 0xac4bc9b5) >>> 0;
      }
    }
    high[index] = upper;
    low[index] = lower;
  }
  return { high, low };
}

let tables64: { high: Uint32Array; low: Uint32Array } | undefined;

function crc64nvme(): RunningChecksum {
  tables64 ??= crc64Tables();
  const { high, low } = tables64;
  let upper = 0xffffffff;
  let lower = 0xffffffff;
  return {
    update(bytes) {
      for (let at = 0; at < bytes.length; at += 1) {
        const index = (lower ^ bytes[at]!) & 255;
        lower = ((lower >>> 8) | (upper << 24)) ^ low[index]!;
        upper = (upper >>> 8) ^ high[index]!;
      }
    },
    digest() {
      const digest = Buffer.alloc(8);
      digest.writeUInt32BE((upper ^ 0xffffffff) >>> 0, 0);
      digest.writeUInt32BE((lower ^ 0xffffffff) >>> 0, 4);
      return digest;
    },
  };
}

function crc32(): RunningChecksum {
  let crc = 0;
  return {
    update(bytes) {
      crc = Bun.hash.crc32(bytes, crc);
    },
    digest() {
      const digest = Buffer.alloc(4);
      digest.writeUInt32BE(crc >>> 0);
      return digest;
    },
  };
}

function hash(algorithm: "md5" | "sha1" | "sha256"): RunningChecksum {
  const hasher = new Bun.CryptoHasher(algorithm);
  return { update: (bytes) => void hasher.update(bytes), digest: () => hasher.digest() };
}

/** A fresh running checksum. */
export function startChecksum(name: ChecksumName | "md5"): RunningChecksum {
  switch (name) {
    case "crc32":
      return crc32();
    case "crc32c":
      return crc32c();
    case "crc64nvme":
      return crc64nvme();
    default:
      return hash(name);
  }
}
