import { type ReplayState, replayStart } from "../../core/apply/replay.ts";
import type { TailRule } from "../../core/apply/step.ts";
import { RoundtripError } from "../../core/errors.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { DeclaredCommand, OwnWrites } from "../../core/oplog/foreign.ts";
import type { Clock, ObjectStore, OperationTime } from "../../core/ports.ts";
import { readJson, writeJson } from "./json.ts";

/** `restore/checkpoint.json`: written only after everything it says is majority acknowledged (invariants.md 18). */
interface StoredCheckpoint {
  readonly version: 1;
  readonly failbackId: string;
  readonly savedAt: string;
  /** Milliseconds spent applying, over all runs. */
  readonly applyMs: number;
  /** Under another policy other changes are left out: it begins anew. */
  readonly policy: TailRule["policy"];
  readonly replay: ReplayState;
}

/** Between two saves that nobody waits for. */
const saveEveryMs = 2000;

/**
 * The restore's checkpoint: saves run one at a time and in order, the newest state wins. Each replaces the one read or
 * written before it, so that of two restores at once one ends `fenced`.
 */
export class RestoreCheckpoint {
  private writing: Promise<void> = Promise.resolve();
  private queued = false;
  private failure: unknown;
  private lastMs = Number.NEGATIVE_INFINITY;
  private readonly sinceMs: number;

  private constructor(
    private readonly store: ObjectStore,
    private readonly clock: Clock,
    private readonly failbackId: string,
    readonly start: ReplayState,
    private readonly policy: TailRule["policy"],
    private readonly applyMsBefore: number,
    private etag: string | undefined,
  ) {
    this.sinceMs = clock.monotonicMs();
  }

  /**
   * Fails `refused` when the policy is another one than before and a rename was applied: replaying the log from its
   * beginning, as another policy needs, would rename what stands there now.
   */
  static async open(
    store: ObjectStore,
    clock: Clock,
    failbackId: string,
    policy: TailRule["policy"],
  ): Promise<RestoreCheckpoint> {
    const found = await readJson<StoredCheckpoint>(store, keysOf(failbackId).restoreCheckpoint);
    const { replay, applyMs = 0 } = found?.value ?? {};
    const isSame = !found || found.value.policy === policy;
    if (replay && !isSame && replay.renames > 0) throw policyChanged(failbackId, found.value.policy, policy);
    const start = replay && isSame ? replay : replayStart;
    return new RestoreCheckpoint(store, clock, failbackId, start, policy, applyMs, found?.etag);
  }

  /** Milliseconds spent applying so far, over all runs. */
  get applyMs(): number {
    return Math.round(this.applyMsBefore + this.clock.monotonicMs() - this.sinceMs);
  }

  /** `now` resolves when the state is durable; `soon` returns at once and may be left out. */
  async save(urgency: "now" | "soon", state: () => ReplayState): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (urgency === "soon" && (this.queued || this.clock.monotonicMs() - this.lastMs < saveEveryMs)) return;
    const stored = this.stored(state());
    this.lastMs = this.clock.monotonicMs();
    this.queued = true;
    const write = this.writing.then(async () => {
      this.queued = false;
      const key = keysOf(this.failbackId).restoreCheckpoint;
      this.etag = (await writeJson(this.store, key, stored, over(this.etag))).etag;
    });
    this.writing = write.catch((error: unknown) => {
      this.failure ??= error;
    });
    if (urgency === "now") await write;
  }

  private stored(replay: ReplayState): StoredCheckpoint {
    const savedAt = this.clock.now().toISOString();
    const { failbackId, applyMs, policy } = this;
    return { version: 1, failbackId, savedAt, applyMs, policy, replay };
  }
}

/** `restore/sessions.json`: by what the restore's own entries in MongoDB's oplog are known, of every run. */
interface StoredOrigins {
  readonly version: 1;
  readonly sessions: readonly string[];
  readonly commands: readonly DeclaredCommand[];
  /** MongoDB's oplog was looked at through this time, and showed these writes of others. */
  readonly readThrough?: OperationTime;
  readonly foreign?: readonly string[];
}

export class RestoreOrigins {
  private writing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly store: ObjectStore,
    private readonly key: string,
    private stored: StoredOrigins,
    private etag: string | undefined,
  ) {}

  static async open(store: ObjectStore, failbackId: string): Promise<RestoreOrigins> {
    const key = keysOf(failbackId).restoreSessions;
    const found = await readJson<StoredOrigins>(store, key);
    return new RestoreOrigins(
      store,
      key,
      found?.value ?? { version: 1, sessions: [], commands: [] },
      found?.etag,
    );
  }

  get own(): OwnWrites {
    return { sessions: new Set(this.stored.sessions), commands: this.stored.commands };
  }

  get readThrough(): OperationTime | undefined {
    return this.stored.readThrough;
  }

  get foreign(): readonly string[] {
    return this.stored.foreign ?? [];
  }

  /** How far the oplog was looked at, and what others wrote there. */
  async recordLook(readThrough: OperationTime, foreign: readonly string[]): Promise<void> {
    await this.write((stored) => ({ ...stored, readThrough, foreign }));
  }

  /** Durable when it resolves: only then may the sessions write. */
  async addSessions(ids: readonly string[]): Promise<void> {
    await this.write((stored) => ({ ...stored, sessions: [...stored.sessions, ...ids] }));
  }

  /** Durable when it resolves: only then may the command run. */
  async addCommand(namespace: string, command: string): Promise<void> {
    const isDeclared = (each: DeclaredCommand) => each.namespace === namespace && each.command === command;
    if (this.stored.commands.some(isDeclared)) return;
    await this.write((stored) => ({ ...stored, commands: [...stored.commands, { namespace, command }] }));
  }

  /** One after the other: looks and declarations come from different parts of the restore. */
  private write(edit: (stored: StoredOrigins) => StoredOrigins): Promise<void> {
    const write = this.writing.then(async () => {
      const stored = edit(this.stored);
      this.etag = (await writeJson(this.store, this.key, stored, over(this.etag))).etag;
      this.stored = stored;
    });
    this.writing = write.catch(() => {});
    return write;
  }
}

/** Replaces only what this process read or wrote before. */
function over(etag: string | undefined): { ifMatch: string } | { ifNoneMatch: true } {
  return etag ? { ifMatch: etag } : { ifNoneMatch: true };
}

function policyChanged(failbackId: string, before: string, now: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `restore failback ${failbackId} under conflictPolicy ${now}`,
    expected: `conflictPolicy ${before}, as when a rename of the log was applied`,
    got: now,
    wayOut: `set conflictPolicy back to ${before}, or restore MongoDB from its dump and delete the restore's checkpoint`,
  });
}
