/** Change capture and its application: the checkpoint moves only behind what the target has confirmed. */
import type { MongoClient } from "mongodb";
import type { Progress, TableRow } from "../model.ts";
import type { Store } from "../store.ts";
import { applyChanges, type Refused } from "./apply.ts";
import { Capture } from "./capture.ts";
import { type Change, changeOf } from "./changes.ts";
import type { Selector } from "./mappings.ts";
import type { TableBook } from "./tables.ts";

const AWAIT_MS = 250;
const LAG_LOOK_MS = 50;

/** Waits, or until the signal is raised. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}

export interface FollowOptions {
  readonly store: Store;
  /** The task's ARN. */
  readonly task: string;
  readonly selector: Selector;
  readonly book: TableBook;
  readonly signal: AbortSignal;
  readonly handleDrops: boolean;
  readonly logRefused: (row: TableRow, refused: Refused) => void;
}

export class Follower {
  #savedToken = "";

  constructor(readonly options: FollowOptions) {}

  /** Reads a batch, waits for its lag, applies it, then moves the checkpoint; until the signal is raised. */
  async run(source: MongoClient, target: MongoClient, beforeBatch: () => Promise<void>): Promise<void> {
    const { signal, store, task, selector, book } = this.options;
    const capture = new Capture(source, store.get("progress", task)!, AWAIT_MS, selector.databases());
    try {
      while (!signal.aborted) {
        await beforeBatch();
        const { events, progress } = await capture.next();
        const changes = events.map(changeOf).filter((change) => change !== undefined);
        const wanted = changes.filter((change) => selector.selects(change.schema, change.table));
        if (wanted.length > 0 && !(await this.#carry(source, target, wanted))) return;
        store.transaction(() => {
          this.#saveProgress(progress);
          book.save();
        });
      }
    } finally {
      await capture.close();
      book.forgetUnapplied();
    }
  }

  async #carry(source: MongoClient, target: MongoClient, changes: readonly Change[]): Promise<boolean> {
    for (const change of changes) this.options.book.countRead(change);
    this.options.book.save();
    if (!(await this.#lag(source, changes))) return false;
    await this.#apply(target, changes);
    return true;
  }

  /**
   * Holds a batch until it is as old as the lag asks, and while applying is paused. Gives false when the task was
   * stopped meanwhile. A change counts as captured only if the source is still there then: what a lagging DMS had
   * not read when MongoDB died, it never has.
   */
  async #lag(source: MongoClient, changes: readonly Change[]): Promise<boolean> {
    const { signal, store, task } = this.options;
    const newest = Math.max(...changes.map(({ wallMs }) => wallMs));
    let waited = false;
    for (;;) {
      if (signal.aborted) return false;
      const { lagMs, paused } = store.knobs(task);
      const left = newest + lagMs - Date.now();
      if (!paused && left <= 0) break;
      waited = true;
      await pause(paused ? LAG_LOOK_MS : Math.min(left, LAG_LOOK_MS), signal);
    }
    if (waited) await source.db("admin").command({ ping: 1 });
    return true;
  }

  async #apply(target: MongoClient, changes: readonly Change[]): Promise<void> {
    const { book, handleDrops, logRefused } = this.options;
    const groups = new Map<string, Change[]>();
    for (const change of changes) {
      const name = `${change.schema}\0${change.table}`;
      const group = groups.get(name) ?? [];
      groups.set(name, group);
      if (change.kind !== "drop" || handleDrops) group.push(change);
    }
    for (const group of groups.values()) {
      const first = group[0];
      if (!first) continue;
      const row = book.row(first.schema, first.table);
      await applyChanges(target, first.schema, first.table, group, (refused) => logRefused(row, refused));
      for (const change of group) book.countApplied(change);
    }
  }

  /** An idle source gives the same token again and again: nothing to write then. */
  #saveProgress(progress: Progress): void {
    if (this.#savedToken === progress.token && progress.token !== "") return;
    this.#savedToken = progress.token;
    this.options.store.put("progress", this.options.task, progress);
  }
}
