import { sequencesOf } from "../changes/sequence.ts";
import type { Change } from "./change.ts";
import { Pending, type PendingSequences } from "./pending.ts";
import { settle } from "./settle.ts";
import { addCounts, type Counts, noCounts, type Step, type TailConflict, type TailRule } from "./step.ts";
import { stoppedByPolicy } from "./stopped.ts";
import type { Blocker, Collision, Definition, Target, Write } from "./target.ts";

/**
 * Everything through `sequence` is applied with a majority, save the pending writes it names. A replay that starts
 * here ends as if it had never stopped.
 */
export interface ReplayState {
  readonly sequence: number;
  readonly pending: PendingSequences;
  /** Collections dropped and not created again yet: what they are created with when their next document comes. */
  readonly definitions: Readonly<Record<string, Definition>>;
  readonly counts: Counts;
  /** Renames applied so far: behind the first one the log can't be replayed from its beginning. */
  readonly renames: number;
  /** Set right before a rename: whether its source was there. Found missing afterwards, it was moved already. */
  readonly rename?: { readonly sequence: number; readonly sourceMissing: boolean };
}

export const replayStart: ReplayState = {
  sequence: 0,
  pending: {},
  definitions: {},
  counts: noCounts(),
  renames: 0,
};

/** Kept durably, with both images, before anything is done about it. */
export type ConflictRecord =
  | ({ readonly kind: "tail"; readonly policy: TailRule["policy"] } & TailConflict)
  | {
      readonly kind: "unique";
      readonly policy: TailRule["policy"];
      /** False: neither side could win, the document stays as MongoDB has it and the comparison names it. */
      readonly settled: boolean;
      readonly write: Write;
      readonly blockers: readonly Blocker[];
      readonly message: string;
    };

export interface ReplayPorts {
  readonly target: Target;
  /** `now` resolves when the state is durable; `soon` may be late or skipped. Never out of order. */
  save(urgency: "now" | "soon", state: () => ReplayState): Promise<void>;
  conflicts(records: readonly ConflictRecord[]): Promise<void>;
  /** The changes with these sequence numbers, ascending, from the log. */
  reread(sequences: readonly number[]): AsyncIterable<Change>;
}

export interface ReplayOptions {
  readonly tail: TailRule;
  /** Images of pending writes kept in memory. */
  readonly pendingBytesMax: number;
}

/** Writes tried again inside one step, and steps between two tries of what is left, at most. */
const stepTriesMax = 10;
const retryGapMax = 256;

/** Applies steps in order; once, twice, killed anywhere and started again from the last saved state: the same result. */
export class Replay {
  readonly pending: Pending;
  private readonly definitions: Map<string, Definition>;
  private readonly counts: Counts;
  private sequence: number;
  private renames: number;
  private retryGap = 1;
  private retryIn = 1;

  constructor(
    private readonly ports: ReplayPorts,
    private readonly options: ReplayOptions,
    private readonly start: ReplayState,
  ) {
    this.pending = new Pending(options.pendingBytesMax);
    this.definitions = new Map(Object.entries(start.definitions));
    this.counts = structuredClone(start.counts) as Counts;
    this.sequence = start.sequence;
    this.renames = start.renames;
  }

  /** What was pending when the state was saved is known again by its documents' keys. */
  async recall(): Promise<void> {
    for (const [namespace, runs] of Object.entries(this.start.pending)) {
      for await (const change of this.ports.reread([...sequencesOf(runs)])) {
        if (change.key !== undefined) this.pending.addCold(namespace, change.key, change.sequence);
      }
    }
  }

  state(): ReplayState {
    return {
      sequence: this.sequence,
      pending: this.pending.sequences(),
      definitions: Object.fromEntries(this.definitions),
      counts: structuredClone(this.counts),
      renames: this.renames,
    };
  }

  /** Applies one step. Steps come in the order of the log, from the one after `state().sequence`. */
  async apply(step: Step): Promise<void> {
    if (step.kind === "writes") await this.writes(step.writes, step.conflicts);
    else await this.barrier(step);
    this.sequence = step.lastSequence;
    addCounts(this.counts, step.counts);
    await this.ports.save(step.kind === "writes" ? "soon" : "now", () => this.state());
  }

