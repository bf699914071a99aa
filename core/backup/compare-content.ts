import type { ArchiveContent } from "./archive.ts";
import type { BackupManifest, DumpedCollection } from "./documents.ts";

/** Level 2: what is in the archive against what the manifest says. A line for each difference. */
export function compareContent(
  manifest: Pick<BackupManifest, "collections" | "oplog">,
  content: Pick<ArchiveContent, "collections" | "oplog">,
): string[] {
  const lines = compareCollections(manifest.collections, content.collections, "in the archive");
  const differs = (what: string, expected: unknown, got: unknown) =>
    lines.push(`oplog: expected ${what} ${expected}, got ${got ?? "none"}`);
  const { oplog } = content;
  if (oplog?.entries !== manifest.oplog.entries) differs("entries", manifest.oplog.entries, oplog?.entries);
  // Without an entry of its own, the manifest names the one before the dump.
  const { last } = manifest.oplog;
  if (oplog?.last && (oplog.last.t !== last.t || oplog.last.i !== last.i)) {
    differs("last", `${last.t}:${last.i}`, `${oplog.last.t}:${oplog.last.i}`);
  }
  return lines;
}

/** Collections by name, then each one's documents, bytes and content. `where` the second ones are, for the lines. */
export function compareCollections(
  expected: readonly DumpedCollection[],
  got: readonly Omit<DumpedCollection, "metadata">[],
  where: string,
): string[] {
  const found = new Map(got.map((one) => [namespaceOf(one), one]));
  const known = new Set(expected.map(namespaceOf));
  const missing = expected.filter((one) => !found.has(namespaceOf(one)));
  return [
    ...missing.map((one) => `${namespaceOf(one)}: missing ${where}`),
    ...got.filter((one) => !known.has(namespaceOf(one))).map((one) => `${namespaceOf(one)}: only ${where}`),
    ...expected.flatMap((one) => compareOne(one, found.get(namespaceOf(one)))),
  ];
}

function compareOne(
  expected: DumpedCollection,
  got: (Omit<DumpedCollection, "metadata"> & { metadata?: string }) | undefined,
): string[] {
  if (!got) return [];
  const name = namespaceOf(expected);
  const lines: string[] = [];
  for (const field of ["documents", "bytes"] as const) {
    if (expected[field] !== got[field])
      lines.push(`${name}: expected ${expected[field]} ${field}, got ${got[field]}`);
  }
  if (lines.length === 0 && expected.content !== got.content)
    lines.push(`${name}: expected content ${short(expected.content)}, got ${short(got.content)}`);
  if (got.metadata !== undefined && got.metadata !== expected.metadata)
    lines.push(`${name}: options or indexes are not those of the manifest`);
  return lines;
}

/** Enough of a digest to tell two apart. */
function short(digest: string): string {
  return `${digest.slice(0, digest.indexOf(":") + 17)}…`;
}

export function namespaceOf({ database, name }: { database: string; name: string }): string {
  return `${database}.${name}`;
}
