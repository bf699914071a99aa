import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { inflateRawSync } from "node:zlib";
import { AwsError } from "../service.ts";

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const unzippedBytesMax = 262_144_000;

function invalid(what: string): AwsError {
  return new AwsError("InvalidParameterValueException", `Could not unzip uploaded file: ${what}`, 400);
}

/** Unpacks an archive (stored and deflated entries) below `target`. Refuses paths that lead out of it. */
export function unzip(archive: Buffer, target: string): void {
  let end = archive.length - 22;
  while (end >= 0 && archive.readUInt32LE(end) !== endSignature) end -= 1;
  if (end < 0) throw invalid("no end of central directory");
  const count = archive.readUInt16LE(end + 10);
  let at = archive.readUInt32LE(end + 16);
  let total = 0;
  for (let index = 0; index < count; index += 1) {
    if (archive.readUInt32LE(at) !== entrySignature) throw invalid(`entry ${index} is damaged`);
    const method = archive.readUInt16LE(at + 10);
    const [compressed, size] = [archive.readUInt32LE(at + 20), archive.readUInt32LE(at + 24)];
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    const mode = archive.readUInt32LE(at + 38) >>> 16;
    const header = archive.readUInt32LE(at + 42);
    const name = archive.toString("utf8", at + 46, at + 46 + nameLength);
    at += 46 + nameLength + extra + comment;
    if (name.endsWith("/")) continue;
    total += size;
    if (total > unzippedBytesMax)
      throw invalid(`unzipped size must be smaller than ${unzippedBytesMax} bytes`);
    const start = header + 30 + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28);
    const data = archive.subarray(start, start + compressed);
    if (method !== 0 && method !== 8) throw invalid(`compression method ${method} of ${name}`);
    write(target, name, method === 0 ? data : inflateRawSync(data), mode & 0o777);
  }
}

function write(target: string, name: string, bytes: Uint8Array, mode: number): void {
  const path = join(target, normalize(name));
  if (!path.startsWith(`${target}/`)) throw invalid(`${name} leads out of the archive`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes, mode === 0 ? {} : { mode });
}
