import { ArchiveFilter } from "../../core/backup/archive-filter.ts";
import type { BackupManifest } from "../../core/backup/documents.ts";
import { isRestored as isRestoredNamespace } from "../../core/backup/replay.ts";
import { findElement, textIn } from "../../core/bson/raw.ts";
import { readOplogEntry } from "../../core/oplog/entry.ts";
import { markDatabase } from "./scratch.ts";

/** What of an archive is left once its documents are restored: its oplog, and options and indexes of its collections. */
export class ArchiveRest {
  /** Collections, and with a dot at the end whole databases, that a command of the oplog changed. */
  private readonly changed = new Set<string>();
  private readonly filter: ArchiveFilter;

  constructor({ archive }: Pick<BackupManifest, "archive">) {
    let entries = 0;
    this.filter = new ArchiveFilter(`archive ${archive.key}`, {
      keepsCollection: isKept,
      // The first one is the newest from before the dump: where it begins to keep what is written.
      keepsEntry: (entry) => {
        if (entries++ > 0) this.note(entry);
        return isKept(textIn(findElement(entry, "ns")) ?? "");
      },
      withoutDocuments: true,
    });
  }

  async *of(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of archive) {
      const kept = this.filter.push(chunk);
      if (kept.length > 0) yield kept;
    }
    this.filter.end();
  }

  /** Whether a collection's indexes or options may not be those of the list any more. */
  changes(namespace: string): boolean {
    return this.changed.has(namespace) || this.changed.has(namespace.slice(0, namespace.indexOf(".") + 1));
  }

  private note(entry: Uint8Array): void {
    for (const { kind, namespace } of readOplogEntry(entry)) if (kind === "c") this.changed.add(namespace);
  }
}

function isKept(namespace: string): boolean {
  return isRestoredNamespace(namespace) && !namespace.startsWith(`${markDatabase}.`);
}
