import type { BackupManifest } from "./documents.ts";

const percentMax = 50;

/** Bytes of a backup's documents, uncompressed: another compression is no other size. */
export function dataBytes({ collections }: Pick<BackupManifest, "collections">): number {
  return collections.reduce((sum, { bytes }) => sum + bytes, 0);
}

type Sized = Pick<BackupManifest, "id" | "collections">;

/** A warning when a backup's data is more than half as much again, or as little, as that of the backup before. */
export function sizeWarning(now: Sized, before: Sized | undefined): string | undefined {
  if (!before) return undefined;
  const [bytes, bytesBefore] = [dataBytes(now), dataBytes(before)];
  if (bytes === bytesBefore) return undefined;
  const percent = bytesBefore === 0 ? Number.POSITIVE_INFINITY : ((bytes - bytesBefore) / bytesBefore) * 100;
  if (Math.abs(percent) <= percentMax) return undefined;
  const change = Number.isFinite(percent)
    ? `${percent > 0 ? "+" : ""}${Math.round(percent)} %`
    : "from nothing";
  return `size ${change} against ${before.id}: ${bytes} bytes of documents, before ${bytesBefore}; more than ${percentMax} % is unusual`;
}