  /** At the end of the log: what is pending is brought in, or becomes a conflict settled by policy. */
  async finish(): Promise<void> {
    if (this.pending.size > 0) await settle(this.pending, this.ports, this.options.tail);
    await this.ports.save("now", () => this.state());
  }

  private async writes(writes: readonly Write[], conflicts: readonly TailConflict[]): Promise<void> {
    await this.recordTail(conflicts);
    if (this.definitions.size > 0) for (const { namespace } of writes) await this.createAgain(namespace);
    for (const { namespace, key } of writes) this.pending.remove(namespace, key);
    for (const { write } of await this.tryAll(writes)) this.pending.add(write);
    await this.retryPending();
  }

  /** Tries as long as fewer collide each time: most wait for another write of the same step. */
  private async tryAll(writes: readonly Write[]): Promise<readonly Collision[]> {
    let collisions = await this.ports.target.write(writes);
    for (let tries = 1; collisions.length > 0 && tries < stepTriesMax; tries++) {
      const again = await this.ports.target.write(collisions.map(({ write }) => write));
      if (again.length === collisions.length) return again;
      collisions = again;
    }
    return collisions;
  }

  /** After each step, then at growing distances while nothing moves: the cost stays in proportion to the log. */
  private async retryPending(): Promise<void> {
    if (this.pending.size === 0 || --this.retryIn > 0) return;
    const writes = this.pending.hot();
    const left = new Set((await this.ports.target.write(writes)).map(({ write }) => write));
    for (const write of writes) if (!left.has(write)) this.pending.remove(write.namespace, write.key);
    this.retryGap = left.size < writes.length ? 1 : Math.min(this.retryGap * 2, retryGapMax);
    this.retryIn = this.retryGap;
  }

  /**
   * DDL is not idempotent among other changes (a rename replayed over newer documents would lose them): the state is
   * saved right before it, so that a restart begins with it, and right after it.
   */
  private async barrier(step: Exclude<Step, { kind: "writes" }>): Promise<void> {
    if (step.kind === "rename") {
      await this.rename(step);
      return;
    }
    for (const namespace of step.namespaces) {
      await this.conflictsOfDrop(namespace, step.lastSequence);
      const definition = await this.ports.target.definition(namespace);
      if (definition) this.definitions.set(namespace, definition);
    }
    this.sequence = step.lastSequence - 1;
    await this.ports.save("now", () => this.state());
    for (const namespace of step.namespaces) {
      await this.ports.target.drop(namespace);
      this.pending.drop(namespace);
    }
  }

  private async rename({ from, to, lastSequence }: Extract<Step, { kind: "rename" }>): Promise<void> {
    const { target } = this.ports;
    await this.createAgain(from);
    const begun = this.start.rename?.sequence === lastSequence ? this.start.rename : undefined;
    const rename = begun ?? { sequence: lastSequence, sourceMissing: !(await target.definition(from)) };
    this.sequence = lastSequence - 1;
    this.renames++;
    await this.ports.save("now", () => ({ ...this.state(), rename }));
    // A collection the source created and never filled is not here: what it replaced goes all the same.
    if (rename.sourceMissing) await target.drop(to);
    else await target.rename(from, to);
    this.pending.rename(from, to);
    this.definitions.delete(to);
  }

  private async createAgain(namespace: string): Promise<void> {
    const definition = this.definitions.get(namespace);
    if (!definition) return;
    await this.ports.target.create(namespace, definition);
    this.definitions.delete(namespace);
  }

  private async recordTail(conflicts: readonly TailConflict[]): Promise<void> {
    if (conflicts.length === 0) return;
    const { policy } = this.options.tail;
    await this.ports.conflicts(conflicts.map((conflict) => ({ kind: "tail", policy, ...conflict })));
    const own = conflicts.find(({ margin }) => !margin);
    if (own && policy === "stop") throw stoppedByPolicy(own.namespace, own.sequence);
  }

  /** A drop takes the tail's documents with it: only the policy that lets the log win may do that. */
  private async conflictsOfDrop(namespace: string, sequence: number): Promise<void> {
    const { tail } = this.options;
    if (tail.countIn(namespace) > 0 && tail.policy !== "documentdb")
      throw stoppedByPolicy(namespace, sequence);
  }
}
