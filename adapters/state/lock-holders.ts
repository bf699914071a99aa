/** Who was about to hold the lock of Terraform's state: one object per command, written before Terraform starts. */
import { randomBytes } from "node:crypto";
import type { ObjectStore } from "../../core/ports.ts";
import type { LockHolder } from "../terraform/lock-holder.ts";
import { readJson, writeJson } from "./json.ts";

const prefix = "operations/terraform/";

export class LockHolders {
  constructor(private readonly store: ObjectStore) {}

  /** Writes down who starts Terraform. What it gives writes down that this Terraform has ended. */
  async begin(holder: LockHolder): Promise<(wasRefused: boolean) => Promise<void>> {
    const stamp = holder.startedAt.replace(/[:.]/g, "-");
    const key = `${prefix}${stamp}-${randomBytes(4).toString("hex")}.json`;
    const { etag } = await writeJson(this.store, key, holder, { ifNoneMatch: true });
    return async (wasRefused) => {
      const ended = { ...holder, endedAt: new Date().toISOString(), wasRefused };
      await writeJson(this.store, key, ended, { ifMatch: etag });
    };
  }

  /** Everybody who started Terraform between two moments of their own clocks, the earliest first. */
  async startedBetween(from: Date, to: Date): Promise<LockHolder[]> {
    const holders: LockHolder[] = [];
    const startAfter = `${prefix}${from.toISOString().replace(/[:.]/g, "-")}`;
    for await (const { key } of this.store.list(prefix, { startAfter })) {
      if (key > `${prefix}${to.toISOString().replace(/[:.]/g, "-")}~`) break;
      const found = await readJson<LockHolder>(this.store, key);
      if (found) holders.push(found.value);
    }
    return holders;
  }
}
