import type { BackupManifest } from "./documents.ts";

const percentMax = 50;

/** Bytes of a backup's documents, uncompressed: another compression is no other size. */
export function dataBytes({ collections }: Pick<BackupManifest, "collections">): number {
  return collections.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** By how many percent a size differs from the one before: negative when it shrank, infinite when there was nothing before. */
export function changePercent(bytes: number, before: number): number {
  if (bytes === before) return 0;
  return before === 0 ? Number.POSITIVE_INFINITY : ((bytes - before) / before) * 100;
}

type Sized = Pick<BackupManifest, "id" | "collections">;

/** A warning when a backup's data is more than half as much again, or as little, as that of the backup before. */
export function sizeWarning(now: Sized, before: Sized | undefined): string | undefined {
  if (!before) return undefined;
  const [bytes, bytesBefore] = [dataBytes(now), dataBytes(before)];
  const percent = changePercent(bytes, bytesBefore);
  if (Math.abs(percent) <= percentMax) return undefined;
  const change = Number.isFinite(percent)
    ? `${percent > 0 ? "+" : ""}${Math.round(percent)} %`
    : "from nothing";
  return `size ${change} against ${before.id}: ${bytes} bytes of documents, before ${bytesBefore}; more than ${percentMax} % is unusual`;
}
