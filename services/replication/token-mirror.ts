import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { keysOf } from "../../core/failback/layout.ts";
import type { Clock, Logger, ObjectStore } from "../../core/ports.ts";
import type { Committed } from "./log-writer.ts";

export interface TokenMirrorOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly stateDirectory: string;
}

const fileName = "data_resume_token.json";
const hostIntervalMs = 1000;
const bucketIntervalMs = 15_000;

/**
 * Keeps `data_resume_token.json` on the host (fsynced) and in the bucket. Nothing resumes from it: the newest manifest
 * is what counts, this is its copy where people look for it. A copy that can't be written is logged, no more.
 */
export class TokenMirror {
  private readonly host: Copy;
  private readonly bucket: Copy;

  constructor({ store, clock, logger, stateDirectory }: TokenMirrorOptions) {
    this.host = new Copy("the host", hostIntervalMs, clock, logger, (committed) =>
      writeDurably(stateDirectory, textOf(committed)),
    );
    this.bucket = new Copy("the bucket", bucketIntervalMs, clock, logger, async (committed) => {
      const key = keysOf(committed.manifest.failbackId).resumeToken;
      await store.put(key, new TextEncoder().encode(textOf(committed)), { contentType: "application/json" });
    });
  }

  update(committed: Committed): void {
    this.host.update(committed);
    this.bucket.update(committed);
  }

  /** Writes what is newest, and resolves when that was tried. */
  async finish(): Promise<void> {
    await Promise.all([this.host.finish(), this.bucket.finish()]);
  }
}

/** One place: one write at a time, the newest wins, not more often than its interval. */
class Copy {
  private newest: Committed | undefined;
  private writing: Promise<void> | undefined;
  private lastMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly place: string,
    private readonly intervalMs: number,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly write: (committed: Committed) => Promise<void>,
  ) {}

  update(committed: Committed): void {
    this.newest = committed;
    if (this.writing || this.clock.monotonicMs() - this.lastMs < this.intervalMs) return;
    this.writing = this.writeNewest();
  }

  async finish(): Promise<void> {
    await this.writing;
    if (this.newest) await this.writeNewest();
  }

  private async writeNewest(): Promise<void> {
    const committed = this.newest;
    this.newest = undefined;
    this.lastMs = this.clock.monotonicMs();
    try {
      if (committed) await this.write(committed);
    } catch (error) {
      this.logger.warn({ error: String(error) }, `${fileName} was not written to ${this.place}`);
    } finally {
      this.writing = undefined;
    }
  }
}

function textOf({ manifest, sha256 }: Committed): string {
  const { failbackId, number, lastSequence, lastToken, lastOperationTime, writtenAt } = manifest;
  const copy = {
    version: 1,
    failbackId,
    manifest: number,
    sha256,
    lastSequence,
    lastToken,
    lastOperationTime,
    writtenAt,
  };
  return `${JSON.stringify(copy, null, 2)}\n`;
}

async function writeDurably(folder: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, fileName);
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  const directory = await open(folder, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
