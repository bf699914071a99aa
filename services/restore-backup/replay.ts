/** Applies archived oplog entries through mongorestore, in pieces that end where core/backup/replay.ts says. */
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { deserialize } from "bson";
import { replayOplog } from "../../adapters/dump/mongorestore.ts";
import type { OplogManifest } from "../../core/backup/documents.ts";
import { commandOf, isPartOfTransaction, replayStep } from "../../core/backup/replay.ts";
import { words } from "../../core/backup/span.ts";
import { compareTimes } from "../../core/failback/recorded-tasks.ts";
import { timeOfEntry } from "../../core/oplog/entry.ts";
import type { OperationTime } from "../../core/ports.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { Progress } from "../runtime/progress.ts";
import { segmentsOf } from "./material.ts";
import type { Target } from "./target.ts";

export interface ReplayOptions {
  readonly service: ServiceContext;
  readonly target: Target;
  readonly executable: string;
  readonly configurationPath: string;
  /** Where pieces lie while they are applied. */
  readonly directory: string;
  readonly manifests: readonly OplogManifest[];
  /** Entries up to this one are in the backup. */
  readonly after: OperationTime;
  /** The first time that is no longer applied. */
  readonly limit: OperationTime;
}

/** A piece lies on the disk, and a killed restore begins anew whatever its size is. */
const pieceBytesMax = 64 * 1024 * 1024;

/** Gives how many entries were applied, and the last one before the limit. Fails as mongorestore does. */
export async function replay(options: ReplayOptions): Promise<{ applied: number; through: OperationTime }> {
  const run = new Replay(options);
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  return run.through();
}

class Replay {
  private piece: Uint8Array[] = [];
  private bytes = 0;
  private applied = 0;
  private endsSoon = false;
  private last: OperationTime;

  constructor(private readonly options: ReplayOptions) {
    this.last = options.after;
  }

  async through(): Promise<{ applied: number; through: OperationTime }> {
    const { service, manifests, after, limit } = this.options;
    const total = manifests.reduce((sum, { entries }) => sum + entries, 0);
    const progress = new Progress(service, "entries", total, { stage: "replay" });
    for await (const { manifest, entries } of segmentsOf(service, manifests)) {
      for (const entry of entries) {
        const time = timeOfEntry(entry);
        if (compareTimes(time, after) <= 0) continue;
        if (compareTimes(time, limit) >= 0) break;
        this.last = time;
        await this.take(entry);
      }
      progress.add(manifest.entries);
    }
    await this.apply();
    return { applied: this.applied, through: this.last };
  }

  private async take(entry: Uint8Array): Promise<void> {
    const step = replayStep(entry);
    if (step === "skip") return;
    this.applied++;
    if (step === "command") {
      await this.apply();
      await this.command(entry);
      return;
    }
    this.piece.push(entry);
    this.bytes += entry.length;
    this.endsSoon ||= step === "apply-and-end" || this.bytes >= pieceBytesMax;
    // The entries of one transaction stay together.
    if (this.endsSoon && !isPartOfTransaction(entry)) await this.apply();
  }

  private async apply(): Promise<void> {
    const { piece } = this;
    if (piece.length === 0) return;
    this.piece = [];
    this.bytes = 0;
    this.endsSoon = false;
    const { service, target, directory, limit, executable, configurationPath } = this.options;
    const path = join(directory, "piece.bson");
    try {
      await writePrivately(path, piece);
      await replayOplog({
        executable,
        configurationPath,
        file: path,
        directory: join(directory, "empty"),
        limit,
        what: `apply the oplog through ${words(this.last)} to ${target.hosts} (secret ${target.secretName})`,
        signal: service.signal,
        onLine: (line) => service.logger.debug({ line }, "mongorestore"),
      });
    } finally {
      await rm(path, { force: true });
    }
  }

  private async command(entry: Uint8Array): Promise<void> {
    const { target } = this.options;
    const { database, body } = commandOf(entry);
    const command = deserialize(body, { promoteValues: false });
    const [name = ""] = Object.keys(command);
    try {
      await target.client.db(database).command(command);
    } catch (error) {
      throw target.failure(error, `apply ${name} of ${words(timeOfEntry(entry))}`);
    }
  }
}

async function writePrivately(path: string, parts: readonly Uint8Array[]): Promise<void> {
  await rm(path, { force: true });
  const file = await open(path, "wx", 0o600);
  try {
    for (const part of parts) await file.write(part);
  } finally {
    await file.close();
  }
}
